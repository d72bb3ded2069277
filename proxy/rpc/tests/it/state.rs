//! Methods that read state, and the ways to name a block.

use crate::client::{refused, result};
use crate::fake::{Fake, TOKEN, callee, dynamic, signer};
use alloy_primitives::{Address, B256, TxKind};
use serde_json::{Value, json};

#[tokio::test]
async fn facts_about_the_node() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    let version = result(at, "web3_clientVersion", json!([])).await;
    assert!(version.as_str().unwrap().starts_with(concat!("Parhelion/v", env!("CARGO_PKG_VERSION"), "/")));
    let empty_hash = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
    for (method, params, expected) in [
        ("web3_sha3", json!(["0x"]), json!(empty_hash)),
        ("net_version", json!([]), json!("1337")),
        ("net_listening", json!([]), json!(true)),
        ("net_peerCount", json!([]), json!("0x0")),
        ("eth_chainId", json!([]), json!("0x539")),
        ("eth_syncing", json!([]), json!(false)),
        ("eth_accounts", json!([]), json!([])),
        ("eth_blockNumber", json!([]), json!("0x2")),
        ("eth_gasPrice", json!([]), json!("0x3b9aca00")),
        ("eth_maxPriorityFeePerGas", json!([]), json!("0x0")),
    ] {
        assert_eq!(result(at, method, params).await, expected, "{method}");
    }
}

#[tokio::test]
async fn state_is_read_in_the_formats_of_ethereum() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    let address = Address::with_last_byte(3);
    let key = format!("0x{:064x}", 2);
    for (method, params, expected) in [
        ("eth_getBalance", json!([address, "latest"]), json!("0x300000000000000000000000000000000")),
        ("eth_getBalance", json!([Address::ZERO, "latest"]), json!("0x0")),
        ("eth_getCode", json!([TOKEN, "latest"]), json!("0x6000")),
        ("eth_getCode", json!([address, "latest"]), json!("0x")),
        ("eth_getStorageAt", json!([TOKEN, "0x2", "latest"]), json!(key)),
        ("eth_getStorageAt", json!([TOKEN, key, "latest"]), json!(key)),
        ("eth_getStorageAt", json!([TOKEN, "0x0"]), json!(B256::ZERO)),
    ] {
        assert_eq!(result(at, method, params).await, expected, "{method}");
    }
}

#[tokio::test]
async fn the_pending_nonce_counts_waiting_transactions() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let sender = signer(1).address();
    fake.waiting.lock().unwrap().push(dynamic(1, 2, TxKind::Create));
    let count = async |params: Value| result(at, "eth_getTransactionCount", params).await;
    assert_eq!(count(json!([sender])).await, "0x2");
    assert_eq!(count(json!([sender, "latest"])).await, "0x2");
    assert_eq!(count(json!([sender, "pending"])).await, "0x3");
    assert_eq!(count(json!([signer(2).address(), "pending"])).await, "0x2");
}

#[tokio::test]
async fn the_newest_block_may_be_named_in_every_way() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let hash = fake.blocks[2].hash;
    let newest = [
        json!("latest"),
        json!("pending"),
        json!("safe"),
        json!("finalized"),
        json!("0x2"),
        json!(hash),
        json!({ "blockNumber": "0x2" }),
        json!({ "blockHash": hash, "requireCanonical": true }),
        json!(null),
    ];
    for block in newest {
        for (method, params) in reads(&block) {
            result(server.local_addr(), method, params).await;
        }
    }
}

#[tokio::test]
async fn other_blocks_have_no_state() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    fake.finalized.send_replace(1);
    let older =
        [json!("earliest"), json!("0x0"), json!("finalized"), json!("0x1"), json!(fake.blocks[1].hash)];
    for (block, number) in older.into_iter().zip([0, 0, 1, 1, 1]) {
        let text = format!("no state of block {number}, the newest block is 2: a fake has no past");
        for (method, params) in reads(&block) {
            refused(at, method, params, -32000, &text).await;
        }
    }
    let unknown = [json!("0x3"), json!("0x7fffffffffffffff"), json!("0xffffffffffffffff"), json!(B256::ZERO)];
    for block in unknown {
        for (method, params) in reads(&block) {
            refused(at, method, params, -32000, "header not found").await;
        }
    }
    let malformed = ["0x10000000000000000", "0x", "12", "-0x1", "latestt", "", "0xzz"];
    for block in malformed {
        for (method, params) in reads(&json!(block)) {
            refused(at, method, params, -32602, "invalid argument").await;
        }
    }
}

/// Every method that reads state, at `block`.
fn reads(block: &Value) -> Vec<(&'static str, Value)> {
    vec![
        ("eth_getBalance", json!([TOKEN, block])),
        ("eth_getCode", json!([TOKEN, block])),
        ("eth_getStorageAt", json!([TOKEN, "0x0", block])),
        ("eth_getTransactionCount", json!([TOKEN, block])),
        ("eth_call", json!([{ "to": TOKEN }, block])),
        ("eth_estimateGas", json!([{ "to": TOKEN }, block])),
    ]
}

#[tokio::test]
async fn wrong_arguments_are_explained() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    let missing = |index: u32| format!("missing value for required argument {index}");
    let invalid = |index: u32| format!("invalid argument {index}: ");
    let too_many = |count: u32| format!("too many arguments, want at most {count}");
    let address = json!(TOKEN);
    let long_number = format!("0x{}", "f".repeat(1000));
    for (method, params, text) in [
        ("eth_chainId", json!([1]), too_many(0)),
        ("web3_sha3", json!([]), missing(0)),
        ("web3_sha3", json!(["0x123"]), invalid(0)),
        ("eth_getBalance", json!([]), missing(0)),
        ("eth_getBalance", json!([null, "latest"]), missing(0)),
        ("eth_getBalance", json!([address, "latest", "more"]), too_many(2)),
        ("eth_getBalance", json!([5, "latest"]), invalid(0)),
        ("eth_getBalance", json!(["0x12", "latest"]), invalid(0)),
        ("eth_getBalance", json!([format!("0x{}", "1g".repeat(20))]), invalid(0)),
        ("eth_getBalance", json!([format!("0x{}", "11".repeat(21))]), invalid(0)),
        ("eth_getBalance", json!([address, 12]), invalid(1)),
        ("eth_getBalance", json!([address, {}]), invalid(1)),
        ("eth_getStorageAt", json!([address]), missing(1)),
        ("eth_getStorageAt", json!([address, format!("0x{}", "11".repeat(33))]), invalid(1)),
        ("eth_getBlockByNumber", json!([]), missing(0)),
        ("eth_getBlockByNumber", json!(["latest"]), missing(1)),
        ("eth_getBlockByNumber", json!(["latest", "yes"]), invalid(1)),
        ("eth_getBlockByNumber", json!([long_number, false]), invalid(0)),
        ("eth_getBlockByHash", json!([format!("0x{}", "11".repeat(31)), false]), invalid(0)),
        ("eth_getTransactionByHash", json!([format!("0x{}", "11".repeat(33))]), invalid(0)),
        ("eth_getTransactionReceipt", json!([]), missing(0)),
        ("eth_getTransactionByBlockNumberAndIndex", json!(["latest"]), missing(1)),
        ("eth_getTransactionByBlockNumberAndIndex", json!(["latest", "-1"]), invalid(1)),
        ("eth_call", json!([]), missing(0)),
        ("eth_call", json!(["0x"]), invalid(0)),
        ("eth_call", json!([{ "to": "0x12" }]), invalid(0)),
        ("eth_call", json!([{ "data": "0x123" }]), invalid(0)),
        ("eth_call", json!([{ "value": format!("0x1{}", "0".repeat(64)) }]), invalid(0)),
        ("eth_call", json!([{}, "latest", "overrides"]), invalid(2)),
        ("eth_sendRawTransaction", json!([]), missing(0)),
        ("eth_sendRawTransaction", json!([null]), missing(0)),
        ("eth_sendRawTransaction", json!([5]), invalid(0)),
        ("eth_sendRawTransaction", json!(["0xzz"]), invalid(0)),
        ("eth_getLogs", json!([]), missing(0)),
        ("eth_getLogs", json!(["all"]), invalid(0)),
        ("eth_feeHistory", json!([]), missing(0)),
        ("eth_feeHistory", json!(["0x1"]), missing(1)),
        ("eth_feeHistory", json!(["-0x1", "latest", []]), invalid(0)),
        ("eth_feeHistory", json!(["0x1", "latest", "x"]), invalid(2)),
    ] {
        refused(at, method, params, -32602, &text).await;
    }
    refused(at, "eth_getBalance", json!([callee::UNREACHABLE]), -32603, "the Solana cluster does not answer")
        .await;
}
