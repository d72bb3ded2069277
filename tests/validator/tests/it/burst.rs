//! Many transactions of one sender.

use crate::chain::Chain;
use alloy_primitives::{Address, U256};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Instant;

/// How many transactions come at once.
const COUNT: u8 = 64;

#[test]
fn a_burst_of_one_sender_lands_in_a_few_solana_transactions() {
    let mut chain = Chain::start();
    chain.start_node(&[]);
    let to = |number: u8| Address::repeat_byte(number + 1);
    let transactions: Vec<_> =
        (0..COUNT).map(|number| chain.wallet.send(Some(to(number)), U256::from(5), [], 3_000_000)).collect();
    let began = Instant::now();
    transactions.iter().for_each(|transaction| chain.send(transaction));
    let last = transactions.last().expect("some");
    chain.wait("the last one landed", |chain| chain.receipt(last).is_some());
    let took = began.elapsed();

    let receipts: Vec<Value> =
        transactions.iter().map(|transaction| chain.receipt(transaction).expect("in order")).collect();
    let place = |receipt: &Value| {
        ["blockNumber", "transactionIndex"]
            .map(|field| receipt[field].as_str().and_then(|hex| hex.parse::<U256>().ok()))
    };
    let places: Vec<_> = receipts.iter().map(place).collect();
    assert!(places.is_sorted(), "one after the other: {places:?}");
    assert!(receipts.iter().all(|receipt| receipt["status"] == "0x1"), "{receipts:?}");
    let blocks: BTreeSet<_> = places.iter().map(|place| place[0]).collect();
    println!("{COUNT} transactions of one sender: {} blocks, {took:?}", blocks.len());
    // One by one they would need as many blocks as there are transactions.
    assert!(blocks.len() <= usize::from(COUNT) / 4, "{blocks:?}");
}
