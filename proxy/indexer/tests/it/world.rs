//! A cluster and a store around the service, both fakes.

use crate::fixture::{CHAIN, PROGRAM};
use alloy_primitives::B256;
use async_trait::async_trait;
use parhelion_core::clue::Lookup;
use parhelion_core::cluster::{BlockOutline, Clock, Cluster, ClusterError, LandedBlock, Snapshot};
use parhelion_core::feed::ChainEvent;
use parhelion_core::store::{Block, BlockId, Executed, FoundLog, LogFilter, Store, StoreError};
use parhelion_indexer::{Indexer, genesis};
use parhelion_wire::address::Deployment;
use solana_address::Address;
use solana_hash::Hash;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{broadcast, oneshot, watch};
use tokio::task::JoinHandle;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Blocks that landed, and how often it is to fail before it answers.
pub(crate) struct FakeCluster {
    pub(crate) newest: watch::Sender<u64>,
    /// Everything from the start on, unless a test is about forks.
    pub(crate) finalized: watch::Sender<u64>,
    pub(crate) blocks: Mutex<Vec<LandedBlock>>,
    failures: Mutex<u32>,
    /// Ranges of slots whose blocks were read.
    pub(crate) asked: Mutex<Vec<(u64, u64)>>,
    /// Ranges of slots of which was asked what is final.
    pub(crate) compared: Mutex<Vec<(u64, u64)>>,
    /// A slot that is left out where it is told what is final.
    pub(crate) unlisted: Mutex<Option<u64>>,
    /// The oldest slot that is not forgotten.
    pub(crate) oldest: Mutex<u64>,
    /// How often was asked for that.
    pub(crate) asked_oldest: AtomicUsize,
    lists_slots: bool,
    /// Whether it is a chain that can go back.
    pub(crate) goes_back: AtomicBool,
}

impl FakeCluster {
    pub(crate) fn new(newest: u64, blocks: Vec<LandedBlock>, failures: &Failures) -> Arc<Self> {
        Arc::new(Self {
            newest: watch::Sender::new(newest),
            finalized: watch::Sender::new(u64::MAX),
            blocks: Mutex::new(blocks),
            failures: Mutex::new(failures.cluster),
            asked: Mutex::default(),
            compared: Mutex::default(),
            unlisted: Mutex::default(),
            oldest: Mutex::default(),
            asked_oldest: AtomicUsize::new(0),
            lists_slots: failures.lists_slots,
            goes_back: AtomicBool::new(false),
        })
    }

    fn within(&self, first: u64, last: u64) -> Vec<LandedBlock> {
        let in_range = |block: &&LandedBlock| (first..=last).contains(&block.clock.slot);
        self.blocks.lock().unwrap().iter().filter(in_range).cloned().collect()
    }
}

#[async_trait]
impl Cluster for FakeCluster {
    fn deployment(&self) -> Deployment {
        Deployment { program_id: PROGRAM.to_bytes(), config: [0; 32], vault: [0; 32] }
    }

    async fn accounts(&self, _: &[Address]) -> Result<Snapshot, ClusterError> {
        unreachable!("the indexer reads no accounts")
    }

    async fn clock(&self) -> Result<Clock, ClusterError> {
        unreachable!("times come with the blocks")
    }

    async fn slot_hashes(&self) -> Result<Vec<(u64, [u8; 32])>, ClusterError> {
        unreachable!("slots have their hashes in the blocks")
    }

    async fn rent_exemption(&self, _: usize) -> Result<u64, ClusterError> {
        unreachable!("the indexer creates no accounts")
    }

    async fn latest_blockhash(&self) -> Result<Hash, ClusterError> {
        unreachable!("the indexer signs nothing")
    }

    async fn send(&self, _: &VersionedTransaction) -> Result<Signature, ClusterError> {
        unreachable!("the indexer sends nothing")
    }

    fn newest_slot(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    fn goes_back(&self) -> bool {
        self.goes_back.load(Ordering::Relaxed)
    }

    fn finalized_slot(&self) -> watch::Receiver<u64> {
        self.finalized.subscribe()
    }

    async fn oldest_slot(&self) -> Result<u64, ClusterError> {
        self.asked_oldest.fetch_add(1, Ordering::Relaxed);
        Ok(*self.oldest.lock().unwrap())
    }

    async fn finalized_blocks(&self, first: u64, last: u64) -> Result<Vec<BlockOutline>, ClusterError> {
        assert!(last <= *self.finalized.borrow());
        self.compared.lock().unwrap().push((first, last));
        if !self.lists_slots {
            return Err(ClusterError::Unsupported("a test".to_owned()));
        }
        let unlisted = *self.unlisted.lock().unwrap();
        let outlines = self.within(first, last).iter().map(BlockOutline::from).collect::<Vec<_>>();
        Ok(outlines.into_iter().filter(|outline| Some(outline.slot) != unlisted).collect())
    }

    async fn blocks(&self, first: u64, last: u64) -> Result<Vec<LandedBlock>, ClusterError> {
        if fails(&self.failures) {
            return Err(ClusterError::Unreachable("a test".to_owned()));
        }
        self.asked.lock().unwrap().push((first, last));
        Ok(self.within(first, last))
    }

    async fn busy_slots(&self, first: u64, last: u64) -> Result<Vec<u64>, ClusterError> {
        if !self.lists_slots {
            return Err(ClusterError::Unsupported("a test".to_owned()));
        }
        Ok(self.within(first, last).iter().map(|block| block.clock.slot).collect())
    }
}

fn fails(failures: &Mutex<u32>) -> bool {
    let mut failures = failures.lock().unwrap();
    let fails = *failures > 0;
    *failures = failures.saturating_sub(1);
    fails
}

/// A list of blocks that refuses what does not follow.
pub(crate) struct FakeStore {
    pub(crate) blocks: Mutex<Vec<Block>>,
    failures: Mutex<u32>,
    /// Failing, it writes the block all the same.
    writes_when_failing: bool,
}

#[async_trait]
impl Store for FakeStore {
    async fn latest(&self) -> Result<u64, StoreError> {
        Ok(self.blocks.lock().unwrap().last().unwrap().header.number)
    }

    async fn block(&self, id: BlockId) -> Result<Option<Arc<Block>>, StoreError> {
        let blocks = self.blocks.lock().unwrap();
        let found = match id {
            BlockId::Latest => blocks.last(),
            BlockId::Earliest => blocks.first(),
            BlockId::Number(number) => blocks.iter().find(|block| block.header.number == number),
            BlockId::Hash(_) => unreachable!("the indexer knows no hashes"),
        };
        Ok(found.cloned().map(Arc::new))
    }

    async fn executed(&self, _: B256) -> Result<Option<Arc<Executed>>, StoreError> {
        unreachable!("the indexer looks nothing up")
    }

    async fn lookup(&self, _: &Lookup) -> Result<Vec<Arc<Executed>>, StoreError> {
        unreachable!("the indexer looks nothing up")
    }

    async fn logs(&self, _: &LogFilter) -> Result<Vec<FoundLog>, StoreError> {
        unreachable!("the indexer looks nothing up")
    }

    async fn roll_back(&self, number: u64) -> Result<(), StoreError> {
        self.blocks.lock().unwrap().retain(|block| block.header.number <= number);
        Ok(())
    }

    async fn append(&self, block: Block) -> Result<(), StoreError> {
        let fails = fails(&self.failures);
        if !fails || self.writes_when_failing {
            let mut blocks = self.blocks.lock().unwrap();
            let parent = blocks.last().unwrap();
            assert_eq!(
                (block.header.number, block.header.parent_hash),
                (parent.header.number + 1, parent.hash)
            );
            blocks.push(block);
        }
        if fails { Err(StoreError::Unavailable("a test".to_owned())) } else { Ok(()) }
    }
}

pub(crate) struct Running {
    pub(crate) cluster: Arc<FakeCluster>,
    pub(crate) store: Arc<FakeStore>,
    progress: watch::Receiver<u64>,
    pub(crate) events: broadcast::Receiver<ChainEvent>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

#[derive(Default)]
pub(crate) struct Failures {
    pub(crate) cluster: u32,
    pub(crate) store: u32,
    pub(crate) writes_when_failing: bool,
    /// The cluster lists slots, and tells what is final: no failure, but something that not every one does.
    pub(crate) lists_slots: bool,
}

/// Starts an indexer behind a genesis at slot `first`, on a cluster whose newest slot is that one.
pub(crate) fn start(first: u64, blocks: Vec<LandedBlock>, failures: Failures) -> Running {
    let cluster = FakeCluster::new(first, blocks, &failures);
    let store = Arc::new(FakeStore {
        blocks: Mutex::new(vec![genesis(first, 1, &CHAIN)]),
        failures: Mutex::new(failures.store),
        writes_when_failing: failures.writes_when_failing,
    });
    run(cluster, store)
}

fn run(cluster: Arc<FakeCluster>, store: Arc<FakeStore>) -> Running {
    let indexer = Indexer::new(cluster.clone(), store.clone(), CHAIN.chain_id);
    let (progress, events) = (indexer.progress(), indexer.events().subscribe());
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(indexer.run(async { stopped.await.unwrap() }));
    Running { cluster, store, progress, events, stop, task }
}

/// Stops an indexer, and starts another one in its place when something happened meanwhile.
pub(crate) async fn restart(running: Running, meanwhile: impl FnOnce(&FakeCluster)) -> Running {
    let (cluster, store) = (running.cluster.clone(), running.store.clone());
    running.stop().await;
    meanwhile(&cluster);
    run(cluster, store)
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "waited in vain until {what}");
}

impl Running {
    pub(crate) async fn advance_to(&mut self, slot: u64) {
        self.cluster.newest.send_replace(slot);
        let reached = self.progress.wait_for(|number| *number == slot);
        tokio::time::timeout(PATIENCE, reached).await.unwrap().unwrap();
    }

    /// Number, transactions, timestamp and mix hash of each block.
    pub(crate) fn blocks(&self) -> Vec<(u64, usize, u64, B256)> {
        let blocks = self.store.blocks.lock().unwrap();
        let summary = |block: &Block| {
            let header = &block.header;
            (header.number, block.transactions.len(), header.timestamp, header.mix_hash)
        };
        blocks.iter().map(summary).collect()
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(PATIENCE, self.task).await.unwrap().unwrap();
    }
}
