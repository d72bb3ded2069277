//! Transactions that outlive the node.

use crate::chain::Chain;
use crate::{Running, limits, pool, sender, start_worker, tx, until, until_status, word};
use alloy_primitives::B256;
use async_trait::async_trait;
use parhelion_core::pool::{Journal, Pool, PoolError};
use parhelion_core::store::StoreError;
use parhelion_core::transaction::Transaction;
use parhelion_pool::{DurablePool, MemoryPool};
use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex};

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
    let pool = Arc::new(MemoryPool::new(chain.clone(), chain.clone(), chain.clone(), limits()));
    let durable = Arc::new(DurablePool::new(pool.clone(), paper.clone()));
    tokio::spawn(durable.clone().run(pending()));
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
async fn what_cannot_be_written_down_is_not_accepted() {
    let (chain, _) = pool(limits());
    let paper = Arc::new(Paper::default());
    *paper.is_full.lock().unwrap() = true;
    let (_running, durable) = node(&chain, &paper);
    let error = durable.submit(tx(1, 0).sign()).await.unwrap_err();
    assert!(matches!(error, PoolError::Store(_)) && error.to_string().contains("disk is full"), "{error}");
}
