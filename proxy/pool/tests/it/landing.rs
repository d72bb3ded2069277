//! The worker: order, concurrency, and what it does about errors.

use crate::chain::{Trouble, refusal, unreachable_cluster};
use crate::{
    Running, Tx, limits, pool, sender, start, start_worker, tx, until, until_dropped, until_status, word,
};
use alloy_primitives::B256;
use parhelion_core::cluster::ClusterError;
use parhelion_core::pool::Pool;
use parhelion_core::relay::RelayError;
use parhelion_pool::{DropReason, Limits};
use parhelion_wire::ProgramError;
use proptest::prelude::*;
use std::time::Duration;

async fn until_landed(running: &Running, count: usize) {
    until("all landed", || running.chain.landed().len() == count).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn senders_land_side_by_side_and_each_in_nonce_order() {
    let running = start(Limits { landings_max: 3, ..limits() });
    running.chain.close();
    for nonce in 0..4 {
        for key in 1..=5 {
            running.submit(tx(key, nonce)).await;
        }
    }
    until("as many as allowed are in flight", || running.chain.in_flight() == 3).await;
    running.chain.open(20);
    until_landed(&running, 20).await;
    // That no sender has two in flight is asserted by the fake relay.
    assert_eq!(running.chain.in_flight_max(), 3);
    let landed = running.chain.landed();
    for key in 1..=5 {
        let nonces = landed.iter().filter(|(of, _)| *of == sender(key)).map(|(_, nonce)| *nonce);
        assert_eq!(nonces.collect::<Vec<_>>(), [0, 1, 2, 3], "sender {key}");
    }
    running.stop().await;
}

#[tokio::test]
async fn one_sender_does_not_hold_up_another() {
    let running = start(Limits { landings_max: 1, ..limits() });
    running.chain.close();
    for nonce in 0..3 {
        running.submit(tx(1, nonce)).await;
    }
    running.submit(tx(2, 0)).await;
    running.chain.open(4);
    until_landed(&running, 4).await;
    // Turns go round: the first one of sender 2 comes before the second one of sender 1 has been followed by another.
    let place = running.chain.landed().iter().position(|(of, _)| *of == sender(2)).unwrap();
    assert!(place <= 2, "{:?}", running.chain.landed());
    running.stop().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn any_order_of_arrival_lands_in_nonce_order(
        order in Just((0..12u64).collect::<Vec<_>>()).prop_shuffle(), worker_first: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
        runtime.block_on(async {
            let (chain, pool) = pool(limits());
            let submit_all = async || {
                for &place in &order {
                    pool.submit(tx(1 + (place % 2) as u8, place / 2).sign()).await.unwrap();
                }
            };
            let running = if worker_first {
                let running = start_worker(chain, pool.clone());
                submit_all().await;
                running
            } else {
                submit_all().await;
                start_worker(chain, pool.clone())
            };
            until_landed(&running, 12).await;
            for key in [1, 2] {
                let landed = running.chain.landed();
                let nonces = landed.iter().filter(|(of, _)| *of == sender(key)).map(|(_, nonce)| *nonce);
                assert_eq!(nonces.collect::<Vec<_>>(), (0..6).collect::<Vec<_>>());
            }
            running.stop().await;
        });
    }
}

/// Starts a pool with a transaction that is in trouble and one behind it.
async fn troubled(troubles: Vec<Trouble>) -> (Running, B256, B256) {
    let (chain, pool) = pool(limits());
    let first = pool.submit(tx(1, 0).sign()).await.unwrap();
    let second = pool.submit(tx(1, 1).sign()).await.unwrap();
    chain.trouble(first, troubles);
    (start_worker(chain, pool), first, second)
}

#[tokio::test]
async fn cluster_errors_are_retried() {
    let expired = RelayError::Cluster(ClusterError::Expired);
    // The Solana transaction failed, which may be one that only prepares for the next.
    let failed =
        |code| RelayError::Cluster(ClusterError::Failed { code, reason: "a test".to_owned(), logs: vec![] });
    let of_program = failed(Some(ProgramError::WrongOwner as u32));
    let troubles =
        [unreachable_cluster(), expired, refusal(ProgramError::AccountMissing), failed(None), of_program];
    for error in troubles {
        let (running, first, second) = troubled(vec![Trouble::Fails(error); 2]).await;
        until_status(&running.pool, second, "settled").await;
        assert_eq!(running.chain.attempts(first), 3);
        assert_eq!(running.chain.landed(), [(sender(1), 0), (sender(1), 1)]);
        running.stop().await;
    }
}

#[tokio::test]
async fn a_turn_is_bounded_and_the_next_one_goes_on() {
    // A turn has three attempts.
    let (running, first, second) = troubled(vec![Trouble::Fails(unreachable_cluster()); 7]).await;
    until_status(&running.pool, second, "settled").await;
    assert_eq!(running.chain.attempts(first), 8);
    assert_eq!(running.chain.landed(), [(sender(1), 0), (sender(1), 1)]);
    running.stop().await;
}

#[tokio::test]
async fn who_is_in_trouble_holds_up_nobody_else() {
    let (chain, pool) = pool(Limits { landings_max: 1, ..limits() });
    let troubled = pool.submit(tx(1, 0).sign()).await.unwrap();
    chain.trouble(troubled, vec![Trouble::Fails(unreachable_cluster()); 1_000]);
    let other = pool.submit(tx(2, 0).sign()).await.unwrap();
    let running = start_worker(chain, pool);
    until_status(&running.pool, other, "settled").await;
    assert!(running.pool.transaction(troubled).is_some());
    running.chain.trouble(troubled, []);
    until_status(&running.pool, troubled, "settled").await;
    running.stop().await;
}

#[tokio::test]
async fn a_cluster_that_is_away_for_too_long_lets_transactions_expire() {
    let (chain, pool) = pool(Limits { waiting_for: Duration::from_millis(100), ..limits() });
    let hash = pool.submit(tx(1, 0).sign()).await.unwrap();
    chain.trouble(hash, vec![Trouble::Fails(unreachable_cluster()); 1_000]);
    let running = start_worker(chain, pool);
    assert!(matches!(until_dropped(&running.pool, hash).await, DropReason::Expired));
    running.stop().await;
}

#[tokio::test]
async fn what_landed_in_a_turn_without_an_answer_is_settled_by_the_next_one() {
    let lost = || Trouble::Fails(unreachable_cluster());
    let landed = Trouble::LandsButFails(unreachable_cluster());
    let (running, first, second) = troubled(vec![lost(), lost(), landed]).await;
    until_status(&running.pool, second, "settled").await;
    assert_eq!((word(running.pool.status(first)), running.chain.attempts(first)), ("settled", 3));
    running.stop().await;
    // The nonce of the next turn may be an old one.
    let used = Trouble::Fails(refusal(ProgramError::NonceTooLow));
    let (running, first, _) = troubled(vec![lost(), lost(), lost(), used]).await;
    until_status(&running.pool, first, "settled").await;
    assert_eq!(running.chain.attempts(first), 4);
    running.stop().await;
}

#[tokio::test]
async fn what_left_the_pool_makes_room() {
    let size = tx(1, 0).sign().raw().len();
    let running = start(Limits { transactions_max: 1, bytes_max: size, ..limits() });
    for nonce in 0..3 {
        let hash = running.submit(tx(1, nonce)).await;
        until_status(&running.pool, hash, "settled").await;
    }
    running.stop().await;
}

#[tokio::test]
async fn a_landing_that_the_chain_forgets_does_not_bar_its_nonce() {
    let running = start(limits());
    let forgotten = running.submit(tx(1, 0)).await;
    until_status(&running.pool, forgotten, "settled").await;
    running.chain.set_nonce(sender(1), 0);
    // It looks next, but the relay keeps finding that it is not.
    let behind = running.submit(tx(1, 1)).await;
    until_status(&running.pool, behind, "gapped").await;
    running.submit(Tx { value: 1, ..tx(1, 0) }).await;
    until_status(&running.pool, behind, "settled").await;
    assert_eq!(running.chain.landed(), [0, 0, 1].map(|nonce| (sender(1), nonce)));
    running.stop().await;
}

#[tokio::test]
async fn refusals_are_dropped_at_once_and_their_reason_is_told() {
    let does_not_fit =
        RelayError::DoesNotFit { needs: "2000000 CU".to_owned(), limit: "1400000 CU".to_owned() };
    for error in [refusal(ProgramError::InitCodeTooLarge), does_not_fit] {
        let (running, first, second) = troubled(vec![Trouble::Fails(error.clone()); 9]).await;
        let reason = until_dropped(&running.pool, first).await;
        assert!(matches!(reason, DropReason::Refused(_)), "{reason:?}");
        assert_eq!(reason.to_string(), error.to_string());
        assert_eq!((running.chain.attempts(first), running.chain.attempts(second)), (1, 0));
        running.stop().await;
    }
}

#[tokio::test]
async fn a_landing_whose_answer_was_lost_is_not_taken_for_a_failure() {
    let (running, first, second) = troubled(vec![Trouble::LandsButFails(unreachable_cluster())]).await;
    until_status(&running.pool, second, "settled").await;
    assert_eq!(word(running.pool.status(first)), "settled");
    assert_eq!(running.chain.landed(), [(sender(1), 0), (sender(1), 1)]);
    running.stop().await;
}

#[tokio::test]
async fn a_nonce_that_is_used_at_the_first_attempt_was_used_by_another_transaction() {
    let (running, first, second) = troubled(vec![Trouble::Fails(refusal(ProgramError::NonceTooLow))]).await;
    assert!(matches!(until_dropped(&running.pool, first).await, DropReason::NonceUsed));
    running.chain.set_nonce(sender(1), 1);
    until_status(&running.pool, second, "settled").await;
    running.stop().await;
}

#[tokio::test]
async fn a_relay_that_sees_an_old_state_is_given_time() {
    let too_high = || Trouble::Fails(refusal(ProgramError::NonceTooHigh));
    let (running, first, second) = troubled(vec![too_high(), too_high()]).await;
    until_status(&running.pool, second, "settled").await;
    assert_eq!(running.chain.attempts(first), 3);
    running.stop().await;
    // If it takes longer, the transaction is not lost.
    let (running, first, second) = troubled(vec![too_high(), too_high(), too_high(), too_high()]).await;
    until_status(&running.pool, second, "settled").await;
    assert_eq!(running.chain.attempts(first), 5);
    running.stop().await;
}

#[tokio::test]
async fn a_panic_in_the_relay_costs_one_transaction() {
    let (running, first, second) = troubled(vec![Trouble::Panics]).await;
    assert!(matches!(until_dropped(&running.pool, first).await, DropReason::Interrupted));
    running.chain.trouble(first, []);
    running.submit(tx(1, 0)).await;
    until_status(&running.pool, second, "settled").await;
    running.stop().await;
}
