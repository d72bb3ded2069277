//! The binary `parhelion`: an Ethereum JSON-RPC node over the Parhelion program on Solana.
//!
//! ```text
//! parhelion dev        a chain of its own: the program runs in a Solana VM inside this process
//! parhelion run        a proxy in front of a Solana cluster
//! parhelion deposit    SOL from a Solana key into an Ethereum balance
//! parhelion withdraw   SOL from an Ethereum balance to a Solana account
//! ```
//!
//! This is the only crate that knows all services; it makes them and puts them together ([`services`]).
#![forbid(unsafe_code)]

mod accounts;
mod commands;
mod keys;
mod program;
mod services;
mod translate;

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// An Ethereum node whose chain is a program on Solana.
///
/// Point any Ethereum tool at its address: wallets, cast, forge, ethers, viem.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a development chain with ten funded accounts; nothing else is needed, and nothing is kept
    Dev(commands::dev::Options),
    /// Start a node in front of a Solana cluster on which the program is deployed
    Run(commands::run::Options),
    /// Move SOL from a Solana key into an Ethereum balance, on a cluster
    Deposit(commands::deposit::Options),
    /// Move SOL from an Ethereum balance to a Solana account, through a node
    Withdraw(commands::withdraw::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter =
        EnvFilter::try_from_env("PARHELION_LOG").unwrap_or_else(|_| EnvFilter::new("warn,parhelion=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let result = match Cli::parse().command {
        Command::Dev(options) => commands::dev::run(&options).await,
        Command::Run(options) => commands::run::run(&options).await,
        Command::Deposit(options) => commands::deposit::run(&options).await,
        Command::Withdraw(options) => commands::withdraw::run(&options).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
