//! The service around the decoder: waits for slots, fetches them, appends blocks.

use crate::block::{Tip, empty_block};
use crate::decode::Decoder;
use parhelion_core::cluster::{ACCOUNTS_MAX, Cluster, ClusterError, LandedBlock};
use parhelion_core::emulator::ChainSettings;
use parhelion_core::feed::{ChainEvent, Feed};
use parhelion_core::store::{Block, BlockId, Store, StoreError};
use parhelion_wire::account::Kind;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tracing::{debug, error, info, warn};

/// The most slots that are asked for at once.
pub const SLOTS_PER_FETCH_MAX: u64 = 100;
/// An indexer that is further behind asks which slots have transactions of the program, and reads those only.
pub const SLOTS_BEHIND_MAX: u64 = 1_000;
/// So many slots before the newest block in the store are read again at the start, for what was under way then: longer than
/// a run in steps lasts on which somebody goes on.
pub const WARM_UP_SLOTS: u64 = 4_096;
/// The most blocks that are appended at once.
const BLOCKS_AT_ONCE: usize = 500;
/// How long the indexer waits after the first failure of a read or a write; twice as long after each further one.
pub const RETRY_DELAY_MIN: Duration = Duration::from_millis(100);
/// How long it waits at most. It never gives up: without it the chain would stand still.
pub const RETRY_DELAY_MAX: Duration = Duration::from_secs(5);

/// Follows a cluster and appends a block to the store for each of its slots.
pub struct Indexer {
    cluster: Arc<dyn Cluster>,
    store: Arc<dyn Store>,
    decoder: Decoder,
    progress: watch::Sender<u64>,
    events: Feed<ChainEvent>,
}

impl Indexer {
    /// An indexer that goes on behind the store's newest block, with the settings that this has.
    #[must_use]
    pub fn new(cluster: Arc<dyn Cluster>, store: Arc<dyn Store>, chain_id: u64) -> Self {
        let chain = ChainSettings { chain_id, base_fee: 0, block_gas_limit: 0 };
        let decoder = Decoder::new(cluster.deployment().program_id, chain);
        Self { cluster, store, decoder, progress: watch::Sender::new(0), events: Feed::new() }
    }

    /// The number of the newest block in the store; changes after each appended block.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<u64> {
        self.progress.subscribe()
    }

    /// What happens to the chain, each time after it is in the store.
    #[must_use]
    pub fn events(&self) -> Feed<ChainEvent> {
        self.events.clone()
    }

    /// Runs until `shutdown` completes, or until the cluster ends the watch of its newest slot.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        tokio::select! {
            biased;
            () = shutdown => info!("the indexer stops"),
            () = self.follow() => warn!("the cluster shows no slots any more: the indexer stops"),
        }
    }

    async fn follow(mut self) {
        let mut newest_slot = self.cluster.newest_slot();
        let newest = retry("read the newest block", || read_newest(&*self.store)).await;
        let mut tip = Tip::from(&*newest);
        self.progress.send_replace(tip.number);
        if let Err(error) = self.warm_up(tip.number).await {
            warn!("transactions that were under way when the node stopped may lack their receipts: {error}");
        }
        self.decoder.set_fees(newest.header.base_fee_per_gas.unwrap_or_default(), newest.header.gas_limit);
        if let Err(error) = self.recall_holders().await {
            warn!("transactions that are under way may lack their receipts: {error}");
        }
        loop {
            let newest = *newest_slot.borrow_and_update();
            if newest.saturating_sub(tip.number) > SLOTS_BEHIND_MAX {
                tip = self.catch_up(tip, newest).await;
            }
            while tip.number < newest {
                let first = tip.number + 1;
                let last = newest.min(first.saturating_add(SLOTS_PER_FETCH_MAX - 1));
                let cluster = Arc::clone(&self.cluster);
                let landed = retry("fetch landed transactions", || cluster.blocks(first, last)).await;
                tip = self.index(tip, last, landed).await;
            }
            if newest_slot.changed().await.is_err() {
                return;
            }
        }
    }

    /// Reads what led to the newest block in the store, so that transactions that were under way then are known.
    async fn warm_up(&mut self, tip: u64) -> Result<(), ClusterError> {
        let earliest = retry("read the first block", || self.store.block(BlockId::Earliest)).await;
        let begin = earliest.map_or(tip, |block| block.header.number);
        let first = begin.max(tip.saturating_sub(WARM_UP_SLOTS)) + 1;
        if first > tip {
            return Ok(());
        }
        let slots = self.cluster.busy_slots(first, tip).await?;
        for some in slots.chunks(SLOTS_PER_FETCH_MAX as usize) {
            for landed in self.cluster.blocks_of(some).await? {
                self.decoder.follow(&landed);
            }
        }
        info!(slots = slots.len(), "read again what led to block {tip}");
        Ok(())
    }

    /// Indexes a long range, of which few slots have transactions of the program. Gives the new tip: the old one where the
    /// cluster does not tell which slots these are.
    async fn catch_up(&mut self, mut tip: Tip, newest: u64) -> Tip {
        let (cluster, first) = (Arc::clone(&self.cluster), tip.number + 1);
        let asked = retry("find out which slots have transactions", || async {
            match cluster.busy_slots(first, newest).await {
                Err(ClusterError::Unsupported(why)) => Ok(Err(why)),
                other => other.map(Ok),
            }
        });
        let slots = match asked.await {
            Ok(slots) => slots,
            Err(why) => {
                warn!("every slot is read: {why}");
                return tip;
            }
        };
        info!(behind = newest - tip.number, busy = slots.len(), "catching up");
        for some in slots.chunks(SLOTS_PER_FETCH_MAX as usize) {
            let landed = retry("fetch landed transactions", || cluster.blocks_of(some)).await;
            let last = some.last().copied().unwrap_or(newest);
            tip = self.index(tip, last, landed).await;
            info!(block = tip.number, behind = newest - tip.number, "catching up");
        }
        self.index(tip, newest, Vec::new()).await
    }

    /// Takes over what is in holders: the transactions in them may end in slots that are indexed, and were written in
    /// slots that are not.
    async fn recall_holders(&mut self) -> Result<(), ClusterError> {
        let holders = self.cluster.accounts_beginning(&[Kind::Holder as u8]).await?;
        for batch in holders.chunks(ACCOUNTS_MAX) {
            let accounts = self.cluster.accounts(batch).await?.accounts;
            for (holder, account) in batch.iter().zip(accounts) {
                if let Some(account) = account {
                    self.decoder.recall(*holder, &account.data);
                }
            }
        }
        Ok(())
    }

    /// Indexes the slots behind the tip up to `last`, of which those that have transactions are in `landed`. Gives the new
    /// tip.
    async fn index(&mut self, mut tip: Tip, last: u64, landed: Vec<LandedBlock>) -> Tip {
        let mut landed: BTreeMap<u64, LandedBlock> =
            landed.into_iter().map(|block| (block.clock.slot, block)).collect();
        let mut blocks = Vec::new();
        for slot in tip.number + 1..=last {
            let block = match landed.remove(&slot) {
                Some(landed) => self.decode(&tip, &landed),
                None => empty_block(&tip, self.decoder.chain()),
            };
            tip = Tip::from(&block);
            blocks.push(block);
            if blocks.len() >= BLOCKS_AT_ONCE || slot == last {
                retry("append blocks", || append(&*self.store, &blocks)).await;
                for block in blocks.drain(..) {
                    self.events.publish(ChainEvent::Added(Arc::new(block)));
                }
                self.progress.send_replace(tip.number);
            }
        }
        if !landed.is_empty() {
            warn!(last, slots = ?landed.keys(), "the cluster gave slots that were not asked for: ignored");
        }
        tip
    }

    fn decode(&mut self, tip: &Tip, landed: &LandedBlock) -> Block {
        let decoded = self.decoder.block(tip, landed);
        for problem in decoded.problems {
            if problem.kind.loses_transaction() {
                error!(slot = landed.clock.slot, "a transaction is missing from the block: {problem}");
            } else {
                warn!(slot = landed.clock.slot, "{problem}");
            }
        }
        let block = decoded.block;
        debug!(number = block.header.number, hash = %block.hash, transactions = block.transactions.len(), "block");
        block
    }
}

async fn read_newest(store: &dyn Store) -> Result<Arc<Block>, StoreError> {
    let missing = || StoreError::Unavailable("it has no genesis block".to_owned());
    store.block(BlockId::Latest).await?.ok_or_else(missing)
}

/// Appends blocks, but those that are there: an engine may have written some although its answer was lost.
async fn append(store: &dyn Store, blocks: &[Block]) -> Result<(), StoreError> {
    let latest = store.latest().await?;
    store.append_all(blocks.iter().filter(|block| block.header.number > latest).cloned().collect()).await
}

/// Repeats an attempt until it succeeds, ever more slowly.
async fn retry<T, E: Display, F: Future<Output = Result<T, E>>>(what: &str, attempt: impl Fn() -> F) -> T {
    let mut delay = RETRY_DELAY_MIN;
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(error) => warn!("the indexer cannot {what}, trying again in {delay:?}: {error}"),
        }
        tokio::time::sleep(delay).await;
        delay = RETRY_DELAY_MAX.min(delay * 2);
    }
}
