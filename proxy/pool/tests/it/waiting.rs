//! Gaps, and what clients see of transactions that wait.

use crate::chain::Trouble;
use crate::{Tx, limits, pool, refused, sender, start, tx, until, until_dropped, until_status, word};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256};
use parhelion_core::cluster::ClusterError;
use parhelion_core::emulator::EmulatorError;
use parhelion_core::pool::Pool;
use parhelion_core::store::StoreError;
use parhelion_pool::{DropReason, Limits, Size};
use std::time::Duration;

#[tokio::test]
async fn the_pending_nonce_follows_what_waits_without_a_gap() {
    let (chain, pool) = pool(limits());
    let pending = |next| pool.pending_nonce(sender(1), next);
    assert_eq!(pending(7), 7, "an unknown sender");
    chain.set_nonce(sender(1), 2);
    for nonce in [2, 3, 5] {
        pool.submit(tx(1, nonce).sign()).await.unwrap();
    }
    assert_eq!(pending(2), 4);
    assert_eq!(pending(3), 4, "the state is at the next one already");
    assert_eq!(pending(5), 6);
    assert_eq!(pending(9), 9, "what waits is older");
    assert_eq!(pending(u64::MAX), u64::MAX);
    assert_eq!(pool.pending_nonce(Address::ZERO, 2), 2);
    pool.submit(tx(1, 4).sign()).await.unwrap();
    assert_eq!(pending(2), 6);
}

#[tokio::test]
async fn what_waits_is_told_by_sender_and_nonce_and_when_it_is_accepted() {
    let (_, pool) = pool(limits());
    let mut accepted = pool.accepted();
    let mut hashes = Vec::new();
    for (key, nonce) in [(2, 0), (1, 3), (1, 1), (1, 0)] {
        hashes.push(pool.submit(tx(key, nonce).sign()).await.unwrap());
    }
    let told = |one: Option<Address>| -> Vec<(Address, u64, bool)> {
        let waiting = pool.waiting(one).into_iter();
        waiting.map(|w| (w.transaction.sender(), w.transaction.inner().nonce(), w.is_gapped)).collect()
    };
    let (mine, others) =
        ([(sender(1), 0, false), (sender(1), 1, false), (sender(1), 3, true)], [(sender(2), 0, false)]);
    let mut all = [&mine[..], &others].concat();
    all.sort_unstable();
    assert_eq!(told(None), all);
    assert_eq!(told(Some(sender(1))), mine);
    assert_eq!(told(Some(Address::ZERO)), []);
    for hash in hashes {
        assert_eq!(accepted.try_recv().unwrap().hash(), hash);
    }
    pool.submit(tx(1, 0).sign()).await.unwrap_err();
    assert!(accepted.try_recv().is_err(), "what is refused is no news");
}

#[tokio::test]
async fn a_gap_holds_back_what_is_behind_it_until_it_closes() {
    let running = start(limits());
    let [second, third] = [running.submit(tx(1, 1)).await, running.submit(tx(1, 2)).await];
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!([second, third].map(|hash| word(running.pool.status(hash))), ["gapped"; 2]);
    assert_eq!(running.chain.attempts(second), 0);
    running.submit(tx(1, 0)).await;
    until_status(&running.pool, third, "settled").await;
    assert_eq!(running.chain.landed(), [0, 1, 2].map(|nonce| (sender(1), nonce)));
    running.stop().await;
}

#[tokio::test]
async fn a_gap_that_another_proxy_closes_is_noticed() {
    // One look at a time, and several senders who wait: each gets its look.
    let running = start(Limits { tended_max: 1, ..limits() });
    let mut waiting = Vec::new();
    for key in 1..=4 {
        waiting.push(running.submit(tx(key, 2)).await);
    }
    running.chain.set_nonce(sender(4), 2);
    until_status(&running.pool, waiting[3], "settled").await;
    assert_eq!(
        waiting[..3].iter().map(|hash| word(running.pool.status(*hash))).collect::<Vec<_>>(),
        ["gapped"; 3]
    );
    running.stop().await;
}

#[tokio::test]
async fn nonces_that_another_proxy_used_are_dropped() {
    let running = start(limits());
    let waiting = running.submit(tx(1, 3)).await;
    let next = running.submit(tx(1, 4)).await;
    running.chain.set_nonce(sender(1), 4);
    assert!(matches!(until_dropped(&running.pool, waiting).await, DropReason::NonceUsed));
    until_status(&running.pool, next, "settled").await;
    assert_eq!(running.chain.attempts(waiting), 0);
    running.stop().await;
}

#[tokio::test]
async fn a_landed_transaction_is_visible_until_the_store_has_it() {
    let running = start(limits());
    let transaction = tx(1, 0).sign();
    let hash = running.submit(tx(1, 0)).await;
    until_status(&running.pool, hash, "settled").await;
    // The store being silent changes nothing.
    running.chain.fail_store(Some(StoreError::Unavailable("a test".to_owned())));
    tokio::time::sleep(Duration::from_millis(50)).await;
    running.chain.fail_store(None);
    assert_eq!(running.pool.transaction(hash), Some(transaction.clone()));
    // The state may be read where the landing is not seen yet; the pool remembers it.
    running.chain.set_nonce(sender(1), 0);
    assert_eq!(running.pool.pending_nonce(sender(1), 0), 1);
    for again in [transaction.clone(), crate::Tx { value: 1, ..tx(1, 0) }.sign()] {
        let low = refused(&running.pool, again).await.to_string();
        assert_eq!(low, "nonce too low: next nonce 1, tx nonce 0");
    }
    running.chain.set_nonce(sender(1), 1);

    running.chain.store(transaction.clone());
    until_status(&running.pool, hash, "unknown").await;
    assert_eq!(running.pool.transaction(hash), None);
    assert_eq!(running.pool.pending_nonce(sender(1), 0), 0, "nothing is remembered of the sender");
    running.stop().await;
}

#[tokio::test]
async fn settled_transactions_are_kept_no_longer_than_allowed_and_no_more_than_allowed() {
    let short = Limits { settled_for: Duration::from_millis(30), ..limits() };
    let running = start(short);
    let hash = running.submit(tx(1, 0)).await;
    until("landed", || !running.chain.landed().is_empty()).await;
    until_status(&running.pool, hash, "unknown").await;
    running.stop().await;

    let running = start(Limits { settled_max: 2, ..limits() });
    let mut hashes: Vec<B256> = Vec::new();
    for nonce in 0..4 {
        hashes.push(running.submit(tx(1, nonce)).await);
        until("landed", || running.chain.landed().len() as u64 == nonce + 1).await;
        until("settled", || word(running.pool.status(*hashes.last().unwrap())) == "settled").await;
    }
    let kept = hashes.iter().filter(|hash| running.pool.transaction(**hash).is_some()).count();
    assert_eq!(kept, 2);
    running.stop().await;
}

#[tokio::test]
async fn what_landed_on_a_fork_that_the_store_never_had_lands_again() {
    let running = start(Limits { settled_for: Duration::from_millis(30), ..limits() });
    let transaction = tx(1, 0).sign();
    running.chain.trouble(transaction.hash(), [Trouble::IsDropped, Trouble::IsDropped]);
    running.submit(tx(1, 0)).await;
    until("landed for good", || running.chain.landed().len() == 3).await;
    running.chain.store(transaction.clone());
    until_status(&running.pool, transaction.hash(), "unknown").await;
    assert_eq!(running.chain.attempts(transaction.hash()), 3);
    running.stop().await;
}

#[tokio::test]
async fn who_waits_too_long_is_dropped() {
    let running = start(Limits { waiting_for: Duration::from_millis(30), ..limits() });
    let gapped = running.submit(tx(1, 1)).await;
    assert!(matches!(until_dropped(&running.pool, gapped).await, DropReason::Expired));
    // It may come again, and what is in flight does not expire.
    running.chain.close();
    let again = running.submit(tx(1, 1)).await;
    let in_flight = running.submit(tx(1, 0)).await;
    assert_eq!(again, gapped);
    until_dropped(&running.pool, again).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(word(running.pool.status(in_flight)), "in flight");
    running.chain.open(1);
    until_status(&running.pool, in_flight, "settled").await;
    running.stop().await;
}

#[tokio::test]
async fn reasons_are_remembered_for_the_newest() {
    let (_, pool) = pool(Limits { dropped_max: 1, ..limits() });
    let mut hashes = Vec::new();
    for fee_cap in [2_000, 4_000, 8_000] {
        let transaction = crate::Tx { fee_cap, priority_fee: fee_cap, ..tx(1, 0) };
        hashes.push(pool.submit(transaction.sign()).await.unwrap());
    }
    let statuses: Vec<_> = hashes.iter().map(|hash| word(pool.status(*hash))).collect();
    assert_eq!(statuses, ["unknown", "dropped", "ready"]);
}

#[tokio::test]
async fn a_state_that_cannot_be_read_makes_everybody_wait() {
    let running = start(limits());
    running.chain.close();
    let blocker = running.submit(tx(1, 0)).await;
    let behind = running.submit(tx(1, 1)).await;
    until_status(&running.pool, blocker, "in flight").await;
    let unreachable = ClusterError::Unreachable("a test".to_owned());
    running.chain.fail_emulator(Some(EmulatorError::Cluster(unreachable)));
    running.chain.open(2);
    until_status(&running.pool, blocker, "settled").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!((word(running.pool.status(behind)), running.chain.attempts(behind)), ("ready", 0));
    running.chain.fail_emulator(None);
    until_status(&running.pool, behind, "settled").await;
    running.stop().await;
}

#[tokio::test]
async fn the_size_tells_what_waits_and_what_was_dropped() {
    let (_, pool) = pool(limits());
    assert_eq!(pool.size(), Size::default());
    for transaction in [tx(1, 0), tx(1, 1), tx(1, 3), tx(2, 5)] {
        pool.submit(transaction.sign()).await.unwrap();
    }
    assert_eq!(pool.size(), Size { pending: 2, queued: 2, dropped: 0 });
    pool.submit(tx(1, 2).sign()).await.unwrap();
    assert_eq!(pool.size(), Size { pending: 4, queued: 1, dropped: 0 });
    pool.submit(Tx { fee_cap: 3_000, priority_fee: 300, ..tx(1, 3) }.sign()).await.unwrap();
    assert_eq!(pool.size(), Size { pending: 4, queued: 1, dropped: 1 });
}
