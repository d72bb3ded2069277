//! Blocks.

use crate::client::result;
use crate::fake::{COINBASE, Fake};
use alloy_consensus::TxEnvelope;
use alloy_primitives::{B256, Bloom};
use alloy_rlp::Encodable;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

#[tokio::test]
async fn a_block_has_every_field() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let block = &fake.blocks[1];
    let hashes: Vec<B256> = block.transactions.iter().map(|executed| executed.transaction.hash()).collect();
    let body = alloy_consensus::BlockBody::<TxEnvelope> {
        transactions: block
            .transactions
            .iter()
            .map(|executed| executed.transaction.inner().clone())
            .collect(),
        ommers: vec![],
        withdrawals: None,
    };
    let size = alloy_consensus::Block { header: block.header.clone(), body }.length();
    let expected = json!({
        "number": "0x1",
        "hash": block.hash,
        "parentHash": fake.blocks[0].hash,
        "timestamp": "0x6553f102",
        "nonce": "0x0000000000000000",
        "difficulty": "0x0",
        "mixHash": B256::ZERO,
        "sha3Uncles": block.header.ommers_hash,
        "miner": COINBASE,
        "extraData": "0x",
        "logsBloom": Bloom::ZERO,
        "stateRoot": block.header.state_root,
        "transactionsRoot": block.header.transactions_root,
        "receiptsRoot": block.header.receipts_root,
        "gasLimit": "0x1c9c380",
        "gasUsed": "0x1f47d0",
        "baseFeePerGas": "0x3b9aca00",
        "size": format!("{size:#x}"),
        "transactions": hashes,
        "uncles": [],
    });
    assert_eq!(result(at, "eth_getBlockByNumber", json!(["0x1", false])).await, expected);
    assert_eq!(result(at, "eth_getBlockByHash", json!([block.hash, false])).await, expected);

    let full = result(at, "eth_getBlockByHash", json!([block.hash, true])).await;
    for (index, hash) in hashes.iter().enumerate() {
        let transaction = result(at, "eth_getTransactionByHash", json!([hash])).await;
        assert_eq!(full["transactions"][index], transaction);
    }
}

#[tokio::test]
async fn tags_find_the_newest_and_the_first_block() {
    let server = Fake::new().serve().await;
    for (tag, number) in
        [("latest", "0x2"), ("pending", "0x2"), ("safe", "0x2"), ("finalized", "0x2"), ("earliest", "0x0")]
    {
        let block = result(server.local_addr(), "eth_getBlockByNumber", json!([tag, false])).await;
        assert_eq!(block["number"], number, "{tag}");
    }
}

#[tokio::test]
async fn finalized_follows_the_cluster_as_far_as_there_are_blocks() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    for (slot, number) in [(1, "0x1"), (0, "0x0"), (2, "0x2"), (3, "0x2"), (u64::MAX, "0x2")] {
        fake.finalized.send_replace(slot);
        for tag in [json!("finalized"), json!({ "blockNumber": "finalized" })] {
            let receipts = result(at, "eth_getBlockReceipts", json!([tag])).await;
            let expected = result(at, "eth_getBlockReceipts", json!([number])).await;
            assert_eq!(receipts, expected, "{slot}");
        }
        let block = result(at, "eth_getBlockByNumber", json!(["finalized", false])).await;
        assert_eq!(block["number"], number, "{slot}");
        let history = result(at, "eth_feeHistory", json!(["0x1", "finalized", []])).await;
        assert_eq!(history["oldestBlock"], number, "{slot}");
    }
}

/// The cluster was asked before the first block was.
#[tokio::test]
async fn finalized_is_never_before_the_first_block() {
    let fake = Fake::new();
    let server = fake.serve().await;
    fake.first.store(1, Ordering::Relaxed);
    fake.finalized.send_replace(0);
    let block = result(server.local_addr(), "eth_getBlockByNumber", json!(["finalized", false])).await;
    assert_eq!(block["number"], "0x1");
}

#[tokio::test]
async fn blocks_that_are_not_there_are_null() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    for number in ["0x3", "0xfffffff", "0x7fffffffffffffff", "0xffffffffffffffff"] {
        for (method, params) in [
            ("eth_getBlockByNumber", json!([number, true])),
            ("eth_getBlockReceipts", json!([number])),
            ("eth_getBlockTransactionCountByNumber", json!([number])),
            ("eth_getTransactionByBlockNumberAndIndex", json!([number, "0x0"])),
        ] {
            assert_eq!(result(at, method, params).await, Value::Null, "{method}");
        }
    }
    for (method, params) in [
        ("eth_getBlockByHash", json!([B256::ZERO, true])),
        ("eth_getBlockReceipts", json!([B256::ZERO])),
        ("eth_getBlockTransactionCountByHash", json!([B256::ZERO])),
        ("eth_getTransactionByBlockHashAndIndex", json!([B256::ZERO, "0x0"])),
    ] {
        assert_eq!(result(at, method, params).await, Value::Null, "{method}");
    }
}

#[tokio::test]
async fn transactions_are_counted_and_found_by_index() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let hash = fake.blocks[1].hash;
    assert_eq!(result(at, "eth_getBlockTransactionCountByNumber", json!(["0x1"])).await, "0x2");
    assert_eq!(result(at, "eth_getBlockTransactionCountByNumber", json!(["0x0"])).await, "0x0");
    assert_eq!(result(at, "eth_getBlockTransactionCountByHash", json!([hash])).await, "0x2");
    let by_number = "eth_getTransactionByBlockNumberAndIndex";
    let by_hash = "eth_getTransactionByBlockHashAndIndex";
    let expected = json!(fake.executed(1, 1).transaction.hash());
    assert_eq!(result(at, by_number, json!(["0x1", "0x1"])).await["hash"], expected);
    assert_eq!(result(at, by_hash, json!([hash, "0x1"])).await["hash"], expected);
    for index in ["0x2", "0xffffffffffffffff"] {
        assert_eq!(result(at, by_hash, json!([hash, index])).await, Value::Null);
    }
}
