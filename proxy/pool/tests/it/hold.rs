//! A pool that is held still.

use crate::{limits, sender, start, tx, until_status, word};
use parhelion_core::pool::Pool;

#[tokio::test]
async fn nobody_has_a_turn_while_the_pool_is_held() {
    let running = start(limits());
    running.pool.hold(true);
    running.pool.idle().await;
    let hashes =
        [running.submit(tx(1, 0)).await, running.submit(tx(1, 1)).await, running.submit(tx(2, 0)).await];
    running.pool.idle().await;
    assert_eq!(hashes.map(|hash| word(running.pool.status(hash))), ["ready"; 3]);
    assert!(running.pool.is_held() && running.chain.landed().is_empty());

    running.pool.hold(false);
    running.pool.idle().await;
    assert_eq!(running.chain.landed().len(), 3);
    running.stop().await;
}

#[tokio::test]
async fn a_pool_that_is_cleared_has_forgotten_everything() {
    let running = start(limits());
    running.pool.hold(true);
    let hash = running.submit(tx(1, 0)).await;
    running.pool.clear();
    assert!(running.pool.transaction(hash).is_none() && running.pool.waiting(None).is_empty());
    assert_eq!(word(running.pool.status(hash)), "unknown");
    running.pool.hold(false);
    // The same transaction is a new one.
    running.submit(tx(1, 0)).await;
    until_status(&running.pool, hash, "settled").await;
    assert_eq!(running.chain.landed(), [(sender(1), 0)]);
    running.stop().await;
}
