//! The relay over the real program: whatever fits no Solana transaction lands in several.

use alloy_primitives::{Address as EthereumAddress, U256};
use alloy_sol_types::{SolCall, sol};
use async_trait::async_trait;
use parhelion_assembler::{Code, push, return_top};
use parhelion_core::cluster::{Clock, Cluster, ClusterError, LandedTransaction};
use parhelion_core::relay::{Relay, RelayError};
use parhelion_core::transaction::Transaction;
use parhelion_emulator::Shell;
use parhelion_executor::evm::opcode as op;
use parhelion_harness::chain::{Chain, SOL};
use parhelion_harness::contracts;
use parhelion_harness::interposed::{Interposed, Meddler};
use parhelion_harness::wallet::Wallet;
use parhelion_relay::steps::sizing::{LEAST, MOST};
use parhelion_relay::{Operator, Sender};
use parhelion_sdk::address::holder_address;
use parhelion_solana::{Features, SvmCluster, SvmRehearsal};
use parhelion_wire::ProgramError;
use parhelion_wire::account::Run;
use parhelion_wire::event::{Event, Outcome, Receipt, Records};
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;
use std::sync::{Arc, Mutex};

sol! {
    function sort(uint256 count) external pure returns (uint256 smallest);
}

/// Gas of transactions that have no rent to pay to speak of.
pub(crate) const GAS: u64 = 16_000_000;
/// Gas with room for rent.
pub(crate) const RICH_GAS: u64 = 900_000_000;

/// Called with nothing it stores the block's number; otherwise it reads that, and computes until 100,000 gas are left.
pub(crate) fn oracle() -> Code {
    const CODE: [u8; 23] = alloy_primitives::hex!("3660085743 5f5500 5b5f5450 5b620186a05a11600c5700");
    Code::new().raw(&CODE)
}

/// A relay, and a wallet that is rich.
pub(crate) struct Scene {
    pub(crate) chain: Chain,
    pub(crate) wallet: Wallet,
    pub(crate) relay: Sender,
}

/// What landed.
#[derive(Debug)]
pub(crate) struct Landed {
    pub(crate) receipt: Receipt,
    /// The Solana transactions in the order of their landing.
    transactions: Vec<LandedTransaction>,
}

impl Landed {
    pub(crate) fn units(&self) -> Vec<u64> {
        self.transactions.iter().map(|landed| landed.compute_units).collect()
    }
}

/// A relay of the chain's operator.
pub(crate) fn relay(chain: &Chain, cluster: Arc<dyn Cluster>) -> Sender {
    let operator =
        Operator { keypair: chain.operator.keypair.insecure_clone(), coinbase: chain.operator.coinbase };
    let emulator = Arc::new(Shell::new(Arc::clone(&cluster)));
    let rehearsal = Arc::new(SvmRehearsal::new(Arc::clone(&cluster), Features::Mainnet));
    Sender::new(cluster, emulator, rehearsal, Arc::new(operator))
}

/// Lets blocks pass whenever it is asked for the clock.
struct Ticks(Arc<SvmCluster>);

#[async_trait]
impl Meddler for Ticks {
    async fn send(
        &self,
        cluster: &dyn Cluster,
        transaction: &VersionedTransaction,
    ) -> Result<Signature, ClusterError> {
        cluster.send(transaction).await
    }

    async fn clock(&self, cluster: &dyn Cluster) -> Result<Clock, ClusterError> {
        self.0.make_empty_blocks(10).await?;
        cluster.clock().await
    }
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::on(Features::Mainnet)
    }

    /// The same on a cluster with other features.
    pub(crate) fn on(features: Features) -> Self {
        let mut chain = Chain::with_features(features).unwrap();
        let wallet = Wallet::new(1);
        chain.deposit(wallet.address(), 10_000 * SOL).unwrap();
        let svm = Arc::clone(&chain.svm);
        let cluster: Arc<dyn Cluster> = match features {
            Features::Mainnet | Features::All => svm,
            // What was put into a lookup table can be used some blocks later.
            Features::WithoutV1 => {
                Arc::new(Interposed::new(Arc::clone(&svm) as Arc<dyn Cluster>, Ticks(svm)))
            }
        };
        let relay = relay(&chain, cluster);
        let relay = chain.block_on(relay.adapt()).unwrap();
        Self { chain, wallet, relay }
    }

    pub(crate) fn slot(&self) -> u64 {
        self.chain.block_on(self.chain.svm.clock()).unwrap().slot
    }

    /// Lands a transaction, after a check that it can land.
    pub(crate) fn land(&mut self, transaction: &Transaction) -> Landed {
        let first = self.slot() + 1;
        self.chain.block_on(self.relay.check(transaction)).unwrap();
        assert_eq!(self.slot() + 1, first, "a check lands nothing");
        let signatures = self.chain.block_on(self.relay.land(transaction)).unwrap();
        let blocks = self.chain.block_on(self.chain.svm.blocks(first, self.slot())).unwrap();
        let transactions: Vec<_> = blocks.into_iter().flat_map(|block| block.transactions).collect();
        assert_eq!(signatures.len(), transactions.len(), "all that was sent landed");
        let receipts: Vec<Receipt> = transactions.iter().filter_map(|landed| self.receipt(landed)).collect();
        let [receipt] = receipts.try_into().expect("one receipt");
        assert_eq!(receipt.transaction_hash.0, transaction.hash().0);
        self.chain.know(transaction.sender());
        self.chain.assert_solvent().unwrap();
        let holder = holder_address(&self.chain.deployment, &self.chain.operator.keypair.pubkey(), 0);
        let held = self.chain.account(&holder.to_bytes()).map(|account| Run::of(&account.data));
        assert!(matches!(held, None | Some(Err(ProgramError::NoSuchRun))), "the holder is free: {held:?}");
        Landed { receipt, transactions }
    }

    pub(crate) fn receipt(&self, landed: &LandedTransaction) -> Option<Receipt> {
        let events = self.chain.events(landed);
        match Records(&events).next() {
            Some(Ok(Event::Receipt(receipt))) => Some(receipt),
            _ => None,
        }
    }

    /// The receipts of a transaction since a slot.
    pub(crate) fn receipts(&self, first: u64, transaction: &Transaction) -> Vec<Receipt> {
        let blocks = self.chain.block_on(self.chain.svm.blocks(first, self.slot())).unwrap();
        let landed = blocks.iter().flat_map(|block| &block.transactions);
        let receipts = landed.filter_map(|landed| self.receipt(landed));
        receipts.filter(|receipt| receipt.transaction_hash.0 == transaction.hash().0).collect()
    }

    pub(crate) fn deploy(&mut self, init_code: Vec<u8>) -> (EthereumAddress, Landed) {
        let address = self.wallet.address().create(self.wallet.nonce);
        let transaction = self.wallet.send(None, U256::ZERO, init_code, RICH_GAS);
        let landed = self.land(&transaction);
        assert_eq!(landed.receipt.outcome, Outcome::Success);
        (address, landed)
    }

    pub(crate) fn call(&mut self, to: EthereumAddress, data: Vec<u8>, gas: u64) -> Landed {
        let transaction = self.wallet.send(Some(to), U256::ZERO, data, gas);
        let landed = self.land(&transaction);
        assert_eq!(landed.receipt.outcome, Outcome::Success, "{landed:?}");
        landed
    }
}

/// All steps but the last are full, and none has more than there is.
#[track_caller]
fn assert_full(units: &[u64]) {
    let (last, full) = units.split_last().unwrap();
    assert!(full.iter().all(|units| (LEAST..=MOST).contains(units)), "{units:?}");
    assert!(*last <= MOST, "{units:?}");
}

#[test]
fn more_compute_units_than_a_solana_transaction_has() {
    let mut scene = Scene::new();
    let (loops, _) = scene.deploy(contracts::init_code("Loops").unwrap().to_vec());
    let landed = scene.call(loops, sortCall { count: U256::from(60) }.abi_encode(), GAS);
    let units = landed.units();
    assert!((3..=4).contains(&units.len()), "{units:?}");
    assert_full(&units);
}

#[test]
fn as_much_gas_as_a_transaction_may_use() {
    let mut scene = Scene::new();
    // JUMPDEST, then GAS > 1000 ? back to the start.
    let code = Code::new().op(op::JUMPDEST).push(10_000).op(op::GAS).op(op::GT).push(0).op(op::JUMPI);
    let (contract, _) = scene.deploy(code.init_code());
    let landed = scene.call(contract, vec![], 15_000_000);
    assert!(landed.receipt.gas_used > 14_900_000, "{:?}", landed.receipt);
    let units = landed.units();
    assert_full(&units);
    println!("{} transactions, {} CU", units.len(), units.iter().sum::<u64>());
}

#[test]
fn a_megabyte_of_memory() {
    let mut scene = Scene::new();
    let code = Code::new().push(7).push((1 << 20) - 32).op(op::MSTORE).push((1 << 20) - 32).op(op::MLOAD)
        + return_top();
    let (contract, _) = scene.deploy(code.init_code());
    let landed = scene.call(contract, vec![], GAS);
    assert_eq!(landed.transactions.len(), 1, "{:?}", landed.units());
}

#[test]
fn three_hundred_fresh_storage_slots() {
    let mut scene = Scene::new();
    let stores = (0..300u64).fold(Code::new(), |code, key| code.sstore(push(key), push(key + 1)));
    let (contract, _) = scene.deploy(stores.init_code());
    let landed = scene.call(contract, vec![], RICH_GAS);
    println!("{:?}", landed.units());
}

#[test]
fn a_large_contract_and_much_calldata() {
    let mut scene = Scene::new();
    let code = Code::new().raw(&vec![0x5b; 24_576]);
    let (contract, landed) = scene.deploy(code.init_code());
    println!("deploy: {:?}", landed.units());
    assert!(landed.transactions.len() <= 12, "{:?}", landed.units());
    let landed = scene.call(contract, vec![1; 100_000], RICH_GAS);
    println!("calldata: {:?}", landed.units());
}

#[test]
fn what_would_run_out_of_rent_gas_is_refused_and_keeps_its_nonce() {
    let scene = Scene::new();
    let init_code = contracts::init_code("Loops").unwrap();
    let poor = scene.wallet.sign(scene.wallet.draft(None, U256::ZERO, init_code, 1_000_000));
    let error = scene.chain.block_on(scene.relay.check(&poor)).unwrap_err();
    assert!(matches!(error, RelayError::OutOfRentGas { gas_limit: 1_000_000 }), "{error}");
}

/// Calls a contract before each transaction, to change what it stores.
pub(crate) struct Updates {
    relay: Sender,
    contract: EthereumAddress,
    gas: u64,
    /// The data of the update with a nonce.
    data: fn(u64) -> Vec<u8>,
    /// One update after another.
    wallet: tokio::sync::Mutex<Wallet>,
    /// Whether each of the updates landed.
    landed: Mutex<Vec<bool>>,
}

impl Updates {
    /// Those of a wallet that is made rich.
    pub(crate) fn new(
        scene: &mut Scene,
        contract: EthereumAddress,
        gas: u64,
        data: fn(u64) -> Vec<u8>,
    ) -> Self {
        let wallet = Wallet::new(2);
        scene.chain.deposit(wallet.address(), 10_000 * SOL).unwrap();
        let relay = relay(&scene.chain, Arc::clone(&scene.chain.svm) as Arc<dyn Cluster>);
        Self { relay, contract, gas, data, wallet: tokio::sync::Mutex::new(wallet), landed: Mutex::default() }
    }

    /// Whether each of them landed; the others found something locked.
    pub(crate) fn landed(&self) -> Vec<bool> {
        self.landed.lock().unwrap().clone()
    }
}

/// Whether a transaction was refused because a run has locked what it writes.
pub(crate) fn is_locked(error: &RelayError) -> bool {
    let RelayError::Cluster(ClusterError::Failed { code, .. }) = error else { return false };
    *code == Some(ProgramError::AccountLocked as u32)
}

#[async_trait]
impl Meddler for Updates {
    async fn send(
        &self,
        cluster: &dyn Cluster,
        transaction: &VersionedTransaction,
    ) -> Result<Signature, ClusterError> {
        let mut wallet = self.wallet.lock().await;
        let data = (self.data)(wallet.nonce);
        let update = wallet.send(Some(self.contract), U256::ZERO, data, self.gas);
        let result = self.relay.land(&update).await;
        self.landed.lock().unwrap().push(result.is_ok());
        if let Err(error) = result {
            assert!(is_locked(&error), "{error}");
            wallet.nonce -= 1;
        }
        cluster.send(transaction).await
    }
}

#[test]
fn a_long_run_ends_although_what_it_reads_changes_before_each_step() {
    let mut scene = Scene::new();
    let (oracle, _) = scene.deploy(oracle().init_code());
    scene.call(oracle, vec![], GAS);
    let updates = Updates::new(&mut scene, oracle, GAS, |_| vec![]);
    let svm = Arc::clone(&scene.chain.svm) as Arc<dyn Cluster>;
    let cluster = Arc::new(Interposed::new(svm, updates));
    let disturbed = relay(&scene.chain, Arc::clone(&cluster) as Arc<dyn Cluster>);
    let transaction = scene.wallet.send(Some(oracle), U256::ZERO, vec![1], 900_000);
    let first = scene.slot() + 1;
    let signatures = scene.chain.block_on(disturbed.land(&transaction)).unwrap();
    let receipts = scene.receipts(first, &transaction);
    assert_eq!((receipts.len(), receipts[0].outcome), (1, Outcome::Success));
    let landed = cluster.meddler.landed();
    assert!(landed.iter().filter(|landed| **landed).count() > 3, "the run was disturbed: {landed:?}");
    // It locks once, computes undisturbed, and unlocks.
    assert!(signatures.len() <= 20, "{} Solana transactions: {landed:?}", signatures.len());
    let mut wallet = scene.chain.block_on(cluster.meddler.wallet.lock()).clone();
    let update = wallet.send(Some(oracle), U256::ZERO, vec![], GAS);
    scene.chain.block_on(scene.relay.land(&update)).unwrap();
}
