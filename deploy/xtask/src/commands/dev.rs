//! `cargo xtask dev`: a development node.

use std::os::unix::process::CommandExt;

use anyhow::{Context as _, Result};

use super::build_sbf::{self, PROGRAM_VARIABLE};
use crate::{cargo_tools, context::Context, process};

/// Builds the program and the node, then runs `parhelion dev` on 127.0.0.1:8545.
///
/// The node is Parhelion over a Solana VM in its own process, with ten funded accounts. The first build compiles
/// several hundred crates and takes some 15 minutes on two cores; later ones take seconds. Stop it with Ctrl-C.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Arguments for `parhelion dev`, after `--`
    #[arg(last = true, value_name = "NODE ARGUMENTS")]
    node: Vec<String>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<()> {
    cargo_tools::ensure_system_packages()?;
    let program = build_sbf::build(context, &build_sbf::Args::default())?;
    let mut node = context.built("parhelion")?;
    node.arg("dev").args(&args.node).env(PROGRAM_VARIABLE, &program.path);
    eprintln!("$ {}", process::display(&node));
    context.release_target_folder();
    // The node takes this process's place, so signals reach it without a middleman.
    Err(node.exec()).context("the node does not start; `cargo xtask test --only nextest` may tell more")
}
