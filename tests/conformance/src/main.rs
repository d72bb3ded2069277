//! Runs Ethereum's own test vectors through the executor.
//!
//! ```text
//! source (folders or archives) ─▶ files ─▶ worker threads ─▶ one suite per kind of file ─▶ report
//!                                                             state: ledger ◀─ pre
//!                                                                    executor::execute
//!                                                                    root, logs hash ─▶ equal?
//! ```
//!
//! What is run is the executor itself, over the same account layouts as on chain, with the rules of the fork that a
//! test names. Two things are unlike the chain: rent is free, and the base fee is burned (both are deviations of
//! ours that Ethereum's roots know nothing of). `skip.rs` lists what cannot apply here, by condition and not by name.

#![forbid(unsafe_code)]

mod block;
mod precompiles;
mod reason;
mod report;
mod rlp;
mod root;
mod sender;
mod skip;
mod source;
mod state;
mod suite;
mod transactions;
mod vm;
mod witness;

use anyhow::Result;
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs Ethereum's test vectors: state tests, transactions, RLP, precompiles.
///
/// Exits with 1 when a case fails that the skip list does not name. The last line counts the cases.
#[derive(Parser)]
#[command(name = "conformance")]
pub(crate) struct Arguments {
    /// The folder that holds `state-tests` and `vectors`, as folders or as `.tar.zst` archives
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    /// Only cases whose name (path, test, fork, indexes) contains this; may be given several times
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// The program's binary: repeats what Osaka has of state tests and precompiles in a Solana VM
    #[arg(long, value_name = "FILE")]
    vm: Option<PathBuf>,
    /// With --vm: one case in so many, chosen by the hash of its name
    #[arg(long, value_name = "N", default_value_t = 1)]
    vm_sample: u64,
    /// Repeats one state test in so many in steps, and watched opcode by opcode, chosen by the hash of its name
    #[arg(long, value_name = "N", default_value_t = 8)]
    steps_sample: u64,
    /// Worker threads; as many as there are cores unless told
    #[arg(long)]
    jobs: Option<usize>,
    /// Name every skipped case
    #[arg(long)]
    show_skipped: bool,
    /// How many failures to explain
    #[arg(long, default_value_t = 50)]
    failures: usize,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let files = source::files(&arguments.data)?;
    let program = arguments.vm.as_ref().map(std::fs::read).transpose()?;
    let results = suite::run(files, program.as_deref(), &arguments)?;
    Ok(report::print(&results, &arguments))
}
