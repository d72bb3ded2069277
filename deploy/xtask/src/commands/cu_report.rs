//! `cargo xtask cu-report`: the table of compute units.

use std::process::Command;

use anyhow::{Context as _, Result};

use super::build_sbf::{self, PROGRAM_VARIABLE};
use crate::{
    context::Context,
    contracts::{self, CONTRACTS_VARIABLE},
    process,
};

/// The program of `parhelion-harness` that measures.
const REPORT: &str = "cu-report";

/// Measures the workloads on the real program and compares them with the committed table.
///
/// A number that grew by more than 2 % fails. --write puts the new numbers into the table.
#[derive(clap::Args, Default)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Write the measured numbers into the table
    #[arg(long)]
    write: bool,
    /// More arguments for the measuring program, after `--`
    #[arg(last = true)]
    more: Vec<String>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<()> {
    let program = build_sbf::build(context, &build_sbf::Args::default())?;
    let binaries = context.build_binaries(&[REPORT]).with_context(|| {
        format!("the measuring program does not build: tests/harness must have a binary `{REPORT}`")
    })?;
    let mut report = Command::new(binaries.join(REPORT));
    report.current_dir(&context.root).env(PROGRAM_VARIABLE, &program.path);
    report.env(CONTRACTS_VARIABLE, contracts::compile(context)?);
    report.args(args.write.then_some("--write")).args(&args.more);
    process::run(&mut report).context(
        "the CU table does not hold. The table is measured with deploy/sbpf (`--toolchain recipe`); if the program \
         changed on purpose, run `cargo xtask cu-report --write` and commit the table with the reason",
    )
}
