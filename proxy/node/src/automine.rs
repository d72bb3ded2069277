//! A pool that answers when a transaction has landed, as development nodes do.
//!
//! A development chain has a block for each transaction, and none besides. Clients that send a transaction and then wait
//! for the next block to ask for its receipt would wait for ever, should the block be made before they look for the first
//! time. And tests are often written for nodes that mine a transaction before they answer.

use crate::development::Development;
use alloy_primitives::{Address, B256};
use async_trait::async_trait;
use parhelion_core::pool::{Pool, PoolError, Waiting};
use parhelion_core::store::Store;
use parhelion_core::transaction::Transaction;
use parhelion_pool::{MemoryPool, Status};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::time::timeout;

/// How long an answer waits at most: less than clients do for one (viem: ten seconds).
const LONGEST: Duration = Duration::from_secs(8);
/// How often it is looked whether a transaction was dropped, which makes no block.
const LOOK: Duration = Duration::from_millis(50);

/// The pool that answers when a transaction has landed.
pub(crate) struct Automine {
    /// The pool that does the work.
    pub(crate) pool: Arc<MemoryPool>,
    /// Has what landed.
    pub(crate) store: Arc<dyn Store>,
    /// Changes with each block in the store.
    pub(crate) blocks: watch::Receiver<u64>,
    /// Lands what nobody signed.
    pub(crate) development: Arc<Development>,
}

impl Automine {
    /// Waits until a transaction is in the store, or is not on its way there any more.
    async fn stored(&self, hash: B256, is_on_its_way: impl Fn() -> bool + Send + Sync) {
        let mut blocks = self.blocks.clone();
        while is_on_its_way() {
            blocks.mark_unchanged();
            let is_stored = matches!(self.store.executed(hash).await, Ok(Some(_)) | Err(_));
            // Whether there was a block or the time is over: it looks again.
            if is_stored || matches!(timeout(LOOK, blocks.changed()).await, Ok(Err(_))) {
                return;
            }
        }
    }

    /// Whether a transaction of the pool needs nothing but its turn to be in the store.
    fn has_its_turn(&self, hash: B256) -> bool {
        let status = self.pool.status(hash);
        // The pool forgets what the store has.
        matches!(status, Some(Status::Ready | Status::InFlight | Status::Settled)) && !self.pool.is_held()
    }
}

#[async_trait]
impl Pool for Automine {
    async fn submit(&self, transaction: Transaction) -> Result<B256, PoolError> {
        if !transaction.is_signed() {
            let hash = self.development.land_unsigned(&transaction).await?;
            let _ = timeout(LONGEST, self.stored(hash, || true)).await;
            return Ok(hash);
        }
        let hash = self.pool.submit(transaction).await?;
        // What takes longer is answered before.
        let _ = timeout(LONGEST, self.stored(hash, || self.has_its_turn(hash))).await;
        Ok(hash)
    }

    fn transaction(&self, hash: B256) -> Option<Transaction> {
        self.pool.transaction(hash)
    }

    fn pending_nonce(&self, sender: Address, next: u64) -> u64 {
        self.pool.pending_nonce(sender, next)
    }

    fn waiting(&self, sender: Option<Address>) -> Vec<Waiting> {
        self.pool.waiting(sender)
    }

    fn accepted(&self) -> broadcast::Receiver<Transaction> {
        self.pool.accepted()
    }
}
