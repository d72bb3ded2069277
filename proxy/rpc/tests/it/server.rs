//! Batches, WebSocket, limits, extensions, CORS, start and stop.

use crate::client::{Answer, assert_error, exchange, http, post, refused, result};
use crate::fake::{Fake, callee, dynamic};
use alloy_primitives::{Address, TxKind};
use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::core::params::{ArrayParams, BatchRequestBuilder};
use jsonrpsee::http_client::HttpClientBuilder;
use jsonrpsee::ws_client::WsClientBuilder;
use parhelion_rpc::{
    Arguments, Config, CorsOrigins, Limits, Methods, Module, RpcError, Running, ServeError, Services, serve,
};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

async fn serve_with(limits: Limits, services: Services) -> Running {
    let config = Config { limits, ..Config::new(([127, 0, 0, 1], 0).into()) };
    serve(config, services).await.unwrap()
}

fn request(id: usize, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

#[tokio::test]
async fn every_entry_of_a_batch_gets_its_own_answer_in_order() {
    let server = Fake::new().serve().await;
    let batch = json!([
        request(1, "eth_chainId", json!([])),
        request(2, "eth_unknown", json!([])),
        5,
        request(3, "eth_getBalance", json!(["0x12"])),
        { "jsonrpc": "2.0", "method": "eth_chainId" },
        request(4, "eth_sendRawTransaction", json!(["0xdeadbeef"])),
        { "foo": 1 },
        request(5, "eth_blockNumber", json!([])),
        request(6, "eth_call", json!([{ "to": callee::REVERT, "data": "0x01" }])),
    ]);
    let answers = post(server.local_addr(), batch.to_string()).await.json();
    let ids: Vec<&Value> = answers.as_array().unwrap().iter().map(|answer| &answer["id"]).collect();
    assert_eq!(json!(ids), json!([1, 2, null, 3, 4, null, 5, 6]));
    assert_eq!(answers[0]["result"], "0x539");
    assert_error(&answers[1], -32601, "the method eth_unknown does not exist/is not available");
    assert_error(&answers[2], -32600, "Invalid request");
    assert_error(&answers[3], -32602, "invalid argument 0");
    assert_error(&answers[4], -32000, "rlp: ");
    assert_error(&answers[5], -32600, "Invalid request");
    assert_eq!(answers[6]["result"], "0x2");
    assert_error(&answers[7], 3, "execution reverted");
    assert_eq!(answers[7]["error"]["data"], "0x01");
}

#[tokio::test]
async fn a_batch_of_notifications_has_no_answer() {
    let server = Fake::new().serve().await;
    let batch = json!([{ "jsonrpc": "2.0", "method": "eth_chainId" }, { "jsonrpc": "2.0", "method": "x" }]);
    let answer = post(server.local_addr(), batch.to_string()).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
}

#[tokio::test]
async fn reads_of_a_batch_run_concurrently_up_to_the_limit() {
    let fake = Fake::new();
    let limits = Limits { batch_concurrency_max: 4, ..Limits::default() };
    let server = serve_with(limits, fake.services(Methods::new())).await;
    let balance = |id| request(id, "eth_getBalance", json!([Address::with_last_byte(id as u8)]));
    let batch = Value::from((0..20).map(balance).collect::<Vec<_>>());
    let answers = post(server.local_addr(), batch.to_string()).await.json();
    for (id, answer) in answers.as_array().unwrap().iter().enumerate() {
        assert_eq!(answer["id"], json!(id));
    }
    assert_eq!(fake.reading_max.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn transactions_of_a_batch_are_submitted_one_after_another() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let send = |id: usize, nonce| {
        request(id, "eth_sendRawTransaction", json!([dynamic(1, nonce, TxKind::Create).raw()]))
    };
    let count =
        |id| request(id, "eth_getTransactionCount", json!([crate::fake::signer(1).address(), "pending"]));
    let batch = json!([count(0), count(1), send(2, 2), count(3), send(4, 3), send(5, 4), count(6)]);
    let answers = post(server.local_addr(), batch.to_string()).await.json();
    let journal = fake.journal.lock().unwrap().clone();
    assert_eq!(journal, ["account", "account", "submit", "account", "submit", "submit", "account"]);
    let nonces: Vec<&Value> = [0, 1, 3, 6].map(|index: usize| &answers[index]["result"]).to_vec();
    assert_eq!(json!(nonces), json!(["0x2", "0x2", "0x3", "0x5"]));
    let nonces: Vec<u64> = fake.waiting.lock().unwrap().iter().map(nonce_of).collect();
    assert_eq!(nonces, [2, 3, 4]);
}

fn nonce_of(transaction: &parhelion_core::transaction::Transaction) -> u64 {
    alloy_consensus::Transaction::nonce(transaction.inner())
}

#[tokio::test]
async fn batches_and_answers_have_limits() {
    let limits = Limits { batch_requests_max: 3, response_bytes_max: 500, ..Limits::default() };
    let server = serve_with(limits, Fake::new().services(Methods::new())).await;
    let at = server.local_addr();
    let chain_ids = |count: usize| Value::from(vec![request(1, "eth_chainId", json!([])); count]);
    assert_eq!(post(at, chain_ids(3).to_string()).await.json().as_array().unwrap().len(), 3);
    assert_error(&post(at, chain_ids(4).to_string()).await.json(), -32010, "too large");

    let echo = |bytes: usize| json!([{ "to": callee::ECHO, "data": format!("0x{}", "00".repeat(bytes)) }]);
    result(at, "eth_call", echo(200)).await;
    refused(at, "eth_call", echo(500), -32008, "too big").await;
    let batch = json!([request(1, "eth_call", echo(150)), request(2, "eth_call", echo(150))]);
    assert_error(&post(at, batch.to_string()).await.json(), -32011, "too large");
}

#[tokio::test]
async fn more_requests_at_a_time_than_allowed_are_told_so() {
    let limits = Limits { connections_max: 1, ..Limits::default() };
    let server = serve_with(limits, Fake::new().services(Methods::new())).await;
    let at = server.local_addr();
    let chain_id = || post(at, request(1, "eth_chainId", json!([])).to_string());
    let hanging = tokio::spawn(async move {
        loop {
            // Is refused while one of the others is in, and stays once it is in itself.
            post(at, request(1, "eth_call", json!([{ "to": callee::HANGS }])).to_string()).await;
        }
    });
    while chain_id().await.status != 429 {}
    hanging.abort();
    while chain_id().await.status != 200 {}

    // A WebSocket connection counts as long as it is open.
    let url = format!("ws://{at}");
    let client = WsClientBuilder::new().build(&url).await.unwrap();
    assert_eq!(chain_id().await.status, 429);
    assert!(WsClientBuilder::new().build(&url).await.is_err());
    drop(client);
    while chain_id().await.status != 200 {}
}

#[tokio::test]
async fn a_call_over_websocket_that_takes_too_long_is_cut_off() {
    let limits = Limits { request_seconds_max: 1, ..Limits::default() };
    let server = serve_with(limits, Fake::new().services(Methods::new())).await;
    let client = WsClientBuilder::new().build(format!("ws://{}", server.local_addr())).await.unwrap();
    let hangs = [json!({ "to": callee::HANGS })];
    match client.request::<Value, _>("eth_call", hangs).await.unwrap_err() {
        ClientError::Call(error) => assert_eq!(error.code(), -32002),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn websocket_answers_like_http() {
    let server = Fake::new().serve().await;
    let client = WsClientBuilder::new().build(format!("ws://{}", server.local_addr())).await.unwrap();
    let chain_id: String = client.request("eth_chainId", ArrayParams::new()).await.unwrap();
    assert_eq!(chain_id, "0x539");
    let revert = [json!({ "to": callee::REVERT, "data": "0x1234" })];
    match client.request::<Value, _>("eth_call", revert).await.unwrap_err() {
        ClientError::Call(error) => {
            assert_eq!((error.code(), error.message()), (3, "execution reverted"));
            assert_eq!(error.data().unwrap().get(), "\"0x1234\"");
        }
        other => panic!("{other}"),
    }
    match client.request::<Value, _>("foo_bar", ArrayParams::new()).await.unwrap_err() {
        ClientError::Call(error) => {
            assert_eq!(error.code(), -32601);
            assert_eq!(error.message(), "the method foo_bar does not exist/is not available");
        }
        other => panic!("{other}"),
    }
    let mut batch = BatchRequestBuilder::new();
    batch.insert("eth_chainId", ArrayParams::new()).unwrap();
    batch.insert("eth_blockNumber", ArrayParams::new()).unwrap();
    let answers = client.batch_request::<String>(batch).await.unwrap();
    let answers: Vec<String> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers, ["0x539", "0x2"]);
    server.stop().await;
    assert!(
        !client.is_connected()
            || client.request::<Value, _>("eth_chainId", ArrayParams::new()).await.is_err()
    );
}

#[tokio::test]
async fn an_http_client_gets_typed_answers() {
    let server = Fake::new().serve().await;
    let client = HttpClientBuilder::new().build(format!("http://{}", server.local_addr())).unwrap();
    let block: alloy_rpc_types_eth::Block =
        client.request("eth_getBlockByNumber", (json!("latest"), true)).await.unwrap();
    assert_eq!(block.header.number, 2);
    let hash = block.transactions.as_transactions().unwrap()[0].inner.tx_hash().to_string();
    let receipt: alloy_rpc_types_eth::TransactionReceipt =
        client.request("eth_getTransactionReceipt", [hash]).await.unwrap();
    assert!(receipt.status());
}

#[tokio::test]
async fn extensions_add_methods_but_replace_none() {
    async fn mine(arguments: Arguments, step: Arc<u64>) -> Result<u64, RpcError> {
        match arguments.optional::<u64>(0)? {
            Some(0) => Err(RpcError::Rejected("cannot mine 0 blocks".into())),
            blocks => Ok(*step * blocks.unwrap_or(1)),
        }
    }
    let fake = Fake::new();
    let mut module = Module::new(Arc::new(10));
    module.method("evm_mine", 1, mine).unwrap();
    let server = serve_with(Limits::default(), fake.services(module.into_methods())).await;
    let at = server.local_addr();
    assert_eq!(result(at, "evm_mine", json!([3])).await, 30);
    assert_eq!(result(at, "evm_mine", json!([])).await, 10);
    refused(at, "evm_mine", json!([0]), -32000, "cannot mine 0 blocks").await;
    refused(at, "evm_mine", json!(["x"]), -32602, "invalid argument 0").await;
    refused(at, "evm_mine", json!([1, 2]), -32602, "too many arguments, want at most 1").await;
    refused(at, "evm_mines", json!([]), -32601, "evm_mines").await;

    let mut module = Module::new(Arc::new(10));
    module.method("eth_chainId", 1, mine).unwrap();
    let config = Config::new(([127, 0, 0, 1], 0).into());
    let error = serve(config, fake.services(module.into_methods())).await.unwrap_err();
    assert!(matches!(error, ServeError::Method(_)) && error.to_string().contains("eth_chainId"), "{error}");
}

#[tokio::test]
async fn web_pages_of_the_configured_origins_may_ask() {
    async fn preflight(server: &Running) -> Answer {
        let headers = "origin: https://app.example\r\naccess-control-request-method: POST\r\n\
                       access-control-request-headers: content-type\r\n";
        exchange(server.local_addr(), &http("OPTIONS", headers, b"")).await
    }
    let allowed = "access-control-allow-origin";
    let any = Fake::new().serve().await;
    let answer = preflight(&any).await;
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains(allowed) && answer.head.contains("access-control-allow-headers"));
    // Who is no browser names no origin.
    for (origin, is_browser) in [("origin: https://app.example\r\n", true), ("", false)] {
        let headers = format!("content-type: application/json\r\n{origin}");
        let request = http("POST", &headers, br#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#);
        let answer = exchange(any.local_addr(), &request).await;
        assert_eq!((answer.status, answer.head.contains(allowed)), (200, is_browser), "{}", answer.head);
    }

    let list = |origins: &[&str]| Config {
        cors_origins: CorsOrigins::List(origins.iter().map(|&origin| origin.to_owned()).collect()),
        ..Config::new(([127, 0, 0, 1], 0).into())
    };
    for (origins, is_allowed) in
        [(&["https://app.example"][..], true), (&["https://other.example"], false), (&[], false)]
    {
        let server = serve(list(origins), Fake::new().services(Methods::new())).await.unwrap();
        assert_eq!(preflight(&server).await.head.contains(allowed), is_allowed, "{origins:?}");
    }
    let error = serve(list(&["no\norigin"]), Fake::new().services(Methods::new())).await.unwrap_err();
    assert!(matches!(error, ServeError::Origin(_)), "{error}");
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let server = Fake::new().serve().await;
    let config = Config::new(server.local_addr());
    let error = serve(config, Fake::new().services(Methods::new())).await.unwrap_err();
    assert!(error.to_string().contains(&server.local_addr().to_string()), "{error}");
}

#[tokio::test]
async fn stopping_finishes_what_is_in_progress() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let running = tokio::spawn(async move { result(at, "eth_getBalance", json!([Address::ZERO])).await });
    while fake.reading_max.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server.stop().await;
    assert_eq!(running.await.unwrap(), "0x0");
    assert!(tokio::net::TcpStream::connect(at).await.is_err());
}

#[tokio::test]
async fn stopping_finishes_what_is_in_progress_over_websocket() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let client = WsClientBuilder::new().build(format!("ws://{}", server.local_addr())).await.unwrap();
    let running = tokio::spawn(async move {
        let balance: Result<String, _> = client.request("eth_getBalance", [Address::ZERO]).await;
        balance.unwrap()
    });
    while fake.reading_max.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server.stop().await;
    assert_eq!(running.await.unwrap(), "0x0");
}
