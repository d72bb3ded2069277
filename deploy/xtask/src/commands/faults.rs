//! `cargo xtask faults`: nodes that are killed and clusters that break, and nothing may be lost.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result};

use super::build_sbf::{self, PROGRAM_VARIABLE};
use crate::{
    context::Context,
    contracts::{self, CONTRACTS_VARIABLE},
    process::{self, option},
};

/// The program of tests/faults.
const RUNNER: &str = "faults";

/// Kills nodes and breaks their cluster in every way that a cluster breaks, and looks whether anything was lost.
///
/// A schedule says who sends which Ethereum transactions, when which node is killed, and what becomes of the calls to
/// the cluster: lost, late, answered with errors or from the past, blockhashes expired. It is played with real nodes and
/// the real program in a Solana VM. In its end every transaction must have ended exactly once, with the right receipt,
/// every lamport must be where it belongs, and no holder may be left.
/// The same seed gives the same schedules. The last line counts them. Fails when one does not end well.
#[derive(clap::Args, Default)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// How many schedules to play; 300 unless told
    #[arg(long)]
    schedules: Option<u64>,
    /// What all schedules follow from
    #[arg(long)]
    seed: Option<u64>,
    /// The number of the first schedule
    #[arg(long)]
    first: Option<u64>,
    /// Worker threads; as many as there are cores unless told
    #[arg(long)]
    jobs: Option<usize>,
    /// Tell what happens, call by call; RUST_LOG adds what nodes log
    #[arg(long)]
    verbose: bool,
    /// More arguments for the runner, after `--`: `-- --help` tells which
    #[arg(last = true)]
    more: Vec<String>,
}

impl Args {
    /// The first schedules of the usual seed.
    pub(crate) fn for_schedules(schedules: u64) -> Self {
        Self { schedules: Some(schedules), ..Self::default() }
    }
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<()> {
    let program = build_sbf::build(context, &build_sbf::Args::default())?.path;
    process::run(&mut command(context, args, &program)?)
        .context("a schedule did not end well: see above; the line that begins with `again:` plays it alone")
}

/// The runner.
pub(crate) fn command(context: &Context, args: &Args, program: &Path) -> Result<Command> {
    let contracts = contracts::compile(context)?;
    let mut runner = context.built(RUNNER)?;
    runner.env(PROGRAM_VARIABLE, program).env(CONTRACTS_VARIABLE, contracts);
    option(&mut runner, "--schedules", args.schedules);
    option(&mut runner, "--seed", args.seed);
    option(&mut runner, "--first", args.first);
    option(&mut runner, "--jobs", args.jobs);
    if args.verbose {
        runner.arg("--verbose");
    }
    runner.args(&args.more);
    Ok(runner)
}
