//! Runs in steps that a node left in the middle.

use crate::landing::{GAS, Scene, oracle, relay, sortCall};
use alloy_primitives::{Address as EthereumAddress, U256};
use alloy_sol_types::SolCall;
use async_trait::async_trait;
use parhelion_assembler::Code;
use parhelion_core::cluster::{Cluster, ClusterError, Snapshot};
use parhelion_core::relay::Relay;
use parhelion_core::transaction::Transaction;
use parhelion_emulator::Shell;
use parhelion_executor::evm::opcode as op;
use parhelion_harness::chain::SOL;
use parhelion_harness::contracts;
use parhelion_harness::interposed::{Interposed, Meddler};
use parhelion_harness::wallet::{BASE_FEE, Wallet};
use parhelion_relay::{Operator, Sender};
use parhelion_solana::{Features, SvmRehearsal};
use parhelion_wire::ProgramError;
use parhelion_wire::account::Run;
use parhelion_wire::event::{Outcome, Receipt};
use parhelion_wire::instruction::tag;
use solana_address::Address;
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Mutex, Notify};

/// Where the fees of the other operator go.
const OTHER_COINBASE: EthereumAddress = EthereumAddress::repeat_byte(0xc9);

/// What the cluster does once a run has begun.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Nothing more happens: the node is gone.
    Stops,
    /// The answer gets lost, and no account can be read for a while.
    IsSilent,
}

/// Lets a run begin, and then does what is not expected.
struct Begins {
    then: Then,
    begun: Notify,
    is_silent: AtomicBool,
}

fn unreachable() -> ClusterError {
    ClusterError::Unreachable("a test".to_owned())
}

#[async_trait]
impl Meddler for Begins {
    async fn send(
        &self,
        cluster: &dyn Cluster,
        transaction: &VersionedTransaction,
    ) -> Result<Signature, ClusterError> {
        let signature = cluster.send(transaction).await?;
        let mut instructions = transaction.message.instructions().iter();
        if !instructions.any(|instruction| instruction.data.first() == Some(&tag::BEGIN)) {
            return Ok(signature);
        }
        match self.then {
            Then::Stops => {
                self.begun.notify_one();
                pending().await
            }
            Then::IsSilent => {
                self.is_silent.store(true, Ordering::Relaxed);
                Err(unreachable())
            }
        }
    }

    async fn accounts(&self, cluster: &dyn Cluster, addresses: &[Address]) -> Result<Snapshot, ClusterError> {
        match self.is_silent.load(Ordering::Relaxed) {
            true => Err(unreachable()),
            false => cluster.accounts(addresses).await,
        }
    }
}

fn begins(scene: &Scene, then: Then) -> (Sender, Arc<Interposed<Begins>>) {
    let meddler = Begins { then, begun: Notify::new(), is_silent: AtomicBool::new(false) };
    let cluster = Arc::new(Interposed::new(Arc::clone(&scene.chain.svm) as Arc<dyn Cluster>, meddler));
    (relay(&scene.chain, Arc::clone(&cluster) as Arc<dyn Cluster>), cluster)
}

/// Begins to land a transaction with a node that stops when its run has begun.
fn abandon(scene: &Scene, transaction: &Transaction) {
    let (node, cluster) = begins(scene, Then::Stops);
    scene.chain.block_on(async {
        tokio::select! {
            landed = node.land(transaction) => panic!("it landed: {landed:?}"),
            () = cluster.meddler.begun.notified() => {}
        }
    });
    assert!(scene.chain.run_state(0).is_ok(), "the run is in the holder");
}

/// A node of somebody else, whose fee recipient has an account.
fn other_operator(scene: &mut Scene) -> Sender {
    let keypair = Keypair::new_from_array([9; 32]);
    scene.chain.airdrop(keypair.pubkey(), 100 * SOL);
    scene.chain.deposit(OTHER_COINBASE, 0).unwrap();
    let cluster = Arc::clone(&scene.chain.svm) as Arc<dyn Cluster>;
    let emulator = Arc::new(Shell::new(Arc::clone(&cluster)));
    let rehearsal = Arc::new(SvmRehearsal::new(Arc::clone(&cluster), Features::Mainnet));
    Sender::new(cluster, emulator, rehearsal, Arc::new(Operator { keypair, coinbase: OTHER_COINBASE }))
}

/// A transaction that takes several steps.
fn long(scene: &mut Scene) -> Transaction {
    let (loops, _) = scene.deploy(contracts::init_code("Loops").unwrap().to_vec());
    scene.wallet.send(Some(loops), U256::ZERO, sortCall { count: U256::from(60) }.abi_encode(), GAS)
}

fn wait(scene: &Scene, slots: u64) {
    scene.chain.block_on(scene.chain.svm.make_empty_blocks(slots as u32)).unwrap();
}

fn fee(receipt: &Receipt) -> U256 {
    U256::from(receipt.gas_used) * U256::from(BASE_FEE)
}

#[test]
fn the_next_node_of_the_same_operator_ends_a_run() {
    let mut scene = Scene::new();
    let transaction = long(&mut scene);
    let first = scene.slot() + 1;
    abandon(&scene, &transaction);
    let next = relay(&scene.chain, Arc::clone(&scene.chain.svm) as Arc<dyn Cluster>);
    scene.chain.block_on(next.recover()).unwrap();
    scene.chain.block_on(next.tend());
    let [receipt] = scene.receipts(first, &transaction).try_into().expect("one receipt");
    assert_eq!(receipt.outcome, Outcome::Success);
    assert_eq!(scene.chain.run_state(0), Err(ProgramError::NoSuchRun));
    scene.chain.know(transaction.sender());
    scene.chain.assert_solvent().unwrap();
    // The sender is free.
    let transfer = scene.wallet.send(Some(OTHER_COINBASE), U256::from(1), [], GAS);
    scene.chain.block_on(next.land(&transfer)).unwrap();
}

#[test]
fn another_operator_takes_over_after_the_deadline_and_is_paid() {
    let mut scene = Scene::new();
    let transaction = long(&mut scene);
    let first = scene.slot() + 1;
    abandon(&scene, &transaction);
    let other = other_operator(&mut scene);
    scene.chain.block_on(other.tend());
    assert_eq!(scene.receipts(first, &transaction), [], "the first one may still go on");
    wait(&scene, Run::TAKEOVER_SLOTS);
    scene.chain.block_on(other.tend());
    let [receipt] = scene.receipts(first, &transaction).try_into().expect("one receipt");
    assert_eq!(receipt.outcome, Outcome::Success);
    assert_eq!(scene.chain.balance(OTHER_COINBASE).1, fee(&receipt));
    assert_eq!(scene.chain.run_state(0), Err(ProgramError::NoSuchRun));
    scene.chain.know(transaction.sender());
    scene.chain.assert_solvent().unwrap();
}

/// Called with nothing it makes the other calls impossible: they compute for long, and then read more accounts than a
/// Solana transaction has.
fn trap() -> Code {
    let code = Code::new().op(op::CALLDATASIZE).push(9).op(op::JUMPI);
    let code = code.push(1).push(0).op(op::SSTORE).op(op::STOP);
    let start = code.bytes().len() as u64;
    assert_eq!(start, 9);
    let code = code.op(op::JUMPDEST).push(GAS - 400_000).op(op::GAS).op(op::GT).push(start).op(op::JUMPI);
    let reads = (1..=70u64).fold(Code::new(), |code, cell| code.push(cell << 8).op(op::SLOAD).op(op::POP));
    // A jump over them if nothing is stored.
    let code = code.push(0).op(op::SLOAD).op(op::ISZERO);
    let end = (code.bytes().len() + 4 + reads.bytes().len()) as u16;
    code.op(op::PUSH1 + 1).raw(&end.to_be_bytes()).op(op::JUMPI) + reads.op(op::JUMPDEST).op(op::STOP)
}

#[test]
fn another_operator_cancels_what_cannot_end_and_is_paid() {
    let mut scene = Scene::new();
    let (contract, _) = scene.deploy(trap().init_code());
    let transaction = scene.wallet.send(Some(contract), U256::ZERO, vec![1], GAS);
    let (_, before) = scene.chain.balance(transaction.sender());
    let first = scene.slot() + 1;
    abandon(&scene, &transaction);
    let mut stranger = Wallet::new(2);
    scene.chain.deposit(stranger.address(), 100 * SOL).unwrap();
    let springs = stranger.send(Some(contract), U256::ZERO, [], GAS);
    scene.chain.block_on(scene.relay.land(&springs)).unwrap();

    let other = other_operator(&mut scene);
    wait(&scene, Run::CANCEL_SLOTS - 10);
    scene.chain.block_on(other.tend());
    assert_eq!(scene.receipts(first, &transaction), [], "somebody may still be able to end it");
    wait(&scene, 10);
    scene.chain.block_on(other.tend());
    let [receipt] = scene.receipts(first, &transaction).try_into().expect("one receipt");
    assert_eq!(receipt.outcome, Outcome::Cancelled);
    assert!(receipt.gas_used < GAS / 10, "what was not used comes back: {receipt:?}");
    assert_eq!(scene.chain.balance(OTHER_COINBASE).1, fee(&receipt));
    let after = scene.chain.balance(transaction.sender());
    assert_eq!(after, (scene.wallet.nonce, before - fee(&receipt)));
    assert_eq!(scene.chain.run_state(0), Err(ProgramError::NoSuchRun));
    scene.chain.assert_solvent().unwrap();
}

/// Loses all steps, and nothing else.
struct LosesSteps;

#[async_trait]
impl Meddler for LosesSteps {
    async fn send(
        &self,
        cluster: &dyn Cluster,
        transaction: &VersionedTransaction,
    ) -> Result<Signature, ClusterError> {
        let mut instructions = transaction.message.instructions().iter();
        match instructions.any(|instruction| instruction.data.first() == Some(&tag::STEP)) {
            true => Err(ClusterError::Expired),
            false => cluster.send(transaction).await,
        }
    }
}

#[test]
fn a_busy_cluster_is_no_reason_to_cancel() {
    let mut scene = Scene::new();
    let transaction = long(&mut scene);
    let first = scene.slot() + 1;
    abandon(&scene, &transaction);
    wait(&scene, Run::CANCEL_SLOTS + 1);
    let svm = Arc::clone(&scene.chain.svm) as Arc<dyn Cluster>;
    let unlucky = relay(&scene.chain, Arc::new(Interposed::new(Arc::clone(&svm), LosesSteps)));
    scene.chain.block_on(unlucky.tend());
    assert_eq!(scene.receipts(first, &transaction), []);
    scene.chain.block_on(relay(&scene.chain, svm).tend());
    let [receipt] = scene.receipts(first, &transaction).try_into().expect("one receipt");
    assert_eq!(receipt.outcome, Outcome::Success);
}

#[test]
fn a_run_whose_beginning_got_no_answer_is_found_and_is_in_nobodys_way() {
    let mut scene = Scene::new();
    let transaction = long(&mut scene);
    let first = scene.slot() + 1;
    let (node, cluster) = begins(&scene, Then::IsSilent);
    let error = scene.chain.block_on(node.land(&transaction)).unwrap_err();
    assert!(error.to_string().contains("a test"), "{error}");
    cluster.meddler.is_silent.store(false, Ordering::Relaxed);
    assert!(scene.chain.run_state(0).is_ok(), "it has begun");

    // Somebody else's transaction needs a holder, too. It has the one with the run at first.
    let mut stranger = Wallet::new(2);
    scene.chain.deposit(stranger.address(), 100 * SOL).unwrap();
    let large = stranger.send(Some(OTHER_COINBASE), U256::from(1), vec![7; 9_000], 100_000_000);
    let attempts = (1..=2).map(|_| scene.chain.block_on(node.land(&large)).is_ok());
    assert!(attempts.last().unwrap(), "the second attempt has another holder");
    assert_eq!(scene.receipts(first, &large).len(), 1);

    // The node goes on with what it had begun.
    scene.chain.block_on(node.tend());
    let [receipt] = scene.receipts(first, &transaction).try_into().expect("one receipt");
    assert_eq!(receipt.outcome, Outcome::Success);
    assert_eq!(scene.chain.run_state(0), Err(ProgramError::NoSuchRun));
}

#[test]
fn a_run_whose_beginning_got_no_answer_is_found_by_the_keeper() {
    let mut scene = Scene::new();
    let transaction = long(&mut scene);
    let first = scene.slot() + 1;
    let (node, cluster) = begins(&scene, Then::IsSilent);
    scene.chain.block_on(node.land(&transaction)).unwrap_err();
    cluster.meddler.is_silent.store(false, Ordering::Relaxed);
    scene.chain.block_on(node.tend());
    assert_eq!(scene.receipts(first, &transaction).len(), 1);
}

/// Lets so many Solana transactions land, and then the node is gone.
struct StopsAfter {
    /// Locked while one of them is sent: the node is not gone before the others have landed.
    left: Mutex<u32>,
    stopped: Notify,
}

#[async_trait]
impl Meddler for StopsAfter {
    async fn send(
        &self,
        cluster: &dyn Cluster,
        transaction: &VersionedTransaction,
    ) -> Result<Signature, ClusterError> {
        let mut left = self.left.lock().await;
        let Some(rest) = left.checked_sub(1) else {
            self.stopped.notify_one();
            pending().await
        };
        *left = rest;
        cluster.send(transaction).await
    }
}

#[test]
fn a_run_whose_reads_were_changed_in_its_middle_begins_anew() {
    let mut scene = Scene::new();
    let (oracle, _) = scene.deploy(oracle().init_code());
    scene.call(oracle, vec![], GAS);
    let mut stranger = Wallet::new(2);
    scene.chain.deposit(stranger.address(), 100 * SOL).unwrap();
    let transaction = scene.wallet.send(Some(oracle), U256::ZERO, vec![1], 2_000_000);
    let first = scene.slot() + 1;
    let meddler = StopsAfter { left: Mutex::new(6), stopped: Notify::new() };
    let cluster = Arc::new(Interposed::new(Arc::clone(&scene.chain.svm) as Arc<dyn Cluster>, meddler));
    let node = relay(&scene.chain, Arc::clone(&cluster) as Arc<dyn Cluster>);
    scene.chain.block_on(async {
        tokio::select! {
            landed = node.land(&transaction) => panic!("it landed: {landed:?}"),
            () = cluster.meddler.stopped.notified() => {}
        }
    });
    assert!(scene.chain.run_state(0).unwrap().steps >= 4, "it is in its middle");
    let update = stranger.send(Some(oracle), U256::ZERO, [], GAS);
    scene.chain.block_on(scene.relay.land(&update)).unwrap();

    let next = relay(&scene.chain, Arc::clone(&scene.chain.svm) as Arc<dyn Cluster>);
    scene.chain.block_on(next.recover()).unwrap();
    scene.chain.block_on(next.tend());
    let [receipt] = scene.receipts(first, &transaction).try_into().expect("one receipt");
    assert_eq!(receipt.outcome, Outcome::Success);
}
