//! What Prometheus reads.

use crate::client::{call, exchange, post};
use crate::fake::Fake;
use jsonrpsee::core::client::{ClientT, SubscriptionClientT};
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::ws_client::WsClientBuilder;
use parhelion_rpc::{Config, Exposition, Methods, Metrics, Running, serve};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

async fn serve_measured() -> (Running, Exposition) {
    let mut registry = Registry::with_prefix("parhelion");
    let metrics = Metrics::new(&mut registry);
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = serve(Config { metrics, ..Config::new(anywhere) }, Fake::new().services(Methods::new()));
    (server.await.unwrap(), Exposition::start(anywhere, registry).await.unwrap())
}

async fn get(address: SocketAddr, method: &str, path: &str) -> crate::client::Answer {
    let request = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    exchange(address, request.as_bytes()).await
}

/// The value of a metric with its labels.
async fn value(metrics: &Exposition, name: &str) -> Option<String> {
    let answer = get(metrics.local_addr(), "GET", "/metrics").await;
    let line = answer.body.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map(str::to_owned)
}

/// Waits until a metric has a value: connections are closed a moment after their clients are gone.
async fn becomes(metrics: &Exposition, name: &str, expected: &str) {
    while value(metrics, name).await.as_deref() != Some(expected) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn calls_are_counted_by_method_and_errors_by_code() {
    let (server, metrics) = serve_measured().await;
    let at = server.local_addr();
    for _ in 0..3 {
        call(at, "eth_chainId", json!([])).await;
    }
    call(at, "eth_getBalance", json!(["0x12"])).await;
    for number in 0..5 {
        call(at, &format!("eth_madeUp{number}"), json!([])).await;
    }
    post(at, "{").await;
    let batch: Vec<Value> =
        (0..4).map(|id| json!({ "jsonrpc": "2.0", "id": id, "method": "net_version" })).collect();
    post(at, json!(batch).to_string()).await;
    for (name, expected) in [
        ("parhelion_rpc_requests_total{method=\"eth_chainId\"}", Some("3")),
        ("parhelion_rpc_request_duration_seconds_count{method=\"eth_chainId\"}", Some("3")),
        ("parhelion_rpc_request_duration_seconds_bucket{le=\"+Inf\",method=\"eth_chainId\"}", Some("3")),
        ("parhelion_rpc_requests_total{method=\"net_version\"}", Some("4")),
        ("parhelion_rpc_requests_total{method=\"eth_getBalance\"}", Some("1")),
        ("parhelion_rpc_requests_total{method=\"unknown\"}", Some("5")),
        ("parhelion_rpc_requests_total{method=\"eth_madeUp1\"}", None),
        ("parhelion_rpc_errors_total{code=\"-32601\"}", Some("5")),
        ("parhelion_rpc_errors_total{code=\"-32602\"}", Some("1")),
        ("parhelion_rpc_errors_total{code=\"-32700\"}", Some("1")),
    ] {
        assert_eq!(value(&metrics, name).await.as_deref(), expected, "{name}");
    }
}

#[tokio::test]
async fn open_connections_and_subscriptions_are_counted() {
    let (server, metrics) = serve_measured().await;
    let client = WsClientBuilder::new().build(format!("ws://{}", server.local_addr())).await.unwrap();
    let params = || ["newHeads".to_owned()];
    let first = client.subscribe::<Value, _>("eth_subscribe", params(), "eth_unsubscribe").await.unwrap();
    let _second = client.subscribe::<Value, _>("eth_subscribe", params(), "eth_unsubscribe").await.unwrap();
    // A request behind them: both have begun.
    let _: String = client.request("eth_chainId", ArrayParams::new()).await.unwrap();
    becomes(&metrics, "parhelion_rpc_connections", "1").await;
    becomes(&metrics, "parhelion_rpc_subscriptions", "2").await;
    first.unsubscribe().await.unwrap();
    becomes(&metrics, "parhelion_rpc_subscriptions", "1").await;
    drop(client);
    becomes(&metrics, "parhelion_rpc_subscriptions", "0").await;
    becomes(&metrics, "parhelion_rpc_connections", "0").await;
}

#[tokio::test]
async fn metrics_are_at_one_path_only() {
    let (server, metrics) = serve_measured().await;
    let at = metrics.local_addr();
    let answer = get(at, "GET", "/metrics").await;
    assert!(answer.head.contains("content-type: application/openmetrics-text"), "{}", answer.head);
    assert!(answer.body.ends_with("# EOF\n"), "{}", answer.body);
    assert_eq!(get(at, "GET", "/").await.status, 404);
    assert_eq!(get(at, "POST", "/metrics").await.status, 405);
    // The port that is for everybody does not have them.
    assert_eq!(get(server.local_addr(), "GET", "/metrics").await.status, 405);
    drop(metrics);
    while tokio::net::TcpStream::connect(at).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
