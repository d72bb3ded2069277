//! A Solana cluster on this machine with the program deployed, and a node in front of it: `cargo xtask localnet`.
//!
//! ```text
//! solana-test-validator ◀── parhelion deploy (once) ◀── this ──▶ parhelion run
//! ```
//!
//! Everything that it starts ends with it, however it ends; what it wrote vanishes, but for a ledger that was named.

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use parhelion_validator::folder::TemporaryFolder;
use parhelion_validator::process::{Output, Process};
use parhelion_validator::{Options, Validator};
use solana_address::Address;
use solana_keypair::Keypair;
use solana_signer::Signer as _;
use std::fs::File;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Between two looks whether everything still runs.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// How long the node may take to listen.
const NODE_WAIT: Duration = Duration::from_secs(60);

/// A Solana cluster on this machine with the program deployed, and a node in front of it.
#[derive(Debug, Parser)]
#[command(name = "parhelion-localnet", max_term_width = 110)]
struct Arguments {
    /// The port of Solana's JSON-RPC; its WebSocket has the next one
    #[arg(long, default_value_t = 8899)]
    rpc_port: u16,
    /// Where the node listens for Ethereum's JSON-RPC over HTTP and WebSocket
    #[arg(long, default_value = "127.0.0.1:8545")]
    listen: SocketAddr,
    /// Keep the ledger in this folder, and go on with what it holds; otherwise everything begins anew
    #[arg(long, value_name = "FOLDER")]
    ledger: Option<PathBuf>,
    /// The chain id
    #[arg(long, default_value_t = 31_337)]
    chain_id: u64,
    /// Without Solana's transaction format V1, as clusters were before it
    #[arg(long)]
    without_v1: bool,
    /// The binary of the node
    #[arg(long, value_name = "FILE", env = "PARHELION_NODE")]
    node: PathBuf,
    /// The program's binary
    #[arg(long, value_name = "FILE", env = "PARHELION_PROGRAM")]
    program: PathBuf,
    /// Arguments for `parhelion run`, after `--`
    #[arg(last = true, value_name = "NODE ARGUMENTS")]
    run: Vec<String>,
}

fn main() -> ExitCode {
    let cancelled = Arc::new(AtomicBool::new(false));
    let result =
        listen_for_signals(Arc::clone(&cancelled)).and_then(|()| run(&Arguments::parse(), &cancelled));
    match result {
        // An interrupted start is no failure either.
        Err(error) if !cancelled.load(Ordering::Relaxed) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Starts everything, waits, and stops it in order.
fn run(arguments: &Arguments, cancelled: &Arc<AtomicBool>) -> Result<()> {
    TcpListener::bind(arguments.listen).with_context(|| {
        format!(
            "{} is taken: stop what listens there, or choose another address with --listen",
            arguments.listen
        )
    })?;
    let folder = TemporaryFolder::new()?;
    // Always the same keys, as in `parhelion dev`. They are worth nothing anywhere else.
    let authority = Keypair::new_from_array([1; 32]);
    let program = Keypair::new_from_array([2; 32]);
    let authority_file = write_key(folder.path(), "authority.json", &authority)?;
    let program_file = write_key(folder.path(), "program.json", &program)?;

    eprintln!("starting a Solana validator");
    let started = Instant::now();
    let mut validator = Validator::start(Options {
        ledger: arguments.ledger.clone(),
        rpc_port: Some(arguments.rpc_port),
        mint: Some(authority.pubkey()),
        cancelled: Arc::clone(cancelled),
        features_off: if arguments.without_v1 {
            vec![agave_feature_set::enable_tx_v1::id()]
        } else {
            Vec::new()
        },
        ..Options::default()
    })
    .context("the Solana validator does not start")?;
    eprintln!("  {:.1} s", started.elapsed().as_secs_f64());

    let started = Instant::now();
    let node = |subcommand: &str| {
        let mut command = Command::new(&arguments.node);
        command
            .args([subcommand, "--solana-url", &validator.url()])
            .env("PARHELION_PROGRAM", &arguments.program);
        command
    };
    if arguments.ledger.is_some() {
        // A ledger that was kept may hold another version of the program.
        let mut upgrade = node("upgrade");
        upgrade.arg("--authority").arg(&authority_file).arg("--program-id").arg(program.pubkey().to_string());
        if is_deployed(node("verify"), program.pubkey(), folder.path())? {
            finish(upgrade, cancelled).context("the program cannot be upgraded")?;
        }
    }
    let mut deploy = node("deploy");
    deploy.arg("--authority").arg(&authority_file).arg("--program-id").arg(&program_file);
    deploy.args(["--chain-id", &arguments.chain_id.to_string(), "--parallel", "64", "--dev-accounts"]);
    deploy.arg("--fund-operator").arg(&authority_file);
    finish(deploy, cancelled).context("the program cannot be deployed")?;
    eprintln!("  {:.1} s", started.elapsed().as_secs_f64());

    let mut run = node("run");
    run.args(["--program-id", &program.pubkey().to_string(), "--listen", &arguments.listen.to_string()]);
    if !arguments.run.iter().any(|argument| argument.starts_with("--database")) {
        // It belongs to the ledger, and goes with it.
        run.args([
            "--database",
            &format!("sqlite:{}", validator.ledger().join("parhelion.sqlite").display()),
        ]);
    }
    run.arg("--keypair").arg(&authority_file).args(&arguments.run);
    println!();
    let node = Process::start(run, &Output::Inherit)?;
    wait_for_node(&node, arguments.listen, cancelled)?;
    println!("Solana     {}  {}", validator.url(), validator.websocket_url());
    println!("Ledger     {}", validator.ledger().display());
    println!("\nCtrl-C stops everything");
    let result = watch(&validator, &node, cancelled);
    eprintln!("stopping");
    // The node first: it finishes what it accepted.
    node.stop();
    validator.stop();
    result
}

/// Sets a flag on Ctrl-C, SIGTERM and SIGHUP.
fn listen_for_signals(cancelled: Arc<AtomicBool>) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listen = {
        let _inside = runtime.enter();
        [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal)
    };
    let [interrupt, terminate, hangup] = listen;
    let (mut interrupt, mut terminate, mut hangup) = (interrupt?, terminate?, hangup?);
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        });
        cancelled.store(true, Ordering::Relaxed);
    });
    Ok(())
}

/// Writes a key in the form of Solana's tools, for this user only.
fn write_key(folder: &Path, name: &str, key: &Keypair) -> Result<PathBuf> {
    let path = folder.join(name);
    let write = || -> std::io::Result<()> {
        let mut file: File = File::options().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(serde_json::to_string(&key.to_bytes()[..])?.as_bytes())
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Whether there is a program, of this version or of another.
fn is_deployed(mut verify: Command, program_id: Address, folder: &Path) -> Result<bool> {
    let log = folder.join("verify.log");
    verify.args(["--program-id", &program_id.to_string()]);
    let verify = Process::start(verify, &Output::File(log.clone()))?;
    let _ = verify.wait(NODE_WAIT);
    // It shows what is there before it compares.
    Ok(parhelion_validator::process::tail(&log).contains("On chain"))
}

/// Runs a command to its end.
fn finish(command: Command, cancelled: &AtomicBool) -> Result<()> {
    let process = Process::start(command, &Output::Inherit)?;
    loop {
        match process.wait(LOOK_INTERVAL) {
            Some(status) if status.success() => return Ok(()),
            Some(status) => bail!("the reason is above ({status})"),
            None if cancelled.load(Ordering::Relaxed) => bail!("interrupted"),
            None => {}
        }
    }
}

/// Waits until the node listens.
fn wait_for_node(node: &Process, address: SocketAddr, cancelled: &AtomicBool) -> Result<()> {
    let started = Instant::now();
    while started.elapsed() < NODE_WAIT {
        if TcpStream::connect(address).is_ok() {
            return Ok(());
        }
        if let Some(status) = node.wait(LOOK_INTERVAL) {
            bail!("the node ended ({status}); the reason is above");
        }
        if cancelled.load(Ordering::Relaxed) {
            bail!("interrupted");
        }
    }
    bail!("the node does not listen on {address}")
}

/// Waits for a signal, or for the end of one of them, which is an error.
fn watch(validator: &Validator, node: &Process, cancelled: &AtomicBool) -> Result<()> {
    while !cancelled.load(Ordering::Relaxed) {
        if let Some(how) = validator.failure() {
            bail!(how);
        }
        if let Some(status) = node.wait(LOOK_INTERVAL) {
            bail!("the node ended ({status}); the reason is above");
        }
    }
    Ok(())
}
