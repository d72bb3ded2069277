//! The service between a cluster and a store, both fakes.

use crate::fixture::{execute_from_holder, holder_write, plain, receipt, slot, transaction};
use crate::world::{Failures, restart, start, until};
use alloy_primitives::B256;
use parhelion_core::cluster::LandedBlock;
use parhelion_core::feed::ChainEvent;
use parhelion_indexer::{SLOTS_BEHIND_MAX, SLOTS_PER_FETCH_MAX};
use std::sync::atomic::Ordering;
use std::time::Duration;

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

#[tokio::test]
async fn slots_that_are_forgotten_do_not_become_empty_blocks() {
    let newest = 2 * SLOTS_BEHIND_MAX;
    let busy_later = slot(newest - 7, vec![vec![plain(&transaction(2, 3))]]);
    let blocks = [busy(), vec![busy_later]].concat();
    let mut running = start(0, blocks, Failures { lists_slots: true, ..Failures::default() });
    running.advance_to(6).await;
    let mut running = restart(running, |cluster| {
        *cluster.oldest.lock().unwrap() = newest - 9;
        cluster.newest.send_replace(newest);
    })
    .await;
    let cluster = running.cluster.clone();
    until("it has asked again", || cluster.asked_oldest.load(Ordering::Relaxed) >= 3).await;
    assert_eq!(running.blocks().len(), 7);
    // Another RPC has them.
    *cluster.oldest.lock().unwrap() = 7;
    running.advance_to(newest).await;
    assert_eq!(running.blocks().iter().filter(|block| block.1 > 0).count(), 4);
    running.stop().await;
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
    let mut running = restart(running, |_| ()).await;
    running.advance_to(6).await;
    let found: Vec<_> =
        running.blocks().into_iter().filter(|block| block.1 > 0).map(|block| block.0).collect();
    assert_eq!(found, [5]);
    running.stop().await;
}
