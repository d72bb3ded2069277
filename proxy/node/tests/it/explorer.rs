//! The explorer at the address of JSON-RPC.

use crate::dev::Dev;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::rpc_params;

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_gets_the_explorer() {
    let dev = Dev::start(&[]);
    let answer = dev.get("/");
    assert!(answer.starts_with("HTTP/1.1 307"), "{answer}");
    assert!(answer.contains("location: /explorer/"), "{answer}");
    let answer = dev.get("/explorer/tx/0x12");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("<title>Parhelion</title>"), "{answer}");
    let chain_id: String = dev.rpc.request("eth_chainId", rpc_params![]).await.unwrap();
    assert_eq!(chain_id, "0x7a69");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_explorer_serves_json_rpc_only() {
    let dev = Dev::start(&["--no-explorer"]);
    for path in ["/", "/explorer/", "/explorer/assets/app.js"] {
        let answer = dev.get(path);
        assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    }
    let chain_id: String = dev.rpc.request("eth_chainId", rpc_params![]).await.unwrap();
    assert_eq!(chain_id, "0x7a69");
}
