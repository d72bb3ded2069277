//! A full pool.

use crate::{limits, pool, refused, sender, tx, word};
use parhelion_core::pool::{Pool, PoolError};
use parhelion_core::transaction::Transaction;
use parhelion_pool::{DropReason, Limits, MemoryPool, Status};

fn paying(key: u8, nonce: u64, priority_fee: u128) -> Transaction {
    let mut transaction = tx(key, nonce);
    transaction.priority_fee = priority_fee;
    transaction.sign()
}

fn full_at(transactions_max: usize) -> Limits {
    Limits { transactions_max, ..limits() }
}

fn assert_evicted(pool: &MemoryPool, transaction: &Transaction) {
    let status = pool.status(transaction.hash());
    assert!(matches!(status, Some(Status::Dropped(DropReason::Evicted))), "{status:?}");
    assert!(pool.transaction(transaction.hash()).is_none());
}

#[tokio::test]
async fn whoever_pays_more_drives_out_the_cheapest() {
    let (_, pool) = pool(full_at(3));
    let (cheap, middle, dear) = (paying(1, 0, 10), paying(2, 0, 20), paying(3, 0, 30));
    for transaction in [&middle, &cheap, &dear] {
        pool.submit(transaction.clone()).await.unwrap();
    }
    for fee in [5, 10] {
        assert!(matches!(refused(&pool, paying(4, 0, fee)).await, PoolError::TooCheap));
    }
    pool.submit(paying(4, 0, 11)).await.unwrap();
    assert_evicted(&pool, &cheap);
    assert_eq!(word(pool.status(middle.hash())), "ready");
    // Whoever was driven out may come back for more.
    assert!(matches!(refused(&pool, cheap).await, PoolError::TooCheap));
    pool.submit(paying(1, 0, 12)).await.unwrap();
    assert_eq!(pool.size().dropped, 2);
}

#[tokio::test]
async fn the_last_of_a_sender_goes_first() {
    let (_, pool) = pool(full_at(3));
    let transactions = [paying(1, 0, 10), paying(1, 1, 50), paying(1, 2, 60)];
    for transaction in &transactions {
        pool.submit(transaction.clone()).await.unwrap();
    }
    // It is the last one that counts, not the cheapest.
    assert!(matches!(refused(&pool, paying(2, 0, 55)).await, PoolError::TooCheap));
    pool.submit(paying(2, 0, 70)).await.unwrap();
    assert_evicted(&pool, &transactions[2]);
    assert_eq!(pool.pending_nonce(sender(1), 0), 2);
    // Nobody drives out what is his own.
    assert!(matches!(refused(&pool, paying(1, 2, 65)).await, PoolError::TooCheap));
}

#[tokio::test]
async fn what_is_behind_a_gap_goes_before_all_others() {
    let (_, pool) = pool(full_at(3));
    let gapped = paying(1, 5, 1_000);
    let (cheap, dear) = (paying(2, 0, 1), paying(3, 0, 30));
    for transaction in [&gapped, &cheap, &dear] {
        pool.submit(transaction.clone()).await.unwrap();
    }
    // For nobody who is behind a gap himself, unless he pays more.
    assert!(matches!(refused(&pool, paying(4, 3, 1_000)).await, PoolError::TooCheap));
    pool.submit(paying(4, 0, 1)).await.unwrap();
    assert_evicted(&pool, &gapped);
    // Now there is nobody whom a gap could drive out.
    assert!(matches!(refused(&pool, paying(5, 3, 1_000)).await, PoolError::Full));
}

#[tokio::test]
async fn large_transactions_drive_out_as_many_as_they_need() {
    let small = paying(1, 0, 10);
    let mut large = tx(9, 0);
    (large.priority_fee, large.data) = (11, 2 * small.raw().len());
    let large = large.sign();
    let bytes_max = 4 * small.raw().len();
    assert!(large.raw().len() < bytes_max);
    let (_, pool) = pool(Limits { bytes_max, ..limits() });
    for key in 1..=4 {
        pool.submit(paying(key, 0, 10)).await.unwrap();
    }
    pool.submit(large.clone()).await.unwrap();
    let dropped = pool.size().dropped;
    assert!(dropped == 3 || dropped == 4, "{dropped}");
    assert_eq!(word(pool.status(large.hash())), "ready");
    // What does not pay enough for all that it needs drives out nobody.
    let mut poor = tx(8, 0);
    (poor.priority_fee, poor.data) = (11, 2 * small.raw().len());
    assert!(matches!(refused(&pool, poor.sign()).await, PoolError::TooCheap));
    assert_eq!(pool.size().dropped, dropped);
}
