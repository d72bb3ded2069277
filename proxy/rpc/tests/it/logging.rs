//! What the log says of a request.

use crate::client::post;
use crate::fake::{Fake, TOKEN, dynamic};
use alloy_primitives::TxKind;
use serde_json::json;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_line_names_the_request_the_client_and_the_transaction() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_ansi(false);
    // Everything runs on this thread.
    let _guard = tracing::subscriber::set_default(subscriber.with_writer(log.clone()).finish());
    let server = Fake::new().serve().await;
    let transaction = dynamic(1, 2, TxKind::Call(TOKEN));
    let request = json!({ "jsonrpc": "2.0", "id": "a", "method": "eth_sendRawTransaction", "params": [transaction.raw()] });
    post(server.local_addr(), request.to_string()).await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line =
        text.lines().find(|line| line.contains("the fake pool has it")).unwrap_or_else(|| panic!("{text}"));
    let hash = format!("submit{{transaction={}}}", transaction.hash());
    for part in ["request=1", "method=\"eth_sendRawTransaction\"", "id=\"a\"", "client=127.0.0.1", &hash] {
        assert!(line.contains(part), "{part} is missing in {line}");
    }
    assert!(text.lines().any(|line| line.contains("request=1") && line.contains("answered")), "{text}");
}
