//! What the log says of a request.

use crate::client::post;
use crate::fake::{Fake, TOKEN, callee, dynamic};
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
    // The spans of calls are those of the usual level.
    let filter = "debug,parhelion_rpc::named=info";
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    // For all threads: one that had none would decide for the others that nobody listens. Other tests may log, too.
    tracing::subscriber::set_global_default(subscriber.with_writer(log.clone()).finish()).unwrap();
    let server = Fake::new().serve().await;
    let transaction = dynamic(1, 2, TxKind::Call(TOKEN));
    let (method, raw) = ("eth_sendRawTransaction", transaction.raw());
    let request = json!({ "jsonrpc": "2.0", "id": "logged", "method": method, "params": [raw] });
    post(server.local_addr(), request.to_string()).await;
    for (id, address) in [(7, callee::UNREACHABLE), (8, TOKEN)] {
        let read = json!({ "jsonrpc": "2.0", "id": id, "method": "eth_getBalance", "params": [address] });
        post(server.local_addr(), read.to_string()).await;
    }
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("id=\"logged\"")).collect();
    for (end, hash) in [("the fake pool has it", Some(transaction.hash())), ("answered", None)] {
        let line = lines.iter().find(|line| line.ends_with(end)).unwrap_or_else(|| panic!("{lines:#?}"));
        for part in ["request=1 ", "method=\"eth_sendRawTransaction\"", "client=127.0.0.1"] {
            assert!(line.contains(part), "{part} is missing in {line}");
        }
        let span = hash.map_or_else(String::new, |hash| format!("submit{{transaction={hash}}}"));
        assert!(line.contains(&span), "{span} is missing in {line}");
    }
    // A read has no span, but what failed is named.
    let line = text.lines().find(|line| line.contains("id=7 ")).unwrap_or_else(|| panic!("{text}"));
    for part in ["WARN rpc{request=2 ", "method=\"eth_getBalance\"", "client=127.0.0.1}", "failed answer="] {
        assert!(line.contains(part), "{part} is missing in {line}");
    }
    assert!(!text.contains("id=8 "), "{text}");
}
