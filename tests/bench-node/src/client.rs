//! A client that costs little: JSON-RPC over one HTTP/1.1 connection that stays open, with requests made beforehand.
//!
//! On a machine where client and node share the cores, whatever the client takes is missing in the figures.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::ops::Range;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Where an answer says whether it is a result: near its beginning.
const PROLOGUE_BYTES: usize = 64;
/// Room for what is read at once.
const READ_BYTES: usize = 64 * 1024;

/// A connection to a node.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("the node does not listen")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(READ_BYTES) })
    }

    /// Sends a request of [`request`] or [`get`], and gives the body of what comes back.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<&[u8]> {
        let (_, body) = self.raw_exchange(request).await?;
        Ok(&self.received[body])
    }

    /// Sends a request, and gives the HTTP status of what comes back.
    pub(crate) async fn status(&mut self, request: &[u8]) -> Result<u16> {
        Ok(self.raw_exchange(request).await?.0)
    }

    /// The result of a method.
    pub(crate) async fn call(&mut self, method: &str, parameters: Value) -> Result<Value> {
        let body = self.exchange(&request(method, &parameters)).await?;
        let mut answer: Value = serde_json::from_slice(body).context("the answer is no JSON")?;
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => bail!("{method}: {answer}"),
        }
    }

    async fn raw_exchange(&mut self, request: &[u8]) -> Result<(u16, Range<usize>)> {
        self.stream.write_all(request).await?;
        self.received.clear();
        loop {
            if let Some(answer) = parse(&self.received)? {
                return Ok(answer);
            }
            self.received.reserve(READ_BYTES);
            if self.stream.read_buf(&mut self.received).await? == 0 {
                bail!("the node closed the connection");
            }
        }
    }
}

/// The HTTP request that calls a method.
pub(crate) fn request(method: &str, parameters: &Value) -> Vec<u8> {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters }).to_string();
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The HTTP request for a path.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
}

/// Whether an answer has a result, and no error.
pub(crate) fn is_result(body: &[u8]) -> bool {
    let prologue = body.get(..PROLOGUE_BYTES).unwrap_or(body);
    prologue.windows(9).any(|window| window == b"\"result\":")
}

/// The status of an HTTP answer and where its body is, once all of it was received.
fn parse(received: &[u8]) -> Result<Option<(u16, Range<usize>)>> {
    let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&received[..end]).context("the answer is not HTTP")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let status = status.context("the answer has no HTTP status")?;
    let length = lines.filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok()).flatten()
    });
    let body = end + 4..end + 4 + length.context("the answer does not tell its length")?;
    Ok((received.len() >= body.end).then_some((status, body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_when_all_of_it_is_there() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nother: x\r\n\r\nabcde";
        for length in 0..answer.len() {
            assert_eq!(parse(&answer[..length]).expect("a part"), None);
        }
        let (status, body) = parse(answer).expect("HTTP").expect("whole");
        assert_eq!((status, &answer[body]), (200, &b"abcde"[..]));
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(parse(b"nonsense\r\n\r\n").is_err());
    }

    #[test]
    fn errors_are_no_results() {
        assert!(is_result(br#"{"jsonrpc":"2.0","id":1,"result":"0x1"}"#));
        assert!(!is_result(br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no"}}"#));
        assert!(!is_result(b""));
    }

    #[test]
    fn requests_tell_their_length() {
        let text = String::from_utf8(request("eth_chainId", &json!([]))).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a body");
        assert!(head.contains(&format!("Content-Length: {}", body.len())) && body.contains("eth_chainId"));
    }
}
