//! A deployed chain, and a node whose process can be killed.

use crate::world::{World, named, post, say};
use parhelion_core::transaction::Transaction;
use parhelion_harness::wallet::Wallet;
use parhelion_validator::Options;
use parhelion_validator::ports;
use parhelion_validator::process::{Output, Process, tail};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// The longest wait for a receipt: that of a node that has to find out first that a transaction was lost.
const LONGEST: Duration = Duration::from_secs(180);

/// A deployed chain with a rich wallet, and a node whose process can be killed.
pub(crate) struct Chain {
    pub(crate) world: World,
    pub(crate) wallet: Wallet,
    port: u16,
    log: PathBuf,
    node: Option<Process>,
    /// The node's database.
    pub(crate) database: PathBuf,
}

impl Chain {
    pub(crate) fn start() -> Self {
        let world = World::start(Options::default());
        let authority = world.key("authority");
        let mut deploy = world.deploy(&world.file);
        deploy.args(["--parallel", "128", "--chain-id", "31337", "--fund-operator"]).arg(&authority);
        say(&mut deploy).ok();
        let wallet = Wallet::new(1);
        let program = solana_signer::Signer::pubkey(&world.program).to_string();
        let mut deposit = Command::new(named("PARHELION_NODE"));
        deposit.args(["deposit", "--solana-url", &world.validator.url(), "--program-id", &program]);
        deposit.arg("--keypair").arg(&authority).args(["--to", &wallet.address().to_string()]);
        say(deposit.args(["--lamports", "1000000000000"])).ok();
        let (port, log) = (ports::free_block().expect("free ports"), world.folder.path().join("node.log"));
        let database = world.folder.path().join("chain.sqlite");
        Self { world, wallet, port, log, node: None, database }
    }

    /// Starts the node, with more options.
    pub(crate) fn start_node(&mut self, options: &[&str]) {
        let mut run = Command::new(named("PARHELION_NODE"));
        run.args(["run", "--solana-url", &self.world.validator.url()]);
        run.args(["--program-id", &solana_signer::Signer::pubkey(&self.world.program).to_string()]);
        run.arg("--keypair").arg(self.world.key("authority"));
        run.args(["--database", &format!("sqlite:{}", self.database.display())]);
        run.args(["--listen", &format!("127.0.0.1:{}", self.port)]).args(options);
        self.node = Some(Process::start(run, &Output::File(self.log.clone())).expect("starts"));
        let started = Instant::now();
        while self.ask("eth_chainId", &json!([])).is_none() {
            assert!(started.elapsed() < Duration::from_secs(60), "{}", tail(&self.log));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn kill_node(&mut self) {
        self.node.take().expect("it runs").kill();
    }

    /// The result of a call; `None` when there is none, or no node.
    pub(crate) fn ask(&self, method: &str, parameters: &Value) -> Option<Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters }).to_string();
        let answer: Value = serde_json::from_str(&post(self.port, &body).ok()?).ok()?;
        if let Some(error) = answer.get("error") {
            eprintln!("{method}: {error}");
        }
        Some(answer.get("result")?.clone()).filter(|result| !result.is_null())
    }

    /// The end of the node's log.
    pub(crate) fn log(&self) -> String {
        tail(&self.log)
    }

    /// Sends a transaction, which the node accepts.
    pub(crate) fn send(&self, transaction: &Transaction) {
        let raw = alloy_primitives::hex::encode_prefixed(transaction.raw());
        let hash = self.ask("eth_sendRawTransaction", &json!([raw]));
        assert_eq!(hash, Some(json!(transaction.hash().to_string())), "{}", tail(&self.log));
    }

    /// The receipt of a transaction, if the node knows it.
    pub(crate) fn receipt(&self, transaction: &Transaction) -> Option<Value> {
        self.ask("eth_getTransactionReceipt", &json!([transaction.hash().to_string()]))
    }

    /// Waits until something holds. Nothing is sent again: what the node has accepted it lands.
    pub(crate) fn wait(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            assert!(started.elapsed() < LONGEST, "{what}: {}", tail(&self.log));
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
