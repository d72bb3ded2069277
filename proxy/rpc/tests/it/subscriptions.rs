//! Subscriptions over WebSocket.

use crate::client::refused;
use crate::fake::{Fake, OTHER_TOKEN, TOKEN, dynamic};
use alloy_primitives::TxKind;
use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::{Subscription, SubscriptionClientT, SubscriptionKind};
use jsonrpsee::types::SubscriptionId;
use jsonrpsee::ws_client::{WsClient, WsClientBuilder};
use parhelion_core::feed::BEHIND_MAX;
use parhelion_core::pool::Pool;
use parhelion_rpc::{Config, Limits, Methods, Running, serve};
use serde_json::{Value, json};
use std::time::Duration;

async fn connect(server: &Running) -> WsClient {
    let client = WsClientBuilder::new().max_buffer_capacity_per_subscription(2 * BEHIND_MAX);
    client.build(format!("ws://{}", server.local_addr())).await.unwrap()
}

async fn subscribe(client: &WsClient, params: Value) -> Result<Subscription<Value>, ClientError> {
    let params = params.as_array().unwrap().clone();
    client.subscribe("eth_subscribe", params, "eth_unsubscribe").await
}

async fn next(subscription: &mut Subscription<Value>) -> Value {
    let next = tokio::time::timeout(Duration::from_secs(10), subscription.next());
    next.await.expect("nothing is told").unwrap().unwrap()
}

#[tokio::test]
async fn new_heads_are_pushed() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let client = connect(&server).await;
    let mut heads = subscribe(&client, json!(["newHeads"])).await.unwrap();
    match heads.kind() {
        SubscriptionKind::Subscription(SubscriptionId::Str(id)) => assert!(id.starts_with("0x"), "{id}"),
        other => panic!("{other:?}"),
    }
    let block = fake.mine(vec![dynamic(1, 2, TxKind::Call(TOKEN))]);
    let head = next(&mut heads).await;
    assert_eq!((&head["number"], &head["hash"]), (&json!("0x3"), &json!(block.hash)));
    assert!(head.get("transactions").is_none(), "{head}");
    // A fork: the other block of the same number comes, nothing is said of the old one.
    fake.unmine();
    let other = fake.mine(vec![]);
    assert_eq!(next(&mut heads).await["hash"], json!(other.hash));
    heads.unsubscribe().await.unwrap();
}

#[tokio::test]
async fn logs_are_pushed_and_taken_back() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let client = connect(&server).await;
    let mut all = subscribe(&client, json!(["logs"])).await.unwrap();
    let mut some = subscribe(&client, json!(["logs", { "address": [TOKEN] }])).await.unwrap();
    let mut none = subscribe(&client, json!(["logs", { "address": OTHER_TOKEN }])).await.unwrap();
    let block = fake.mine(vec![dynamic(1, 2, TxKind::Call(TOKEN))]);
    for subscription in [&mut all, &mut some] {
        let log = next(subscription).await;
        assert_eq!((&log["blockHash"], &log["removed"]), (&json!(block.hash), &json!(false)));
    }
    fake.unmine();
    let log = next(&mut some).await;
    assert_eq!((&log["blockHash"], &log["removed"]), (&json!(block.hash), &json!(true)));
    assert!(tokio::time::timeout(Duration::from_millis(100), none.next()).await.is_err());
}

#[tokio::test]
async fn a_slow_subscriber_gets_every_head_in_order() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let client = connect(&server).await;
    let mut heads = subscribe(&client, json!(["newHeads"])).await.unwrap();
    let count = BEHIND_MAX as u64 + 500;
    for _ in 0..count {
        fake.mine(vec![]);
    }
    for number in 3..3 + count {
        assert_eq!(next(&mut heads).await["number"], json!(format!("{number:#x}")));
    }
}

#[tokio::test]
async fn accepted_transactions_are_pushed() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let client = connect(&server).await;
    let mut hashes = subscribe(&client, json!(["newPendingTransactions"])).await.unwrap();
    let mut whole = subscribe(&client, json!(["newPendingTransactions", true])).await.unwrap();
    let transaction = dynamic(1, 2, TxKind::Call(TOKEN));
    fake.submit(transaction.clone()).await.unwrap();
    assert_eq!(next(&mut hashes).await, json!(transaction.hash()));
    assert_eq!(next(&mut whole).await["hash"], json!(transaction.hash()));
}

#[tokio::test]
async fn the_node_never_only_catches_up() {
    let server = Fake::new().serve().await;
    let client = connect(&server).await;
    let mut syncing = subscribe(&client, json!(["syncing"])).await.unwrap();
    assert_eq!(next(&mut syncing).await, json!(false));
}

#[tokio::test]
async fn what_cannot_be_subscribed_to_is_refused() {
    let fake = Fake::new();
    let limits = Limits { subscriptions_max: 2, ..Limits::default() };
    let config = Config { limits, ..Config::new(([127, 0, 0, 1], 0).into()) };
    let server = serve(config, fake.services(Methods::new())).await.unwrap();
    let client = connect(&server).await;
    for (params, code, text) in [
        (json!(["gossip"]), -32601, "no \"gossip\" subscription in eth namespace"),
        (json!([]), -32602, "missing value for required argument 0"),
        (json!(["logs", 5]), -32602, "invalid argument 1"),
        (json!(["newHeads", null, 1]), -32602, "too many arguments"),
    ] {
        match subscribe(&client, params).await.unwrap_err() {
            ClientError::Call(error) => {
                assert_eq!(error.code(), code, "{error}");
                assert!(error.message().contains(text), "{error}");
            }
            other => panic!("{other}"),
        }
    }
    let _both = [
        subscribe(&client, json!(["newHeads"])).await.unwrap(),
        subscribe(&client, json!(["logs"])).await.unwrap(),
    ];
    assert!(matches!(subscribe(&client, json!(["newHeads"])).await.unwrap_err(), ClientError::Call(_)));
    // Over HTTP nothing can be pushed.
    let at = server.local_addr();
    refused(at, "eth_subscribe", json!(["newHeads"]), -32601, "notifications not supported").await;
    refused(at, "eth_unsubscribe", json!(["0x1"]), -32601, "notifications not supported").await;
}
