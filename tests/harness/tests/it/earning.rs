//! The relay translates code that earns it, and lands transactions whatever becomes of translations.

use crate::token::{GAS, SUPPLY};
use alloy_primitives::{Address as EthereumAddress, B256, U256};
use alloy_sol_types::{SolCall, SolValue, sol};
use async_trait::async_trait;
use parhelion_assembler::Code;
use parhelion_core::cluster::{Cluster, ClusterError};
use parhelion_core::relay::Relay;
use parhelion_emulator::Shell;
use parhelion_executor::evm::opcode as op;
use parhelion_executor::evm::translation::VERSION;
use parhelion_harness::chain::{Chain, SOL};
use parhelion_harness::contracts;
use parhelion_harness::interposed::{Interposed, Meddler};
use parhelion_harness::wallet::Wallet;
use parhelion_relay::translation::rule::{CALLS_MIN, EAGER_CALLS, Mode, Rule, UNIT_PRICE};
use parhelion_relay::translation::{Settings, Translations};
use parhelion_relay::{Operator, Sender, Shape};
use parhelion_sdk::instruction::{translate, translation_close};
use parhelion_sdk::transaction::{Budget, Format, sign};
use parhelion_solana::{Features, SvmRehearsal};
use parhelion_wire::account::{Translation, TranslationStage};
use parhelion_wire::address::AccountKey;
use solana_address::Address;
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

sol! {
    function transfer(address to, uint256 value) external returns (bool);
    function sort(uint256 count) external pure returns (uint256 smallest);
    function factory() external view returns (address);
}

const AUTO: Settings = Settings {
    rule: Rule { mode: Mode::Auto, unit_price: UNIT_PRICE },
    lamports_max: 10 * SOL,
    pause: Duration::ZERO,
};
const EAGER: Settings = Settings { rule: Rule { mode: Mode::Eager, unit_price: UNIT_PRICE }, ..AUTO };

/// Lamports that a call costs: two signatures, one of which a secp256k1 instruction checks.
const FEE: u64 = 10_000;

/// A chain with one contract, and calls of it.
struct Scene {
    chain: Chain,
    wallet: Wallet,
    contract: EthereumAddress,
    call: Vec<u8>,
    operator: Keypair,
}

impl Scene {
    fn new(init_code: Vec<u8>, call: Vec<u8>) -> Self {
        let mut chain = Chain::new().unwrap();
        let mut wallet = Wallet::new(1);
        chain.deposit(wallet.address(), 1_000 * SOL).unwrap();
        let contract = wallet.address().create(0);
        let done = chain.run(&wallet.send(None, U256::ZERO, init_code, 7 * GAS)).unwrap();
        assert!(done.receipt.outcome.is_success(), "{:?}", done.receipt);
        let operator = chain.operator.keypair.insecure_clone();
        Self { chain, wallet, contract, call, operator }
    }

    /// An ERC-20, and transfers.
    fn token() -> Self {
        let init_code =
            [&contracts::init_code("Token").unwrap()[..], &U256::from(SUPPLY).abi_encode()].concat();
        let call = transferCall { to: Wallet::new(30).address(), value: U256::from(1) };
        Self::new(init_code, call.abi_encode())
    }

    /// A long code, whose translation takes several Solana transactions.
    fn router() -> Self {
        let nobody = (EthereumAddress::repeat_byte(1), EthereumAddress::repeat_byte(2));
        let init_code =
            [&contracts::init_code("UniswapV2Router02").unwrap()[..], &nobody.abi_encode_params()].concat();
        Self::new(init_code, factoryCall {}.abi_encode())
    }

    /// A relay over a cluster, and the task that translates for it.
    fn relay(&self, cluster: Arc<dyn Cluster>, settings: Settings) -> (Sender, Translations) {
        let coinbase = self.chain.operator.coinbase;
        let operator = Arc::new(Operator { keypair: self.operator.insecure_clone(), coinbase });
        let emulator = Arc::new(Shell::new(Arc::clone(&cluster)));
        let (notes, task) =
            Translations::new(Arc::clone(&cluster), Arc::clone(&operator), settings, Shape::V1);
        let rehearsal = Arc::new(SvmRehearsal::new(Arc::clone(&cluster), Features::Mainnet));
        (Sender::new(cluster, emulator, rehearsal, operator).noting(notes), task)
    }

    /// Lands calls; gives the compute units of the last one.
    fn land(&mut self, relay: &Sender, calls: u64) -> u64 {
        let mut units = 0;
        for _ in 0..calls {
            let transaction = self.wallet.send(Some(self.contract), U256::ZERO, self.call.clone(), GAS);
            units = self.chain.block_on(async {
                let signatures = relay.land(&transaction).await.unwrap();
                let slot = self.chain.svm.clock().await.unwrap().slot;
                let blocks = self.chain.svm.blocks(0, slot).await.unwrap();
                let landed = blocks.into_iter().rev().flat_map(|block| block.transactions);
                let is_last = |signature: &Signature| Some(signature) == signatures.last();
                landed.into_iter().find(|landed| is_last(&landed.signature)).unwrap().compute_units
            });
        }
        units
    }

    /// A node's life: it starts, lands calls, and has time to translate.
    fn run(&mut self, settings: Settings, calls: u64) {
        let (relay, task) = self.relay(Arc::clone(&self.chain.svm) as Arc<dyn Cluster>, settings);
        self.land(&relay, calls);
        // Without the relay the task ends when it has done what there is to do.
        drop(relay);
        self.chain.block_on(task.run(pending()));
    }

    fn hash(&self) -> B256 {
        self.chain.code_hash(self.contract).unwrap()
    }

    /// Stage and payer of the translation, if there is one.
    fn translation(&self) -> Option<(TranslationStage, Address)> {
        let key = AccountKey::Translation(self.hash().0.into(), VERSION);
        let account = self.chain.account(&self.chain.address(&key))?;
        let prefix = Translation::view(&account.data).unwrap().prefix;
        Some((prefix.stage(), (*prefix.payer()).into()))
    }

    fn is_translated(&self) -> bool {
        self.chain.is_translated(self.contract).unwrap()
    }

    fn lamports(&self) -> u64 {
        self.chain.account(&self.operator.pubkey().to_bytes()).unwrap().lamports
    }

    /// Somebody begins the translation, and leaves it.
    fn begin(&self, payer: &Keypair) {
        let instruction = translate(&self.chain.deployment, &payer.pubkey(), self.hash(), VERSION, 3);
        self.chain.send_as(&[payer], &[instruction]).unwrap();
        let (stage, by) = self.translation().unwrap();
        assert!(stage != TranslationStage::Complete && by == payer.pubkey());
    }

    fn stranger(&self) -> Keypair {
        let stranger = Keypair::new_from_array([6; 32]);
        self.chain.airdrop(stranger.pubkey(), 100 * SOL);
        stranger
    }
}

#[test]
fn a_token_that_is_called_often_is_translated_and_gets_cheaper() {
    let mut scene = Scene::token();
    let (relay, task) = scene.relay(Arc::clone(&scene.chain.svm) as Arc<dyn Cluster>, AUTO);
    scene.land(&relay, 1);
    let before = scene.land(&relay, 399);
    drop(relay);
    scene.chain.block_on(task.run(pending()));
    assert!(scene.is_translated());
    let (relay, _task) = scene.relay(Arc::clone(&scene.chain.svm) as Arc<dyn Cluster>, AUTO);
    let after = scene.land(&relay, 1);
    // Last known: 25,900 and 21,200.
    assert!(after * 10 < before * 9, "{before} compute units before, {after} after");
}

#[test]
fn a_token_that_is_called_rarely_is_not_translated() {
    let mut scene = Scene::token();
    for (settings, calls) in [(AUTO, 2), (AUTO, 2 * CALLS_MIN), (EAGER, EAGER_CALLS - 1)] {
        scene.run(settings, calls);
        assert_eq!(scene.translation(), None, "{calls} calls, {settings:?}");
    }
    scene.run(EAGER, EAGER_CALLS);
    assert!(scene.is_translated());
    scene.run(EAGER, EAGER_CALLS);
}

#[test]
fn what_a_stopped_node_began_is_finished_after_its_restart() {
    let mut scene = Scene::router();
    let (relay, task) = scene.relay(Arc::clone(&scene.chain.svm) as Arc<dyn Cluster>, EAGER);
    scene.land(&relay, EAGER_CALLS);
    let key = AccountKey::Translation(scene.hash().0.into(), VERSION);
    let address = Address::from(scene.chain.address(&key));
    let begun = async {
        while scene.chain.svm.accounts(&[address]).await.unwrap().accounts[0].is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    scene.chain.block_on(task.run(begun));
    let payer = scene.operator.pubkey();
    assert!(
        scene.translation().is_some_and(|(stage, by)| stage != TranslationStage::Complete && by == payer)
    );
    // One call is enough: that it is worth it was decided before.
    scene.run(AUTO, 1);
    assert_eq!(scene.translation(), Some((TranslationStage::Complete, payer)));
}

#[test]
fn a_strangers_translation_is_finished_where_that_takes_no_rent() {
    let mut scene = Scene::token();
    let stranger = scene.stranger();
    scene.begin(&stranger);
    scene.run(AUTO, 1);
    assert_eq!(scene.translation(), Some((TranslationStage::Begun, stranger.pubkey())), "not earned yet");
    scene.run(EAGER, EAGER_CALLS);
    assert_eq!(scene.translation(), Some((TranslationStage::Complete, stranger.pubkey())));
}

#[test]
fn nobody_pays_a_strangers_rent_unearned() {
    let mut scene = Scene::router();
    let stranger = scene.stranger();
    scene.begin(&stranger);
    let before = scene.lamports();
    scene.run(EAGER, 2 * EAGER_CALLS);
    assert!(!scene.is_translated());
    assert_eq!(before - scene.lamports(), 2 * EAGER_CALLS * FEE, "fees of the calls, and nothing else");
}

#[test]
fn no_more_is_spent_than_allowed_and_than_there_is() {
    let mut scene = Scene::token();
    scene.run(Settings { lamports_max: SOL / 100, ..EAGER }, EAGER_CALLS);
    assert_eq!(scene.translation(), None, "more rent than allowed");
    let poor = Keypair::new_from_array([7; 32]);
    scene.chain.airdrop(poor.pubkey(), SOL / 10);
    scene.operator = poor;
    scene.run(EAGER, EAGER_CALLS);
    assert_eq!(scene.translation(), None, "what is left is for landing transactions");
    scene.chain.airdrop(scene.operator.pubkey(), SOL);
    scene.run(EAGER, EAGER_CALLS);
    assert!(scene.is_translated());
}

#[test]
fn a_code_whose_translation_would_be_too_long_costs_nothing() {
    // More jump destinations in a row than the index takes.
    let code = (0..100).fold(Code::new(), |code, _| code.op(op::JUMPDEST));
    let mut scene = Scene::new(code.init_code(), Vec::new());
    let before = scene.lamports();
    scene.run(EAGER, 2 * EAGER_CALLS);
    assert_eq!(scene.translation(), None);
    assert_eq!(before - scene.lamports(), 2 * EAGER_CALLS * FEE);
}

#[test]
fn clones_share_a_translation() {
    let mut scene = Scene::token();
    let init_code = [&contracts::init_code("Token").unwrap()[..], &U256::from(SUPPLY).abi_encode()].concat();
    let clone = scene.wallet.address().create(scene.wallet.nonce);
    scene.chain.run(&scene.wallet.send(None, U256::ZERO, init_code, GAS)).unwrap();
    scene.run(EAGER, EAGER_CALLS);
    assert!(scene.is_translated() && scene.chain.is_translated(clone).unwrap());
}

/// Lands something right before the first transaction.
struct First {
    /// What lands first.
    first: Mutex<Option<VersionedTransaction>>,
    /// Whether each of the other transactions landed.
    sent: Mutex<Vec<bool>>,
}

#[async_trait]
impl Meddler for First {
    async fn send(
        &self,
        cluster: &dyn Cluster,
        transaction: &VersionedTransaction,
    ) -> Result<Signature, ClusterError> {
        let first = self.first.lock().unwrap().take();
        if let Some(first) = first {
            cluster.send(&first).await?;
        }
        let sent = cluster.send(transaction).await;
        self.sent.lock().unwrap().push(sent.is_ok());
        sent
    }
}

#[test]
fn a_translation_that_is_closed_before_the_transaction_lands_costs_an_attempt_at_most() {
    let loops = contracts::init_code("Loops").unwrap().to_vec();
    let sort = sortCall { count: U256::from(30) }.abi_encode();
    for (scene, attempts) in [
        // The code as it is takes more compute units than the simulation with the translation allows.
        (Scene::new(loops, sort), vec![false, true]),
        // Here it takes little more.
        (Scene::token(), vec![true]),
    ] {
        let mut scene = scene;
        let (relay, _task) = scene.relay(Arc::clone(&scene.chain.svm) as Arc<dyn Cluster>, AUTO);
        scene.land(&relay, 2);
        scene.chain.translate(scene.contract).unwrap();
        let payer = scene.operator.insecure_clone();
        let close = translation_close(&scene.chain.deployment, &payer.pubkey(), scene.hash(), VERSION);
        let blockhash = scene.chain.block_on(scene.chain.svm.latest_blockhash()).unwrap();
        let close = sign(&[close], &payer.pubkey(), &[&payer], blockhash, &Budget::MAX, Format::V1).unwrap();
        let first = First { first: Mutex::new(Some(close)), sent: Mutex::default() };
        let cluster = Arc::new(Interposed::new(Arc::clone(&scene.chain.svm) as Arc<dyn Cluster>, first));
        let (relay, _task) = scene.relay(Arc::clone(&cluster) as Arc<dyn Cluster>, AUTO);
        scene.land(&relay, 1);
        assert_eq!(scene.translation(), None);
        assert_eq!(*cluster.meddler.sent.lock().unwrap(), attempts);
    }
}

/// Code that reads values of so many cells.
fn reader(cells: u64) -> Code {
    (0..cells).fold(Code::new(), |code, cell| code.push(cell << 16).op(op::SLOAD).op(op::POP))
}

#[test]
fn a_run_with_as_many_accounts_as_a_transaction_locks_lands_without_its_translation() {
    for (cells, plain, listed) in [(53, 62, true), (54, 63, true), (55, 64, false)] {
        let mut scene = Scene::new(reader(cells).init_code(), Vec::new());
        let run = |scene: &mut Scene| {
            let transaction = scene.wallet.send(Some(scene.contract), U256::ZERO, Vec::new(), GAS);
            scene.chain.run(&transaction).unwrap()
        };
        assert_eq!(run(&mut scene).accounts, plain);
        scene.chain.translate(scene.contract).unwrap();
        let done = run(&mut scene);
        assert!(done.receipt.outcome.is_success() && done.transactions == 1);
        assert!(done.uses.iter().any(|used| used.is_optional), "it is there");
        assert_eq!(done.accounts, plain + usize::from(listed), "{cells} cells");
        // The relay lands it as well.
        let (relay, _task) = scene.relay(Arc::clone(&scene.chain.svm) as Arc<dyn Cluster>, AUTO);
        scene.land(&relay, 1);
    }
}
