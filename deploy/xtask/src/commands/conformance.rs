//! `cargo xtask conformance`: Ethereum's own test vectors.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use super::build_sbf;
use crate::{context::Context, process};

/// The program of tests/conformance.
const RUNNER: &str = "conformance";

/// The vectors of the checkout.
const DATA: &str = "tests/conformance/data";

/// Runs Ethereum's test vectors through the executor: state tests, transactions, RLP, precompiles.
///
/// State tests of Osaka are repeated in a Solana VM with the program's sBPF binary, as the code is and translated, and
/// so are calls of precompiles.
/// The last line counts the cases. Fails when a case fails that the skip list (tests/conformance/src/skip.rs) does not
/// name by its condition.
#[derive(clap::Args, Default)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Another folder with `state-tests` and `vectors` in it, as folders or as .tar.zst archives
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// More arguments for the runner, after `--`: `-- --help` tells which
    #[arg(last = true)]
    more: Vec<String>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<()> {
    let program = build_sbf::build(context, &build_sbf::Args::default())?.path;
    let mut runner = command(context, args.data.as_deref(), &program)?;
    process::run(runner.args(&args.more)).context(
        "not as Ethereum has it: see the failures above; `cargo xtask conformance -- --only TEXT` runs fewer cases",
    )
}

/// The runner over a data folder; the checkout's vectors unless told.
pub(crate) fn command(context: &Context, data: Option<&Path>, program: &Path) -> Result<Command> {
    let mut runner = context.built(RUNNER)?;
    runner
        .arg("--vm")
        .arg(program)
        .arg("--data")
        .arg(data.map_or_else(|| context.root.join(DATA), Path::to_path_buf));
    Ok(runner)
}
