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
//!
//! The transactions of a block that the cluster has dropped are written down and submitted again, whoever accepted them:
//! most have landed in another block by then, so that they are refused. The others land again; a nonce is used once,
//! however many nodes do so. A block that was dropped while the node did not run is found when it starts (see the indexer).
//! The store has written them down too, when it took the block off ([`Store::roll_back`]): so none is lost if the node ends
//! before it is told of the block, or if it is told of more than it hears.
//!
//! [`Store::roll_back`]: parhelion_core::store::Store::roll_back

use crate::verdict::may_pass;
use crate::{DropReason, MemoryPool, Status};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256};
use async_trait::async_trait;
use parhelion_core::feed::ChainEvent;
use parhelion_core::pool::{Journal, Pool, PoolError, Waiting};
use parhelion_core::store::Block;
use parhelion_core::transaction::Transaction;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{MissedTickBehavior, interval};
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

    /// Submits what was written down before the start and what `events` take out of the chain, and crosses out what is over,
    /// until `shutdown` completes.
    pub async fn run(
        self: Arc<Self>,
        events: broadcast::Receiver<ChainEvent>,
        shutdown: impl Future<Output = ()> + Send,
    ) {
        let (sender, removed) = unbounded_channel();
        let work = async {
            self.restore().await;
            self.tend(removed).await;
        };
        let work = async { tokio::join!(hear(events, sender), work) };
        tokio::select! {
            biased;
            () = shutdown => {}
            _ = work => {}
        }
        self.cross_out().await;
    }

    /// Everything that is written down, each sender's in its order.
    async fn all_written(&self) -> Vec<Transaction> {
        let mut transactions = loop {
            match self.journal.all().await {
                Ok(transactions) => break transactions,
                Err(error) => warn!(%error, "what was accepted before cannot be read yet"),
            }
            tokio::time::sleep(RETRY_DELAY).await;
        };
        transactions.sort_by_key(|transaction| (transaction.sender(), transaction.inner().nonce()));
        transactions
    }

    /// Submits what was written down before.
    async fn restore(&self) {
        let transactions = self.all_written().await;
        if !transactions.is_empty() {
            info!(
                count = transactions.len(),
                "going on with transactions that were accepted before the start"
            );
        }
        self.written().extend(transactions.iter().map(Transaction::hash));
        for transaction in transactions {
            let hash = transaction.hash();
            go_on_with(hash, || self.pool.restore(transaction.clone())).await;
        }
    }

    /// Brings back what is taken out of the chain, and crosses out what is over: one after the other, so that nothing is
    /// crossed out on its way back.
    async fn tend(&self, mut removed: UnboundedReceiver<Removed>) {
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.cross_out().await,
                Some(removed) = removed.recv() => match removed {
                    Removed::Block(block) => self.bring_back(transactions_of(&block)).await,
                    Removed::Missed => self.bring_back(self.all_written().await).await,
                },
            }
        }
    }

    /// Writes down and submits what was taken out of the chain. The store has written it down as well, but for all nodes: the
    /// first for which it is over crosses that out.
    async fn bring_back(&self, transactions: Vec<Transaction>) {
        for transaction in transactions {
            let hash = transaction.hash();
            if self.is_under_way(hash) {
                continue;
            }
            if let Err(error) = self.journal.put(&transaction).await {
                warn!(%hash, %error, "a transaction of a dropped fork is not written down");
            }
            go_on_with(hash, || self.pool.bring_back(transaction.clone())).await;
            self.written().insert(hash);
        }
    }

    /// Whether a transaction will land or is to be tried again at the next start.
    fn is_under_way(&self, hash: B256) -> bool {
        match self.pool.status(hash) {
            Some(Status::Gapped | Status::Ready | Status::InFlight) => true,
            Some(Status::Dropped(DropReason::Interrupted)) => true,
            Some(Status::Settled | Status::Dropped(_)) | None => false,
        }
    }

    /// Crosses out what landed or never will.
    async fn cross_out(&self) {
        let over: Vec<B256> =
            self.written().iter().copied().filter(|hash| !self.is_under_way(*hash)).collect();
        if over.is_empty() {
            return;
        }
        match self.journal.remove(&over).await {
            Ok(()) => self.written().retain(|hash| !over.contains(hash)),
            Err(error) => warn!(%error, "transactions that are over stay written down for now"),
        }
    }
}

fn transactions_of(block: &Block) -> Vec<Transaction> {
    block.transactions.iter().map(|executed| executed.transaction.clone()).collect()
}

/// What was taken out of the chain.
enum Removed {
    Block(Arc<Block>),
    /// Nobody knows any more; the store has written it down.
    Missed,
}

/// Passes on the blocks that are taken out of the chain, at once: the feed keeps but so many events for whoever is busy.
async fn hear(mut events: broadcast::Receiver<ChainEvent>, removed: UnboundedSender<Removed>) {
    loop {
        let event = match events.recv().await {
            Ok(ChainEvent::Removed(block)) if !block.transactions.is_empty() => Removed::Block(block),
            Ok(_) => continue,
            Err(RecvError::Lagged(events)) => {
                warn!(events, "the pool has missed events: it reads what dropped forks had from the journal");
                Removed::Missed
            }
            // The indexer has stopped.
            Err(RecvError::Closed) => return,
        };
        // Nobody is left to receive it when the pool stops.
        let _ = removed.send(event);
    }
}

/// Submits a transaction that was accepted once, until it is accepted again or is over.
async fn go_on_with<F: Future<Output = Result<(), PoolError>>>(hash: B256, submit: impl Fn() -> F) {
    while let Err(error) = submit().await {
        if !may_pass(&error) {
            info!(%hash, %error, "a transaction that was accepted before is over");
            break;
        }
        warn!(%hash, %error, "a transaction that was accepted before has to wait");
        tokio::time::sleep(RETRY_DELAY).await;
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
