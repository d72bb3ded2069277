//! Whose turn it is.

use crate::chain::{Trouble, unreachable_cluster};
use crate::{limits, pool, sender, start_worker, tx, until};
use parhelion_core::pool::Pool;
use parhelion_pool::Limits;

#[tokio::test]
async fn whoever_pays_more_lands_first() {
    let (chain, pool) = pool(Limits { landings_max: 1, ..limits() });
    // All of them are there before the first turn. The fee cap leaves the third 150 above the base fee.
    for (key, fee_cap, priority_fee) in [(1, 2_000, 100), (2, 2_000, 300), (3, 1_150, 900), (4, 2_000, 300)] {
        let mut transaction = tx(key, 0);
        (transaction.fee_cap, transaction.priority_fee) = (fee_cap, priority_fee);
        pool.submit(transaction.sign()).await.unwrap();
    }
    // The second one's next transaction pays nothing, so it is the last.
    let mut last = tx(2, 1);
    last.priority_fee = 0;
    pool.submit(last.sign()).await.unwrap();
    let running = start_worker(chain, pool);
    until("all landed", || running.chain.landed().len() == 5).await;
    let order = [(2, 0), (4, 0), (3, 0), (1, 0), (2, 1)];
    assert_eq!(running.chain.landed(), order.map(|(key, nonce)| (sender(key), nonce)));
    running.stop().await;
}

#[tokio::test]
async fn a_replacement_has_the_place_that_it_pays_for() {
    let (chain, pool) = pool(Limits { landings_max: 1, ..limits() });
    for key in [1, 2] {
        pool.submit(tx(key, 0).sign()).await.unwrap();
    }
    let mut replacement = tx(2, 0);
    (replacement.fee_cap, replacement.priority_fee) = (2_200, 110);
    pool.submit(replacement.sign()).await.unwrap();
    let running = start_worker(chain, pool);
    until("both landed", || running.chain.landed().len() == 2).await;
    assert_eq!(running.chain.landed(), [(sender(2), 0), (sender(1), 0)]);
    running.stop().await;
}

#[tokio::test]
async fn trouble_that_lasts_leaves_turns_to_others() {
    let (chain, pool) = pool(Limits { landings_max: 2, ..limits() });
    // They pay most, and fail for as long as the test goes on.
    for key in 1..=4 {
        let mut transaction = tx(key, 0);
        transaction.priority_fee = 1_000;
        let transaction = transaction.sign();
        chain.trouble(transaction.hash(), vec![Trouble::Fails(unreachable_cluster()); 100_000]);
        pool.submit(transaction).await.unwrap();
    }
    let running = start_worker(chain, pool);
    until("every one had a turn", || {
        (1..=4).all(|key| {
            let mut transaction = tx(key, 0);
            transaction.priority_fee = 1_000;
            running.chain.attempts(transaction.sign().hash()) >= 3
        })
    })
    .await;
    for nonce in 0..20 {
        running.submit(tx(9, nonce)).await;
    }
    until("the others landed", || running.chain.landed().len() == 20).await;
    running.stop().await;
}
