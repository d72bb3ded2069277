//! Runs random transactions on four machines and compares what they did.
//!
//! ```text
//! seed ─▶ generate ─▶ case: state, block, transaction ─▶ our executor, plain ──────┐
//!                                                     ├▶ our executor, translated ─┼─▶ outcomes ─▶ equal?
//!                                                     ├▶ revm ─────────────────────┤
//!                                                     └▶ SputnikVM (Cancun only) ──┘
//! ```
//!
//! What tracers are told of our plain run is compared as well, step by step, with what revm tells its inspector: calls,
//! creations, and of each opcode the gas, the stack, the memory and what the last call returned. And so is what the same
//! transaction does as a call, as `eth_call` and estimates run it.
//!
//! Status, gas used, output, logs and every account afterwards must be equal, and of our two forms of code the exact
//! reason too. A case on which two machines differ is cut down and written to a file that `--replay` runs again.
//!
//! Deviations of ours that are no mistakes are kept out: rent is free, the base fee is taken off the coinbase
//! afterwards, and there are the precompiles only that the executor has (`engine/precompiles.rs`).
#![forbid(unsafe_code)]

mod case;
mod engine;
mod files;
mod generate;
mod keys;
mod minimise;
mod outcome;
mod report;
mod run;
mod steps;

use anyhow::Result;
use clap::Parser;
use report::Counts;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// Runs random transactions on our executor, revm and SputnikVM, and compares.
///
/// Exits with 1 when two of them differ. The last line counts cases.
#[derive(Parser)]
#[command(name = "differential")]
pub(crate) struct Arguments {
    /// How long to go on; a minute if --cases is not given either
    #[arg(long)]
    minutes: Option<f64>,
    /// How many cases to run, not counting their variants with less gas
    #[arg(long)]
    cases: Option<u64>,
    /// What all cases follow from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The number of the first case
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Worker threads; as many as there are cores unless told
    #[arg(long)]
    jobs: Option<usize>,
    /// After how many mismatches to stop
    #[arg(long, default_value_t = 20)]
    failures: u64,
    /// The folder for cases that machines differ on
    #[arg(long, value_name = "FOLDER", default_value = "differential-mismatches")]
    out: PathBuf,
    /// A folder of cases to run before those at random
    #[arg(long, value_name = "FOLDER")]
    corpus: Option<PathBuf>,
    /// Run a case file again, or all of a folder, and no others
    #[arg(long, value_name = "PATH")]
    replay: Option<PathBuf>,
    /// With --replay: tell what our executor did
    #[arg(long)]
    verbose: bool,
}

fn main() -> Result<ExitCode> {
    let mut arguments = Arguments::parse();
    let start = Instant::now();
    let mut counts = Counts::default();
    if let Some(path) = &arguments.replay {
        files::replay(path, arguments.verbose, &mut counts)?;
    } else {
        if let Some(path) = &arguments.corpus {
            files::replay(path, false, &mut counts)?;
        }
        if arguments.cases.is_none() {
            arguments.minutes.get_or_insert(1.0);
        }
        run::run(&arguments, &mut counts)?;
    }
    counts.print(start.elapsed());
    Ok(ExitCode::from(u8::from(counts.failed() > 0 || counts.cases == 0)))
}
