//! `cargo xtask differential`: random transactions on our executor, revm and SputnikVM.

use std::{path::PathBuf, process::Command};

use anyhow::{Context as _, Result};

use crate::{
    context::Context,
    process::{self, option},
};

/// The program of tests/differential.
const RUNNER: &str = "differential";

/// Cases that machines differed on once: they run before those at random.
const CORPUS: &str = "tests/differential/cases";

/// Runs random transactions on our executor (plain and translated code), revm and SputnikVM, and compares.
///
/// The same seed gives the same cases. A case on which two machines differ is cut down and written to a file; to look
/// at it: cargo xtask differential --replay FILE
/// The last line counts the cases. Fails when machines differ.
#[derive(clap::Args, Default)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// How long to go on; a minute if --cases is not given either
    #[arg(long)]
    minutes: Option<f64>,
    /// What all cases follow from
    #[arg(long)]
    seed: Option<u64>,
    /// Worker threads; as many as there are cores unless told
    #[arg(long)]
    jobs: Option<usize>,
    /// How many cases to run, not counting their variants with less gas
    #[arg(long)]
    cases: Option<u64>,
    /// Run a case file again, or all of a folder, and tell what our executor does
    #[arg(long, value_name = "PATH")]
    replay: Option<PathBuf>,
    /// More arguments for the runner, after `--`: `-- --help` tells which
    #[arg(last = true)]
    more: Vec<String>,
}

impl Args {
    /// As many cases as fit some minutes.
    pub(crate) fn for_minutes(minutes: f64) -> Self {
        Self { minutes: Some(minutes), ..Self::default() }
    }
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<()> {
    let mut runner = command(context, args)?;
    process::run(&mut runner)
        .context("two machines differ: see above; --replay FILE runs a case again, once the reason is found")
}

/// The runner.
pub(crate) fn command(context: &Context, args: &Args) -> Result<Command> {
    let mut runner = context.built(RUNNER)?;
    if let Some(path) = &args.replay {
        runner.arg("--replay").arg(path).arg("--verbose");
    } else {
        runner.arg("--corpus").arg(context.root.join(CORPUS));
        runner.arg("--out").arg(context.target.join("differential-mismatches"));
    }
    option(&mut runner, "--minutes", args.minutes);
    option(&mut runner, "--seed", args.seed);
    option(&mut runner, "--jobs", args.jobs);
    option(&mut runner, "--cases", args.cases);
    runner.args(&args.more);
    Ok(runner)
}
