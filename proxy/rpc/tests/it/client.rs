//! HTTP as bytes, for requests that no client would send.

use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An HTTP answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("HTTP {}: {:?}", self.status, self.body))
    }
}

/// Sends `request` as it is, and reads until the server closes the connection.
pub(crate) async fn exchange(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

/// A request with `body`.
pub(crate) fn http(method: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "{method} / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Posts `body` as JSON.
pub(crate) async fn post(address: SocketAddr, body: impl AsRef<[u8]>) -> Answer {
    exchange(address, &http("POST", "content-type: application/json\r\n", body.as_ref())).await
}

/// The whole answer to one call.
pub(crate) async fn call(address: SocketAddr, method: &str, params: Value) -> Value {
    let request = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
    let answer = post(address, request.to_string()).await.json();
    assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(7)), "{answer}");
    answer
}

/// The result of a call that succeeds.
pub(crate) async fn result(address: SocketAddr, method: &str, params: Value) -> Value {
    let answer = call(address, method, params).await;
    assert!(answer.get("error").is_none(), "{method}: {answer}");
    answer["result"].clone()
}

/// Checks that a call fails with a code, and a message that contains a text.
pub(crate) async fn refused(
    address: SocketAddr,
    method: &str,
    params: Value,
    code: i64,
    text: &str,
) -> Value {
    let answer = call(address, method, params.clone()).await;
    assert_error(&answer, code, text);
    answer["error"]["data"].clone()
}

/// Checks an error answer.
pub(crate) fn assert_error(answer: &Value, code: i64, text: &str) {
    assert!(answer.get("result").is_none(), "{answer}");
    let message = answer["error"]["message"].as_str().unwrap_or_else(|| panic!("no message: {answer}"));
    assert_eq!(answer["error"]["code"], json!(code), "{answer}");
    assert!(message.contains(text), "{message:?} does not contain {text:?}");
}
