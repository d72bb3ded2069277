//! The node's figures beside anvil's, in one run on one machine: see `--help`.
//!
//! ```text
//! client (this process) ─┬─▶ parhelion dev            reads, sending, subscribers
//!                        ├─▶ anvil                    the same
//!                        └─▶ parhelion run ─▶ validator     logs, sending, memory, start
//!                                 └─▶ SQLite: a million transactions, written by the node's store
//! ```
//!
//! | file | what |
//! |---|---|
//! | `parts` | what is measured |
//! | `nodes`, `cluster` | nodes and a validator as processes |
//! | `client`, `websocket`, `load` | a client that costs little, and many of them |
//! | `senders`, `emitter`, `database` | accounts and a token, logs for anvil, the database |
//! | `statistics`, `table` | numbers, and the table |
#![forbid(unsafe_code)]

mod client;
mod cluster;
mod database;
mod emitter;
mod load;
mod nodes;
mod parts;
mod senders;
mod statistics;
mod table;
mod websocket;

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};
use nodes::Tools;
use parts::{Bench, Scale};
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures a node beside anvil.
///
/// Prints a table in Markdown; its last line counts the goals that were reached and missed. Exits with 1 when one was missed,
/// except with --quick, whose figures mean nothing.
#[derive(Parser)]
#[command(name = "bench-node")]
struct Arguments {
    #[command(flatten)]
    tools: Tools,
    /// Far smaller numbers: tells whether everything works
    #[arg(long)]
    quick: bool,
    /// Only this part (may be given several times)
    #[arg(long, value_name = "PART")]
    only: Vec<Part>,
    /// Write the table to a file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["quick", "only"])]
    write: Option<PathBuf>,
}

/// What is measured together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// `eth_call` and `eth_getBalance`, and nodes at rest
    Reads,
    /// `eth_sendRawTransaction` on development chains
    Sending,
    /// WebSocket subscribers
    Subscribers,
    /// A database of a million transactions: logs, memory, start, and sending to a cluster
    Database,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode> {
    let scale = if arguments.quick { Scale::QUICK } else { Scale::FULL };
    let version = arguments.tools.anvil_version()?;
    let bench = Bench::new(arguments.tools, scale);
    let mut sections = Vec::new();
    for part in Part::value_variants() {
        if !arguments.only.is_empty() && !arguments.only.contains(part) {
            continue;
        }
        sections.extend(match part {
            Part::Reads => parts::reads::run(&bench).await?,
            Part::Sending => parts::sending::run(&bench).await?,
            Part::Subscribers => parts::subscribers::run(&bench).await?,
            Part::Database => parts::database::run(&bench).await?,
        });
    }
    let text = table::markdown(&head(&version), &sections);
    println!("{text}");
    if let Some(file) = &arguments.write {
        std::fs::write(file, &text).with_context(|| format!("cannot write {}", file.display()))?;
        println!("written to {}", file.display());
    }
    println!("{} s", bench.elapsed().as_secs());
    let (reached, missed) = table::count(&sections);
    if arguments.quick {
        println!("skipped, because figures of so few requests mean nothing: whether the goals are reached");
        println!("{} passed, 0 failed, {} skipped", sections.len(), reached + missed);
        return Ok(ExitCode::SUCCESS);
    }
    println!("{reached} passed, {missed} failed, 0 skipped");
    Ok(ExitCode::from(u8::from(missed > 0)))
}

/// What the table begins with.
fn head(anvil: &str) -> String {
    format!(
        "Written by `cargo xtask bench-node --write`: Parhelion {} (profile `release`), anvil {anvil} as it is published, and the \
         client, all on one machine with {} cores, in one run. Times are of that machine; what counts is how both compare. `p50` \
         and `p99`: so many percent of the answers came within that time.",
        env!("CARGO_PKG_VERSION"),
        std::thread::available_parallelism().map_or(1, usize::from),
    )
}
