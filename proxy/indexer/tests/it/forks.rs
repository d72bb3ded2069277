//! The cluster drops what it had: the store ends with what it settled on, as if there had been nothing else.

use crate::fixture::{CHAIN, execute_from_holder, holder_write, plain, receipt, slot_from, transaction};
use crate::world::{Failures, FakeCluster, Running, restart, start, until};
use parhelion_core::cluster::LandedBlock;
use parhelion_core::feed::{BEHIND_MAX, ChainEvent};
use parhelion_core::store::{Block, BlockId, Store};
use parhelion_indexer::{Indexer, UNSETTLED_SLOTS, genesis};
use parhelion_store::SqlStore;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::broadcast;

/// A Solana block with one transaction of the program: its nonce, and the number of its signature.
fn block(slot: u64, nonce: u64, number: u8) -> LandedBlock {
    slot_from(slot, number, vec![vec![plain(&transaction(2, nonce))]])
}

fn first_fork() -> Vec<LandedBlock> {
    vec![block(2, 0, 1), block(3, 1, 2), block(5, 2, 3)]
}

/// What the cluster may settle on instead, and the first slot that differs.
fn other_forks() -> Vec<(&'static str, Vec<LandedBlock>, u64)> {
    let mut other_parent = first_fork();
    other_parent[1].previous_blockhash = [0x44; 32].into();
    vec![
        ("a block is replaced", vec![block(2, 0, 1), block(3, 1, 9), block(5, 2, 3)], 3),
        ("a block has another one before it", other_parent, 3),
        ("a block vanishes", vec![block(2, 0, 1), block(5, 1, 2)], 3),
        ("all vanishes", vec![], 2),
        ("a block appears", vec![block(1, 0, 1), block(2, 1, 2), block(3, 2, 3), block(5, 3, 4)], 1),
        ("a transaction is in a later block", vec![block(2, 0, 1), block(4, 1, 2), block(5, 2, 3)], 3),
    ]
}

/// An indexer that has indexed up to a slot of which nothing is final.
async fn unsettled(blocks: Vec<LandedBlock>, newest: u64) -> Running {
    let mut running = start(0, blocks, Failures { lists_slots: true, ..Failures::default() });
    running.cluster.finalized.send_replace(0);
    running.advance_to(newest).await;
    running
}

/// Everything that a store has when there was only one chain.
async fn content(blocks: Vec<LandedBlock>, newest: u64) -> String {
    let running = unsettled(blocks, newest).await;
    let content = written(&running);
    running.stop().await;
    content
}

fn written(running: &Running) -> String {
    format!("{:?}", running.store.blocks.lock().unwrap())
}

/// What happens up to the addition of a block: the number of each block, negative when it was removed.
async fn events_to(events: &mut broadcast::Receiver<ChainEvent>, last: i64) -> Vec<i64> {
    let mut told = Vec::new();
    while told.last() != Some(&last) {
        told.push(match events.recv().await.unwrap() {
            ChainEvent::Added(block) => block.header.number as i64,
            ChainEvent::Removed(block) => -(block.header.number as i64),
        });
    }
    told
}

#[tokio::test]
async fn the_store_ends_with_the_chain_that_is_final() {
    for (what, fork, first) in other_forks() {
        let mut running = unsettled(first_fork(), 6).await;
        assert_eq!(events_to(&mut running.events, 6).await, [1, 2, 3, 4, 5, 6]);
        *running.cluster.blocks.lock().unwrap() = fork.clone();
        running.cluster.finalized.send_replace(5);
        let removed = (first as i64..=6).rev().map(|number| -number);
        let expected: Vec<i64> = removed.chain(first as i64..=6).collect();
        assert_eq!(events_to(&mut running.events, 6).await, expected, "{what}");
        assert_eq!(written(&running), content(fork, 6).await, "{what}");
        // Compared once, and not again what was read when it was final.
        running.advance_to(8).await;
        running.cluster.finalized.send_replace(7);
        let compared = || running.cluster.compared.lock().unwrap().clone();
        until("slots 6 and 7 are compared", || compared().len() == 2).await;
        assert_eq!(compared(), [(1, 5), (6, 7)], "{what}");
        running.stop().await;
    }
}

#[tokio::test]
async fn each_slot_is_compared_once_at_most() {
    let mut running = unsettled(first_fork(), 4).await;
    let cluster = running.cluster.clone();
    let compared = || cluster.compared.lock().unwrap().clone();
    let after = async |finalized, expected: &[(u64, u64)]| {
        cluster.finalized.send_replace(finalized);
        until("it is compared", || compared() == expected).await;
    };
    after(2, &[(1, 2)]).await;
    running.advance_to(6).await;
    // What is not there yet cannot be compared, and what is read when it is final need not be.
    after(9, &[(1, 2), (3, 6)]).await;
    running.advance_to(9).await;
    running.advance_to(11).await;
    after(10, &[(1, 2), (3, 6), (10, 10)]).await;
    assert_eq!(*cluster.asked.lock().unwrap(), [(1, 4), (5, 6), (7, 9), (10, 11)], "nothing is read twice");
    let content = content(first_fork(), 11).await;
    assert_eq!(written(&running), content);
    running.stop().await;
}

#[tokio::test]
async fn a_fork_may_be_deeper_than_what_followers_are_told() {
    let newest = BEHIND_MAX as u64 + 200;
    let late = block(newest - 1, 3, 4);
    let running = unsettled([first_fork(), vec![late.clone()]].concat(), newest).await;
    let fork = vec![block(2, 0, 1), late];
    *running.cluster.blocks.lock().unwrap() = fork.clone();
    running.cluster.finalized.send_replace(newest);
    // The hash of the newest block covers all others.
    let tip = |running: &Running| running.store.blocks.lock().unwrap().last().unwrap().hash;
    let other = unsettled(fork, newest).await;
    until("the other fork is there", || tip(&running) == tip(&other)).await;
    running.stop().await;
    other.stop().await;
}

/// Its envelope was written before the fork, and it ends behind it.
#[tokio::test]
async fn what_is_under_way_is_known_after_a_fork() {
    let transaction = transaction(2, 0);
    let envelope = transaction.envelope();
    let write = slot_from(2, 1, vec![vec![holder_write(envelope, envelope.len(), 0)]]);
    let end = |slot| slot_from(slot, 2, vec![vec![execute_from_holder(&receipt(&transaction).encode())]]);
    let mut running = unsettled(vec![write.clone(), end(4)], 6).await;
    events_to(&mut running.events, 6).await;
    let fork = vec![write, end(5)];
    *running.cluster.blocks.lock().unwrap() = fork.clone();
    running.cluster.finalized.send_replace(6);
    assert_eq!(events_to(&mut running.events, 6).await, [-6, -5, -4, 4, 5, 6]);
    assert_eq!(running.blocks().iter().map(|block| block.1).collect::<Vec<_>>(), [0, 0, 0, 0, 0, 1, 0]);
    assert_eq!(written(&running), content(fork, 6).await);
    running.stop().await;
}

#[tokio::test]
async fn what_was_dropped_while_nobody_looked_is_found_at_the_start() {
    for (what, fork, _) in other_forks() {
        let running = unsettled(first_fork(), 6).await;
        let running = restart(running, |cluster| {
            *cluster.blocks.lock().unwrap() = fork.clone();
            cluster.newest.send_replace(7);
            cluster.finalized.send_replace(7);
        });
        let running = running.await;
        let expected = content(fork, 7).await;
        until(what, || written(&running) == expected).await;
        running.stop().await;
    }
}

#[tokio::test]
async fn what_was_dropped_long_before_the_stop_is_found_from_the_first_difference_on() {
    let newest = 2 * UNSETTLED_SLOTS + 500;
    let running = unsettled(vec![block(10, 0, 1), block(20, 1, 2), block(newest - 5, 2, 3)], newest).await;
    let fork = vec![block(10, 0, 1), block(30, 1, 2)];
    let running = restart(running, |cluster| {
        *cluster.blocks.lock().unwrap() = fork.clone();
        cluster.newest.send_replace(newest);
        cluster.finalized.send_replace(newest);
    });
    let running = running.await;
    let expected = content(fork, newest).await;
    until("the old block is replaced as well", || written(&running) == expected).await;
    let compared = running.cluster.compared.lock().unwrap().clone();
    assert_eq!(compared.len(), 3, "the newest, those before, and those back to the beginning: {compared:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_start_takes_nothing_off_that_is_still_there() {
    let running = unsettled(first_fork(), 6).await;
    let cluster = running.cluster.clone();
    let finalize = |cluster: &FakeCluster| {
        cluster.finalized.send_replace(4);
    };
    let mut running = restart(running, finalize).await;
    running.advance_to(7).await;
    running.cluster.finalized.send_replace(7);
    until("all is compared", || cluster.compared.lock().unwrap().last().is_some_and(|(_, last)| *last == 7))
        .await;
    running.advance_to(8).await;
    assert_eq!(events_to(&mut running.events, 8).await, [7, 8]);
    running.stop().await;
}

#[tokio::test]
async fn blocks_stay_where_the_cluster_does_not_tell_what_is_final() {
    let mut running = start(0, first_fork(), Failures::default());
    running.cluster.finalized.send_replace(0);
    running.advance_to(6).await;
    running.cluster.blocks.lock().unwrap().clear();
    running.cluster.finalized.send_replace(6);
    running.advance_to(7).await;
    assert_eq!(running.blocks().iter().filter(|block| block.1 > 0).count(), 3);
    running.stop().await;
}

#[tokio::test]
async fn a_block_that_is_only_not_listed_stays() {
    let mut running = unsettled(first_fork(), 6).await;
    *running.cluster.unlisted.lock().unwrap() = Some(3);
    running.cluster.finalized.send_replace(6);
    running.advance_to(7).await;
    // A difference behind it is found all the same.
    *running.cluster.blocks.lock().unwrap() = vec![block(2, 0, 1), block(3, 1, 2), block(7, 2, 5)];
    running.cluster.finalized.send_replace(7);
    assert_eq!(events_to(&mut running.events, 7).await, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(events_to(&mut running.events, 7).await, [-7, 7]);
    assert_eq!(running.cluster.compared.lock().unwrap().len(), 2);
    running.stop().await;
}

/// A node on a database that others use too.
struct Node {
    cluster: Arc<FakeCluster>,
    store: Arc<SqlStore>,
    events: broadcast::Receiver<ChainEvent>,
}

impl Node {
    /// Starts one; its indexer ends with the test.
    async fn start(url: &str) -> Self {
        let store = Arc::new(SqlStore::open(url).await.unwrap());
        if store.is_empty() {
            store.begin(genesis(0, 1, &CHAIN)).await.unwrap();
        }
        let failures = Failures { lists_slots: true, ..Failures::default() };
        let cluster = FakeCluster::new(0, first_fork(), &failures);
        cluster.finalized.send_replace(0);
        let indexer = Indexer::new(cluster.clone(), store.clone(), CHAIN.chain_id);
        let events = indexer.events().subscribe();
        tokio::spawn(indexer.run(pending()));
        Self { cluster, store, events }
    }

    async fn blocks(&self) -> Vec<Arc<Block>> {
        let mut blocks = Vec::new();
        for number in 0..=self.store.latest().await.unwrap() {
            blocks.push(self.store.block(BlockId::Number(number)).await.unwrap().unwrap());
        }
        blocks
    }
}

#[tokio::test]
async fn nodes_of_one_database_go_over_to_the_other_fork_one_after_the_other() {
    let folder = std::env::temp_dir().join(format!("parhelion_forks_{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let url = format!("sqlite:{}", folder.join("store.sqlite").display());
    let (mut one, mut other) = (Node::start(&url).await, Node::start(&url).await);
    for node in [&mut one, &mut other] {
        node.cluster.newest.send_replace(6);
        assert_eq!(events_to(&mut node.events, 6).await, [1, 2, 3, 4, 5, 6]);
    }
    let fork = vec![block(2, 0, 1), block(4, 1, 2), block(5, 2, 3)];
    for node in [&one, &other] {
        *node.cluster.blocks.lock().unwrap() = fork.clone();
    }
    let expected = [-6, -5, -4, -3, 3, 4, 5, 6];
    one.cluster.finalized.send_replace(5);
    assert_eq!(events_to(&mut one.events, 6).await, expected);
    // The other one is not told by its cluster, but finds out when it appends.
    other.cluster.newest.send_replace(7);
    assert_eq!(events_to(&mut other.events, 7).await, [&expected[..], &[7]].concat());
    one.cluster.newest.send_replace(7);
    events_to(&mut one.events, 7).await;
    let content = content(fork, 7).await;
    for node in [&one, &other] {
        let blocks = node.blocks().await;
        let blocks: Vec<&Block> = blocks.iter().map(AsRef::as_ref).collect();
        assert_eq!(format!("{blocks:?}"), content);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_cluster_that_lags_behind_takes_nothing_off() {
    let mut running = unsettled(first_fork(), 6).await;
    events_to(&mut running.events, 6).await;
    // Another node of the same database may have been told of newer slots.
    running.cluster.newest.send_replace(4);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    running.advance_to(7).await;
    assert_eq!(events_to(&mut running.events, 7).await, [7]);
    assert_eq!(written(&running), content(first_fork(), 7).await);
}

#[tokio::test]
async fn a_chain_that_goes_back_is_followed() {
    let mut running = unsettled(first_fork(), 6).await;
    events_to(&mut running.events, 6).await;
    running.cluster.goes_back.store(true, Ordering::Relaxed);
    let other = vec![block(2, 0, 1), block(3, 1, 2), block(5, 2, 9)];
    *running.cluster.blocks.lock().unwrap() = other.clone();
    running.cluster.newest.send_replace(4);
    assert_eq!(events_to(&mut running.events, -5).await, [-6, -5]);
    running.advance_to(6).await;
    assert_eq!(events_to(&mut running.events, 6).await, [5, 6]);
    assert_eq!(written(&running), content(other, 6).await);
}
