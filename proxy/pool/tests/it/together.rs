//! Consecutive transactions of a sender in flight together.

use crate::chain::{Trouble, refusal, unreachable_cluster};
use crate::{pool, sender, start_worker, tx, until, until_dropped, until_status};
use parhelion_core::pool::Pool;
use parhelion_pool::{DropReason, Limits};
use parhelion_wire::ProgramError;

/// As many together as a node lands.
fn limits() -> Limits {
    Limits { together_max: Limits::default().together_max, ..crate::limits() }
}

/// A pool in which so many transactions of one sender wait, and its chain.
async fn waiting(
    count: u64,
    limits: Limits,
) -> (std::sync::Arc<crate::chain::Chain>, std::sync::Arc<parhelion_pool::MemoryPool>) {
    let (chain, pool) = pool(limits);
    for nonce in 0..count {
        pool.submit(tx(1, nonce).sign()).await.unwrap();
    }
    (chain, pool)
}

fn nonces(count: u64) -> Vec<(alloy_primitives::Address, u64)> {
    (0..count).map(|nonce| (sender(1), nonce)).collect()
}

#[tokio::test]
async fn what_is_consecutive_flies_together() {
    let (chain, pool) = waiting(10, Limits { together_max: 4, ..limits() }).await;
    chain.land_together(4);
    let running = start_worker(chain, pool);
    until("all landed", || running.chain.landed().len() == 10).await;
    assert_eq!(running.chain.landed(), nonces(10));
    assert_eq!(running.chain.flights(), [4, 4, 2]);
    running.stop().await;
}

#[tokio::test]
async fn what_the_relay_leaves_behind_is_as_fresh_as_before() {
    let (chain, pool) = waiting(7, limits()).await;
    chain.land_together(2);
    let running = start_worker(chain, pool);
    until("all landed", || running.chain.landed().len() == 7).await;
    assert_eq!(running.chain.landed(), nonces(7));
    assert_eq!(running.chain.flights(), [7, 5, 3, 1]);
    running.stop().await;
}

#[tokio::test]
async fn a_gap_ends_a_flight() {
    let (chain, pool) = waiting(2, limits()).await;
    let behind = pool.submit(tx(1, 3).sign()).await.unwrap();
    chain.land_together(16);
    let running = start_worker(chain, pool);
    until("two landed", || running.chain.landed().len() == 2).await;
    until_status(&running.pool, behind, "gapped").await;
    assert_eq!(running.chain.flights(), [2]);
    running.stop().await;
}

#[tokio::test]
async fn everything_in_flight_is_in_flight() {
    let (chain, pool) = waiting(3, limits()).await;
    chain.land_together(16);
    chain.close();
    let running = start_worker(chain, pool);
    for nonce in 0..3 {
        until_status(&running.pool, tx(1, nonce).sign().hash(), "in flight").await;
        let mut replacement = tx(1, nonce);
        (replacement.fee_cap, replacement.priority_fee) = (4_000, 400);
        let error = running.pool.submit(replacement.sign()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("nonce too low: next nonce {}, tx nonce {nonce}", nonce + 1));
    }
    running.chain.open(1);
    until("all landed", || running.chain.landed().len() == 3).await;
    running.stop().await;
}

#[tokio::test]
async fn a_refusal_costs_the_first_one_only() {
    let (chain, pool) = waiting(3, limits()).await;
    let first = tx(1, 0).sign().hash();
    chain.trouble(first, [Trouble::Fails(refusal(ProgramError::InsufficientFunds))]);
    chain.land_together(16);
    let running = start_worker(chain, pool);
    let reason = until_dropped(&running.pool, first).await;
    assert!(matches!(reason, DropReason::Refused(_)), "{reason}");
    for nonce in 1..3 {
        until_status(&running.pool, tx(1, nonce).sign().hash(), "gapped").await;
    }
    // They go on once somebody has closed the gap.
    running.submit(tx(1, 0)).await;
    until("all landed", || running.chain.landed().len() == 3).await;
    assert_eq!(running.chain.landed(), nonces(3));
    running.stop().await;
}

#[tokio::test]
async fn after_trouble_each_flies_alone() {
    let (chain, pool) = waiting(3, limits()).await;
    chain.trouble(tx(1, 0).sign().hash(), [Trouble::Fails(unreachable_cluster())]);
    chain.land_together(16);
    let running = start_worker(chain, pool);
    until("all landed", || running.chain.landed().len() == 3).await;
    assert_eq!(running.chain.landed(), nonces(3));
    assert_eq!(running.chain.flights(), [3, 1, 1, 1]);
    running.stop().await;
}

#[tokio::test]
async fn a_flight_that_landed_without_an_answer_is_not_taken_for_a_failure() {
    let (chain, pool) = waiting(3, limits()).await;
    let hashes = (0..3).map(|nonce| tx(1, nonce).sign().hash());
    chain.trouble(tx(1, 0).sign().hash(), [Trouble::LandsButFails(unreachable_cluster())]);
    chain.land_together(16);
    let running = start_worker(chain, pool);
    for hash in hashes {
        until_status(&running.pool, hash, "settled").await;
    }
    assert_eq!(running.chain.landed(), nonces(3));
    running.stop().await;
}
