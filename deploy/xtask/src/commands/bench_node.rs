//! `cargo xtask bench-node`: the node's figures, beside anvil's.

use std::{path::PathBuf, process::Command};

use anyhow::{Context as _, Result, bail};

use super::build_sbf::{self, PROGRAM_VARIABLE};
use super::localnet::NODE_VARIABLE;
use crate::{
    cargo_tools,
    context::Context,
    contracts::{self, CONTRACTS_VARIABLE},
    process,
    validator::{self, VALIDATOR_VARIABLE},
};

/// The program of tests/bench-node.
const RUNNER: &str = "bench-node";

/// The node's binary.
const NODE: &str = "parhelion";

/// The committed table.
const TABLE: &str = "tests/bench-node/figures.md";

/// Measures the node beside anvil, both on this machine: reads, logs, raw transactions, WebSocket subscribers, memory, start.
///
/// `parhelion dev` and anvil are asked alike by the same client. `parhelion run`, in front of a Solana validator and with a
/// database of a million transactions, shows what a node takes that ran for long.
/// Prints a table. --write puts it into tests/bench-node/figures.md: on a machine that does nothing else, please.
/// Takes some ten minutes, the first time half an hour more: the node is compiled with all optimisations, as anvil is. With
/// --quick, which only tells whether everything works, it is the node of the tests, and takes a minute. The last line counts
/// the goals of the table. Fails when one is missed, but not with --quick.
#[derive(clap::Args, Default)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Far smaller numbers: tells whether everything works
    #[arg(long)]
    quick: bool,
    /// Only this part (may be given several times): reads, sending, subscribers, database
    #[arg(long, value_name = "PART")]
    only: Vec<String>,
    /// Put the figures into the committed table
    #[arg(long, conflicts_with_all = ["quick", "only"])]
    write: bool,
    /// More arguments for the runner, after `--`: `-- --help` tells which
    #[arg(last = true)]
    more: Vec<String>,
}

impl Args {
    /// Whether everything works.
    pub(crate) fn quick() -> Self {
        Self { quick: true, ..Self::default() }
    }
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<()> {
    process::run(&mut command(context, args)?)
        .context("a figure is not what it has to be, or could not be measured: see above")
}

/// The command that measures.
pub(crate) fn command(context: &Context, args: &Args) -> Result<Command> {
    cargo_tools::ensure_system_packages()?;
    let program = build_sbf::build(context, &build_sbf::Args::default())?.path;
    let contracts = contracts::compile(context)?;
    let validator = validator::obtain(context)?;
    let mut runner = context.built(RUNNER)?;
    let node = if args.quick { context.build_binaries(&[NODE])?.join(NODE) } else { optimised(context)? };
    runner.env(PROGRAM_VARIABLE, program).env(CONTRACTS_VARIABLE, contracts);
    runner.env(VALIDATOR_VARIABLE, validator).env(NODE_VARIABLE, node);
    runner.arg("--anvil").arg(anvil(context)?);
    runner.args(args.quick.then_some("--quick"));
    runner.args(args.only.iter().flat_map(|part| ["--only", part]));
    if args.write {
        runner.arg("--write").arg(context.root.join(TABLE));
    }
    runner.args(&args.more);
    Ok(runner)
}

/// The node, compiled with all optimisations.
fn optimised(context: &Context) -> Result<PathBuf> {
    let mut command = context.cargo()?;
    command.args(["build", "--release", "--package", "parhelion-node", "--bin", NODE]);
    // Nobody debugs it, and it is compiled sooner.
    command.env("CARGO_PROFILE_RELEASE_DEBUG", "0");
    process::run(&mut command)?;
    Ok(context.target.join("release").join(NODE))
}

/// anvil of the npm packages of tests/clients, which compiling the contracts has installed.
fn anvil(context: &Context) -> Result<PathBuf> {
    let mut node = Command::new("node");
    node.current_dir(&context.root).args(["tests/clients/tool.mjs", "anvil"]);
    let path = PathBuf::from(process::capture(&mut node)?.trim());
    if !path.is_file() {
        bail!("{} is no file: remove its folder, and the packages are installed again", path.display());
    }
    Ok(path)
}
