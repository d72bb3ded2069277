//! A pool whose accepted transactions outlive the node.
//!
//! ```text
//! submit ─▶ MemoryPool ─▶ written down ─▶ accepted        start ─▶ all that is written down ─▶ MemoryPool
//!                              │
//!                              └ crossed out once it landed or never will
//! ```
//!
//! What landed just before the node ended may still be written down; its nonce is used, so it is refused and crossed out.
//! What was interrupted on its way stays written down: it may not have landed.

use crate::verdict::Verdict;
use crate::{DropReason, MemoryPool, Status};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256};
use async_trait::async_trait;
use parhelion_core::pool::{Journal, Pool, PoolError, Waiting};
use parhelion_core::relay::RelayError;
use parhelion_core::transaction::Transaction;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;
use tracing::{info, warn};

/// How often is crossed out what is over.
const INTERVAL: Duration = Duration::from_secs(1);
/// The pause before a transaction is submitted again at the start, when the cluster or the store did not answer.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The [`Pool`] with a [`Journal`].
pub struct DurablePool {
    pool: Arc<MemoryPool>,
    journal: Arc<dyn Journal>,
    /// What is written down.
    written: Mutex<HashSet<B256>>,
}

impl DurablePool {
    /// A pool that writes down what `pool` accepts; [`Self::run`] is its worker.
    #[must_use]
    pub fn new(pool: Arc<MemoryPool>, journal: Arc<dyn Journal>) -> Self {
        Self { pool, journal, written: Mutex::default() }
    }

    fn written(&self) -> MutexGuard<'_, HashSet<B256>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Submits what was written down before the start, and crosses out what is over, until `shutdown` completes.
    pub async fn run(self: Arc<Self>, shutdown: impl Future<Output = ()> + Send) {
        let work = async {
            self.restore().await;
            loop {
                tokio::time::sleep(INTERVAL).await;
                self.cross_out().await;
            }
        };
        tokio::select! {
            biased;
            () = shutdown => {}
            () = work => {}
        }
        self.cross_out().await;
    }

    /// Submits what was written down before.
    async fn restore(&self) {
        let mut transactions = loop {
            match self.journal.all().await {
                Ok(transactions) => break transactions,
                Err(error) => warn!(%error, "what was accepted before the start cannot be read yet"),
            }
            tokio::time::sleep(RETRY_DELAY).await;
        };
        transactions.sort_by_key(|transaction| (transaction.sender(), transaction.inner().nonce()));
        if !transactions.is_empty() {
            info!(
                count = transactions.len(),
                "going on with transactions that were accepted before the start"
            );
        }
        self.written().extend(transactions.iter().map(Transaction::hash));
        for transaction in transactions {
            let hash = transaction.hash();
            while let Err(error) = self.pool.restore(transaction.clone()).await {
                if !may_pass(&error) {
                    info!(%hash, %error, "a transaction that was accepted before the start is over");
                    break;
                }
                warn!(%hash, %error, "a transaction that was accepted before the start has to wait");
                tokio::time::sleep(RETRY_DELAY).await;
            }
        }
    }

    /// Crosses out what landed or never will.
    async fn cross_out(&self) {
        let is_over = |hash: &B256| match self.pool.status(*hash) {
            Some(Status::Gapped | Status::Ready | Status::InFlight) => false,
            Some(Status::Dropped(DropReason::Interrupted)) => false,
            Some(Status::Settled | Status::Dropped(_)) | None => true,
        };
        let over: Vec<B256> = self.written().iter().copied().filter(is_over).collect();
        if over.is_empty() {
            return;
        }
        match self.journal.remove(&over).await {
            Ok(()) => self.written().retain(|hash| !over.contains(hash)),
            Err(error) => warn!(%error, "transactions that are over stay written down for now"),
        }
    }
}

/// Whether the same transaction may be accepted later.
fn may_pass(error: &PoolError) -> bool {
    match error {
        PoolError::Full | PoolError::Store(_) => true,
        PoolError::Emulator(error) => Verdict::of(&RelayError::Emulator(error.clone())) == Verdict::Retry,
        _ => false,
    }
}

#[async_trait]
impl Pool for DurablePool {
    async fn submit(&self, transaction: Transaction) -> Result<B256, PoolError> {
        let hash = self.pool.submit(transaction.clone()).await?;
        self.journal.put(&transaction).await?;
        self.written().insert(hash);
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
