//! The binary `parhelion`: an Ethereum JSON-RPC node over the Parhelion program on Solana.
//!
//! ```text
//! parhelion dev        a chain of its own: the program runs in a Solana VM inside this process
//! parhelion run        a proxy in front of a Solana cluster
//! parhelion deploy     the program onto a Solana cluster, with a new chain
//! parhelion upgrade    the next version of a deployed program
//! parhelion verify     whether a cluster runs what is in a file
//! parhelion deposit    SOL from a Solana key into an Ethereum balance
//! parhelion withdraw   SOL from an Ethereum balance to a Solana account
//! ```
//!
//! This is the only crate that knows all services; it makes them and puts them together ([`services`]).
#![forbid(unsafe_code)]

mod accounts;
mod automine;
mod commands;
mod config_file;
mod database;
mod deploying;
mod development;
mod faucet;
mod front;
mod keys;
mod log;
mod methods;
mod metrics;
mod past;
mod program;
mod program_id;
mod secret_url;
mod services;
mod translate;

use clap::{CommandFactory, Parser, Subcommand};
use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// An Ethereum node whose chain is a program on Solana.
///
/// Point any Ethereum tool at its address: wallets, cast, forge, ethers, viem.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    log: log::Log,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a development chain with ten funded accounts; nothing else is needed, and nothing is kept
    Dev(commands::dev::Options),
    /// Start a node in front of a Solana cluster on which the program is deployed
    Run(commands::run::Options),
    /// Deploy the program to a Solana cluster, make a chain and fund its operators; goes on where it was interrupted
    ///
    /// Uploads the program, compares what is on chain with the file, initialises the chain and prints how to start a
    /// node. Whatever is done already is left alone, so the same command may be given again at any time. Needs the
    /// program's rent, 4 to 6 SOL, and no other Solana tools.
    Deploy(commands::deploy::Options),
    /// Replace a deployed program by a newer version; goes on where it was interrupted
    ///
    /// The old version runs until the last step, the chain keeps its state. Needs the rent of the program a second time
    /// meanwhile and gives it back. Makes the program's account larger if it has to.
    Upgrade(commands::upgrade::Options),
    /// Compare a deployed program with a file, byte by byte; fails if they differ
    Verify(commands::verify::Options),
    /// Move SOL from a Solana key into an Ethereum balance, on a cluster
    Deposit(commands::deposit::Options),
    /// Move SOL from an Ethereum balance to a Solana account, through a node
    Withdraw(commands::withdraw::Options),
    /// Show the rent that an operator has in accounts which it may close, and get it back
    ///
    /// A node closes what it made and does not use any more; this is for an operator that stops, or for what a node left
    /// behind that was killed. The cluster's RPC service has to offer getProgramAccounts.
    Rent(commands::rent::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let line = config_file::with_file(Cli::command(), std::env::args_os().collect())?;
    let cli = Cli::parse_from(line);
    cli.log.start()?;
    match cli.command {
        Command::Dev(options) => commands::dev::run(&options).await,
        Command::Run(options) => commands::run::run(&options).await,
        Command::Deploy(options) => commands::deploy::run(&options).await,
        Command::Upgrade(options) => commands::upgrade::run(&options).await,
        Command::Verify(options) => commands::verify::run(&options).await,
        Command::Deposit(options) => commands::deposit::run(&options).await,
        Command::Rent(options) => commands::rent::run(&options).await,
        Command::Withdraw(options) => commands::withdraw::run(&options).await,
    }
}
