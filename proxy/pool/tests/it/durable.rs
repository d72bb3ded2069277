//! Transactions that outlive the node.

use crate::chain::{Chain, executed};
use crate::{Running, limits, pool, sender, start_worker, tx, until, until_status, word};
use alloy_consensus::Header;
use alloy_primitives::B256;
use async_trait::async_trait;
use parhelion_core::feed::{BEHIND_MAX, ChainEvent, Feed};
use parhelion_core::pool::{Journal, Pool, PoolError};
use parhelion_core::store::{Block, StoreError};
use parhelion_core::transaction::Transaction;
use parhelion_pool::{DurablePool, MemoryPool};
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is written down, and whether it can be.
#[derive(Default)]
struct Paper {
    written: Mutex<BTreeMap<B256, Transaction>>,
    is_full: Mutex<bool>,
}

#[async_trait]
impl Journal for Paper {
    async fn put(&self, transaction: &Transaction) -> Result<(), StoreError> {
        if *self.is_full.lock().unwrap() {
            return Err(StoreError::Unavailable("the disk is full".to_owned()));
        }
        self.written.lock().unwrap().insert(transaction.hash(), transaction.clone());
        Ok(())
    }

    async fn remove(&self, hashes: &[B256]) -> Result<(), StoreError> {
        self.written.lock().unwrap().retain(|hash, _| !hashes.contains(hash));
        Ok(())
    }

    async fn all(&self) -> Result<Vec<Transaction>, StoreError> {
        Ok(self.written.lock().unwrap().values().cloned().collect())
    }
}

impl Paper {
    fn count(&self) -> usize {
        self.written.lock().unwrap().len()
    }
}

/// A node that begins with what is on the paper. Its worker ends with the test.
fn node(chain: &Arc<Chain>, paper: &Arc<Paper>) -> (Running, Arc<DurablePool>) {
    node_hearing(chain, paper, &Feed::new())
}

/// A [`node`] that hears what happens to the chain.
fn node_hearing(
    chain: &Arc<Chain>,
    paper: &Arc<Paper>,
    events: &Feed<ChainEvent>,
) -> (Running, Arc<DurablePool>) {
    let pool = Arc::new(MemoryPool::new(chain.clone(), chain.clone(), chain.clone(), limits()));
    let durable = Arc::new(DurablePool::new(pool.clone(), paper.clone()));
    tokio::spawn(durable.clone().run(events.subscribe(), pending()));
    (start_worker(chain.clone(), pool), durable)
}

#[tokio::test]
async fn what_was_accepted_lands_after_a_restart() {
    let (chain, _) = pool(limits());
    let paper = Arc::new(Paper::default());
    chain.close();
    let (first, durable) = node(&chain, &paper);
    // Two that wait for their turn, and one for a nonce that never comes.
    let transactions = [tx(1, 0), tx(1, 1), tx(2, 5)].map(|one| one.sign());
    for transaction in &transactions {
        durable.submit(transaction.clone()).await.unwrap();
    }
    until_status(&first.pool, transactions[0].hash(), "in flight").await;
    // The process ends: nothing is finished.
    first.worker.abort();
    assert_eq!(paper.count(), 3);

    let (second, _) = node(&chain, &paper);
    chain.open(10);
    until("both landed", || chain.landed().len() == 2).await;
    assert_eq!(chain.landed(), [(sender(1), 0), (sender(1), 1)]);
    // Crossed out; what waits stays.
    until("what is over is crossed out", || paper.count() == 1).await;
    assert_eq!(word(second.pool.status(transactions[2].hash())), "gapped");
}

#[tokio::test]
async fn what_landed_meanwhile_is_crossed_out() {
    let (chain, _) = pool(limits());
    let paper = Arc::new(Paper::default());
    let transaction = tx(1, 0).sign();
    paper.put(&transaction).await.unwrap();
    chain.set_account(sender(1), 1, 1_000_000_000);
    let _node = node(&chain, &paper);
    until("it is crossed out", || paper.count() == 0).await;
    assert_eq!(chain.landed(), []);
}

#[tokio::test]
async fn what_a_dropped_fork_had_lands_again_unless_the_other_fork_has_it_too() {
    let (chain, _) = pool(limits());
    let (paper, events) = (Arc::new(Paper::default()), Feed::new());
    let (running, durable) = node_hearing(&chain, &paper, &events);
    let transactions = [tx(1, 0), tx(2, 0), tx(1, 1)].map(|one| one.sign());
    for (transaction, count) in transactions.iter().zip(1..) {
        durable.submit(transaction.clone()).await.unwrap();
        until("it landed", || chain.landed().len() == count).await;
        chain.store(transaction.clone());
    }
    until("nothing is written down", || paper.count() == 0).await;

    // Another one of the first sender waits behind those that were landed.
    chain.close();
    let behind = tx(1, 2).sign();
    durable.submit(behind.clone()).await.unwrap();
    until_status(&running.pool, behind.hash(), "in flight").await;
    // What the second sender sent is in the new chain.
    chain.set_nonce(sender(1), 0);
    let gone = Block {
        hash: B256::ZERO,
        header: Header::default(),
        transactions: transactions.iter().cloned().map(executed).collect(),
    };
    transactions.iter().for_each(|transaction| chain.unstore(transaction.hash()));
    events.publish(ChainEvent::Removed(Arc::new(gone)));
    let back: BTreeSet<B256> = [&transactions[0], &transactions[2], &behind].map(|one| one.hash()).into();
    let written = || paper.written.lock().unwrap().keys().copied().collect::<BTreeSet<_>>();
    until("what is missing is written down", || written() == back).await;
    chain.open(100);
    let (one, other) = (sender(1), sender(2));
    let all = [(one, 0), (other, 0), (one, 1), (one, 0), (one, 1), (one, 2)];
    until("they landed again, in order", || chain.landed() == all).await;
    for transaction in [&transactions[0], &transactions[2], &behind] {
        chain.store(transaction.clone());
    }
    until("all is crossed out", || paper.count() == 0).await;
}

#[tokio::test]
async fn what_dropped_forks_had_lands_again_if_the_pool_is_told_of_too_much() {
    let (chain, _) = pool(limits());
    let (paper, events) = (Arc::new(Paper::default()), Feed::new());
    let _node = node_hearing(&chain, &paper, &events);
    // Once it runs, it has read what was written down before.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let transactions = [tx(1, 0), tx(1, 1)].map(|one| one.sign());
    for transaction in &transactions {
        paper.put(transaction).await.unwrap();
    }
    // The block that had them is not among the events that are kept.
    for _ in 0..=BEHIND_MAX {
        let empty = Block { hash: B256::ZERO, header: Header::default(), transactions: Vec::new() };
        events.publish(ChainEvent::Removed(Arc::new(empty)));
    }
    until("they landed again", || chain.landed() == [(sender(1), 0), (sender(1), 1)]).await;
    until("all is crossed out", || paper.count() == 0).await;
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_accepted() {
    let (chain, _) = pool(limits());
    let paper = Arc::new(Paper::default());
    *paper.is_full.lock().unwrap() = true;
    let (_running, durable) = node(&chain, &paper);
    let error = durable.submit(tx(1, 0).sign()).await.unwrap_err();
    assert!(matches!(error, PoolError::Store(_)) && error.to_string().contains("disk is full"), "{error}");
}
