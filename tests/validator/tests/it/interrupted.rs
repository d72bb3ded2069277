//! Nodes and validators that are killed while a transaction runs in steps.

use crate::world::{World, named, say};
use alloy_primitives::{Address as EthereumAddress, U256};
use parhelion_assembler::Code;
use parhelion_core::transaction::Transaction;
use parhelion_evm::opcode as op;
use parhelion_harness::wallet::Wallet;
use parhelion_validator::Options;
use parhelion_validator::ports;
use parhelion_validator::process::{Output, Process, tail};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// The longest wait for a receipt: that of a node that has to find out first that a transaction was lost.
const LONGEST: Duration = Duration::from_secs(180);
/// Gas of the transactions that are interrupted.
const GAS: u64 = 7_500_000;
/// Gas that their computing leaves: for the rent of what they store.
const LEFT: u64 = 2_500_000;

/// A deployed chain with a rich wallet, and a node whose process can be killed.
struct Chain {
    world: World,
    wallet: Wallet,
    port: u16,
    log: PathBuf,
    node: Option<Process>,
}

impl Chain {
    fn start() -> Self {
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
        Self { world, wallet, port, log, node: None }
    }

    fn start_node(&mut self) {
        let mut run = Command::new(named("PARHELION_NODE"));
        run.args(["run", "--solana-url", &self.world.validator.url()]);
        run.args(["--program-id", &solana_signer::Signer::pubkey(&self.world.program).to_string()]);
        run.arg("--keypair").arg(self.world.key("authority"));
        run.args(["--listen", &format!("127.0.0.1:{}", self.port)]);
        self.node = Some(Process::start(run, &Output::File(self.log.clone())).expect("starts"));
        let started = Instant::now();
        while self.ask("eth_chainId", &json!([])).is_none() {
            assert!(started.elapsed() < Duration::from_secs(60), "{}", tail(&self.log));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn kill_node(&mut self) {
        self.node.take().expect("it runs").kill();
    }

    /// The result of a call; `None` when there is none, or no node.
    fn ask(&self, method: &str, parameters: &Value) -> Option<Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters }).to_string();
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let answer: Value = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
        Some(answer.get("result")?.clone()).filter(|result| !result.is_null())
    }

    /// Sends a transaction; a node that knows it already, or what became of it, takes it no second time.
    fn send(&self, transaction: &Transaction) {
        let raw = alloy_primitives::hex::encode_prefixed(transaction.raw());
        let _ = self.ask("eth_sendRawTransaction", &json!([raw]));
    }

    /// The receipt of a transaction, if the node knows it. One that landed before its node began is not known to it.
    fn receipt(&self, transaction: &Transaction) -> Option<Value> {
        self.ask("eth_getTransactionReceipt", &json!([transaction.hash().to_string()]))
    }

    /// Waits until something holds. As wallets do, it sends the transaction again now and then.
    fn wait(&self, what: &str, transaction: &Transaction, holds: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        let mut looks = 0u32;
        while !holds(self) {
            assert!(started.elapsed() < LONGEST, "{what}: {}", tail(&self.log));
            looks += 1;
            if looks.is_multiple_of(20) {
                self.send(transaction);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Deploys a contract that computes until little gas is left, and then counts its calls.
    fn deploy_counter(&mut self) -> EthereumAddress {
        let burn = Code::new().op(op::JUMPDEST).push(LEFT).op(op::GAS).op(op::GT).push(0).op(op::JUMPI);
        let code = burn.push(0).op(op::SLOAD).push(1).op(op::ADD).push(0).op(op::SSTORE).op(op::STOP);
        let address = self.wallet.address().create(self.wallet.nonce);
        let transaction = self.wallet.send(None, U256::ZERO, code.init_code(), 100_000_000);
        self.send(&transaction);
        self.wait("it is deployed", &transaction, |chain| chain.receipt(&transaction).is_some());
        address
    }

    /// How many calls the contract has counted.
    fn count(&self, contract: EthereumAddress) -> Option<U256> {
        let value = self.ask("eth_getStorageAt", &json!([contract.to_string(), "0x0", "latest"]))?;
        value.as_str()?.parse().ok()
    }

    /// Waits until a call was counted, and asserts that it was counted once.
    fn assert_counted(&self, contract: EthereumAddress, transaction: &Transaction) {
        // The deployment was the first one.
        let (calls, nonce) = (U256::from(self.wallet.nonce - 1), self.wallet.nonce);
        self.wait("it is counted", transaction, |chain| {
            chain.count(contract).is_some_and(|count| count >= calls)
        });
        let count =
            self.ask("eth_getTransactionCount", &json!([self.wallet.address().to_string(), "latest"]));
        assert_eq!((self.count(contract), count), (Some(calls), Some(json!(format!("{nonce:#x}")))));
        if let Some(receipt) = self.receipt(transaction) {
            assert_eq!(receipt["status"], "0x1", "{receipt}");
        }
    }
}

#[test]
fn the_next_node_goes_on_with_the_runs_of_one_that_was_killed() {
    let mut chain = Chain::start();
    chain.start_node();
    let contract = chain.deploy_counter();
    // Before the run begins, while it is under way, and about when it ends.
    for after in [50, 700, 1_500, 3_000, 6_000] {
        let transaction = chain.wallet.send(Some(contract), U256::ZERO, [], GAS);
        chain.send(&transaction);
        std::thread::sleep(Duration::from_millis(after));
        chain.kill_node();
        chain.start_node();
        chain.assert_counted(contract, &transaction);
    }
}

#[test]
fn a_run_goes_on_when_the_validator_comes_back_with_its_ledger() {
    let mut chain = Chain::start();
    chain.start_node();
    let contract = chain.deploy_counter();
    for after in [700, 2_500] {
        let transaction = chain.wallet.send(Some(contract), U256::ZERO, [], GAS);
        chain.send(&transaction);
        std::thread::sleep(Duration::from_millis(after));
        chain.world.validator.kill();
        std::thread::sleep(Duration::from_secs(1));
        chain.world.validator.restart().expect("starts again");
        chain.assert_counted(contract, &transaction);
    }
}
