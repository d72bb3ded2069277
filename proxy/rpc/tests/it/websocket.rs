//! WebSocket as bytes, for messages that no client would send.

use crate::client::assert_error;
use crate::fake::Fake;
use parhelion_rpc::{Config, Limits, Methods, serve};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection after its handshake (RFC 6455).
struct Socket(TcpStream);

impl Socket {
    async fn open(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let handshake = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(handshake.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        Self(stream)
    }

    /// Sends a text in one frame, with a mask that changes nothing.
    async fn send(&mut self, text: &str) {
        let mut frame = vec![0x81, 0x80 | 127];
        frame.extend((text.len() as u64).to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.0.write_all(&frame).await.unwrap();
    }

    /// The next text; pings are passed over.
    async fn next(&mut self) -> Value {
        loop {
            let kind = self.0.read_u8().await.unwrap();
            let length = match self.0.read_u8().await.unwrap() {
                126 => u64::from(self.0.read_u16().await.unwrap()),
                127 => self.0.read_u64().await.unwrap(),
                short => u64::from(short),
            };
            let mut payload = vec![0; length as usize];
            self.0.read_exact(&mut payload).await.unwrap();
            if kind == 0x81 {
                return serde_json::from_slice(&payload).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn what_is_no_request_gets_an_error_and_the_connection_goes_on() {
    let mut config = Config::new(([127, 0, 0, 1], 0).into());
    config.limits = Limits { request_bytes_max: 1000, ..Limits::default() };
    let server = serve(config, Fake::new().services(Methods::new())).await.unwrap();
    let mut socket = Socket::open(server.local_addr()).await;
    for (message, code, id) in [
        ("hello".to_owned(), -32700, json!(null)),
        ("[]".to_owned(), -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":5,"method":7}"#.to_owned(), -32600, json!(5)),
        (r#"{"jsonrpc":"2.0","id":"a","method":"eth_unknown"}"#.to_owned(), -32601, json!("a")),
        (" ".repeat(1001), -32007, json!(null)),
    ] {
        socket.send(&message).await;
        let answer = socket.next().await;
        assert_error(&answer, code, "");
        assert_eq!(answer["id"], id, "{message}");
    }
    // A notification has no answer: the next one belongs to what follows.
    socket.send(r#"{"jsonrpc":"2.0","method":"eth_chainId"}"#).await;
    socket.send(r#"{"jsonrpc":"2.0","id":6,"method":"eth_chainId"}"#).await;
    assert_eq!(socket.next().await, json!({ "jsonrpc": "2.0", "id": 6, "result": "0x539" }));
}
