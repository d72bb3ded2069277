//! `/health` and `/ready` on the port of JSON-RPC.

use crate::client::{Answer, exchange, result};
use crate::fake::Fake;
use serde_json::json;

#[tokio::test]
async fn health_is_on_the_port_of_json_rpc() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    for (path, body) in [("/health", json!({ "isHealthy": true })), ("/ready", json!({ "isReady": true }))] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let answer: Answer = exchange(at, request.as_bytes()).await;
        assert_eq!((answer.status, answer.json()), (200, body));
        assert!(answer.head.contains("content-type: application/json"), "{}", answer.head);
        assert!(answer.head.contains("cache-control: no-store"), "{}", answer.head);
    }
    assert_eq!(result(at, "eth_chainId", json!([])).await, "0x539");
}
