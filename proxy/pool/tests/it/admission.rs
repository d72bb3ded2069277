//! What is accepted, and with which words the rest is refused.

use crate::chain::{refusal, unreachable_cluster};
use crate::{BASE_FEE, CHAIN_ID, GAS, Tx, limits, pool, refused, sender, start, tx, until_status, word};
use parhelion_core::cluster::ClusterError;
use parhelion_core::emulator::EmulatorError;
use parhelion_core::pool::Pool;
use parhelion_pool::Limits;
use parhelion_wire::ProgramError;

#[tokio::test]
async fn accepted_transactions_are_found_by_hash() {
    let (chain, pool) = pool(limits());
    let transaction = tx(1, 0).sign();
    assert_eq!(pool.submit(transaction.clone()).await.unwrap(), transaction.hash());
    assert_eq!(pool.transaction(transaction.hash()), Some(transaction.clone()));
    assert_eq!(pool.transaction(tx(1, 1).sign().hash()), None);
    assert_eq!(word(pool.status(transaction.hash())), "ready");
    assert_eq!(chain.checked(), [transaction.hash()]);
}

#[tokio::test]
async fn the_chain_id_must_be_this_chains_where_there_is_one() {
    let (_, pool) = pool(limits());
    let expected = format!("invalid chain id for signer: have 1 want {CHAIN_ID}");
    assert_eq!(refused(&pool, Tx { chain_id: 1, ..tx(1, 0) }.sign()).await.to_string(), expected);
    assert_eq!(refused(&pool, tx(1, 0).sign_legacy(Some(1))).await.to_string(), expected);
    pool.submit(tx(1, 0).sign_legacy(Some(CHAIN_ID))).await.unwrap();
    pool.submit(tx(1, 1).sign_legacy(None)).await.unwrap();
}

#[tokio::test]
async fn what_waits_is_already_known_and_what_landed_has_used_its_nonce() {
    let running = start(limits());
    running.chain.close();
    let [in_flight, waiting] = [tx(1, 0), tx(1, 1)].map(Tx::sign);
    for transaction in [&in_flight, &waiting] {
        running.pool.submit(transaction.clone()).await.unwrap();
    }
    until_status(&running.pool, in_flight.hash(), "in flight").await;
    for transaction in [&in_flight, &waiting] {
        assert_eq!(refused(&running.pool, transaction.clone()).await.to_string(), "already known");
    }
    running.chain.open(1);
    until_status(&running.pool, waiting.hash(), "in flight").await;
    let landed = refused(&running.pool, in_flight).await.to_string();
    assert_eq!(landed, "nonce too low: next nonce 1, tx nonce 0");
    running.chain.open(1);
    running.stop().await;
}

#[tokio::test]
async fn nonces_lie_between_the_next_one_and_a_bound() {
    let (chain, pool) = pool(Limits { nonce_ahead_max: 4, ..limits() });
    chain.set_nonce(sender(1), 5);
    let low = refused(&pool, tx(1, 4).sign()).await;
    assert_eq!(low.to_string(), "nonce too low: next nonce 5, tx nonce 4");
    let high = refused(&pool, tx(1, 10).sign()).await.to_string();
    let expected = format!("nonce too high: address {}, tx: 10 state: 5, at most 4 ahead", sender(1));
    assert_eq!(high, expected);
    assert!(refused(&pool, tx(1, u64::MAX).sign()).await.to_string().starts_with("nonce too high: "));
    let farthest = pool.submit(tx(1, 9).sign()).await.unwrap();
    assert_eq!(word(pool.status(farthest)), "gapped");
    assert!(chain.checked().is_empty(), "what is not next cannot be emulated");
    pool.submit(tx(1, 5).sign()).await.unwrap();
    assert_eq!(chain.checked(), [tx(1, 5).sign().hash()]);
}

#[tokio::test]
async fn fees_must_cover_the_base_fee_and_be_in_order() {
    let (_, pool) = pool(limits());
    let base_fee = u128::from(BASE_FEE);
    let low = Tx { fee_cap: base_fee - 1, ..tx(1, 0) };
    let expected = format!(
        "max fee per gas less than block base fee: address {}, maxFeePerGas: 999, baseFee: 1000",
        sender(1)
    );
    assert_eq!(refused(&pool, low.sign()).await.to_string(), expected);
    assert_eq!(refused(&pool, low.sign_legacy(None)).await.to_string(), expected);
    let expected = format!(
        "max priority fee per gas higher than max fee per gas: address {}, maxPriorityFeePerGas: 2001, \
         maxFeePerGas: 2000",
        sender(1)
    );
    assert_eq!(refused(&pool, Tx { priority_fee: 2_001, ..tx(1, 0) }.sign()).await.to_string(), expected);
    pool.submit(Tx { fee_cap: base_fee, ..tx(1, 0) }.sign()).await.unwrap();
    pool.submit(Tx { priority_fee: 2_000, ..tx(1, 1) }.sign()).await.unwrap();
}

#[tokio::test]
async fn funds_must_cover_everything_that_waits() {
    let (chain, pool) = pool(limits());
    let cost = GAS * 2_000 + 7;
    let paying = |nonce| Tx { value: 7, ..tx(1, nonce) };
    let insufficient = |balance, cost| {
        format!("insufficient funds for gas * price + value: balance {balance}, tx cost {cost}")
    };
    chain.set_account(sender(1), 3, cost - 1);
    assert_eq!(refused(&pool, paying(3).sign()).await.to_string(), insufficient(cost - 1, cost));
    chain.set_account(sender(1), 3, 2 * cost);
    pool.submit(paying(3).sign()).await.unwrap();
    pool.submit(paying(5).sign()).await.unwrap();
    assert_eq!(refused(&pool, paying(4).sign()).await.to_string(), insufficient(2 * cost, 3 * cost));
    // A replacement pays instead of what it replaces.
    let replacement = Tx { fee_cap: 2_200, priority_fee: 200, value: 0, ..tx(1, 5) };
    let expected = insufficient(2 * cost, cost + GAS * 2_200);
    assert_eq!(refused(&pool, replacement.sign()).await.to_string(), expected);
    // What the state has paid for does not count any more.
    chain.set_account(sender(1), 4, 2 * cost);
    pool.submit(paying(4).sign()).await.unwrap();
    chain.set_account(sender(2), 0, u64::MAX);
    let dear = Tx { fee_cap: u128::MAX, value: u64::MAX, ..tx(2, 0) };
    let refused = refused(&pool, dear.sign()).await.to_string();
    assert!(refused.starts_with("insufficient funds for gas * price + value: balance 18446744073709551615,"));
}

#[tokio::test]
async fn what_the_relay_finds_out_is_passed_on() {
    let (chain, pool) = pool(limits());
    let low_gas = refusal(ProgramError::IntrinsicGasTooLow);
    chain.fail_checks(Some(low_gas));
    assert_eq!(refused(&pool, tx(1, 0).sign()).await.to_string(), "intrinsic gas too low: a test");
    // It is asked about what is next only.
    pool.submit(tx(1, 1).sign()).await.unwrap();
    chain.fail_checks(Some(unreachable_cluster()));
    let unreachable = refused(&pool, tx(1, 0).sign()).await.to_string();
    assert_eq!(unreachable, unreachable_cluster().to_string());
    chain.fail_checks(None);
    pool.submit(tx(1, 0).sign()).await.unwrap();
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_no_fault_of_the_transaction() {
    let (chain, pool) = pool(limits());
    let error = ClusterError::Unreachable("a test".to_owned());
    chain.fail_emulator(Some(EmulatorError::Cluster(error.clone())));
    assert_eq!(refused(&pool, tx(1, 0).sign()).await.to_string(), error.to_string());
    chain.fail_emulator(None);
    pool.submit(tx(1, 0).sign()).await.unwrap();
}

#[tokio::test]
async fn the_pool_is_bounded_per_sender_in_all_and_in_bytes() {
    let full = "txpool is full";
    let (_, pool) = pool(Limits { sender_transactions_max: 2, transactions_max: 3, ..limits() });
    pool.submit(tx(1, 0).sign()).await.unwrap();
    pool.submit(tx(1, 1).sign()).await.unwrap();
    assert_eq!(refused(&pool, tx(1, 2).sign()).await.to_string(), full);
    pool.submit(tx(2, 0).sign()).await.unwrap();
    assert_eq!(refused(&pool, tx(3, 0).sign()).await.to_string(), "transaction underpriced");
    // A replacement needs no room.
    pool.submit(Tx { fee_cap: 2_200, priority_fee: 110, ..tx(1, 1) }.sign()).await.unwrap();

    let (_, pool) = crate::pool(Limits { bytes_max: 1_000, ..limits() });
    let large = |nonce| Tx { data: 500, ..tx(1, nonce) }.sign();
    pool.submit(large(0)).await.unwrap();
    assert_eq!(refused(&pool, large(1)).await.to_string(), full);
    pool.submit(tx(1, 1).sign()).await.unwrap();
}

#[tokio::test]
async fn of_two_that_come_at_once_one_takes_the_place() {
    let (chain, pool) = pool(limits());
    chain.gather_checks(2);
    let [first, second] = [tx(1, 0), Tx { value: 1, ..tx(1, 0) }].map(Tx::sign);
    let hashes = [first.hash(), second.hash()];
    let (first, second) = tokio::join!(pool.submit(first), pool.submit(second));
    let accepted = [first.is_ok(), second.is_ok()];
    assert!(accepted[0] != accepted[1], "{accepted:?}");
    let error = first.and(second).unwrap_err();
    assert_eq!(error.to_string(), "replacement transaction underpriced");
    assert_eq!(hashes.map(|hash| pool.transaction(hash).is_some()), accepted);
}

#[tokio::test(start_paused = true)]
async fn the_sender_of_what_waits_behind_another_one_is_not_read_again_for_a_moment() {
    let limits = limits();
    let (chain, pool) = pool(limits);
    for nonce in 0..20 {
        let transaction = tx(1, nonce).sign();
        pool.submit(transaction.clone()).await.unwrap();
        assert_eq!(word(pool.status(transaction.hash())), "ready");
    }
    assert_eq!(chain.accounts_read(), 1);
    pool.submit(tx(2, 0).sign()).await.unwrap();
    assert_eq!(chain.accounts_read(), 2, "another sender");
    pool.submit(tx(1, 25).sign()).await.unwrap();
    assert_eq!(chain.accounts_read(), 3, "nothing waits before it");
    tokio::time::advance(limits.account_age_max).await;
    pool.submit(tx(1, 20).sign()).await.unwrap();
    assert_eq!(chain.accounts_read(), 4, "too long ago");
    // Only what is next is emulated.
    assert_eq!(chain.checked(), [tx(1, 0).sign().hash(), tx(2, 0).sign().hash()]);
}

#[tokio::test]
async fn nothing_is_refused_for_what_was_a_moment_ago() {
    let cost = GAS * 2_000;
    let (chain, pool) = pool(limits());
    chain.set_account(sender(1), 0, cost);
    pool.submit(tx(1, 0).sign()).await.unwrap();
    // Somebody else gives the sender what it needs for another one.
    chain.set_account(sender(1), 0, 2 * cost);
    pool.submit(tx(1, 1).sign()).await.unwrap();
    let expected =
        format!("insufficient funds for gas * price + value: balance {}, tx cost {}", 2 * cost, 3 * cost);
    assert_eq!(refused(&pool, tx(1, 2).sign()).await.to_string(), expected);
    assert_eq!(chain.accounts_read(), 3);
    let wrong_chain = refused(&pool, Tx { chain_id: 1, ..tx(1, 1) }.sign()).await.to_string();
    assert!(wrong_chain.starts_with("invalid chain id"), "{wrong_chain}");
}

#[tokio::test]
async fn what_landed_changes_what_is_known_of_its_sender() {
    let running = start(limits());
    running.chain.close();
    let [first, second, third] = [tx(1, 0), tx(1, 1), tx(1, 2)].map(Tx::sign);
    for transaction in [&first, &second] {
        running.pool.submit(transaction.clone()).await.unwrap();
    }
    until_status(&running.pool, first.hash(), "in flight").await;
    running.chain.open(1);
    until_status(&running.pool, second.hash(), "in flight").await;
    let read = running.chain.accounts_read();
    running.pool.submit(third).await.unwrap();
    assert_eq!(running.chain.accounts_read(), read + 1);
    running.chain.open(2);
    running.stop().await;
}
