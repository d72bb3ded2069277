//! The service between a cluster and a store, both fakes.

use crate::fixture::{CHAIN, PROGRAM, execute_from_holder, holder_write, plain, receipt, slot, transaction};
use alloy_primitives::B256;
use async_trait::async_trait;
use parhelion_core::cluster::{Clock, Cluster, ClusterError, LandedBlock, Snapshot};
use parhelion_core::feed::ChainEvent;
use parhelion_core::store::{Block, BlockId, Executed, FoundLog, LogFilter, Store, StoreError};
use parhelion_indexer::{Indexer, SLOTS_BEHIND_MAX, SLOTS_PER_FETCH_MAX, genesis};
use parhelion_wire::address::Deployment;
use solana_address::Address;
use solana_hash::Hash;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{broadcast, oneshot, watch};
use tokio::task::JoinHandle;

/// Blocks that landed, and how often it is to fail before it answers.
struct FakeCluster {
    newest: watch::Sender<u64>,
    blocks: Vec<LandedBlock>,
    failures: Mutex<u32>,
    asked: Mutex<Vec<(u64, u64)>>,
    lists_slots: bool,
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

    async fn blocks(&self, first: u64, last: u64) -> Result<Vec<LandedBlock>, ClusterError> {
        if fails(&self.failures) {
            return Err(ClusterError::Unreachable("a test".to_owned()));
        }
        self.asked.lock().unwrap().push((first, last));
        let in_range = |block: &&LandedBlock| (first..=last).contains(&block.clock.slot);
        Ok(self.blocks.iter().filter(in_range).cloned().collect())
    }

    async fn busy_slots(&self, first: u64, last: u64) -> Result<Vec<u64>, ClusterError> {
        if !self.lists_slots {
            return Err(ClusterError::Unsupported("a test".to_owned()));
        }
        let slots = self.blocks.iter().map(|block| block.clock.slot);
        Ok(slots.filter(|slot| (first..=last).contains(slot)).collect())
    }
}

fn fails(failures: &Mutex<u32>) -> bool {
    let mut failures = failures.lock().unwrap();
    let fails = *failures > 0;
    *failures = failures.saturating_sub(1);
    fails
}

/// A list of blocks that refuses what does not follow.
struct FakeStore {
    blocks: Mutex<Vec<Block>>,
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
            _ => unreachable!("the indexer looks nothing up"),
        };
        Ok(found.cloned().map(Arc::new))
    }

    async fn executed(&self, _: B256) -> Result<Option<Arc<Executed>>, StoreError> {
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

struct Running {
    cluster: Arc<FakeCluster>,
    store: Arc<FakeStore>,
    progress: watch::Receiver<u64>,
    events: broadcast::Receiver<ChainEvent>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Failures {
    cluster: u32,
    store: u32,
    writes_when_failing: bool,
    /// The cluster lists slots: no failure, but something that not every one does.
    lists_slots: bool,
}

/// Starts an indexer behind a genesis at slot `first`, on a cluster whose newest slot is that one.
fn start(first: u64, blocks: Vec<LandedBlock>, failures: Failures) -> Running {
    let cluster = Arc::new(FakeCluster {
        newest: watch::Sender::new(first),
        blocks,
        failures: Mutex::new(failures.cluster),
        asked: Mutex::default(),
        lists_slots: failures.lists_slots,
    });
    let store = Arc::new(FakeStore {
        blocks: Mutex::new(vec![genesis(first, 1, &CHAIN)]),
        failures: Mutex::new(failures.store),
        writes_when_failing: failures.writes_when_failing,
    });
    let indexer = Indexer::new(cluster.clone(), store.clone(), CHAIN.chain_id);
    let (progress, events) = (indexer.progress(), indexer.events().subscribe());
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(indexer.run(async { stopped.await.unwrap() }));
    Running { cluster, store, progress, events, stop, task }
}

impl Running {
    async fn advance_to(&mut self, slot: u64) {
        self.cluster.newest.send_replace(slot);
        let reached = self.progress.wait_for(|number| *number == slot);
        tokio::time::timeout(Duration::from_secs(20), reached).await.unwrap().unwrap();
    }

    /// Number, transactions, timestamp and mix hash of each block.
    fn blocks(&self) -> Vec<(u64, usize, u64, B256)> {
        let blocks = self.store.blocks.lock().unwrap();
        let summary = |block: &Block| {
            let header = &block.header;
            (header.number, block.transactions.len(), header.timestamp, header.mix_hash)
        };
        blocks.iter().map(summary).collect()
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(Duration::from_secs(5), self.task).await.unwrap().unwrap();
    }
}

fn busy() -> Vec<LandedBlock> {
    [(2, 0), (3, 1), (5, 2)].map(|(at, nonce)| slot(at, vec![vec![plain(&transaction(2, nonce))]])).to_vec()
}

#[tokio::test]
async fn every_slot_becomes_a_block_and_progress_tells() {
    let mut running = start(0, busy(), Failures::default());
    running.advance_to(3).await;
    running.advance_to(6).await;
    for number in 1..=6 {
        match running.events.try_recv().unwrap() {
            ChainEvent::Added(block) => assert_eq!(block.header.number, number),
            ChainEvent::Removed(block) => panic!("{} was removed", block.header.number),
        }
    }
    assert!(running.events.try_recv().is_err());
    // Empty slots have their parent's time, others their own; the mix hash is that of the Solana block before.
    let hash = B256::repeat_byte;
    let base = 1_700_000_000;
    assert_eq!(
        running.blocks(),
        [
            (0, 0, 1, B256::ZERO),
            (1, 0, 1, B256::ZERO),
            (2, 1, base + 2, hash(0x33)),
            (3, 1, base + 3, hash(0x33)),
            (4, 0, base + 3, B256::ZERO),
            (5, 1, base + 5, hash(0x33)),
            (6, 0, base + 5, B256::ZERO),
        ]
    );
    assert_eq!(*running.cluster.asked.lock().unwrap(), [(1, 3), (4, 6)]);
    running.stop().await;
}

#[tokio::test]
async fn a_long_way_is_fetched_in_bounded_ranges_from_the_genesis_on() {
    let first = 400_000_000;
    let mut running = start(first, vec![], Failures::default());
    running.advance_to(first + 2 * SLOTS_PER_FETCH_MAX + 1).await;
    let max = SLOTS_PER_FETCH_MAX;
    let expected = [
        (first + 1, first + max),
        (first + max + 1, first + 2 * max),
        (first + 2 * max + 1, first + 2 * max + 1),
    ];
    assert_eq!(*running.cluster.asked.lock().unwrap(), expected);
    assert_eq!(running.blocks().len() as u64, 2 * max + 2);
    running.stop().await;
}

#[tokio::test]
async fn failures_of_cluster_and_store_are_outlived_without_a_gap_or_a_double() {
    for writes_when_failing in [false, true] {
        let mut running =
            start(0, busy(), Failures { cluster: 2, store: 1, writes_when_failing, ..Failures::default() });
        running.advance_to(5).await;
        let numbers: Vec<_> = running.blocks().iter().map(|block| (block.0, block.1)).collect();
        assert_eq!(numbers, [(0, 0), (1, 0), (2, 1), (3, 1), (4, 0), (5, 1)]);
        running.stop().await;
    }
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_cluster_that_fails() {
    let running = start(0, vec![], Failures { cluster: u32::MAX, ..Failures::default() });
    running.cluster.newest.send_replace(1);
    tokio::time::sleep(Duration::from_millis(10)).await;
    running.stop().await;
}

#[tokio::test]
async fn an_indexer_that_is_far_behind_reads_busy_slots_only() {
    let newest = 3 * SLOTS_BEHIND_MAX;
    for lists_slots in [true, false] {
        let mut blocks = busy();
        blocks.push(slot(newest - 7, vec![vec![plain(&transaction(2, 3))]]));
        let mut running = start(0, blocks, Failures { lists_slots, cluster: 1, ..Failures::default() });
        running.advance_to(newest).await;
        let numbers: Vec<_> = running.blocks().iter().map(|block| block.0).collect();
        assert_eq!(numbers, (0..=newest).collect::<Vec<_>>());
        let busy: Vec<_> =
            running.blocks().into_iter().filter(|block| block.1 > 0).map(|block| block.0).collect();
        assert_eq!(busy, [2, 3, 5, newest - 7]);
        let asked = running.cluster.asked.lock().unwrap().clone();
        if lists_slots {
            assert_eq!(asked, [(2, 2), (3, 3), (5, 5), (newest - 7, newest - 7)]);
        } else {
            assert_eq!(asked.len() as u64, newest / SLOTS_PER_FETCH_MAX);
        }
        running.stop().await;
    }
}

/// A transaction was written into a holder before the node stopped, and ended when none ran.
#[tokio::test]
async fn what_was_under_way_when_the_node_stopped_gets_its_receipt() {
    let transaction = transaction(2, 0);
    let envelope = transaction.envelope();
    let written = holder_write(envelope, envelope.len(), 0);
    let ended = execute_from_holder(&receipt(&transaction).encode());
    let blocks = vec![slot(2, vec![vec![written]]), slot(5, vec![vec![ended]])];
    let mut running = start(0, blocks, Failures { lists_slots: true, ..Failures::default() });
    running.advance_to(3).await;
    let Running { cluster, store, stop, task, .. } = running;
    stop.send(()).unwrap();
    task.await.unwrap();
    let indexer = Indexer::new(cluster.clone(), store.clone(), CHAIN.chain_id);
    let (progress, events) = (indexer.progress(), indexer.events().subscribe());
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(indexer.run(async { stopped.await.unwrap() }));
    let mut running = Running { cluster, store, progress, events, stop, task };
    running.advance_to(6).await;
    let found: Vec<_> =
        running.blocks().into_iter().filter(|block| block.1 > 0).map(|block| block.0).collect();
    assert_eq!(found, [5]);
    running.stop().await;
}
