//! Filters that clients poll.

use crate::client::{assert_error, call, refused, result};
use crate::fake::{Fake, OTHER_TOKEN, TOKEN, TRANSFER, dynamic};
use alloy_primitives::TxKind;
use parhelion_core::feed::BEHIND_MAX;
use parhelion_core::pool::Pool;
use parhelion_rpc::{Config, Limits, Methods, serve};
use serde_json::{Value, json};
use std::net::SocketAddr;

async fn open(at: SocketAddr, filter: Value) -> Value {
    result(at, "eth_newFilter", json!([filter])).await
}

async fn changes(at: SocketAddr, id: &Value) -> Vec<Value> {
    result(at, "eth_getFilterChanges", json!([id])).await.as_array().unwrap().clone()
}

/// Number of the block and whether it was removed, of each log.
fn places(logs: &[Value]) -> Vec<(String, bool)> {
    let text = |log: &Value| log["blockNumber"].as_str().unwrap().to_owned();
    logs.iter().map(|log| (text(log), log["removed"].as_bool().unwrap())).collect()
}

#[tokio::test]
async fn a_log_filter_tells_every_log_once() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let all = open(at, json!({ "address": TOKEN, "topics": [TRANSFER], "fromBlock": "0x0" })).await;
    let other = open(at, json!({ "address": OTHER_TOKEN })).await;
    assert!(all.as_str().unwrap().starts_with("0x"), "{all}");
    assert_eq!(changes(at, &all).await, Vec::<Value>::new());

    let block = fake.mine(vec![dynamic(1, 2, TxKind::Call(TOKEN)), dynamic(1, 3, TxKind::Call(TOKEN))]);
    fake.mine(vec![]);
    let logs = changes(at, &all).await;
    assert_eq!(places(&logs), [("0x3".into(), false), ("0x3".into(), false)]);
    assert_eq!(logs[1]["transactionHash"], json!(block.transactions[1].transaction.hash()));
    assert_eq!(changes(at, &all).await, Vec::<Value>::new());
    assert_eq!(changes(at, &other).await, Vec::<Value>::new());

    // What the filter finds in all is asked for in another way, from its first block on.
    let found = result(at, "eth_getFilterLogs", json!([all])).await;
    assert_eq!(
        places(found.as_array().unwrap()),
        [("0x1".into(), false), ("0x3".into(), false), ("0x3".into(), false)]
    );
    assert_eq!(result(at, "eth_getFilterLogs", json!([other])).await, json!([]));
}

#[tokio::test]
async fn logs_of_a_removed_block_are_taken_back() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let id = open(at, json!({})).await;
    fake.mine(vec![dynamic(1, 2, TxKind::Call(TOKEN))]);
    assert_eq!(places(&changes(at, &id).await), [("0x3".into(), false)]);
    fake.unmine();
    fake.mine(vec![]);
    fake.mine(vec![dynamic(1, 2, TxKind::Call(TOKEN))]);
    assert_eq!(places(&changes(at, &id).await), [("0x3".into(), true), ("0x4".into(), false)]);
}

/// More happened since than the feed keeps: first that blocks were removed.
#[tokio::test]
async fn a_filter_that_is_far_behind_takes_back_what_is_gone() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let id = open(at, json!({})).await;
    fake.mine(vec![dynamic(1, 2, TxKind::Call(TOKEN))]);
    fake.mine(vec![dynamic(1, 3, TxKind::Call(TOKEN))]);
    fake.mine(vec![dynamic(1, 4, TxKind::Call(TOKEN))]);
    assert_eq!(changes(at, &id).await.len(), 3);
    fake.unmine();
    fake.unmine();
    let other = fake.mine(vec![dynamic(1, 3, TxKind::Call(TOKEN)), dynamic(1, 4, TxKind::Call(TOKEN))]);
    for _ in 0..BEHIND_MAX + 10 {
        fake.mine(vec![]);
    }
    let logs = changes(at, &id).await;
    let removed = [("0x5".into(), true), ("0x4".into(), true)];
    assert_eq!(places(&logs[..2]), removed);
    assert_eq!(places(&logs[2..]), [("0x4".into(), false), ("0x4".into(), false)]);
    assert_eq!(logs[2]["blockHash"], json!(other.hash));
    fake.mine(vec![dynamic(1, 5, TxKind::Call(TOKEN))]);
    assert_eq!(changes(at, &id).await.len(), 1);
}

#[tokio::test]
async fn a_range_bounds_what_a_filter_tells() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let id = open(at, json!({ "fromBlock": "0x4", "toBlock": "0x5" })).await;
    for nonce in 2..6 {
        fake.mine(vec![dynamic(1, nonce, TxKind::Call(TOKEN))]);
    }
    assert_eq!(places(&changes(at, &id).await), [("0x4".into(), false), ("0x5".into(), false)]);
    let order = json!([{ "fromBlock": "0x5", "toBlock": "0x4" }]);
    refused(at, "eth_newFilter", order, -32602, "fromBlock 5 is above toBlock 4").await;
}

#[tokio::test]
async fn a_filter_that_is_far_behind_misses_nothing() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let logs = open(at, json!({})).await;
    let blocks = result(at, "eth_newBlockFilter", json!([])).await;
    fake.mine(vec![dynamic(1, 2, TxKind::Call(TOKEN))]);
    for _ in 0..BEHIND_MAX + 10 {
        fake.mine(vec![]);
    }
    let last = fake.mine(vec![dynamic(1, 3, TxKind::Call(TOKEN))]);
    let number = format!("{:#x}", last.header.number);
    assert_eq!(places(&changes(at, &logs).await), [("0x3".into(), false), (number, false)]);
    assert_eq!(changes(at, &logs).await, Vec::<Value>::new());
    let hashes = changes(at, &blocks).await;
    assert_eq!((hashes.len(), hashes.last()), (BEHIND_MAX + 12, Some(&json!(last.hash))));
    let next = fake.mine(vec![]);
    assert_eq!(changes(at, &blocks).await, [json!(next.hash)]);
}

#[tokio::test]
async fn accepted_transactions_are_told_as_hashes_or_whole() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let hashes = result(at, "eth_newPendingTransactionFilter", json!([])).await;
    let whole = result(at, "eth_newPendingTransactionFilter", json!([true])).await;
    let transaction = dynamic(1, 2, TxKind::Call(TOKEN));
    fake.submit(transaction.clone()).await.unwrap();
    assert_eq!(changes(at, &hashes).await, [json!(transaction.hash())]);
    let told = changes(at, &whole).await;
    assert_eq!((&told[0]["hash"], &told[0]["blockHash"]), (&json!(transaction.hash()), &Value::Null));
    refused(at, "eth_getFilterLogs", json!([hashes]), -32000, "filter not found").await;
}

#[tokio::test]
async fn a_filter_ends_when_it_is_uninstalled() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let id = result(at, "eth_newBlockFilter", json!([])).await;
    assert_eq!(result(at, "eth_uninstallFilter", json!([id])).await, json!(true));
    assert_eq!(result(at, "eth_uninstallFilter", json!([id])).await, json!(false));
    refused(at, "eth_getFilterChanges", json!([id]), -32000, "filter not found").await;
    refused(at, "eth_getFilterLogs", json!(["0x1"]), -32000, "filter not found").await;
    refused(at, "eth_getFilterChanges", json!([]), -32602, "missing value").await;
    refused(at, "eth_getFilterChanges", json!([5]), -32602, "invalid argument 0").await;
}

#[tokio::test]
async fn filters_are_limited() {
    let limits = Limits { filters_max: 2, ..Limits::default() };
    let config = Config { limits, ..Config::new(([127, 0, 0, 1], 0).into()) };
    let server = serve(config, Fake::new().services(Methods::new())).await.unwrap();
    let at = server.local_addr();
    let id = result(at, "eth_newBlockFilter", json!([])).await;
    open(at, json!({})).await;
    assert_error(&call(at, "eth_newBlockFilter", json!([])).await, -32005, "too many filters");
    result(at, "eth_uninstallFilter", json!([id])).await;
    result(at, "eth_newBlockFilter", json!([])).await;
}
