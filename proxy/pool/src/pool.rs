//! The pool as its users see it.

use crate::accounts::{Accounts, Reading};
use crate::admission::{check, check_alone};
use crate::limits::Limits;
use crate::queue::{Candidate, DropReason, Queues, Size, Status};
use crate::verdict::may_pass;
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256};
use async_trait::async_trait;
use parhelion_core::emulator::Emulator;
use parhelion_core::feed::Feed;
use parhelion_core::pool::{Pool, PoolError, Waiting};
use parhelion_core::relay::Relay;
use parhelion_core::store::Store;
use parhelion_core::transaction::Transaction;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, broadcast, watch};
use tokio::time::Instant;
use tracing::{debug, info};

/// The [`Pool`] in memory; [`Self::run`] is its worker.
pub struct MemoryPool {
    pub(crate) emulator: Arc<dyn Emulator>,
    pub(crate) relay: Arc<dyn Relay>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) limits: Limits,
    queues: Mutex<Queues>,
    accounts: Mutex<Accounts>,
    accepted: Feed<Transaction>,
    /// Somebody became ready.
    pub(crate) work: Notify,
    /// A turn ended.
    pub(crate) ended: Notify,
    /// Whether nobody gets a turn.
    pub(crate) held: watch::Sender<bool>,
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
            accounts: Mutex::new(Accounts::new(limits.account_age_max)),
            accepted: Feed::new(),
            work: Notify::new(),
            ended: Notify::new(),
            held: watch::Sender::new(false),
            stopping: watch::Sender::new(false),
        }
    }

    /// The state of a transaction; `None` when the pool does not know it, or does not know it any more.
    #[must_use]
    pub fn status(&self, hash: B256) -> Option<Status> {
        self.queues().status(&hash)
    }

    /// How many transactions wait, and how many were dropped.
    #[must_use]
    pub fn size(&self) -> Size {
        self.queues().size()
    }

    /// The queues. Nothing that holds them can fail halfway, so they are in order even after a panic elsewhere.
    pub(crate) fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was read of senders a moment ago.
    pub(crate) fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryPool {
    /// Takes a transaction that was accepted before: whether it can land is found out when it has its turn.
    ///
    /// # Errors
    /// As [`Pool::submit`], but for what the relay says.
    pub(crate) async fn restore(&self, transaction: Transaction) -> Result<(), PoolError> {
        let candidate = self.candidate(transaction).await?;
        self.insert(candidate)
    }

    /// Takes a transaction again that had landed, and that the chain does not have any more. It is not settled after that,
    /// unless the error may pass.
    ///
    /// # Errors
    /// As [`Self::restore`]; its nonce is used if the chain has it in another block.
    pub(crate) async fn bring_back(&self, transaction: Transaction) -> Result<(), PoolError> {
        let (hash, sender, nonce) = (transaction.hash(), transaction.sender(), transaction.inner().nonce());
        let candidate = self.candidate(transaction).await;
        if candidate.as_ref().is_err_and(may_pass) {
            return candidate.map(drop);
        }
        self.queues().reopen(&hash, &sender, nonce);
        self.insert(candidate?)
    }

    /// [`candidate`], with the sender's account as it is now.
    async fn candidate(&self, transaction: Transaction) -> Result<Candidate, PoolError> {
        let (sender, now) = (transaction.sender(), Instant::now());
        let (settings, account) = tokio::try_join!(self.emulator.settings(), self.emulator.account(sender))?;
        let reading = Reading { settings, account };
        self.accounts().put(sender, now, reading);
        candidate(transaction, reading)
    }

    /// Takes a transaction that waits behind another one of its sender, whose account was read a moment ago; whether it did.
    fn queue_behind(&self, transaction: &Transaction) -> bool {
        let (sender, nonce) = (transaction.sender(), transaction.inner().nonce());
        let Some(reading) = self.accounts().get(&sender, Instant::now()) else { return false };
        let before = nonce.checked_sub(1).filter(|before| *before >= reading.account.nonce);
        let is_behind = before.is_some_and(|before| self.queues().waiting(&sender, before).is_some());
        is_behind
            && candidate(transaction.clone(), reading).and_then(|candidate| self.insert(candidate)).is_ok()
    }

    /// Puts a transaction into its queue, if the pool has room for it there, or makes room.
    fn insert(&self, candidate: Candidate) -> Result<(), PoolError> {
        let (transaction, nonce) = (candidate.transaction.clone(), candidate.nonce());
        let (hash, sender) = (transaction.hash(), transaction.sender());
        let mut queues = self.queues();
        for evicted in check(&queues, &candidate)? {
            queues.evict(&evicted);
            info!(hash = %evicted, "dropped: {}", DropReason::Evicted);
        }
        queues.insert(candidate, Instant::now());
        drop(queues);
        self.accepted.publish(transaction);
        debug!(%hash, %sender, nonce, "accepted");
        self.work.notify_one();
        Ok(())
    }
}

/// A transaction with its sender's account, if it may be accepted by itself.
fn candidate(
    transaction: Transaction,
    Reading { settings, account }: Reading,
) -> Result<Candidate, PoolError> {
    let priority_fee = check_alone(&transaction, &settings)?;
    Ok(Candidate { transaction, priority_fee, account })
}

#[async_trait]
impl Pool for MemoryPool {
    async fn submit(&self, transaction: Transaction) -> Result<B256, PoolError> {
        let hash = transaction.hash();
        if self.queue_behind(&transaction) {
            return Ok(hash);
        }
        let candidate = self.candidate(transaction).await?;
        check(&self.queues(), &candidate)?;
        // Only the next transaction can be emulated: the others run on a state that does not exist yet.
        if candidate.nonce() == candidate.account.nonce {
            self.relay.check(&candidate.transaction).await?;
        }
        // Checked once more, because others came in meanwhile.
        self.insert(candidate)?;
        Ok(hash)
    }

    fn transaction(&self, hash: B256) -> Option<Transaction> {
        self.queues().transaction(&hash).cloned()
    }

    fn pending_nonce(&self, sender: Address, next: u64) -> u64 {
        self.queues().next_free(&sender, next)
    }

    fn waiting(&self, sender: Option<Address>) -> Vec<Waiting> {
        self.queues().content(sender)
    }

    fn accepted(&self) -> broadcast::Receiver<Transaction> {
        self.accepted.subscribe()
    }
}
