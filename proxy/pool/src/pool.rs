//! The pool as its users see it.

use crate::admission::{check, check_alone};
use crate::limits::Limits;
use crate::queue::{Queues, Status};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256};
use async_trait::async_trait;
use parhelion_core::emulator::Emulator;
use parhelion_core::pool::{Pool, PoolError};
use parhelion_core::relay::Relay;
use parhelion_core::store::Store;
use parhelion_core::transaction::Transaction;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tracing::debug;

/// The [`Pool`] in memory; [`Self::run`] is its worker.
pub struct MemoryPool {
    pub(crate) emulator: Arc<dyn Emulator>,
    pub(crate) relay: Arc<dyn Relay>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) limits: Limits,
    queues: Mutex<Queues>,
    /// Somebody became ready.
    pub(crate) work: Notify,
    /// Whether the worker is to stop.
    pub(crate) stopping: watch::Sender<bool>,
}

impl MemoryPool {
    /// An empty pool: reads the state from `emulator`, lands through `relay`, asks `store` what landed.
    #[must_use]
    pub fn new(
        emulator: Arc<dyn Emulator>,
        relay: Arc<dyn Relay>,
        store: Arc<dyn Store>,
        limits: Limits,
    ) -> Self {
        Self {
            emulator,
            relay,
            store,
            limits,
            queues: Mutex::new(Queues::new(limits)),
            work: Notify::new(),
            stopping: watch::Sender::new(false),
        }
    }

    /// The state of a transaction; `None` when the pool does not know it, or does not know it any more.
    #[must_use]
    pub fn status(&self, hash: B256) -> Option<Status> {
        self.queues().status(&hash)
    }

    /// The queues. Nothing that holds them can fail halfway, so they are in order even after a panic elsewhere.
    pub(crate) fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Pool for MemoryPool {
    async fn submit(&self, transaction: Transaction) -> Result<B256, PoolError> {
        let (hash, sender, nonce) = (transaction.hash(), transaction.sender(), transaction.inner().nonce());
        check_alone(&transaction, &self.emulator.settings().await?)?;
        let account = self.emulator.account(sender).await?;
        check(&self.queues(), &transaction, &account)?;
        // Only the next transaction can be emulated: the others run on a state that does not exist yet.
        if nonce == account.nonce {
            self.relay.check(&transaction).await?;
        }
        let mut queues = self.queues();
        // Once more, because others came in meanwhile.
        check(&queues, &transaction, &account)?;
        queues.insert(transaction, nonce, account.nonce, Instant::now());
        drop(queues);
        debug!(%hash, %sender, nonce, "accepted");
        self.work.notify_one();
        Ok(hash)
    }

    fn transaction(&self, hash: B256) -> Option<Transaction> {
        self.queues().transaction(&hash).cloned()
    }

    fn pending_nonce(&self, sender: Address, next: u64) -> u64 {
        self.queues().next_free(&sender, next)
    }
}
