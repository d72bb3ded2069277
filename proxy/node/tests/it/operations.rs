//! What operators use: readiness, metrics, a file with options, and a log without secrets.

use crate::dev::Dev;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::rpc_params;
use solana_keypair::Keypair;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("parhelion-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_ready_and_has_metrics() {
    let folder = Folder::new("operations");
    let file = folder.write("dev.toml", "metrics-listen = \"127.0.0.1:0\"\nno-explorer = true\n");
    let dev = Dev::start(&["--config", &file]);
    let ready = dev.get("/ready");
    assert!(ready.starts_with("HTTP/1.1 200") && ready.contains("\"indexer\":{\"isReady\":true}"), "{ready}");
    assert!(dev.get("/explorer/").starts_with("HTTP/1.1 405"));
    let _: String = dev.rpc.request("eth_chainId", rpc_params![]).await.unwrap();
    for line in [
        "parhelion_rpc_requests_total{method=\"eth_chainId\"} 1\n",
        "parhelion_pool_transactions{state=\"pending\"} 0\n",
        "parhelion_transactions_accepted_total 0\n",
        // The indexer may be on its way yet.
        "parhelion_indexer_lag_slots 0\n",
    ] {
        while !dev.get(dev.metrics_url.as_ref().unwrap()).contains(line) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Services want their keys in the URL. Nobody listens here, so the node says why it does not start.
#[test]
fn the_log_has_no_secrets() {
    let folder = Folder::new("secrets");
    let numbers: Vec<String> = Keypair::new().to_bytes().iter().map(u8::to_string).collect();
    let keypair = folder.write("id.json", &format!("[{}]", numbers.join(",")));
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_parhelion"));
    command
        .args(["run", "--program-id", "11111111111111111111111111111111", "--keypair", &keypair])
        .env("PARHELION_SOLANA_URL", format!("http://{address}/v2/s3cret?api-key=s3cret"))
        .env("PARHELION_DATABASE", "postgres://me:s3cret@127.0.0.1/chain")
        .env("PARHELION_LOG", "debug");
    let ended = command.output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr).into_owned() + &String::from_utf8_lossy(&ended.stdout);
    assert!(!ended.status.success() && told.contains("does not answer"), "{told}");
    assert!(!told.contains("s3cret"), "{told}");
    let help = command.arg("--help").output().unwrap();
    let help = String::from_utf8_lossy(&help.stdout);
    assert!(help.contains("PARHELION_SOLANA_URL") && !help.contains("s3cret"), "{help}");
}
