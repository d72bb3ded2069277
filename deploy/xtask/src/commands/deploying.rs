//! `cargo xtask deploy`, `upgrade` and `verify`: the node's commands of the same names, with what this checkout builds.

use std::os::unix::process::CommandExt;

use anyhow::{Context as _, Result};

use super::build_sbf::{self, PROGRAM_VARIABLE};
use crate::{cargo_tools, context::Context, process};

/// Builds the program and deploys it to a Solana cluster; no Solana tools are needed.
///
/// cargo xtask deploy --solana-url URL --authority KEYFILE --chain-id NUMBER --fund-operator KEYFILE
///
/// Uploads the program, compares what is on chain with the build, initialises the chain and funds operators. Goes on
/// where it was interrupted. All options are those of `parhelion deploy`, which `target/debug/parhelion deploy --help`
/// explains; --program and the environment variable PARHELION_PROGRAM are taken by the build.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Deploy {
    #[command(flatten)]
    arguments: Arguments,
}

/// Builds the program and replaces a deployed one by it.
///
/// cargo xtask upgrade --solana-url URL --authority KEYFILE --program-id ADDRESS
///
/// Goes on where it was interrupted. All options are those of `parhelion upgrade`.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Upgrade {
    #[command(flatten)]
    arguments: Arguments,
}

/// Builds the program and compares a deployed one with it, byte by byte; fails if they differ.
///
/// cargo xtask verify --solana-url URL --program-id ADDRESS
///
/// The program's bytes depend on its sources alone (`cargo xtask check-reproducible`), so whoever has the sources can
/// find out whether a cluster runs them. All options are those of `parhelion verify`.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Verify {
    #[command(flatten)]
    arguments: Arguments,
}

/// Arguments for the node.
#[derive(clap::Args)]
struct Arguments {
    /// Options of the node's command of the same name
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
    node: Vec<String>,
}

impl Deploy {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        run(context, "deploy", &self.arguments)
    }
}

impl Upgrade {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        run(context, "upgrade", &self.arguments)
    }
}

impl Verify {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        run(context, "verify", &self.arguments)
    }
}

fn run(context: &Context, subcommand: &str, arguments: &Arguments) -> Result<()> {
    cargo_tools::ensure_system_packages()?;
    let program = build_sbf::build(context, &build_sbf::Args::default())?;
    let mut node = context.built("parhelion")?;
    node.arg(subcommand).args(&arguments.node).env(PROGRAM_VARIABLE, &program.path);
    eprintln!("$ {}", process::display(&node));
    context.release_target_folder();
    // The node takes this process's place, so signals reach it without a middleman.
    Err(node.exec()).context("the node does not start; `cargo xtask test --only nextest` may tell more")
}
