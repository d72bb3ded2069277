//! `cargo xtask cu-report`: the tables of compute units.

use anyhow::{Context as _, Result};

use super::build_sbf::{self, INTERPRETERS_VARIABLE, PROGRAM_VARIABLE};
use crate::{
    context::Context,
    contracts::{self, CONTRACTS_VARIABLE},
    process,
};

/// The program of `parhelion-harness` that measures.
const REPORT: &str = "cu-report";

/// Measures the workloads and compares them with the committed tables: on the real program, and their bodies in bare
/// interpreters, ours and SputnikVM.
///
/// A number of ours that grew by more than 2 % fails. --write puts the new numbers into the tables.
#[derive(clap::Args, Default)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Write the measured numbers into the tables
    #[arg(long)]
    write: bool,
    /// More arguments for the measuring program, after `--`
    #[arg(last = true)]
    more: Vec<String>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<()> {
    let program = build_sbf::build(context, &build_sbf::Args::default())?;
    let interpreters = build_sbf::build_interpreters(context)?;
    let mut report = context.built(REPORT).with_context(|| {
        format!("the measuring program does not build: tests/harness must have a binary `{REPORT}`")
    })?;
    report.current_dir(&context.root).env(PROGRAM_VARIABLE, &program.path);
    report.env(INTERPRETERS_VARIABLE, interpreters);
    report.env(CONTRACTS_VARIABLE, contracts::compile(context)?);
    report.args(args.write.then_some("--write")).args(&args.more);
    process::run(&mut report).context(
        "the CU tables do not hold. They are measured with deploy/sbpf (`--toolchain recipe`); if the program changed \
         on purpose, run `cargo xtask cu-report --write` and commit the tables with the reason",
    )
}
