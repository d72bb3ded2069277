//! `eth_sendRawTransactionSync` (EIP-7966).

use crate::client::{refused, result};
use crate::fake::{Fake, GAPPED, TOKEN, dynamic, legacy};
use alloy_primitives::TxKind;
use parhelion_core::pool::PoolError;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[tokio::test]
async fn the_answer_is_the_receipt_as_soon_as_there_is_one() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let transaction = dynamic(1, 2, TxKind::Call(TOKEN));
    let raw = transaction.raw().clone();
    let sent = tokio::spawn(async move { result(at, "eth_sendRawTransactionSync", json!([raw])).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    fake.mine(vec![]);
    fake.mine(vec![transaction.clone()]);
    let receipt = sent.await.unwrap();
    assert_eq!(receipt, result(at, "eth_getTransactionReceipt", json!([transaction.hash()])).await);
    assert_eq!(receipt["blockNumber"], "0x4");
    // What landed before it was asked for is answered at once.
    let landed = fake.executed(1, 0).transaction.clone();
    let receipt = result(at, "eth_sendRawTransactionSync", json!([landed.raw()])).await;
    assert_eq!(receipt["transactionHash"], json!(landed.hash()));
}

#[tokio::test]
async fn a_client_waits_as_long_as_it_wants_within_reason() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    // The default for what is not within reason: zero, and more than the limit.
    let asked = [
        (json!(300), 300),
        (json!("0x12c"), 300),
        (json!(0), 2_000),
        (json!(31_000), 2_000),
        (Value::Null, 2_000),
    ];
    for (nonce, (milliseconds, expected)) in (2..).zip(asked) {
        let transaction = dynamic(1, nonce, TxKind::Call(TOKEN));
        let begin = Instant::now();
        let params = json!([transaction.raw(), milliseconds]);
        let text = "The transaction was added to the mempool but wasn't processed in";
        let data = refused(at, "eth_sendRawTransactionSync", params, 4, text).await;
        assert_eq!(data, json!(transaction.hash()));
        let waited = begin.elapsed().as_millis();
        assert!((expected..expected + 1_000).contains(&waited), "{milliseconds}: {waited} ms");
    }
    let raw = legacy(1, 2, TxKind::Create).raw().clone();
    refused(at, "eth_sendRawTransactionSync", json!([raw, "soon"]), -32602, "invalid argument 1").await;
}

#[tokio::test]
async fn what_cannot_land_yet_is_told_at_once() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let transaction = dynamic(1, GAPPED, TxKind::Call(TOKEN));
    let params = json!([transaction.raw()]);
    let data =
        refused(at, "eth_sendRawTransactionSync", params, 5, "a nonce before its own is missing").await;
    assert_eq!(data, json!(transaction.hash()));
    *fake.pool_error.lock().unwrap() = Some(PoolError::Underpriced);
    let params = json!([transaction.raw()]);
    refused(at, "eth_sendRawTransactionSync", params, -32000, "replacement transaction underpriced").await;
}
