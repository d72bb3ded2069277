//! `cargo xtask workloads`: contracts that people use, on a real validator, compared with anvil.

use std::{path::PathBuf, process::Command};

use anyhow::{Result, bail};

use super::build_sbf::{self, PROGRAM_VARIABLE};
use super::localnet::NODE_VARIABLE;
use crate::{
    cargo_tools,
    context::Context,
    process,
    validator::{self, VALIDATOR_VARIABLE},
};

/// Runs real workloads on a node in front of a Solana validator, and compares everything with anvil.
///
/// OpenZeppelin's tokens and Governor, Uniswap V2 and V3, Safe, ERC-4337, and what is too large for one Solana
/// transaction: see tests/workloads/README.md. Takes about five minutes, and prints `N passed, N failed, N skipped`.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Run only this workload (may be given several times)
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Run on a validator without Solana's transaction format V1, as clusters were before it
    #[arg(long)]
    without_v1: bool,
    /// Write the figures to a file: Solana transactions, compute units, times
    #[arg(long, value_name = "FILE")]
    figures: Option<PathBuf>,
}

/// Where a workload runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// `parhelion dev`.
    Dev,
    /// A node in front of a validator.
    Validator,
    /// The same, without Solana's transaction format V1.
    ValidatorWithoutV1,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<()> {
    cargo_tools::ensure_system_packages()?;
    let program = build_sbf::build(context, &build_sbf::Args::default())?.path;
    let only: Vec<&str> = args.only.iter().map(String::as_str).collect();
    let target = if args.without_v1 { Target::ValidatorWithoutV1 } else { Target::Validator };
    let mut command = command(context, &program, target, &only)?;
    if let Some(figures) = &args.figures {
        command.arg("--figures").arg(std::path::absolute(figures)?);
    }
    process::run(&mut command)
}

/// The command that runs these workloads, or all, on a target.
pub(crate) fn command(
    context: &Context,
    program: &std::path::Path,
    target: Target,
    only: &[&str],
) -> Result<Command> {
    if process::find_program("node", &[]).is_none() {
        bail!("`node` is missing: install Node 20 or later with npm");
    }
    let mut command = Command::new("node");
    command.current_dir(&context.root).arg("tests/workloads/run.mjs").env(PROGRAM_VARIABLE, program);
    match target {
        Target::Dev => {
            let binaries = context.build_binaries(&["parhelion"])?;
            command.arg("--binary").arg(binaries.join("parhelion"));
        }
        Target::Validator | Target::ValidatorWithoutV1 => {
            let validator = validator::obtain(context)?;
            let binaries = context.build_binaries(&["parhelion", "parhelion-localnet"])?;
            command.arg("--localnet").arg(binaries.join("parhelion-localnet"));
            if target == Target::ValidatorWithoutV1 {
                command.arg("--without-v1");
            }
            command.env(VALIDATOR_VARIABLE, validator).env(NODE_VARIABLE, binaries.join("parhelion"));
        }
    }
    for name in only {
        command.args(["--only", name]);
    }
    Ok(command)
}
