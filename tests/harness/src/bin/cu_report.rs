//! The CU report: what transactions, contracts' bodies and arithmetic cost.
//!
//! `cargo xtask cu-report` measures and compares with the committed tables; `cargo xtask cu-report --write` replaces
//! them. Compute units that grew fail the check, so that a growth is always a decision.
#![forbid(unsafe_code)]

use anyhow::{Context, bail};
use clap::Parser;
use parhelion_harness::report::Report;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures compute units and checks the committed tables.
#[derive(Debug, Parser)]
struct Cli {
    /// Replace the committed tables
    #[arg(long)]
    write: bool,
    /// The committed tables
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/compute_units.md"))]
    table: PathBuf,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let report = Report::measure(|what| eprintln!("measuring: {what}"))?;
    print!("{report}");
    if cli.write {
        std::fs::write(&cli.table, report.to_string())?;
        println!("written to {}", cli.table.display());
        return Ok(());
    }
    let committed = std::fs::read_to_string(&cli.table)
        .with_context(|| format!("cannot read {}: write it with --write", cli.table.display()))?;
    let problems = report.problems(&Report::parse(&committed));
    if problems.is_empty() {
        println!("the committed tables hold");
        return Ok(());
    }
    bail!("{}\nIf that is meant: cargo xtask cu-report --write, and commit the tables", problems.join("\n"));
}
