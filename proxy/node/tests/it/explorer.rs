//! The explorer at the address of JSON-RPC.

use crate::dev::Dev;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::rpc_params;
use std::io::{Read, Write};
use std::net::TcpStream;

/// The answer to what a browser asks for, as text.
fn get(dev: &Dev, path: &str) -> String {
    let host = dev.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {host}\r\naccept: text/html,*/*\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_gets_the_explorer() {
    let dev = Dev::start(&[]);
    let answer = get(&dev, "/");
    assert!(answer.starts_with("HTTP/1.1 307"), "{answer}");
    assert!(answer.contains("location: /explorer/"), "{answer}");
    let answer = get(&dev, "/explorer/tx/0x12");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("<title>Parhelion</title>"), "{answer}");
    let chain_id: String = dev.rpc.request("eth_chainId", rpc_params![]).await.unwrap();
    assert_eq!(chain_id, "0x7a69");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_explorer_serves_json_rpc_only() {
    let dev = Dev::start(&["--no-explorer"]);
    for path in ["/", "/explorer/", "/explorer/assets/app.js"] {
        let answer = get(&dev, path);
        assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    }
    let chain_id: String = dev.rpc.request("eth_chainId", rpc_params![]).await.unwrap();
    assert_eq!(chain_id, "0x7a69");
}
