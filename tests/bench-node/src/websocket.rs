//! A WebSocket client that costs little (RFC 6455, text frames): a thousand of them share the machine with the node.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const HANDSHAKE: &[u8] =
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
/// The first byte of a whole text message, and of a ping and a pong.
const TEXT: u8 = 0x81;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
/// The second byte's bit that says that the sender masks what it sends, as clients must.
const MASKED: u8 = 0x80;
/// Lengths that say that the length follows, in two bytes and in eight.
const LENGTH_IN_2: u8 = 126;
const LENGTH_IN_8: u8 = 127;
/// What a notification has in it.
const NOTIFICATION: &[u8] = b"eth_subscription";

/// A client with a connection of its own.
pub(crate) struct Subscriber {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Subscriber {
    /// Connects and subscribes.
    pub(crate) async fn open(address: SocketAddr, subscription: &Value) -> Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        stream.write_all(HANDSHAKE).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.context("the node closed the connection")?);
        }
        ensure!(head.starts_with(b"HTTP/1.1 101"), "no WebSocket: {}", String::from_utf8_lossy(&head));
        let mut subscriber = Self { stream, received: Vec::new() };
        subscriber.send("eth_subscribe", subscription).await?;
        let answer = subscriber.next().await?;
        ensure!(crate::client::is_result(&answer), "no subscription: {}", String::from_utf8_lossy(&answer));
        Ok(subscriber)
    }

    /// Calls a method, and does not wait for the answer.
    pub(crate) async fn send(&mut self, method: &str, parameters: &Value) -> Result<()> {
        let text = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters }).to_string();
        self.send_frame(TEXT, text.as_bytes()).await
    }

    /// Waits for a notification.
    pub(crate) async fn notified(&mut self) -> Result<()> {
        loop {
            let message = self.next().await?;
            if message.windows(NOTIFICATION.len()).any(|window| window == NOTIFICATION) {
                return Ok(());
            }
        }
    }

    /// The next text.
    async fn next(&mut self) -> Result<Vec<u8>> {
        loop {
            let Some((first, body)) = frame(&self.received) else {
                let read = self.stream.read_buf(&mut self.received).await?;
                ensure!(read > 0, "the node closed the connection");
                continue;
            };
            let message = self.received[body.clone()].to_vec();
            self.received.drain(..body.end);
            match first {
                TEXT => return Ok(message),
                PING => self.send_frame(PONG, &message).await?,
                _ => {}
            }
        }
    }

    async fn send_frame(&mut self, first: u8, body: &[u8]) -> Result<()> {
        let mut frame = vec![first];
        match u16::try_from(body.len())? {
            length if body.len() < usize::from(LENGTH_IN_2) => frame.push(MASKED | length.to_le_bytes()[0]),
            length => {
                frame.push(MASKED | LENGTH_IN_2);
                frame.extend(length.to_be_bytes());
            }
        }
        // A mask of zeros leaves everything as it is.
        frame.extend([0; 4]);
        frame.extend(body);
        Ok(self.stream.write_all(&frame).await?)
    }
}

/// The first byte of the first frame and where its body is, once all of it was received.
fn frame(received: &[u8]) -> Option<(u8, std::ops::Range<usize>)> {
    let (first, second) = (*received.first()?, *received.get(1)?);
    let (start, length) = match second {
        LENGTH_IN_2 => (4, u64::from(u16::from_be_bytes(received.get(2..4)?.try_into().ok()?))),
        LENGTH_IN_8 => (10, u64::from_be_bytes(received.get(2..10)?.try_into().ok()?)),
        short => (2, u64::from(short)),
    };
    let end = start + usize::try_from(length).ok()?;
    (received.len() >= end).then_some((first, start..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_when_all_of_them_is_there() {
        let short = [&[TEXT, 3][..], b"abc"].concat();
        let medium = [&[TEXT, LENGTH_IN_2, 1, 0][..], &[7; 256]].concat();
        let long = [&[TEXT, LENGTH_IN_8][..], &65_536_u64.to_be_bytes(), &[7; 65_536]].concat();
        for (bytes, start) in [(short, 2), (medium, 4), (long, 10)] {
            assert_eq!(frame(&bytes), Some((TEXT, start..bytes.len())));
            assert_eq!(frame(&bytes[..bytes.len() - 1]), None);
        }
        assert_eq!(frame(&[]), None);
        assert_eq!(frame(&[PING, 0, TEXT]), Some((PING, 2..2)));
    }
}
