//! The steps of `cargo xtask test`.

use std::{path::PathBuf, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::{
    cargo_tools::{self, DENY, NEXTEST},
    commands::{
        bench_node,
        build_sbf::{self, PROGRAM_VARIABLE},
        check_deps, check_reproducible, conformance, cu_report, differential, faults,
        localnet::NODE_VARIABLE,
        rpc_fuzz, rpc_vectors,
        workloads::{self, Target},
    },
    context::Context,
    contracts::{self, CONTRACTS_VARIABLE},
    counts::{Counts, libtest_result, nextest_summary, plain_summary},
    postgres::{POSTGRES_VARIABLE, Server},
    process,
    validator::{self, VALIDATOR_VARIABLE},
};

/// A named check.
pub(super) struct Step {
    /// For `--only` and the table of times.
    pub(super) name: &'static str,
    /// What it checks, in a few words.
    pub(super) what: &'static str,
    pub(super) run: fn(&mut Session) -> Result<()>,
}

impl Step {
    const fn new(name: &'static str, what: &'static str, run: fn(&mut Session) -> Result<()>) -> Self {
        Self { name, what, run }
    }
}

/// The steps in their order: the quick ones first, and what others need before them.
pub(super) const STEPS: &[Step] = &[
    Step::new("fmt", "the sources are formatted", fmt),
    Step::new("check-deps", "crates depend the right way", dependencies),
    Step::new("deny", "licences and sources of the dependencies", deny),
    Step::new("clippy", "no warnings", clippy),
    Step::new("docs", "the documentation builds without warnings", docs),
    Step::new("build-sbf", "the program builds for Solana", build_program),
    Step::new("check-reproducible", "the program's bytes depend on its sources alone", reproducible),
    Step::new("nextest", "unit and integration tests", nextest),
    Step::new("doctest", "the examples in the documentation", doctest),
    Step::new("conformance", "Ethereum's own test vectors, natively and in the VM", conformance),
    Step::new("differential", "random transactions on our executor and on two other machines", differential),
    Step::new("faults", "killed nodes and broken clusters: nothing is lost", faults),
    Step::new("rpc-vectors", "Ethereum's own requests to a node, and the answers to them", rpc_vectors),
    Step::new("rpc-fuzz", "requests as no client would send them: the node stays well", rpc_fuzz),
    Step::new("cu-report", "compute units against the committed table", cu),
    Step::new("validator", "deploying, and a node, on a real Solana validator", validator),
    Step::new("clients", "real Ethereum clients against `parhelion dev`", clients),
    Step::new(
        "suites",
        "whole projects against `parhelion dev`: Hardhat, OpenZeppelin's tests, Ponder",
        suites,
    ),
    Step::new(
        "workloads",
        "contracts that people use, against `parhelion dev`, a validator and anvil",
        workloads,
    ),
    Step::new(
        "bench-node",
        "what measures the node beside anvil, with small numbers: that it works",
        bench_node,
    ),
];

/// What steps leave for later ones.
pub(super) struct Session<'a> {
    context: &'a Context,
    /// The tests so far.
    pub(super) counts: Counts,
    program: Option<PathBuf>,
    system_packages_checked: bool,
}

impl<'a> Session<'a> {
    pub(super) fn new(context: &'a Context) -> Self {
        Self { context, counts: Counts::default(), program: None, system_packages_checked: false }
    }

    /// The program, built once.
    fn program(&mut self) -> Result<PathBuf> {
        if let Some(path) = &self.program {
            return Ok(path.clone());
        }
        let path = build_sbf::build(self.context, &build_sbf::Args::default())?.path;
        self.program = Some(path.clone());
        Ok(path)
    }

    /// A cargo command that compiles dependencies.
    fn compiling_cargo(&mut self) -> Result<Command> {
        if !self.system_packages_checked {
            cargo_tools::ensure_system_packages()?;
            self.system_packages_checked = true;
        }
        self.context.cargo()
    }

    /// Runs a command whose output tells numbers of tests, and adds them up. Some line must tell a number.
    fn count(&mut self, command: &mut Command, read: fn(&str) -> Option<Counts>) -> Result<()> {
        let mut counts = None;
        let success = process::stream(command, |line| {
            if let Some(more) = read(line) {
                *counts.get_or_insert_with(Counts::default) += more;
            }
        })?;
        let told = counts.unwrap_or_default();
        self.counts += told;
        if !success || told.failed > 0 {
            bail!("`{}` failed; the reason is above", process::display(command));
        }
        if counts.is_none() {
            bail!(
                "`{}` told no number of tests: adapt deploy/xtask/src/counts.rs to what it prints now",
                process::display(command)
            );
        }
        Ok(())
    }
}

fn fmt(session: &mut Session) -> Result<()> {
    process::run(session.context.cargo()?.args(["fmt", "--all", "--check"]))
        .context("`cargo fmt --all` puts the sources right")
}

fn dependencies(session: &mut Session) -> Result<()> {
    check_deps::run(session.context, &check_deps::Args::default())
}

fn deny(session: &mut Session) -> Result<()> {
    DENY.ensure(session.context)?;
    // No advisories: their database is a git repository, and a check must not fail because that is unreachable.
    process::run(session.context.cargo()?.args([
        "deny",
        "--workspace",
        "check",
        "bans",
        "licenses",
        "sources",
    ]))
    .context("deny.toml says what is accepted and why; change it on purpose or choose another dependency")
}

fn clippy(session: &mut Session) -> Result<()> {
    let mut cargo = session.compiling_cargo()?;
    process::run(cargo.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn docs(session: &mut Session) -> Result<()> {
    let mut cargo = session.compiling_cargo()?;
    // `--examples` selects the crate features that clippy selected, so nothing is checked a second time.
    cargo.args(["doc", "--workspace", "--no-deps", "--lib", "--bins", "--examples"]);
    process::run(cargo.env("RUSTDOCFLAGS", "-D warnings"))
}

fn build_program(session: &mut Session) -> Result<()> {
    session.program().map(drop)
}

fn reproducible(session: &mut Session) -> Result<()> {
    check_reproducible::run(session.context, &check_reproducible::Args::default())
}

fn nextest(session: &mut Session) -> Result<()> {
    NEXTEST.ensure(session.context)?;
    let program = session.program()?;
    let contracts = contracts::compile(session.context)?;
    let postgres = match Server::start() {
        Ok(server) => Some(server),
        Err(error) => {
            println!("NOT TESTED: the store on Postgres, because there is none: {error:#}");
            None
        }
    };
    let command = |cargo: Command| {
        let mut cargo = cargo;
        cargo.args(["nextest", "run", "--workspace", "--filterset", &format!("not ({ON_A_VALIDATOR})")]);
        cargo.env(PROGRAM_VARIABLE, &program).env(CONTRACTS_VARIABLE, &contracts);
        cargo.envs(postgres.iter().map(|server| (POSTGRES_VARIABLE, server.url())));
        cargo
    };
    // Compiling apart from running keeps cargo's progress on the terminal.
    process::run(command(session.compiling_cargo()?).arg("--no-run"))?;
    session.count(command(session.context.cargo()?).arg("--no-fail-fast"), nextest_summary)
}

/// The tests that need a validator, for nextest.
const ON_A_VALIDATOR: &str = "package(parhelion-validator) and kind(test)";

fn validator(session: &mut Session) -> Result<()> {
    NEXTEST.ensure(session.context)?;
    let program = session.program()?;
    let mut cargo = session.compiling_cargo()?;
    let validator = validator::obtain(session.context)?;
    let binaries = session.context.build_binaries(&["parhelion", "parhelion-localnet"])?;
    // Each test has a validator of its own, and a validator can keep two cores busy.
    cargo.args(["nextest", "run", "--workspace", "--no-fail-fast", "--test-threads", "2"]);
    cargo.args(["--filterset", ON_A_VALIDATOR]).env(PROGRAM_VARIABLE, &program);
    cargo.env(VALIDATOR_VARIABLE, validator).env(NODE_VARIABLE, binaries.join("parhelion"));
    session.count(&mut cargo, nextest_summary)
}

fn doctest(session: &mut Session) -> Result<()> {
    let program = session.program()?;
    let mut cargo = session.compiling_cargo()?;
    cargo.args(["test", "--doc", "--workspace", "--no-fail-fast"]).env(PROGRAM_VARIABLE, program);
    session.count(&mut cargo, libtest_result)
}

fn conformance(session: &mut Session) -> Result<()> {
    let program = session.program()?;
    let mut runner = conformance::command(session.context, None, &program)?;
    session.count(&mut runner, plain_summary)
}

fn differential(session: &mut Session) -> Result<()> {
    const MINUTES: f64 = 2.0;
    if !session.system_packages_checked {
        cargo_tools::ensure_system_packages()?;
        session.system_packages_checked = true;
    }
    let mut runner = differential::command(session.context, &differential::Args::for_minutes(MINUTES))?;
    session.count(&mut runner, plain_summary)
}

fn faults(session: &mut Session) -> Result<()> {
    const SCHEDULES: u64 = 150;
    let program = session.program()?;
    let mut runner = faults::command(session.context, &faults::Args::for_schedules(SCHEDULES), &program)?;
    session.count(&mut runner, plain_summary)
}

fn rpc_vectors(session: &mut Session) -> Result<()> {
    let mut runner = rpc_vectors::command(session.context, None)?;
    session.count(&mut runner, plain_summary)
}

fn rpc_fuzz(session: &mut Session) -> Result<()> {
    const MINUTES: f64 = 1.0 / 3.0;
    let mut runner = rpc_fuzz::command(session.context, &rpc_fuzz::Args::for_minutes(MINUTES))?;
    session.count(&mut runner, plain_summary)
}

fn cu(session: &mut Session) -> Result<()> {
    cu_report::run(session.context, &cu_report::Args::default())
}

fn clients(session: &mut Session) -> Result<()> {
    if let Err(error) = cargo_tools::ensure_client_tools() {
        eprintln!("the tests that need them will be skipped, and say so: {error:#}");
    }
    against_dev(session, "tests/clients/run.mjs")
}

fn suites(session: &mut Session) -> Result<()> {
    against_dev(session, "tests/suites/run.mjs")
}

/// Runs tests in JavaScript that start `parhelion dev` themselves.
fn against_dev(session: &mut Session, runner: &str) -> Result<()> {
    if !session.context.root.join(runner).is_file() {
        bail!("{runner} is missing: it runs tests of the RPC and must be in the checkout");
    }
    if process::find_program("node", &[]).is_none() {
        bail!("`node` is missing: install Node 20 or later with npm");
    }
    let program = session.program()?;
    let binaries = session.context.build_binaries(&["parhelion"])?;
    let mut node = Command::new("node");
    node.current_dir(&session.context.root).env(PROGRAM_VARIABLE, program);
    session.count(node.arg(runner).arg("--binary").arg(binaries.join("parhelion")), plain_summary)
}

/// Of the workloads on a validator, those that take several Solana transactions: the others do on it what they do in the
/// development chain, and `cargo xtask workloads` runs all.
const ON_VALIDATOR: [&str; 6] = ["calldata", "erc4337", "largest-contract", "loop", "memory", "stores"];

/// Those that show how transactions are made without format V1: of many accounts, of many bytes, of many steps.
const WITHOUT_V1: [&str; 3] = ["calldata", "memory", "uniswap-v2"];

fn workloads(session: &mut Session) -> Result<()> {
    let program = session.program()?;
    for (target, only) in [
        (Target::Dev, &[][..]),
        (Target::Validator, &ON_VALIDATOR),
        (Target::ValidatorWithoutV1, &WITHOUT_V1),
    ] {
        let mut command = workloads::command(session.context, &program, target, only)?;
        session.count(&mut command, plain_summary)?;
    }
    Ok(())
}

fn bench_node(session: &mut Session) -> Result<()> {
    let mut runner = bench_node::command(session.context, &bench_node::Args::quick())?;
    session.count(&mut runner, plain_summary)
}
