//! The project's commands: `cargo xtask <command>`.
//!
//! One file per command in [`commands`]; what they share lives beside it. Commands do their own set-up: a tool or a
//! toolchain that is missing is installed into the user's cache folder (`$XDG_CACHE_HOME/parhelion` or
//! `~/.cache/parhelion`), where compiled dependencies live too, so that a fresh clone starts warm.

#![forbid(unsafe_code)]

mod cargo_tools;
mod commands;
mod context;
mod contracts;
mod counts;
mod files;
mod postgres;
mod process;
mod sbpf;
mod validator;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use commands::{
    bench_node, build_sbf, check_deps, check_reproducible, clean_cache, conformance, cu_report, deploying,
    dev, differential, faults, localnet, rpc_fuzz, rpc_vectors, test, workloads,
};
use context::Context;

/// Builds, runs and checks Parhelion.
///
/// Start a development node:   cargo xtask dev
/// The same on real Solana:    cargo xtask localnet
/// Check everything CI checks: cargo xtask test
///
/// Compiled files, tools and toolchains are kept in ~/.cache/parhelion ($XDG_CACHE_HOME is honoured). An explicit
/// CARGO_TARGET_DIR wins for compiled files.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    verbatim_doc_comment,
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The commands; each one's help is the documentation of its arguments.
#[derive(Subcommand)]
enum Command {
    BuildSbf(build_sbf::Args),
    CheckReproducible(check_reproducible::Args),
    Dev(dev::Args),
    Localnet(localnet::Args),
    Deploy(deploying::Deploy),
    Upgrade(deploying::Upgrade),
    Verify(deploying::Verify),
    Test(test::Args),
    CuReport(cu_report::Args),
    Conformance(conformance::Args),
    Differential(differential::Args),
    Faults(faults::Args),
    RpcVectors(rpc_vectors::Args),
    RpcFuzz(rpc_fuzz::Args),
    Workloads(workloads::Args),
    BenchNode(bench_node::Args),
    CheckDeps(check_deps::Args),
    CleanCache(clean_cache::Args),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{}", process::explain(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let context = Context::from_env()?;
    match command {
        Command::BuildSbf(args) => build_sbf::run(&context, &args),
        Command::CheckReproducible(args) => check_reproducible::run(&context, &args),
        Command::Dev(args) => dev::run(&context, &args),
        Command::Localnet(args) => localnet::run(&context, &args),
        Command::Deploy(args) => args.run(&context),
        Command::Upgrade(args) => args.run(&context),
        Command::Verify(args) => args.run(&context),
        Command::Test(args) => test::run(&context, &args),
        Command::CuReport(args) => cu_report::run(&context, &args),
        Command::Conformance(args) => conformance::run(&context, &args),
        Command::Differential(args) => differential::run(&context, &args),
        Command::Faults(args) => faults::run(&context, &args),
        Command::RpcVectors(args) => rpc_vectors::run(&context, &args),
        Command::RpcFuzz(args) => rpc_fuzz::run(&context, &args),
        Command::Workloads(args) => workloads::run(&context, &args),
        Command::BenchNode(args) => bench_node::run(&context, &args),
        Command::CheckDeps(args) => check_deps::run(&context, &args),
        Command::CleanCache(args) => clean_cache::run(&context, &args),
    }
}
