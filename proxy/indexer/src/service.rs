//! The service around the decoder: waits for slots, fetches them, appends blocks.

use crate::block::{Tip, empty_block};
use crate::decode::Decoder;
use alloy_primitives::B256;
use parhelion_core::cluster::{ACCOUNTS_MAX, Cluster, ClusterError, LandedBlock};
use parhelion_core::emulator::ChainSettings;
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
}

impl Indexer {
    /// An indexer that goes on behind the store's newest block. `chain` are the settings at that time; it follows
    /// later changes by itself.
    #[must_use]
    pub fn new(cluster: Arc<dyn Cluster>, store: Arc<dyn Store>, chain: ChainSettings) -> Self {
        let decoder = Decoder::new(cluster.deployment().program_id, chain);
        Self { cluster, store, decoder, progress: watch::Sender::new(0) }
    }

    /// The number of the newest block in the store; changes after each appended block.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<u64> {
        self.progress.subscribe()
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
        let mut tip = retry("read the newest block", || read_tip(&*self.store)).await;
        self.progress.send_replace(tip.number);
        if let Err(error) = self.recall_holders().await {
            warn!("transactions that are under way may lack their receipts: {error}");
        }
        loop {
            let newest = *newest_slot.borrow_and_update();
            while tip.number < newest {
                let first = tip.number + 1;
                let last = newest.min(first.saturating_add(SLOTS_PER_FETCH_MAX - 1));
                tip = self.index(tip, first, last).await;
            }
            if newest_slot.changed().await.is_err() {
                return;
            }
        }
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

    /// Indexes the slots from `first` to `last` and gives the new tip.
    async fn index(&mut self, mut tip: Tip, first: u64, last: u64) -> Tip {
        let cluster = Arc::clone(&self.cluster);
        let landed = retry("fetch landed transactions", || cluster.blocks(first, last)).await;
        let mut landed: BTreeMap<u64, LandedBlock> =
            landed.into_iter().map(|block| (block.clock.slot, block)).collect();
        let slot_hashes = if landed.is_empty() { Vec::new() } else { self.slot_hashes().await };
        for slot in first..=last {
            let block = match landed.remove(&slot) {
                Some(landed) => self.decode(&tip, &landed, &slot_hashes),
                None => empty_block(&tip, self.decoder.chain()),
            };
            retry("append a block", || append(&*self.store, &block)).await;
            tip = Tip::from(&block);
            self.progress.send_replace(tip.number);
        }
        if !landed.is_empty() {
            warn!(first, last, slots = ?landed.keys(), "the cluster gave slots that were not asked for: ignored");
        }
        tip
    }

    fn decode(&mut self, tip: &Tip, landed: &LandedBlock, slot_hashes: &[(u64, [u8; 32])]) -> Block {
        let decoded = self.decoder.block(tip, landed, mix_hash(slot_hashes, landed.clock.slot));
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

    /// Slots and their hashes; none when the cluster does not tell, for a block is more urgent than its mix hash.
    async fn slot_hashes(&self) -> Vec<(u64, [u8; 32])> {
        self.cluster.slot_hashes().await.unwrap_or_else(|error| {
            warn!("the slot hashes cannot be read, mixHash will be zero: {error}");
            Vec::new()
        })
    }
}

/// The hash of the newest slot before `slot`, which is what a run in `slot` can know; zero when it is not listed.
fn mix_hash(slot_hashes: &[(u64, [u8; 32])], slot: u64) -> B256 {
    let known = slot_hashes.iter().filter(|(older, _)| *older < slot).max_by_key(|(older, _)| *older);
    known.map(|(_, hash)| B256::from(*hash)).unwrap_or_default()
}

async fn read_tip(store: &dyn Store) -> Result<Tip, StoreError> {
    let missing = || StoreError::Unavailable("it has no genesis block".to_owned());
    let block = store.block(BlockId::Latest).await?.ok_or_else(missing)?;
    Ok(Tip::from(&*block))
}

async fn append(store: &dyn Store, block: &Block) -> Result<(), StoreError> {
    let appended = store.append(block.clone()).await;
    // An engine may have written the block although its answer was lost.
    if appended.is_err() && store.latest().await? >= block.header.number {
        return Ok(());
    }
    appended
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_hash_is_that_of_the_newest_slot_before() {
        let hashes = [(9, [9; 32]), (7, [7; 32]), (6, [6; 32])];
        for (slot, expected) in [(12, 9), (10, 9), (9, 7), (8, 7), (7, 6), (6, 0), (0, 0)] {
            assert_eq!(mix_hash(&hashes, slot), B256::repeat_byte(expected), "slot {slot}");
        }
        assert_eq!(mix_hash(&[], 5), B256::ZERO);
    }
}
