//! `cargo xtask rpc-vectors`: Ethereum's request and response vectors.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::{context::Context, process};

/// The program of tests/rpc-vectors.
const RUNNER: &str = "rpc-vectors";

/// The vectors of the checkout.
pub(super) const DATA: &str = "tests/rpc-vectors/data";

/// Runs Ethereum's request and response vectors against the JSON-RPC server.
///
/// The server is the real one, with the real emulator, pool and store, in front of the chain of the vectors.
/// The last line counts the files. Fails when an answer is not the expected one and no rule says that it need not be
/// (tests/rpc-vectors/rules.txt), and when a rule is not needed.
#[derive(clap::Args, Default)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Another folder with `tests` and `chain` in it, or with .tar.zst archives of them
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// More arguments for the runner, after `--`: `-- --help` tells which
    #[arg(last = true)]
    more: Vec<String>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<()> {
    let mut runner = command(context, args.data.as_deref())?;
    process::run(runner.args(&args.more)).context(
        "not as Ethereum has it: see the failures above; `cargo xtask rpc-vectors -- --only TEXT` runs fewer files",
    )
}

/// The runner over a data folder; the checkout's vectors unless told.
pub(crate) fn command(context: &Context, data: Option<&Path>) -> Result<Command> {
    let mut runner = context.built(RUNNER)?;
    match data {
        Some(data) => runner.arg("--data").arg(data),
        // The rules are written for these.
        None => runner.arg("--data").arg(context.root.join(DATA)).arg("--all-rules"),
    };
    Ok(runner)
}
