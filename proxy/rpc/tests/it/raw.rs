//! Encodings, uncles, and methods with nothing behind them.

use crate::client::{refused, result};
use crate::fake::{Fake, TOKEN, dynamic};
use alloy_consensus::{Block, ReceiptEnvelope, TxEnvelope};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{Bytes, TxKind, keccak256};
use alloy_rlp::Decodable;
use parhelion_core::pool::Pool;
use serde_json::{Value, json};

fn bytes(value: &Value) -> Bytes {
    serde_json::from_value(value.clone()).unwrap()
}

#[tokio::test]
async fn blocks_and_receipts_come_in_their_encodings() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let expected = &fake.blocks[1];
    let header = bytes(&result(at, "debug_getRawHeader", json!(["0x1"])).await);
    assert_eq!(keccak256(&header), expected.hash);

    let raw = bytes(&result(at, "debug_getRawBlock", json!([expected.hash])).await);
    let block = Block::<TxEnvelope>::decode(&mut &raw[..]).unwrap();
    assert_eq!(block.header, expected.header);
    let sent = expected.transactions.iter().map(|executed| executed.transaction.inner().clone());
    assert_eq!(block.body.transactions, sent.collect::<Vec<_>>());
    let shown = result(at, "eth_getBlockByNumber", json!(["0x1", false])).await;
    assert_eq!(shown["size"], format!("{:#x}", raw.len()));

    let receipts = result(at, "debug_getRawReceipts", json!(["0x1"])).await;
    for (raw, executed) in receipts.as_array().unwrap().iter().zip(&expected.transactions) {
        let receipt = ReceiptEnvelope::decode_2718_exact(&bytes(raw)).unwrap();
        assert_eq!(receipt.tx_type(), executed.transaction.inner().tx_type());
        assert_eq!(receipt.cumulative_gas_used(), executed.cumulative_gas_used);
        assert_eq!(receipt.logs(), executed.logs);
        assert_eq!(receipt.is_success(), executed.outcome.is_success());
    }
    assert_eq!(receipts.as_array().unwrap().len(), 2);
    assert_eq!(result(at, "debug_getRawReceipts", json!(["0x0"])).await, json!([]));
    for method in ["debug_getRawHeader", "debug_getRawBlock", "debug_getRawReceipts"] {
        refused(at, method, json!(["0x9"]), -32000, "header not found").await;
        refused(at, method, json!(["2"]), -32602, "invalid argument 0").await;
    }
}

#[tokio::test]
async fn transactions_come_as_they_were_sent() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let executed = fake.executed(1, 1).transaction.clone();
    assert_eq!(executed.inner().encoded_2718(), executed.raw()[..]);
    let waiting = dynamic(1, 2, TxKind::Call(TOKEN));
    fake.submit(waiting.clone()).await.unwrap();
    for method in ["eth_getRawTransactionByHash", "debug_getRawTransaction"] {
        for transaction in [&executed, &waiting] {
            assert_eq!(result(at, method, json!([transaction.hash()])).await, json!(transaction.raw()));
        }
        assert_eq!(result(at, method, json!([fake.blocks[1].hash])).await, "0x");
    }
    let by_number = "eth_getRawTransactionByBlockNumberAndIndex";
    assert_eq!(result(at, by_number, json!(["0x1", "0x1"])).await, json!(executed.raw()));
    assert_eq!(result(at, by_number, json!(["0x1", "0x2"])).await, "0x");
    let by_hash = "eth_getRawTransactionByBlockHashAndIndex";
    assert_eq!(result(at, by_hash, json!([fake.blocks[1].hash, "0x1"])).await, json!(executed.raw()));
}

#[tokio::test]
async fn there_are_no_uncles() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let (known, unknown) = (fake.blocks[1].hash, fake.executed(1, 0).transaction.hash());
    assert_eq!(result(at, "eth_getUncleCountByBlockNumber", json!(["latest"])).await, "0x0");
    assert_eq!(result(at, "eth_getUncleCountByBlockNumber", json!(["0x9"])).await, json!(null));
    assert_eq!(result(at, "eth_getUncleCountByBlockHash", json!([known])).await, "0x0");
    assert_eq!(result(at, "eth_getUncleCountByBlockHash", json!([unknown])).await, json!(null));
    assert_eq!(result(at, "eth_getUncleByBlockNumberAndIndex", json!(["latest", "0x0"])).await, json!(null));
    assert_eq!(result(at, "eth_getUncleByBlockHashAndIndex", json!([known, "0x0"])).await, json!(null));
}

#[tokio::test]
async fn methods_with_nothing_behind_them_say_so() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    assert_eq!(result(at, "eth_mining", json!([])).await, json!(false));
    assert_eq!(result(at, "eth_hashrate", json!([])).await, "0x0");
    assert_eq!(result(at, "eth_baseFee", json!([])).await, "0x3b9aca00");
    refused(at, "eth_getProof", json!([TOKEN, [], "latest"]), -32601, "there is no state trie").await;
}

#[tokio::test]
async fn storage_values_of_several_contracts_are_read_at_once() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    let other = "0x00000000000000000000000000000000000000ab";
    let wanted = json!([{ TOKEN.to_string().to_lowercase(): ["0x1", "0x02"], other: ["0x3"] }, "latest"]);
    let word = |n: u8| format!("0x{n:064x}");
    let expected = json!({ format!("{TOKEN:?}"): [word(1), word(2)], other: [word(3)] });
    assert_eq!(result(at, "eth_getStorageValues", wanted).await, expected);
    refused(at, "eth_getStorageValues", json!([{}]), -32602, "empty request").await;
    let many: Vec<String> = (0..1_025).map(|n| format!("{n:#x}")).collect();
    refused(at, "eth_getStorageValues", json!([{ other: many }]), -32602, "at most 1024").await;
}
