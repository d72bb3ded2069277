//! The past: blocks run again, and what is known of them.

use crate::cluster::{
    BASE_FEE, BLOCK_GAS_LIMIT, CHAIN_ID, COINBASE, Chain, RENT_PER_BYTE, SLOT, Wallet, draft,
};
use alloy_consensus::{Header, TxEip1559};
use alloy_primitives::{Address, B256, U256};
use parhelion_core::cluster::{Cluster, Moment};
use parhelion_core::emulator::{Emulator, EmulatorError, TraceRequest};
use parhelion_core::past::{Archive, Change, Effect, EffectKind, Ending, Landing, Replay};
use parhelion_core::store::{Block, Executed, Store as _};
use parhelion_core::transaction::Transaction;
use parhelion_emulator::{Historian, Shell, forget_past};
use parhelion_sdk::address::account_address;
use parhelion_store::MemoryStore;
use parhelion_wire::account::Balance;
use parhelion_wire::address::AccountKey;
use parhelion_wire::event::Outcome;
use parhelion_wire::instruction::{Configure, Initialize};
use parhelion_wire::{H160, Pubkey};
use std::sync::Arc;

/// A chain whose blocks are run again.
struct World {
    chain: Chain,
    store: Arc<MemoryStore>,
    historian: Historian,
    emulator: Shell,
    wallet: Wallet,
}

fn effect(kind: EffectKind, accounts: &[Pubkey]) -> Effect {
    Effect { kind, accounts: accounts.to_vec() }
}

fn block(number: u64, transactions: Vec<Executed>) -> Block {
    let header = Header { number, timestamp: 1_000 + number, ..Header::default() };
    let transactions = transactions.into_iter().map(Arc::new).collect();
    Block { hash: header.hash_slow(), header, transactions }
}

/// A transaction as it is in a block.
fn executed(transaction: Transaction, block_number: u64, index: u64, gas: (u64, u64)) -> Executed {
    Executed {
        transaction,
        block_number,
        block_hash: B256::ZERO,
        block_timestamp: 0,
        index,
        outcome: Outcome::Success,
        gas_used: gas.0 + gas.1,
        rent_gas: gas.1,
        cumulative_gas_used: 0,
        effective_gas_price: U256::ZERO,
        logs: Vec::new(),
        first_log_index: 0,
        coinbase: COINBASE,
        signature: [0; 64].into(),
        compute_units: 0,
        signatures: Vec::new(),
        total_compute_units: 0,
    }
}

const RECIPIENT: Address = Address::repeat_byte(0x33);

impl World {
    /// Nothing is known of what made the chain.
    fn without_beginning() -> Self {
        let chain = Chain::new();
        let store = Arc::new(MemoryStore::new(block(0, vec![])));
        let cluster: Arc<dyn Cluster> = Arc::clone(&chain.memory) as Arc<_>;
        let kept: Arc<dyn Archive> = Arc::clone(&store) as Arc<_>;
        let historian = Historian::new(Arc::clone(&cluster), Arc::clone(&kept));
        let emulator = Shell::new(cluster).remembering(kept);
        Self { chain, store, historian, emulator, wallet: Wallet::new(1) }
    }

    /// The chain was made in block 1, and the wallet and the operator were given something.
    async fn new() -> Self {
        let world = Self::without_beginning();
        let initialize = Initialize {
            chain_id: CHAIN_ID,
            base_fee: BASE_FEE,
            block_gas_limit: BLOCK_GAS_LIMIT,
            authority: [0; 32],
        };
        let deposit = |address: Address, lamports| {
            effect(EffectKind::Deposited { address: H160(address.0.0), lamports }, &[])
        };
        let effects = [
            effect(EffectKind::Initialized(initialize), &[]),
            deposit(world.wallet.address(), 1_000_000_000),
            deposit(COINBASE, 0),
        ];
        world.replay(block(1, vec![]), &effects).await;
        world
    }

    async fn replay(&self, block: Block, effects: &[Effect]) -> Vec<Change> {
        let landing = Landing { effects: effects.to_vec(), lamports: Vec::new() };
        let changes = self.historian.replay(&block, &[landing], &[]).await.unwrap();
        self.store.append_with(Vec::new(), changes.clone()).await.unwrap();
        changes
    }

    async fn at(&self, block: u64) -> Arc<dyn Emulator> {
        self.emulator.at(Moment::Behind(block)).await.unwrap()
    }

    /// Wei of an address behind a block.
    async fn balance(&self, block: u64, address: Address) -> Result<U256, String> {
        let state = self.at(block).await.account(address).await;
        state.map(|state| state.balance).map_err(|error| error.to_string())
    }

    /// A transfer of a number of wei.
    fn transfer(&self, nonce: u64, wei: u64) -> Transaction {
        let draft = draft(Some(RECIPIENT), 2_000_000);
        self.wallet.sign(TxEip1559 { nonce, value: U256::from(wei), ..draft })
    }

    /// Rent gas of the recipient's new Balance: a gas is a lamport.
    fn rent_gas(&self) -> u64 {
        (size_of::<Balance>() as u64 + 128) * RENT_PER_BYTE
    }
}

const AT_ONCE: EffectKind = EffectKind::Ended(Ending::AtOnce);

#[tokio::test]
async fn every_block_and_every_transaction_has_its_state() {
    let world = World::new().await;
    let first = executed(world.transfer(0, 5), 3, 0, (21_000, world.rent_gas()));
    let second = executed(world.transfer(1, 7), 3, 1, (21_000, 0));
    let changed = Configure { base_fee: Some(BASE_FEE + 1), ..Configure::default() };
    let effects = [
        effect(AT_ONCE.clone(), &[]),
        effect(AT_ONCE.clone(), &[]),
        effect(EffectKind::Configured(changed), &[]),
    ];
    world.replay(block(3, vec![first.clone(), second.clone()]), &effects).await;
    for (number, recipient, base_fee) in
        [(1, 0, BASE_FEE), (2, 0, BASE_FEE), (3, 12, BASE_FEE + 1), (9, 12, BASE_FEE + 1)]
    {
        assert_eq!(world.balance(number, RECIPIENT).await, Ok(U256::from(recipient)), "{number}");
        let settings = world.at(number).await.settings().await.unwrap();
        assert_eq!(settings.base_fee, base_fee, "{number}");
    }
    let gas = U256::from(42_000 + world.rent_gas()) * U256::from(BASE_FEE);
    let given = U256::from(1_000_000_000u64) * U256::from(1_000_000_000u64);
    assert_eq!(world.balance(3, world.wallet.address()).await, Ok(given - gas - U256::from(12)));
    assert_eq!(world.balance(3, COINBASE).await, Ok(gas));
    for executed in [&first, &second] {
        world.emulator.trace_executed(executed, TraceRequest::Calls).await.unwrap();
    }
    // On what the first one left, it would not be the first one.
    let moved = Executed { index: 1, ..first };
    let error = world.emulator.trace_executed(&moved, TraceRequest::Calls).await.unwrap_err();
    assert!(matches!(error, EmulatorError::Refused(_)), "{error}");
}

#[tokio::test]
async fn what_does_not_run_again_as_it_did_is_unknown_until_the_cluster_tells() {
    let world = World::new().await;
    let key = |address: Address| AccountKey::Balance(H160(address.0.0));
    let deployment = world.chain.memory.deployment();
    let account = |address| account_address(&deployment, &key(address)).to_bytes();
    let listed = [account(RECIPIENT), account(world.wallet.address()), deployment.config];
    // Its receipt says another number.
    let wrong = executed(world.transfer(0, 5), 3, 0, (21_001, world.rent_gas()));
    world.replay(block(3, vec![wrong.clone()]), &[effect(AT_ONCE.clone(), &listed)]).await;
    assert_eq!(world.balance(2, RECIPIENT).await, Ok(U256::ZERO));
    let error = world.balance(3, RECIPIENT).await.unwrap_err();
    assert!(error.contains("is not known at block 3"), "{error}");
    assert_eq!(world.balance(3, COINBASE).await, Ok(U256::ZERO), "nobody listed it");
    let error = world.emulator.trace_executed(&wrong, TraceRequest::Calls).await.unwrap_err().to_string();
    assert!(error.contains("does not run as it did"), "{error}");
    // This is how they are in the end, which the cluster is asked for.
    world.chain.balance(RECIPIENT, 0, U256::from(12));
    world.chain.balance(world.wallet.address(), 2, U256::from(10_u64.pow(18)));
    // What is computed from what is unknown is unknown, too.
    let next = executed(world.transfer(1, 7), 4, 0, (21_000, 0));
    let touched = [account(RECIPIENT), account(world.wallet.address()), account(COINBASE)];
    world.replay(block(4, vec![next]), &[effect(AT_ONCE.clone(), &touched)]).await;
    assert!(world.balance(4, COINBASE).await.is_err());
    // The cluster tells how they are behind its slot; from the next block on that is known.
    let later = executed(world.transfer(2, 1), SLOT + 1, 0, (21_000, 0));
    let effects = [effect(AT_ONCE.clone(), &touched)];
    world.replay(block(SLOT + 1, vec![later.clone()]), &effects).await;
    assert!(world.balance(SLOT, RECIPIENT).await.is_err());
    assert_eq!(world.balance(SLOT + 1, RECIPIENT).await, Ok(U256::from(13)));
    world.emulator.trace_executed(&later, TraceRequest::Calls).await.unwrap();
}

#[tokio::test]
async fn what_is_forgotten_is_not_known_and_the_rest_is() {
    let world = World::new().await;
    let mut transactions = Vec::new();
    for nonce in 0..4 {
        let number = 3 + 2 * nonce;
        let rent = if nonce == 0 { world.rent_gas() } else { 0 };
        let transaction = executed(world.transfer(nonce, 5), number, 0, (21_000, rent));
        world.replay(block(number, vec![transaction.clone()]), &[effect(AT_ONCE.clone(), &[])]).await;
        transactions.push(transaction);
    }
    // Whoever has asked already is not told something wrong either.
    let [early, late] = [world.at(4).await, world.at(5).await];
    assert_eq!(early.settings().await.unwrap().base_fee, BASE_FEE);
    while forget_past(&*world.store, 5).await.unwrap() > 0 {}
    let error = early.account(RECIPIENT).await.unwrap_err().to_string();
    assert!(error.contains("the state at block 4 is not known here"), "{error}");
    assert_eq!(late.account(RECIPIENT).await.unwrap().balance, U256::from(10));
    for number in 1..5 {
        let error = world.emulator.at(Moment::Behind(number)).await.err().unwrap().to_string();
        assert!(error.contains("--past-blocks"), "{number}: {error}");
    }
    for (number, balance) in [(5, 10), (6, 10), (7, 15), (8, 15), (9, 20), (99, 20)] {
        assert_eq!(world.balance(number, RECIPIENT).await, Ok(U256::from(balance)), "{number}");
    }
    let [first, others @ ..] = &transactions[..] else { unreachable!() };
    assert!(world.emulator.trace_executed(first, TraceRequest::Calls).await.is_err());
    for executed in others {
        world.emulator.trace_executed(executed, TraceRequest::Calls).await.unwrap();
    }
    // It goes on from there.
    let next = executed(world.transfer(4, 5), 11, 0, (21_000, 0));
    world.replay(block(11, vec![next]), &[effect(AT_ONCE.clone(), &[])]).await;
    assert_eq!(world.balance(11, RECIPIENT).await, Ok(U256::from(25)));
}

#[tokio::test]
async fn without_the_beginning_there_is_no_past() {
    let world = World::without_beginning();
    let first = executed(world.transfer(0, 5), 3, 0, (21_000, world.rent_gas()));
    let changes = world.replay(block(3, vec![first.clone()]), &[effect(AT_ONCE.clone(), &[])]).await;
    assert_eq!(changes, []);
    let error = world.emulator.at(Moment::Behind(3)).await.err().unwrap().to_string();
    assert!(error.contains("does not begin with the chain"), "{error}");
    let error = world.emulator.trace_executed(&first, TraceRequest::Calls).await.unwrap_err().to_string();
    assert!(error.contains("does not begin with the chain"), "{error}");
}
