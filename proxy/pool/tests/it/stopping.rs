//! The end of the worker.

use crate::chain::{Trouble, unreachable_cluster};
use crate::{limits, pool, sender, start, start_worker, tx, until_status, word};
use parhelion_core::pool::Pool;
use parhelion_pool::Limits;
use std::time::Duration;

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight_and_begins_nothing() {
    let running = start(limits());
    running.chain.close();
    let in_flight = running.submit(tx(1, 0)).await;
    let behind = running.submit(tx(1, 1)).await;
    until_status(&running.pool, in_flight, "in flight").await;
    let (chain, pool) = (running.chain.clone(), running.pool.clone());
    let stopping = tokio::spawn(running.stop());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!stopping.is_finished(), "it waits for what is in flight");
    chain.open(5);
    stopping.await.unwrap();
    assert_eq!(chain.landed(), [(sender(1), 0)]);
    assert_eq!([in_flight, behind].map(|hash| word(pool.status(hash))), ["settled", "ready"]);
    pool.submit(tx(2, 0).sign()).await.unwrap();
    assert_eq!(chain.in_flight(), 0);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let running = start(Limits { stop_max: Duration::from_millis(50), ..limits() });
    running.chain.close();
    let stuck = running.submit(tx(1, 0)).await;
    until_status(&running.pool, stuck, "in flight").await;
    let (chain, pool) = (running.chain.clone(), running.pool.clone());
    let took = running.stop().await;
    assert!(took >= Duration::from_millis(50) && took < Duration::from_secs(5), "{took:?}");
    until_status(&pool, stuck, "dropped").await;
    let status = format!("{:?}", pool.status(stuck));
    assert!(status.contains("Interrupted"), "{status}");
    assert_eq!(chain.in_flight(), 0, "the relay was cancelled");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_the_next_attempt() {
    let long = Duration::from_secs(3_600);
    let (chain, pool) = pool(Limits { retry_delay_min: long, retry_delay_max: long, ..limits() });
    let hash = pool.submit(tx(1, 0).sign()).await.unwrap();
    chain.trouble(hash, vec![Trouble::Fails(unreachable_cluster()); 3]);
    let running = start_worker(chain.clone(), pool.clone());
    crate::until("it was tried", || chain.attempts(hash) == 1).await;
    let took = running.stop().await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(word(pool.status(hash)), "ready", "it is still there");
    assert_eq!(chain.attempts(hash), 1);
}

#[tokio::test]
async fn a_stop_without_work_is_immediate() {
    let running = start(limits());
    assert!(running.stop().await < Duration::from_secs(5));
}
