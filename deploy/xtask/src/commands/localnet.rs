//! `cargo xtask localnet`: a Solana cluster on this machine, and a node in front of it.

use std::{os::unix::process::CommandExt, process::Command};

use anyhow::{Context as _, Result};

use super::build_sbf::{self, PROGRAM_VARIABLE};
use crate::{
    cargo_tools,
    context::Context,
    process,
    validator::{self, VALIDATOR_VARIABLE},
};

/// The variable that tells the localnet and the tests where the node is.
pub(crate) const NODE_VARIABLE: &str = "PARHELION_NODE";

/// Starts a Solana validator, deploys the program to it and starts a node on 127.0.0.1:8545.
///
/// Solana is on 127.0.0.1:8899, with ten funded Ethereum accounts as in `cargo xtask dev`. Ctrl-C stops everything and
/// leaves nothing, unless a folder for the ledger was named: `cargo xtask localnet -- --ledger FOLDER`. Other options,
/// after `--`: --rpc-port PORT, --listen ADDRESS, --chain-id NUMBER.
///
/// The first run compiles the validator, which takes 20 to 30 minutes on two cores.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Options of the localnet, after `--`
    #[arg(last = true, value_name = "OPTIONS")]
    localnet: Vec<String>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<()> {
    cargo_tools::ensure_system_packages()?;
    let validator = validator::obtain(context)?;
    let program = build_sbf::build(context, &build_sbf::Args::default())?;
    let binaries = context.build_binaries(&["parhelion", "parhelion-localnet"])?;
    let mut localnet = Command::new(binaries.join("parhelion-localnet"));
    localnet.args(&args.localnet);
    localnet.env(PROGRAM_VARIABLE, &program.path).env(VALIDATOR_VARIABLE, validator);
    localnet.env(NODE_VARIABLE, binaries.join("parhelion"));
    eprintln!("$ {}", process::display(&localnet));
    context.release_target_folder();
    // It takes this process's place, so signals reach it without a middleman.
    Err(localnet.exec())
        .context("the localnet does not start; `cargo xtask test --only validator` may tell more")
}
