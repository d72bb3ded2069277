//! What is no request, or names no method.

use crate::client::{assert_error, call, exchange, http, post, refused, result};
use crate::fake::Fake;
use parhelion_rpc::{Config, Limits, Methods, serve};
use serde_json::{Value, json};

#[tokio::test]
async fn what_is_no_request_gets_an_exact_code() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    let nested = "[".repeat(100_000);
    let closed = format!("{nested}{}", "]".repeat(100_000));
    let deep = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{closed}}}"#);
    let deep_call = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{closed}]}}"#);
    let rows: &[(&[u8], i64, Value, &str)] = &[
        (b"", -32700, json!(null), "send one JSON-RPC 2.0 request"),
        (b"   ", -32700, json!(null), "send one"),
        (b"hello", -32700, json!(null), "send one"),
        (b"5", -32700, json!(null), "send one"),
        (b"null", -32700, json!(null), "send one"),
        (b"\"text\"", -32700, json!(null), "send one"),
        (b"\xff\xfe", -32700, json!(null), "send one"),
        (b"{\"\xff\":1}", -32700, json!(null), "parse error"),
        (br#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId""#, -32700, json!(null), "EOF"),
        (br#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}}"#, -32700, json!(null), "trailing"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\"}\0", -32700, json!(null), "trailing"),
        (br#"[{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#, -32700, json!(null), "EOF"),
        (nested.as_bytes(), -32700, json!(null), "parse error"),
        (b"{}", -32600, json!(null), "\"jsonrpc\" must be \"2.0\""),
        (b"[]", -32600, json!(null), "nvalid request"),
        (br#"{"id":1,"method":"eth_chainId"}"#, -32600, json!(1), "\"jsonrpc\""),
        (br#"{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}"#, -32600, json!(1), "\"jsonrpc\""),
        (br#"{"jsonrpc":2.0,"id":1,"method":"eth_chainId"}"#, -32600, json!(1), "\"jsonrpc\""),
        (br#"{"jsonrpc":"2.0","id":"a","params":[]}"#, -32600, json!("a"), "\"method\""),
        (br#"{"jsonrpc":"2.0","id":1,"method":5}"#, -32600, json!(1), "\"method\""),
        (br#"{"jsonrpc":"2.0","id":[],"method":"eth_chainId"}"#, -32600, json!(null), "\"id\""),
        (br#"{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}"#, -32600, json!(null), "\"id\""),
        (br#"{"jsonrpc":"2.0","id":-1,"method":5}"#, -32600, json!(-1), "\"method\""),
        (
            br#"{"jsonrpc":"2.0","id":true,"method":"eth_chainId","params":7}"#,
            -32602,
            json!(true),
            "non-array args",
        ),
        (
            br#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":"x"}"#,
            -32602,
            json!(1),
            "non-array args",
        ),
        (
            br#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{}}"#,
            -32602,
            json!(1),
            "non-array args",
        ),
        (
            br#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":7}"#,
            -32602,
            json!(1),
            "non-array args",
        ),
        (deep.as_bytes(), -32602, json!(1), "too many arguments, want at most 0"),
        (deep_call.as_bytes(), -32602, json!(1), "invalid argument 0"),
    ];
    for (body, code, id, text) in rows {
        let answer = post(at, body).await.json();
        assert_error(&answer, *code, text);
        assert_eq!(&answer["id"], id, "{answer}");
    }
    assert_eq!(result(at, "eth_chainId", json!([])).await, "0x539");
    server.stop().await;
}

#[tokio::test]
async fn requests_without_params_and_any_id_are_answered() {
    let server = Fake::new().serve().await;
    let ids = ["\"text\"", "0", "18446744073709551615", "null", "\"\"", "-1", "1.5", "true", "false"];
    for id in ids {
        let body = format!(r#" {{"jsonrpc":"2.0","id":{id},"method":"eth_chainId"}}"#);
        let answer = post(server.local_addr(), body).await.json();
        assert_eq!((answer["id"].to_string().as_str(), &answer["result"]), (id, &json!("0x539")));
    }
    let batch: Vec<_> =
        ids.iter().map(|id| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"eth_chainId"}}"#)).collect();
    let answers = post(server.local_addr(), format!("[{}]", batch.join(","))).await.json();
    let answered: Vec<_> = answers.as_array().unwrap().iter().map(|one| one["id"].to_string()).collect();
    assert_eq!(answered, ids);
    // A notification has no answer.
    let answer = post(server.local_addr(), r#"{"jsonrpc":"2.0","method":"eth_chainId"}"#).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
}

#[tokio::test]
async fn unknown_methods_are_named() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    for method in ["foo_bar", "", "eth_chainid", "eth_chainId "] {
        let text = format!("the method {method} does not exist/is not available");
        refused(at, method, json!([]), -32601, &text).await;
    }
    let answer = call(at, &"é".repeat(10_000), json!([])).await;
    assert_error(&answer, -32601, "é");
    assert!(answer["error"]["message"].as_str().unwrap().chars().count() < 120, "{answer}");
}

#[tokio::test]
async fn other_http_requests_are_refused() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    let body = br#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#;
    assert_eq!(exchange(at, &http("GET", "", b"")).await.status, 405);
    assert_eq!(exchange(at, &http("PUT", "content-type: application/json\r\n", body)).await.status, 405);
    assert_eq!(exchange(at, &http("POST", "content-type: text/plain\r\n", body)).await.status, 415);
    assert_eq!(exchange(at, &http("POST", "", body)).await.status, 415);
    let charset = "content-type: application/json; charset=UTF-8\r\n";
    assert_eq!(exchange(at, &http("POST", charset, body)).await.json()["result"], "0x539");
}

#[tokio::test]
async fn a_large_body_is_refused_with_and_without_a_length() {
    let mut config = Config::new(([127, 0, 0, 1], 0).into());
    config.limits = Limits { request_bytes_max: 1000, ..Limits::default() };
    let server = serve(config, Fake::new().services(Methods::new())).await.unwrap();
    let at = server.local_addr();
    let request = |padding: usize| {
        let mut body = br#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#.to_vec();
        body.resize(body.len() + padding, b' ');
        body
    };
    assert_eq!(post(at, request(900)).await.json()["result"], "0x539");
    let answer = post(at, request(1000)).await;
    assert_eq!(answer.status, 413);
    assert_error(&answer.json(), -32007, "too big");

    let body = request(1000);
    let head = "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
                transfer-encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", body.len(), String::from_utf8(body).unwrap());
    assert_eq!(exchange(at, [head, &chunk].concat().as_bytes()).await.status, 413);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_times_out() {
    let mut config = Config::new(([127, 0, 0, 1], 0).into());
    config.limits = Limits { request_seconds_max: 1, ..Limits::default() };
    let server = serve(config, Fake::new().services(Methods::new())).await.unwrap();
    let head = "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
                content-length: 100\r\n\r\n{";
    let answer = exchange(server.local_addr(), head.as_bytes()).await;
    assert_error(&answer.json(), -32002, "timed out after 1 s");
}
