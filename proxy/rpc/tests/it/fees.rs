//! `eth_feeHistory`.

use crate::client::{refused, result};
use crate::fake::Fake;
use serde_json::json;

#[tokio::test]
async fn the_history_is_that_of_the_blocks() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    let gwei = "0x3b9aca00";
    let history = result(at, "eth_feeHistory", json!(["0x2", "latest", [0, 50, 100]])).await;
    let expected = json!({
        "oldestBlock": "0x1",
        "baseFeePerGas": [gwei, gwei, gwei],
        "gasUsedRatio": [2_050_000.0 / 30_000_000.0, 700_000.0 / 30_000_000.0],
        // Block 1: a tip of 1 gwei for 2,000,000 gas, of 2 gwei for 50,000.
        "reward": [[gwei, gwei, "0x77359400"], [gwei, gwei, gwei]],
    });
    assert_eq!(history, expected);
}

#[tokio::test]
async fn counts_are_lowered_to_what_there_is() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    for (params, oldest, blocks) in [
        (json!([1, "latest", []]), "0x2", 1),
        (json!(["1", "latest"]), "0x2", 1),
        (json!(["0x400", "latest", null]), "0x0", 3),
        (json!(["0xffffffffffffffff", "pending"]), "0x0", 3),
        (json!(["0x5", "earliest", [10]]), "0x0", 1),
        (json!(["0x2", "0x1"]), "0x0", 2),
    ] {
        let history = result(at, "eth_feeHistory", params.clone()).await;
        assert_eq!(history["oldestBlock"], oldest, "{params}");
        assert_eq!(history["gasUsedRatio"].as_array().unwrap().len(), blocks, "{params}");
        assert_eq!(history["baseFeePerGas"].as_array().unwrap().len(), blocks + 1, "{params}");
        let has_percentiles = params[2].as_array().is_some_and(|list| !list.is_empty());
        assert_eq!(history["reward"].is_array(), has_percentiles, "{params}");
    }
    let none = result(at, "eth_feeHistory", json!(["0x0", "latest", []])).await;
    assert_eq!(none, json!({ "oldestBlock": "0x0", "gasUsedRatio": [] }));
}

#[tokio::test]
async fn bad_requests_are_explained() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    for (params, code, text) in [
        (json!(["0x1", "latest", [50, 10]]), -32602, "50 is followed by 10"),
        (json!(["0x1", "latest", [101]]), -32602, "101 is not within 0 and 100"),
        (json!(["0x1", "latest", vec![1.0; 101]]), -32602, "over the query limit 100"),
        (json!(["0x1", "0x3"]), -32000, "request beyond head block: requested 3, head 2"),
        (json!(["0x1", "0xffffffffffffffff"]), -32000, "request beyond head block"),
    ] {
        refused(at, "eth_feeHistory", params, code, text).await;
    }
}
