//! The pool between an emulator, a relay and a store that are fakes.
#![allow(clippy::unwrap_used, missing_docs)]

mod admission;
mod chain;
mod durable;
mod eviction;
mod hold;
mod landing;
mod order;
mod replacement;
mod stopping;
mod together;
mod waiting;

use alloy_consensus::{SignableTransaction, TxEip1559, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use chain::Chain;
use parhelion_core::pool::{Pool, PoolError};
use parhelion_core::transaction::{Transaction, encode};
use parhelion_pool::{DropReason, Limits, MemoryPool, Status};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const CHAIN_ID: u64 = 1_234;
const BASE_FEE: u64 = 1_000;
const GAS: u64 = 21_000;

/// Bounds that make tests quick, and one transaction of a sender at a time.
fn limits() -> Limits {
    Limits {
        together_max: 1,
        retry_delay_min: Duration::from_millis(5),
        retry_delay_max: Duration::from_millis(10),
        attempts_max: 3,
        tend_interval: Duration::from_millis(10),
        stop_max: Duration::from_secs(10),
        ..Limits::default()
    }
}

/// A transaction to sign.
#[derive(Clone, Copy)]
struct Tx {
    /// The sender's key.
    key: u8,
    nonce: u64,
    chain_id: u64,
    fee_cap: u128,
    priority_fee: u128,
    value: u64,
    /// Bytes of call data.
    data: usize,
}

const fn tx(key: u8, nonce: u64) -> Tx {
    Tx { key, nonce, chain_id: CHAIN_ID, fee_cap: 2_000, priority_fee: 100, value: 0, data: 0 }
}

impl Tx {
    fn sign(self) -> Transaction {
        let Self { nonce, chain_id, fee_cap, priority_fee, value, data, .. } = self;
        let transaction = TxEip1559 {
            chain_id,
            nonce,
            gas_limit: GAS,
            max_fee_per_gas: fee_cap,
            max_priority_fee_per_gas: priority_fee,
            to: TxKind::Call(Address::ZERO),
            value: U256::from(value),
            access_list: Default::default(),
            input: Bytes::from(vec![0; data]),
        };
        let signature = self.signer().sign_hash_sync(&transaction.signature_hash()).unwrap();
        Transaction::decode(encode(&transaction.into_signed(signature).into())).unwrap()
    }

    /// As a legacy transaction, whose gas price is the fee cap.
    fn sign_legacy(self, chain_id: Option<u64>) -> Transaction {
        let transaction = TxLegacy {
            chain_id,
            nonce: self.nonce,
            gas_price: self.fee_cap,
            gas_limit: GAS,
            to: TxKind::Call(Address::ZERO),
            value: U256::from(self.value),
            input: Bytes::new(),
        };
        let signature = self.signer().sign_hash_sync(&transaction.signature_hash()).unwrap();
        Transaction::decode(encode(&transaction.into_signed(signature).into())).unwrap()
    }

    fn signer(self) -> PrivateKeySigner {
        PrivateKeySigner::from_bytes(&B256::repeat_byte(self.key)).unwrap()
    }
}

fn sender(key: u8) -> Address {
    tx(key, 0).signer().address()
}

/// A pool without a worker, on a chain where every account is rich.
fn pool(limits: Limits) -> (Arc<Chain>, Arc<MemoryPool>) {
    let chain = Arc::new(Chain::default());
    let pool = MemoryPool::new(chain.clone(), chain.clone(), chain.clone(), limits);
    (chain, Arc::new(pool))
}

/// A pool with its worker.
struct Running {
    chain: Arc<Chain>,
    pool: Arc<MemoryPool>,
    stop: oneshot::Sender<()>,
    worker: JoinHandle<()>,
}

fn start(limits: Limits) -> Running {
    let (chain, pool) = pool(limits);
    start_worker(chain, pool)
}

fn start_worker(chain: Arc<Chain>, pool: Arc<MemoryPool>) -> Running {
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = tokio::spawn(pool.clone().run(async { stopped.await.unwrap() }));
    Running { chain, pool, stop, worker }
}

impl Running {
    async fn submit(&self, transaction: Tx) -> B256 {
        self.pool.submit(transaction.sign()).await.unwrap()
    }

    /// Stops the worker and gives how long that took.
    async fn stop(self) -> Duration {
        let start = Instant::now();
        self.stop.send(()).unwrap();
        self.worker.await.unwrap();
        start.elapsed()
    }
}

async fn refused(pool: &MemoryPool, transaction: Transaction) -> PoolError {
    let hash = transaction.hash();
    let known = pool.transaction(hash).is_some();
    let error = pool.submit(transaction).await.unwrap_err();
    assert_eq!(pool.transaction(hash).is_some(), known, "a refusal changes nothing");
    error
}

/// Waits until a condition holds; fails after 20 seconds.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20), "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A status in a word.
fn word(status: Option<Status>) -> &'static str {
    match status {
        None => "unknown",
        Some(Status::Gapped) => "gapped",
        Some(Status::Ready) => "ready",
        Some(Status::InFlight) => "in flight",
        Some(Status::Settled) => "settled",
        Some(Status::Dropped(_)) => "dropped",
    }
}

/// Waits until a transaction is in a state.
async fn until_status(pool: &MemoryPool, hash: B256, expected: &str) {
    until(expected, || word(pool.status(hash)) == expected).await;
}

/// Waits until a transaction is dropped, and gives why.
async fn until_dropped(pool: &MemoryPool, hash: B256) -> DropReason {
    until_status(pool, hash, "dropped").await;
    assert!(pool.transaction(hash).is_none());
    match pool.status(hash) {
        Some(Status::Dropped(reason)) => reason,
        other => panic!("{other:?}"),
    }
}
