//! The rate limit of an address. A request a second comes back, so what has to be refused asks for many at once.

use crate::client::{Answer, assert_error, exchange, http};
use crate::fake::Fake;
use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::core::params::{ArrayParams, BatchRequestBuilder};
use jsonrpsee::http_client::HeaderMap;
use jsonrpsee::ws_client::{WsClient, WsClientBuilder};
use parhelion_rpc::{Config, Methods, Metrics, RateLimit, Running, serve};
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use std::num::NonZeroU32;

const CHAIN_ID: &str = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#;

/// A server that lets each address make `burst` requests; this machine is its proxy.
async fn limited(burst: u32) -> (Running, Registry) {
    let number = |number| NonZeroU32::new(number).unwrap();
    let mut registry = Registry::default();
    let config = Config {
        rate_limit: Some(RateLimit { per_second: number(1), burst: number(burst) }),
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
        metrics: Metrics::new(&mut registry),
        ..Config::new(([127, 0, 0, 1], 0).into())
    };
    (serve(config, Fake::new().services(Methods::new())).await.unwrap(), registry)
}

async fn post_for(server: &Running, client: &str, body: &str) -> Answer {
    let headers = format!("content-type: application/json\r\nx-forwarded-for: {client}\r\n");
    exchange(server.local_addr(), &http("POST", &headers, body.as_bytes())).await
}

fn batch(count: usize) -> String {
    let requests: Vec<Value> =
        (0..count).map(|id| json!({ "jsonrpc": "2.0", "id": id, "method": "eth_chainId" })).collect();
    json!(requests).to_string()
}

async fn connect_for(server: &Running, client: &'static str) -> WsClient {
    let headers = HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), client.parse().unwrap())]);
    let url = format!("ws://{}", server.local_addr());
    WsClientBuilder::new().set_headers(headers).build(url).await.unwrap()
}

#[tokio::test]
async fn too_many_requests_get_429_with_an_error_and_the_time_to_wait() {
    let (server, registry) = limited(1000).await;
    assert_eq!(post_for(&server, "1.1.1.1", &batch(1000)).await.status, 200);
    // All of another thousand would take 1,000 seconds, however slow this machine is.
    let answer = post_for(&server, "1.1.1.1", &batch(1000)).await;
    assert_eq!(answer.status, 429);
    let (_, wait) = answer.head.split_once("retry-after: ").expect("Retry-After");
    let wait: u64 = wait.lines().next().unwrap().parse().unwrap();
    assert!((1..=1000).contains(&wait), "{wait}");
    let answers = answer.json();
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 1000);
    for (id, answer) in answers.iter().enumerate() {
        assert_error(answer, -32005, "at most 1 requests a second");
        assert_eq!(answer["id"], json!(id));
    }
    // Others are not concerned, nor is who asks from this machine.
    assert_eq!(post_for(&server, "1.1.1.2", CHAIN_ID).await.json()["result"], "0x539");
    assert_eq!(post_for(&server, "nobody", &batch(1000)).await.status, 200);
    let mut metrics = String::new();
    text::encode(&mut metrics, &registry).unwrap();
    assert!(metrics.contains("rpc_rate_limited_requests_total 1000\n"), "{metrics}");
}

#[tokio::test]
async fn requests_and_notifications_and_what_is_neither_count() {
    let (server, _) = limited(1).await;
    let notification = r#"{"jsonrpc":"2.0","method":"eth_chainId"}"#;
    for (client, body) in [("1.1.1.1", CHAIN_ID), ("2.2.2.2", notification), ("3.3.3.3", "no JSON")] {
        // One a second comes back, so of some that are sent at once one is refused; on a machine that takes longer than
        // a second for each, after more of them.
        let refused = loop {
            let all = (0..20).map(|_| post_for(&server, client, body));
            let answers = futures::future::join_all(all).await;
            if let Some(refused) = answers.into_iter().find(|answer| answer.status != 200) {
                break refused;
            }
        };
        assert_eq!(refused.status, 429);
        assert!(refused.head.contains("retry-after: 1"), "{}", refused.head);
        if body == notification {
            assert_eq!(refused.body, "");
        } else {
            assert_error(&refused.json(), -32005, "request rate exceeded");
            assert_eq!(refused.json()["id"], if body == CHAIN_ID { json!(1) } else { json!(null) });
        }
    }
}

#[tokio::test]
async fn a_batch_that_can_never_pass_is_told_so() {
    let (server, _) = limited(5).await;
    let answer = post_for(&server, "1.1.1.1", &batch(6)).await;
    assert_eq!(answer.status, 200);
    assert_error(&answer.json(), -32005, "at most 5 requests at once");
    assert_eq!(post_for(&server, "1.1.1.1", &batch(5)).await.json().as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn websocket_requests_get_an_error_each() {
    let (server, _) = limited(1000).await;
    let client = connect_for(&server, "1.1.1.1").await;
    let mut whole = BatchRequestBuilder::new();
    for _ in 0..1000 {
        whole.insert("eth_chainId", ArrayParams::new()).unwrap();
    }
    let answers = client.batch_request::<String>(whole.clone()).await.unwrap();
    assert_eq!(answers.num_successful_calls(), 1000);
    let answers = client.batch_request::<String>(whole).await.unwrap();
    assert_eq!(answers.num_failed_calls(), 1000);
    assert!(answers.into_iter().all(|answer| answer.is_err_and(|error| error.code() == -32005)));

    // The connections of an address share its bucket, and so do HTTP and WebSocket.
    assert_eq!(post_for(&server, "1.1.1.1", &batch(1000)).await.status, 429);
}

#[tokio::test]
async fn a_websocket_request_gets_an_error_with_its_id() {
    let (server, _) = limited(1).await;
    let client = connect_for(&server, "1.1.1.1").await;
    let error = loop {
        let all = (0..20).map(|_| client.request::<String, _>("eth_chainId", ArrayParams::new()));
        let answers = futures::future::join_all(all).await;
        if let Some(error) = answers.into_iter().find_map(Result::err) {
            break error;
        }
    };
    match error {
        ClientError::Call(error) => assert_eq!(error.code(), -32005, "{error}"),
        other => panic!("{other}"),
    }
}
