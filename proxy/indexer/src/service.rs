//! The service around the decoder: waits for slots, fetches them, appends blocks.

use crate::block::{Tip, empty_block};
use crate::decode::Decoder;
use crate::unsettled::Unsettled;
use parhelion_core::cluster::{ACCOUNTS_MAX, BlockOutline, Cluster, ClusterError, LandedBlock};
use parhelion_core::emulator::ChainSettings;
use parhelion_core::feed::{ChainEvent, Feed};
use parhelion_core::past::{Change, Landing, Replay};
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
/// So many of the blocks that were in the store at the start are compared with what the cluster has finalized since: many
/// more than are not final at any time.
pub const UNSETTLED_SLOTS: u64 = 1_024;
/// Slots before those that are looked at as well when one of them was dropped, at most: an epoch, some two days.
const REACH_BACK_SLOTS: u64 = 432_000;
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
    chain_id: u64,
    decoder: Decoder,
    replay: Option<Arc<dyn Replay>>,
    unsettled: Unsettled,
    progress: watch::Sender<u64>,
    events: Feed<ChainEvent>,
}

impl Indexer {
    /// An indexer that goes on behind the store's newest block, with the settings that this has.
    #[must_use]
    pub fn new(cluster: Arc<dyn Cluster>, store: Arc<dyn Store>, chain_id: u64) -> Self {
        let decoder = new_decoder(&*cluster, chain_id);
        let (progress, events) = (watch::Sender::new(0), Feed::new());
        let unsettled = Unsettled::found(0, 0);
        Self { cluster, store, chain_id, decoder, replay: None, unsettled, progress, events }
    }

    /// The same, which keeps what blocks change with them, as far as `replay` can tell.
    #[must_use]
    pub fn keeping_past(self, replay: Arc<dyn Replay>) -> Self {
        Self { replay: Some(replay), ..self }
    }

    /// The number of the newest block in the store; changes after blocks were appended or taken off.
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
        let (mut newest_slot, mut finalized_slot) =
            (self.cluster.newest_slot(), self.cluster.finalized_slot());
        let mut tip = self.resume().await;
        let first = self.first_block(tip.number).await;
        self.unsettled = Unsettled::found(first.max(tip.number.saturating_sub(UNSETTLED_SLOTS)), tip.number);
        loop {
            let newest = *newest_slot.borrow_and_update();
            if newest < tip.number && self.cluster.goes_back() {
                tip = self.roll_back(&tip, newest).await;
            }
            // Read before what is fetched: of slots up to this one that is final.
            let finalized = *finalized_slot.borrow_and_update();
            tip = self.settle(tip, finalized).await;
            tip = match self.advance(tip, newest, finalized).await {
                Ok(tip) => tip,
                Err(Parted { tip, common }) => self.rejoin(tip, common).await,
            };
            if tip.number < newest {
                continue;
            }
            let changed = tokio::select! {
                changed = newest_slot.changed() => changed,
                changed = finalized_slot.changed() => changed,
            };
            if changed.is_err() {
                return;
            }
        }
    }

    /// Goes on behind the newest block in the store, knowing nothing of what was before.
    async fn resume(&mut self) -> Tip {
        let newest = retry("read the newest block", || read_newest(&*self.store)).await;
        let tip = Tip::from(&*newest);
        self.progress.send_replace(tip.number);
        self.decoder = new_decoder(&*self.cluster, self.chain_id);
        if let Err(error) = self.warm_up(tip.number).await {
            warn!(
                "transactions that were under way at block {} may lack their receipts: {error}",
                tip.number
            );
        }
        self.decoder.set_fees(newest.header.base_fee_per_gas.unwrap_or_default(), newest.header.gas_limit);
        if let Err(error) = self.recall_holders().await {
            warn!("transactions that are under way may lack their receipts: {error}");
        }
        tip
    }

    /// Indexes what is behind the tip.
    async fn advance(&mut self, mut tip: Tip, newest: u64, finalized: u64) -> Result<Tip, Parted> {
        if newest.saturating_sub(tip.number) > SLOTS_BEHIND_MAX {
            self.wait_for_history(tip.number).await;
            tip = self.catch_up(tip, newest, finalized).await?;
        }
        while tip.number < newest {
            let first = tip.number + 1;
            let last = newest.min(first.saturating_add(SLOTS_PER_FETCH_MAX - 1));
            let cluster = Arc::clone(&self.cluster);
            let landed = retry("fetch landed transactions", || cluster.blocks(first, last)).await;
            tip = self.index(tip, last, landed, finalized).await?;
        }
        Ok(tip)
    }

    /// Compares the blocks that have become final with what is final, once; at the first one that is not, takes it and those
    /// behind it off. Gives the tip, behind which is indexed again.
    async fn settle(&mut self, tip: Tip, finalized: u64) -> Tip {
        let (first, last) = (self.unsettled.first(), finalized.min(tip.number));
        if first > last {
            return tip;
        }
        let tip = match self.find_difference(first, last).await {
            Some(slot) => {
                let slot = self.reach_back(first, slot).await;
                warn!(
                    slot,
                    newest = tip.number,
                    "the cluster has dropped a fork: indexing again from this slot on"
                );
                self.roll_back(&tip, slot - 1).await
            }
            None => tip,
        };
        // Those that were taken off are read from what is final.
        self.unsettled.settle(last);
        tip
    }

    /// The first slot whose block is not the final one: `slot`, or one before `first`, from where on blocks were compared. Those
    /// before were final once or are older than what is compared at a start, but only a block that is not empty proves it.
    async fn reach_back(&self, mut first: u64, mut slot: u64) -> u64 {
        let begin = (self.first_block(first).await + 1).max(first.saturating_sub(REACH_BACK_SLOTS));
        let mut end = slot;
        while first > begin {
            let is_anchored = || self.unsettled.is_anchored(first..end, &*self.store);
            if retry("look for a block that is final", is_anchored).await {
                break;
            }
            end = first;
            first = first.saturating_sub(UNSETTLED_SLOTS).max(begin);
            if let Some(earlier) = self.find_difference(first, end - 1).await {
                (slot, end) = (earlier, earlier);
            }
        }
        slot
    }

    /// The first slot from `first` to `last`, both included, whose block is not the final one.
    async fn find_difference(&self, mut first: u64, last: u64) -> Option<u64> {
        let asked = retry("find out what is final", || supported(self.cluster.finalized_blocks(first, last)));
        let outlines = match asked.await {
            Ok(outlines) => outlines,
            Err(why) => {
                warn!(first, last, "blocks cannot be compared with what is final, and stay: {why}");
                return None;
            }
        };
        loop {
            let compare = || self.unsettled.first_difference(&outlines, first..=last, &*self.store);
            let slot = retry("compare blocks with what is final", compare).await?;
            if self.is_dropped(slot).await {
                return Some(slot);
            }
            first = slot + 1;
        }
    }

    /// Whether the block of a slot that is final seems to be another one to the cluster, too, when it is asked for it: what a
    /// cluster lists may lack something.
    async fn is_dropped(&self, slot: u64) -> bool {
        let slots = [slot];
        let landed = match retry("read a final block", || supported(self.cluster.blocks_of(&slots))).await {
            Ok(landed) => landed,
            Err(why) => {
                warn!(slot, "a block cannot be compared with the final one, and stays: {why}");
                return false;
            }
        };
        let outline = landed.first().map(BlockOutline::from);
        let compare = || self.unsettled.is_made_of(slot, outline.as_ref(), &*self.store);
        let is_same = retry("compare a block with the final one", compare).await;
        if is_same {
            warn!(slot, "the cluster does not list what is in this slot, but has it: its list is incomplete");
        }
        !is_same
    }

    /// Sees the blocks that the database has, which another node has put there. Gives the tip.
    async fn rejoin(&mut self, tip: Tip, common: u64) -> Tip {
        warn!(
            common,
            newest = tip.number,
            "another node of this database has followed another fork of the cluster"
        );
        if common >= tip.number {
            warn!(
                "waiting until one of both has seen which one is final; if no other node runs, restart this one"
            );
            tokio::time::sleep(RETRY_DELAY_MAX).await;
        }
        self.roll_back(&tip, common).await
    }

    /// Takes the blocks behind this one off, and tells so, the newest first. Gives the new tip.
    async fn roll_back(&mut self, tip: &Tip, number: u64) -> Tip {
        let (from, to) = (number.saturating_add(1), tip.number);
        let removed = retry("read the blocks of a dropped fork", || read(&*self.store, from, to)).await;
        retry("take blocks off", || self.store.roll_back(number)).await;
        self.unsettled.truncate(number);
        for block in removed.into_iter().rev() {
            self.events.publish(ChainEvent::Removed(block));
        }
        self.resume().await
    }

    /// The number of the first block in the store, at most `newest`.
    async fn first_block(&self, newest: u64) -> u64 {
        let earliest = retry("read the first block", || self.store.block(BlockId::Earliest)).await;
        earliest.map_or(newest, |block| block.header.number)
    }

    /// Reads what led to the newest block in the store, so that transactions that were under way then are known.
    async fn warm_up(&mut self, tip: u64) -> Result<(), ClusterError> {
        let begin = self.first_block(tip).await;
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

    /// Waits until the cluster has the slots behind the tip. A block that is only empty because its slot is forgotten would be
    /// wrong for ever. Before the first block there is nothing that could be torn.
    async fn wait_for_history(&self, tip: u64) {
        if tip <= self.first_block(tip).await {
            return;
        }
        let (cluster, first) = (&self.cluster, tip.saturating_add(1));
        let ask = || async {
            match cluster.oldest_slot().await {
                Ok(oldest) if oldest > first => Err(ClusterError::Unsupported(format!(
                    "the Solana RPC has forgotten the slots from {first} to {}; start this node with a --solana-url that \
                     has them until it has caught up, or with a new --database",
                    oldest - 1
                ))),
                other => other,
            }
        };
        retry("go on where it stopped", ask).await;
    }

    /// Indexes a long range, of which few slots have transactions of the program. Gives the new tip: the old one where the
    /// cluster does not tell which slots these are.
    async fn catch_up(&mut self, mut tip: Tip, newest: u64, finalized: u64) -> Result<Tip, Parted> {
        let (cluster, first) = (Arc::clone(&self.cluster), tip.number + 1);
        let asked =
            retry("find out which slots have transactions", || supported(cluster.busy_slots(first, newest)));
        let slots = match asked.await {
            Ok(slots) => slots,
            Err(why) => {
                warn!("every slot is read: {why}");
                return Ok(tip);
            }
        };
        info!(behind = newest - tip.number, busy = slots.len(), "catching up");
        for some in slots.chunks(SLOTS_PER_FETCH_MAX as usize) {
            let landed = retry("fetch landed transactions", || cluster.blocks_of(some)).await;
            let last = some.last().copied().unwrap_or(newest);
            tip = self.index(tip, last, landed, finalized).await?;
            info!(block = tip.number, behind = newest - tip.number, "catching up");
        }
        self.index(tip, newest, Vec::new(), finalized).await
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
    async fn index(
        &mut self,
        mut tip: Tip,
        last: u64,
        landed: Vec<LandedBlock>,
        finalized: u64,
    ) -> Result<Tip, Parted> {
        let mut landed: BTreeMap<u64, LandedBlock> =
            landed.into_iter().map(|block| (block.clock.slot, block)).collect();
        let mut stored = tip;
        let (mut blocks, mut changes) = (Vec::new(), Vec::new());
        for slot in tip.number + 1..=last {
            let block = match landed.remove(&slot) {
                Some(landed) => {
                    if slot > finalized {
                        self.unsettled.push(&BlockOutline::from(&landed));
                    }
                    let (block, landings) = self.decode(&tip, &landed);
                    let changed = self.replay(&block, &landings, &changes).await;
                    changes.extend(changed);
                    block
                }
                None => empty_block(&tip, self.decoder.chain()),
            };
            tip = Tip::from(&block);
            blocks.push(block);
            if blocks.len() >= BLOCKS_AT_ONCE || slot == last {
                stored =
                    self.append(stored, std::mem::take(&mut blocks), std::mem::take(&mut changes)).await?;
            }
        }
        if !landed.is_empty() {
            warn!(last, slots = ?landed.keys(), "the cluster gave slots that were not asked for: ignored");
        }
        self.unsettled.settle(finalized.min(tip.number));
        Ok(tip)
    }

    /// Appends blocks behind the newest in the store and tells so. Gives the new tip.
    async fn append(&self, mut tip: Tip, blocks: Vec<Block>, changes: Vec<Change>) -> Result<Tip, Parted> {
        let appended = retry("append blocks", || async {
            match append(&*self.store, &blocks, &changes).await {
                Err(StoreError::Forked { common }) => Ok(Some(common)),
                other => other.map(|()| None),
            }
        });
        let parted = appended.await;
        let is_there = |block: &Block| parted.is_none_or(|common| block.header.number <= common);
        for block in blocks.into_iter().filter(is_there) {
            tip = Tip::from(&block);
            self.events.publish(ChainEvent::Added(Arc::new(block)));
        }
        self.progress.send_replace(tip.number);
        parted.map_or(Ok(tip), |common| Err(Parted { tip, common }))
    }

    /// What a block changed, behind `unstored` changes.
    async fn replay(&self, block: &Block, landings: &[Landing], unstored: &[Change]) -> Vec<Change> {
        let Some(replay) = &self.replay else { return Vec::new() };
        retry("run a block again", || replay.replay(block, landings, unstored)).await
    }

    fn decode(&mut self, tip: &Tip, landed: &LandedBlock) -> (Block, Vec<Landing>) {
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
        (block, decoded.landings)
    }
}

/// Another node has put other blocks into the database behind `common`.
struct Parted {
    /// The newest block that was appended or seen here.
    tip: Tip,
    common: u64,
}

/// A decoder that knows nothing yet.
fn new_decoder(cluster: &dyn Cluster, chain_id: u64) -> Decoder {
    let chain = ChainSettings { chain_id, base_fee: 0, block_gas_limit: 0 };
    Decoder::new(cluster.deployment().program_id, chain)
}

/// An answer that not every cluster gives; the inner error says why this one does not.
async fn supported<T>(
    answer: impl Future<Output = Result<T, ClusterError>>,
) -> Result<Result<T, String>, ClusterError> {
    match answer.await {
        Err(ClusterError::Unsupported(why)) => Ok(Err(why)),
        other => other.map(Ok),
    }
}

/// The blocks from one number to another, both included, as far as they are there.
async fn read(store: &dyn Store, from: u64, to: u64) -> Result<Vec<Arc<Block>>, StoreError> {
    let mut blocks = Vec::new();
    for number in from..=to {
        blocks.extend(store.block(BlockId::Number(number)).await?);
    }
    Ok(blocks)
}

async fn read_newest(store: &dyn Store) -> Result<Arc<Block>, StoreError> {
    let missing = || StoreError::Unavailable("it has no genesis block".to_owned());
    store.block(BlockId::Latest).await?.ok_or_else(missing)
}

/// Appends blocks, but those that are there: an engine may have written some although its answer was lost.
async fn append(store: &dyn Store, blocks: &[Block], changes: &[Change]) -> Result<(), StoreError> {
    let latest = store.latest().await?;
    let blocks = blocks.iter().filter(|block| block.header.number > latest).cloned().collect();
    store.append_with(blocks, changes.to_vec()).await
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
