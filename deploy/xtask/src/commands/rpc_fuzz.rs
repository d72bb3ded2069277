//! `cargo xtask rpc-fuzz`: mutated requests to the JSON-RPC server.

use std::process::Command;

use anyhow::{Context as _, Result};

use super::rpc_vectors;
use crate::{
    context::Context,
    process::{self, option},
};

/// The program of tests/rpc-vectors.
const RUNNER: &str = "rpc-fuzz";

/// Sends requests to the JSON-RPC server that are made of Ethereum's vectors, changed at random.
///
/// The same seed gives the same requests. The server must not panic, hang, grow or answer nonsense; a request that it does not
/// bear is written to a file.
/// The last line counts the requests. Fails when there is such a request.
#[derive(clap::Args, Default)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// How long to go on; a minute if --requests is not given either
    #[arg(long)]
    minutes: Option<f64>,
    /// How many requests to send
    #[arg(long)]
    requests: Option<u64>,
    /// What all requests follow from
    #[arg(long)]
    seed: Option<u64>,
    /// More arguments for the runner, after `--`: `-- --help` tells which
    #[arg(last = true)]
    more: Vec<String>,
}

impl Args {
    /// As many requests as fit some minutes.
    pub(crate) fn for_minutes(minutes: f64) -> Self {
        Self { minutes: Some(minutes), ..Self::default() }
    }
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<()> {
    let mut runner = command(context, args)?;
    process::run(&mut runner).context("the server does not bear a request: see the failures above")
}

/// The runner.
pub(crate) fn command(context: &Context, args: &Args) -> Result<Command> {
    let mut runner = context.built(RUNNER)?;
    runner.arg("--data").arg(context.root.join(rpc_vectors::DATA));
    runner.arg("--out").arg(context.target.join("rpc-fuzz-failures"));
    option(&mut runner, "--minutes", args.minutes);
    option(&mut runner, "--requests", args.requests);
    option(&mut runner, "--seed", args.seed);
    runner.args(&args.more);
    Ok(runner)
}
