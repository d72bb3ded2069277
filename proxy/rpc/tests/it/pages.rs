//! Web pages beside JSON-RPC.

use crate::client::{exchange, http, result};
use crate::fake::Fake;
use http::request::Parts;
use http::{Response, StatusCode};
use jsonrpsee::core::client::ClientT;
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::ws_client::WsClientBuilder;
use parhelion_rpc::{Config, Methods, Running, serve};
use serde_json::json;

/// Greets at every path, and has something against one header.
fn greet(request: &Parts) -> Option<Response<&'static str>> {
    if request.headers.contains_key("x-leave") {
        return None;
    }
    let mut answer = Response::new("hello");
    *answer.status_mut() = StatusCode::IM_A_TEAPOT;
    Some(answer)
}

async fn serve_pages() -> Running {
    let config = Config { pages: Some(greet), ..Config::new(([127, 0, 0, 1], 0).into()) };
    serve(config, Fake::new().services(Methods::new())).await.unwrap()
}

#[tokio::test]
async fn plain_get_and_head_requests_get_a_page() {
    let server = serve_pages().await;
    let at = server.local_addr();
    let answer = exchange(at, &http("GET", "origin: https://app.example\r\n", b"")).await;
    assert_eq!((answer.status, answer.body.as_str()), (418, "hello"));
    assert!(!answer.head.contains("access-control-allow-origin"), "{}", answer.head);
    let answer = exchange(at, &http("HEAD", "", b"")).await;
    assert_eq!((answer.status, answer.body.as_str()), (418, ""));
    assert!(answer.head.contains("content-length: 5"), "{}", answer.head);
}

#[tokio::test]
async fn what_gets_no_page_is_answered_as_without_pages() {
    let server = serve_pages().await;
    let at = server.local_addr();
    assert_eq!(exchange(at, &http("GET", "x-leave: 1\r\n", b"")).await.status, 405);
    assert_eq!(exchange(at, &http("PUT", "", b"")).await.status, 405);
    assert_eq!(result(at, "eth_chainId", json!([])).await, "0x539");
    let client = WsClientBuilder::new().build(format!("ws://{at}")).await.unwrap();
    let chain_id: String = client.request("eth_chainId", ArrayParams::new()).await.unwrap();
    assert_eq!(chain_id, "0x539");
}
