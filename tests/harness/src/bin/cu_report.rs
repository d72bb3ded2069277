//! The CU table: what the usual transactions cost, measured with the real program binary.
//!
//! `cargo xtask cu-report` measures and compares with the committed table; `cargo xtask cu-report --write` replaces
//! the table. A row whose compute units grew by more than [`GROWTH_PERCENT_MAX`] fails the check, so that a growth is
//! always a decision.
#![forbid(unsafe_code)]

use anyhow::{Context, bail};
use clap::Parser;
use parhelion_harness::bodies::bodies;
use parhelion_harness::body_row::BodyRow;
use parhelion_harness::interpreters::Interpreters;
use parhelion_harness::measure::measure;
use parhelion_harness::row::Row;
use parhelion_harness::workloads;
use std::path::PathBuf;
use std::process::ExitCode;

/// By how much the compute units of a row may grow without a change of the table.
const GROWTH_PERCENT_MAX: u64 = 2;

/// Measures the compute units of the usual transactions and checks the committed table.
#[derive(Debug, Parser)]
struct Cli {
    /// Replace the committed table
    #[arg(long)]
    write: bool,
    /// The committed table
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/compute_units.md"))]
    table: PathBuf,
}

/// What stands above the rows.
const HEAD: &str = "\
# Compute units

What the usual transactions cost on Solana, everything included: parsing, signature, execution, rent, events. Measured
with the program's sBPF binary in a Solana VM by `cargo xtask cu-report`, which also checks this table: compute units
that grow by more than 2 % fail until the table is replaced with `cargo xtask cu-report --write`.

*CU* is the executing Solana transaction, *CU in all* includes holder writes; *accounts* is how many the executing
transaction locks; *rent bytes* is what the state that it creates takes, account overhead of 128 bytes included.

";

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
    let mut rows = Vec::new();
    for workload in workloads::all()? {
        eprintln!("measuring: {}", workload.title);
        rows.extend(measure(&workload)?);
    }
    let mut interpreters = Interpreters::start()?;
    let mut body_rows = Vec::new();
    for workload in workloads::all()? {
        for body in bodies(&workload.script)? {
            eprintln!("body: {}", body.workload);
            match BodyRow::measure(&body, &mut interpreters) {
                Ok(row) => body_rows.push(row),
                Err(error) => eprintln!("{error:#}"),
            }
        }
    }
    print!("{}", BodyRow::table(&body_rows));
    let table = format!("{HEAD}{}", Row::table(&rows));
    print!("{}", Row::table(&rows));
    if cli.write {
        std::fs::write(&cli.table, table)?;
        println!("written to {}", cli.table.display());
        return Ok(());
    }
    let committed = std::fs::read_to_string(&cli.table)
        .with_context(|| format!("cannot read {}: write it with --write", cli.table.display()))?;
    let mut problems = Vec::new();
    for row in &rows {
        match committed.lines().filter_map(Row::parse).find(|known| known.is_same_workload(row)) {
            None => problems.push(format!("{row}: not in the table")),
            Some(known) if row.compute_units * 100 > known.compute_units * (100 + GROWTH_PERCENT_MAX) => {
                problems
                    .push(format!("{row}: {} CU, the table says {}", row.compute_units, known.compute_units));
            }
            Some(known) if !known.has_same_shape(row) => {
                problems.push(format!("{row}: transactions, accounts or rent differ from the table"));
            }
            Some(_) => {}
        }
    }
    if problems.is_empty() {
        println!("the committed table holds");
        return Ok(());
    }
    bail!("{}\nIf that is meant: cargo xtask cu-report --write, and commit the table", problems.join("\n"));
}
