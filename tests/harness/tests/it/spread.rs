//! Runs that use more accounts than a Solana transaction lists.

use crate::landing::{GAS, Landed, RICH_GAS, Scene, Updates, is_locked, relay};
use alloy_primitives::{Address as EthereumAddress, U256};
use async_trait::async_trait;
use parhelion_assembler::Code;
use parhelion_core::cluster::{Cluster, ClusterError};
use parhelion_core::emulator::Emulator;
use parhelion_core::relay::{Relay, RelayError};
use parhelion_emulator::Shell;
use parhelion_executor::evm::opcode as op;
use parhelion_harness::chain::SOL;
use parhelion_harness::interposed::{Interposed, Meddler};
use parhelion_harness::wallet::Wallet;
use parhelion_relay::Sender;
use parhelion_solana::Features;
use parhelion_wire::account::Run;
use parhelion_wire::instruction::tag;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::Mutex;

/// Storage values, each in a Cell of its own.
const CELLS: u64 = 150;
/// Values that one call sets.
const SET: u64 = 25;

/// Called with a number and another one it stores the other one, and what comes behind it, for that and the 24 next ones,
/// each in a Cell of its own. Called with nothing it stores the sum of the first 150.
fn sums() -> Code {
    let add = |code: Code, cell: u64| code.push(cell << 8).op(op::SLOAD).op(op::ADD);
    let sum = (1..=CELLS).fold(Code::new().push(0), add).push(0).op(op::SSTORE).op(op::STOP);
    let jump = Code::new().op(op::CALLDATASIZE).op(op::PUSH1 + 1);
    let start = (jump.bytes().len() + 3 + sum.bytes().len()) as u16;
    let set = |code: Code, number: u64| {
        let code = code.push(32).op(op::CALLDATALOAD).push(number).op(op::ADD);
        code.push(0).op(op::CALLDATALOAD).push(number).op(op::ADD).push(8).op(op::SHL).op(op::SSTORE)
    };
    jump.raw(&start.to_be_bytes()).op(op::JUMPI) + sum + (0..SET).fold(Code::new().op(op::JUMPDEST), set)
}

/// What sets the values from `first` on to `value` and what comes behind it.
fn sets(first: u64, value: u64) -> Vec<u8> {
    [U256::from(first), U256::from(value)].map(|number| number.to_be_bytes::<32>()).concat()
}

/// The contract, with each value its own number.
pub(crate) fn deployed(features: Features) -> (Scene, EthereumAddress) {
    let mut scene = Scene::on(features);
    let (contract, _) = scene.deploy(sums().init_code());
    for first in (1..=CELLS).step_by(SET as usize) {
        scene.call(contract, sets(first, first), RICH_GAS);
    }
    (scene, contract)
}

/// The sum of the values when all are their numbers.
pub(crate) const SUM: u64 = CELLS * (CELLS + 1) / 2;

pub(crate) fn stored(scene: &Scene, contract: EthereumAddress) -> U256 {
    let emulator = Shell::new(Arc::clone(&scene.chain.svm) as Arc<dyn Cluster>);
    scene.chain.block_on(emulator.storage(contract, U256::ZERO)).unwrap().into()
}

#[test]
fn a_run_reads_more_accounts_than_a_solana_transaction_lists() {
    let (mut scene, contract) = deployed(Features::Mainnet);
    let landed: Landed = scene.call(contract, vec![], RICH_GAS);
    assert_eq!(stored(&scene, contract), U256::from(SUM));
    // Three steps have room for all, three transactions lock them, and one writes.
    assert_eq!(landed.units().len(), 7, "{:?}", landed.units());

    // What it only read is locked for a moment.
    let change = scene.wallet.send(Some(contract), U256::ZERO, sets(1, 2), RICH_GAS);
    let error = scene.chain.block_on(scene.relay.land(&change)).unwrap_err();
    assert!(is_locked(&error), "{error}");
    scene.chain.block_on(scene.chain.svm.make_empty_blocks(50)).unwrap();
    scene.chain.block_on(scene.relay.land(&change)).unwrap();
}

/// Sends a call of the contract before a certain one of the transactions that lock, or before the last step.
struct Changes {
    relay: Sender,
    contract: EthereumAddress,
    wallet: Mutex<Wallet>,
    /// What is sent, and before how many transactions of the kind; it is sent once.
    change: Mutex<Option<(u8, u32, Vec<u8>)>>,
    seen: AtomicU32,
}

#[async_trait]
impl Meddler for Changes {
    async fn send(
        &self,
        cluster: &dyn Cluster,
        transaction: &VersionedTransaction,
    ) -> Result<Signature, ClusterError> {
        let mut change = self.change.lock().await;
        let is_of = |tag: u8| {
            let mut instructions = transaction.message.instructions().iter();
            instructions.any(|instruction| instruction.data.first() == Some(&tag))
        };
        if let Some((tag, number, data)) = &*change
            && is_of(*tag)
            && self.seen.fetch_add(1, Ordering::Relaxed) == *number
        {
            let mut wallet = self.wallet.lock().await;
            let call = wallet.send(Some(self.contract), U256::ZERO, data.clone(), RICH_GAS);
            self.relay.land(&call).await.unwrap();
            *change = None;
        }
        cluster.send(transaction).await
    }
}

/// Lands the call that sums, while something is changed. Gives how many Solana transactions it took.
fn disturbed(scene: &mut Scene, contract: EthereumAddress, change: (u8, u32, Vec<u8>)) -> usize {
    let stranger = Wallet::new(2);
    scene.chain.deposit(stranger.address(), 1_000 * SOL).unwrap();
    let svm = Arc::clone(&scene.chain.svm) as Arc<dyn Cluster>;
    let changes = Changes {
        relay: relay(&scene.chain, Arc::clone(&svm)),
        contract,
        wallet: Mutex::new(stranger),
        change: Mutex::new(Some(change)),
        seen: AtomicU32::new(0),
    };
    let cluster = Arc::new(Interposed::new(svm, changes));
    let node = relay(&scene.chain, Arc::clone(&cluster) as Arc<dyn Cluster>);
    let transaction = scene.wallet.send(Some(contract), U256::ZERO, vec![], RICH_GAS);
    let signatures = scene.chain.block_on(node.land(&transaction)).unwrap();
    assert_eq!(*scene.chain.block_on(cluster.meddler.change.lock()), None, "it was disturbed");
    assert!(node.run(transaction.hash()).unwrap().restarts > 0);
    signatures.len()
}

#[test]
fn a_run_ends_although_much_that_it_reads_changes_before_each_step() {
    let (mut scene, contract) = deployed(Features::Mainnet);
    // 25 values anew before each Solana transaction.
    let updates = Updates::new(&mut scene, contract, RICH_GAS, |nonce| sets(1, 1_000 + nonce));
    let svm = Arc::clone(&scene.chain.svm) as Arc<dyn Cluster>;
    let cluster = Arc::new(Interposed::new(svm, updates));
    let node = relay(&scene.chain, Arc::clone(&cluster) as Arc<dyn Cluster>);
    let transaction = scene.wallet.send(Some(contract), U256::ZERO, vec![], RICH_GAS);
    let signatures = scene.chain.block_on(node.land(&transaction)).unwrap();
    let landed = cluster.meddler.landed();
    let run = node.run(transaction.hash()).unwrap();
    println!("{} Solana transactions, {run:?}, updates: {landed:?}", signatures.len());
    assert!(run.restarts >= Run::RESTARTS_UNLOCKED, "{run:?}");
    let updates = landed.iter().filter(|landed| **landed).count() as u64;
    let sum_of = |updates: u64| SUM + SET * (999 + updates - 1);
    assert!(stored(&scene, contract) == U256::from(sum_of(updates)), "{}", stored(&scene, contract));
    assert!(signatures.len() <= 40, "{} Solana transactions", signatures.len());
}

#[test]
fn a_change_before_all_is_locked_begins_the_run_anew() {
    // Before the first lock, and before the last of three, when others are locked: what was written last comes first.
    for lock in [0, 2] {
        let (mut scene, contract) = deployed(Features::Mainnet);
        let sent = disturbed(&mut scene, contract, (tag::LOCK, lock, sets(1, 1_001)));
        assert_eq!(stored(&scene, contract), U256::from(SUM + SET * 1_000), "before lock {lock}");
        assert!(sent <= 15, "{sent} Solana transactions");
    }
}

#[test]
fn a_change_of_what_is_written_begins_the_run_anew() {
    let (mut scene, contract) = deployed(Features::Mainnet);
    scene.call(contract, vec![], RICH_GAS);
    scene.chain.block_on(scene.chain.svm.make_empty_blocks(400)).unwrap();
    scene.call(contract, sets(CELLS, CELLS + 1_000), RICH_GAS);
    // Where the sum is stored, before the step that stores it.
    let sent = disturbed(&mut scene, contract, (tag::STEP, 3, sets(0, 0)));
    assert_eq!(stored(&scene, contract), U256::from(SUM + 1_000));
    assert!(sent <= 15, "{sent} Solana transactions");
}

#[test]
fn what_writes_too_much_is_refused_before_anything_is_spent() {
    let mut scene = Scene::new();
    let writes = |cells: u64| {
        (1..=cells).fold(Code::new(), |code, cell| code.push(1).push(cell << 8).op(op::SSTORE)).init_code()
    };
    // Beside 57 there is room for the balances of the sender and of the coinbase, and for the System program.
    let (contract, _) = scene.deploy(writes(57));
    scene.call(contract, vec![], RICH_GAS);
    let (contract, _) = scene.deploy(writes(58));
    let transaction = scene.wallet.send(Some(contract), U256::ZERO, vec![], RICH_GAS);
    let before = (scene.slot(), scene.chain.balance(scene.wallet.address()));
    for result in [
        scene.chain.block_on(scene.relay.check(&transaction)),
        scene.chain.block_on(scene.relay.land(&transaction)).map(drop),
    ] {
        let error = result.unwrap_err().to_string();
        assert!(error.contains("accounts that it writes, or reads and finds absent"), "{error}");
    }
    assert_eq!((scene.slot(), scene.chain.balance(scene.wallet.address())), before);
    scene.wallet.nonce -= 1;
    // Absent accounts cannot be locked either.
    let code = (1..=70u64).fold(Code::new(), |code, cell| code.push(cell << 8).op(op::SLOAD).op(op::POP));
    let (contract, _) = scene.deploy(code.init_code());
    let transaction = scene.wallet.send(Some(contract), U256::ZERO, vec![], GAS);
    let error = scene.chain.block_on(scene.relay.check(&transaction)).unwrap_err();
    assert!(matches!(error, RelayError::DoesNotFit { .. }), "{error}");
}

/// Computes until so much gas is left, and calls a contract with nothing.
fn calls(target: EthereumAddress, gas: u64) -> Code {
    let burn = Code::new().op(op::JUMPDEST).push(gas).op(op::GAS).op(op::GT).push(0).op(op::JUMPI);
    let arguments = (0..5).fold(burn, |code, _| code.push(0));
    arguments.op(op::PUSH20).raw(target.as_slice()).op(op::GAS).op(op::CALL).op(op::POP).op(op::STOP)
}

#[test]
fn a_run_of_many_frames_is_spread_as_well() {
    let (mut scene, contract) = deployed(Features::Mainnet);
    // In each part the codes of all frames are used, so no pause makes a part small. The innermost caller computes.
    let (innermost, _) = scene.deploy(calls(contract, 13_500_000).init_code());
    let outermost = (0..8).fold(innermost, |target, _| scene.deploy(calls(target, u64::MAX).init_code()).0);
    scene.call(outermost, vec![], RICH_GAS);
    assert_eq!(stored(&scene, contract), U256::from(SUM));
}
