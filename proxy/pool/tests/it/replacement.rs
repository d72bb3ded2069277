//! Transactions that take another one's place.

use crate::{Running, Tx, limits, pool, refused, sender, start, tx, until_dropped, until_status, word};
use parhelion_core::pool::Pool;
use parhelion_pool::{DropReason, Status};

#[tokio::test]
async fn both_fees_must_be_ten_percent_higher() {
    // (fee cap, priority fee) of the waiting one and of the new one, and whether that is enough.
    let rows = [
        ((2_000, 100), (2_200, 110), true),
        ((2_000, 100), (2_199, 110), false),
        ((2_000, 100), (2_200, 109), false),
        ((2_000, 100), (9_000, 100), false),
        ((2_000, 100), (2_000, 200), false),
        ((2_000, 100), (1_000, 50), false),
        // Ten percent of little is less than one wei; it must still be more.
        ((2_000, 5), (2_200, 5), false),
        ((2_000, 5), (2_200, 6), true),
        ((2_000, 0), (2_200, 0), false),
        ((2_000, 0), (2_200, 1), true),
        ((u128::MAX - 1, 1), (u128::MAX, 2), false),
    ];
    for ((old_cap, old_priority), (fee_cap, priority_fee), enough) in rows {
        let (_, pool) = pool(limits());
        let old = Tx { fee_cap: old_cap, priority_fee: old_priority, ..tx(1, 0) }.sign();
        let new = Tx { fee_cap, priority_fee, ..tx(1, 0) }.sign();
        pool.submit(old.clone()).await.unwrap();
        let row = format!("{old_cap} {old_priority} -> {fee_cap} {priority_fee}");
        if enough {
            pool.submit(new.clone()).await.unwrap();
            assert!(pool.transaction(old.hash()).is_none(), "{row}");
            let status = pool.status(old.hash());
            let Some(Status::Dropped(DropReason::Replaced { by })) = status else {
                panic!("{row}: {status:?}")
            };
            assert_eq!(by, new.hash(), "{row}");
        } else {
            let error = refused(&pool, new.clone()).await;
            assert_eq!(error.to_string(), "replacement transaction underpriced", "{row}");
            assert!(pool.transaction(old.hash()).is_some(), "{row}");
        }
        assert_eq!(pool.pending_nonce(sender(1), 0), 1, "{row}");
    }
}

#[tokio::test]
async fn a_gas_price_counts_as_both_fees() {
    let (_, pool) = pool(limits());
    pool.submit(Tx { fee_cap: 2_000, ..tx(1, 0) }.sign_legacy(None)).await.unwrap();
    let half = Tx { fee_cap: 2_200, priority_fee: 100, ..tx(1, 0) };
    assert_eq!(refused(&pool, half.sign()).await.to_string(), "replacement transaction underpriced");
    pool.submit(Tx { fee_cap: 2_200, ..tx(1, 0) }.sign_legacy(None)).await.unwrap();
}

#[tokio::test]
async fn a_replaced_transaction_is_refused_as_any_other_cheap_one() {
    let (_, pool) = pool(limits());
    let old = pool.submit(tx(1, 0).sign()).await.unwrap();
    pool.submit(Tx { fee_cap: 3_000, priority_fee: 300, ..tx(1, 0) }.sign()).await.unwrap();
    assert_eq!(refused(&pool, tx(1, 0).sign()).await.to_string(), "replacement transaction underpriced");
    assert_eq!(word(pool.status(old)), "dropped");
}

#[tokio::test]
async fn what_is_in_flight_cannot_be_replaced() {
    let running = start(limits());
    running.chain.close();
    let in_flight = running.submit(tx(1, 0)).await;
    let behind = running.submit(tx(1, 1)).await;
    until_status(&running.pool, in_flight, "in flight").await;
    let dear = |nonce| Tx { fee_cap: 9_000, priority_fee: 9_000, ..tx(1, nonce) };
    let error = refused(&running.pool, dear(0).sign()).await;
    assert_eq!(error.to_string(), "nonce too low: next nonce 1, tx nonce 0");
    // The one behind it is not in flight yet.
    let replacement = running.submit(dear(1)).await;
    assert!(matches!(until_dropped(&running.pool, behind).await, DropReason::Replaced { .. }));
    running.chain.open(2);
    for hash in [in_flight, replacement] {
        until_status(&running.pool, hash, "settled").await;
    }
    let Running { chain, .. } = &running;
    assert_eq!(chain.landed(), [(sender(1), 0), (sender(1), 1)]);
    assert_eq!(chain.attempts(behind), 0);
    running.stop().await;
}
