//! Transactions and receipts.

use crate::client::{refused, result};
use crate::fake::{ALICE, APPROVAL, Fake, OTHER_TOKEN, TOKEN, TRANSFER, dynamic, signer, solana_signature};
use alloy_consensus::transaction::Transaction as _;
use alloy_primitives::{B256, Bytes, TxKind, U256, logs_bloom};
use parhelion_core::cluster::ClusterError;
use parhelion_core::pool::PoolError;
use parhelion_core::relay::RelayError;
use serde_json::{Value, json};

#[tokio::test]
async fn a_receipt_has_the_standard_fields_and_those_of_solana() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let executed = fake.executed(1, 0);
    let (hash, block_hash) = (executed.transaction.hash(), executed.block_hash);
    let log = |index: u64, address, topics: &[B256], data: String| {
        json!({
            "address": address, "topics": topics, "data": data, "blockHash": block_hash, "blockNumber": "0x1",
            "blockTimestamp": "0x6553f102", "transactionHash": hash, "transactionIndex": "0x0",
            "logIndex": format!("{index:#x}"), "removed": false,
        })
    };
    let expected = json!({
        "type": "0x0",
        "status": "0x1",
        "transactionHash": hash,
        "transactionIndex": "0x0",
        "blockHash": block_hash,
        "blockNumber": "0x1",
        "from": signer(1).address(),
        "to": TOKEN,
        "contractAddress": null,
        "cumulativeGasUsed": "0xc350",
        "gasUsed": "0xc350",
        "effectiveGasPrice": "0xb2d05e00",
        "logs": [
            log(0, TOKEN, &[TRANSFER, ALICE], format!("0x{}", "01".repeat(32))),
            log(1, OTHER_TOKEN, &[APPROVAL], "0x".into()),
        ],
        "logsBloom": logs_bloom(&executed.logs),
        "solanaSignature": executed.signature.to_string(),
        "solanaSignatures": [executed.signature.to_string()],
        "computeUnits": "0x7918",
        "totalComputeUnits": "0x7918",
        "rentGas": "0x0",
        "outcome": "success",
    });
    assert_eq!(result(server.local_addr(), "eth_getTransactionReceipt", json!([hash])).await, expected);
}

#[tokio::test]
async fn failures_and_creations_have_their_receipts() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let failed =
        result(at, "eth_getTransactionReceipt", json!([fake.executed(1, 1).transaction.hash()])).await;
    let [in_front, ending] = [100, 2].map(|number| solana_signature(number).to_string());
    for (field, expected) in [
        ("type", json!("0x2")),
        ("status", json!("0x0")),
        ("outcome", json!("outOfRentGas")),
        ("to", json!(null)),
        // Where the contract would have been.
        ("contractAddress", json!(signer(2).address().create(0))),
        ("transactionIndex", json!("0x1")),
        ("gasUsed", json!("0x1e8480")),
        ("cumulativeGasUsed", json!("0x1f47d0")),
        ("rentGas", json!("0xdbba0")),
        ("computeUnits", json!("0x7919")),
        ("totalComputeUnits", json!("0x7d01")),
        ("solanaSignatures", json!([in_front, ending])),
        ("solanaSignature", json!(ending)),
        ("logs", json!([])),
    ] {
        assert_eq!(failed[field], expected, "{field}");
    }
    let created =
        result(at, "eth_getTransactionReceipt", json!([fake.executed(2, 0).transaction.hash()])).await;
    let address = json!(signer(1).address().create(1));
    assert_eq!((&created["contractAddress"], &created["status"]), (&address, &json!("0x1")));
    let receipts = result(at, "eth_getBlockReceipts", json!(["latest"])).await;
    assert_eq!(receipts, json!([created]));
    let receipts = result(at, "eth_getBlockReceipts", json!([fake.blocks[1].hash])).await;
    assert_eq!((receipts.as_array().unwrap().len(), &receipts[1]), (2, &failed));
}

#[tokio::test]
async fn an_executed_transaction_has_its_place_and_the_price_paid() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let executed = fake.executed(2, 0);
    let hash = executed.transaction.hash();
    let inner = executed.transaction.inner();
    let signature = inner.signature();
    let expected = json!({
        "type": "0x2",
        "chainId": "0x539",
        "nonce": "0x1",
        "gas": "0x1e8480",
        "maxFeePerGas": "0xee6b2800",
        "maxPriorityFeePerGas": "0x3b9aca00",
        "gasPrice": "0x77359400",
        "to": null,
        "value": "0x0",
        "accessList": [],
        "input": "0x",
        "r": format!("{:#x}", signature.r()),
        "s": format!("{:#x}", signature.s()),
        "yParity": format!("{:#x}", u8::from(signature.v())),
        "v": format!("{:#x}", u8::from(signature.v())),
        "hash": hash,
        "blockHash": executed.block_hash,
        "blockNumber": "0x2",
        "blockTimestamp": "0x6553f104",
        "transactionIndex": "0x0",
        "from": signer(1).address(),
    });
    assert_eq!(result(server.local_addr(), "eth_getTransactionByHash", json!([hash])).await, expected);
    // A legacy transaction has one price, once.
    let legacy = fake.executed(1, 0).transaction.hash();
    let legacy = result(server.local_addr(), "eth_getTransactionByHash", json!([legacy])).await;
    assert_eq!((&legacy["type"], &legacy["gasPrice"]), (&json!("0x0"), &json!("0xb2d05e00")));
}

#[tokio::test]
async fn a_sent_transaction_is_pending_first() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let transaction = dynamic(3, 2, TxKind::Call(TOKEN));
    let hash = json!(transaction.hash());
    assert_eq!(result(at, "eth_getTransactionByHash", json!([hash])).await, Value::Null);
    assert_eq!(result(at, "eth_sendRawTransaction", json!([transaction.raw()])).await, hash);
    let pending = result(at, "eth_getTransactionByHash", json!([hash])).await;
    for field in ["blockHash", "blockNumber", "transactionIndex"] {
        assert_eq!(pending[field], Value::Null, "{field}");
    }
    assert_eq!((&pending["hash"], &pending["from"]), (&hash, &json!(signer(3).address())));
    assert_eq!(pending["gasPrice"], format!("{:#x}", transaction.inner().max_fee_per_gas()));
    assert_eq!(result(at, "eth_getTransactionReceipt", json!([hash])).await, Value::Null);

    // In the pool and landed: landed.
    let landed = fake.executed(1, 0).transaction.clone();
    fake.waiting.lock().unwrap().push(landed.clone());
    let found = result(at, "eth_getTransactionByHash", json!([landed.hash()])).await;
    assert_eq!(found["blockNumber"], "0x1");
}

#[tokio::test]
async fn what_the_pool_refuses_is_refused_in_its_words() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let raw = json!([dynamic(3, 2, TxKind::Create).raw()]);
    let does_not_fit = RelayError::DoesNotFit { needs: "70 accounts".into(), limit: "64 accounts".into() };
    let unreachable = ClusterError::Unreachable("no route".into());
    let funds = PoolError::InsufficientFunds { balance: U256::from(1), cost: U256::from(2) };
    let rows: Vec<(PoolError, i64, &str)> = vec![
        (PoolError::AlreadyKnown, -32000, "already known"),
        (PoolError::NonceTooLow { next: 5, nonce: 2 }, -32000, "nonce too low: next nonce 5, tx nonce 2"),
        (PoolError::WrongChainId { have: 1, want: 2 }, -32000, "invalid chain id for signer"),
        (PoolError::Underpriced, -32000, "replacement transaction underpriced"),
        (funds, -32000, "insufficient funds for gas * price + value: balance 1, tx cost 2"),
        (PoolError::TooCheap, -32000, "transaction underpriced"),
        (PoolError::Full, -32000, "txpool is full"),
        (PoolError::Relay(does_not_fit), -32000, "too large for Solana: it needs 70 accounts"),
        (PoolError::Relay(RelayError::Cluster(unreachable)), -32603, "no route"),
    ];
    for (error, code, text) in rows {
        *fake.pool_error.lock().unwrap() = Some(error);
        refused(server.local_addr(), "eth_sendRawTransaction", raw.clone(), code, text).await;
    }
}

#[tokio::test]
async fn bytes_that_are_no_transaction_do_not_reach_the_pool() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let good = dynamic(3, 2, TxKind::Create).raw().to_vec();
    let trailing = [&good[..], &[0]].concat();
    let retyped = |byte: u8| [&[byte], &good[1..]].concat();
    let mut bad_signature = good.clone();
    // s above half of the group's order.
    let s_start = bad_signature.len() - 32;
    bad_signature[s_start..].fill(0xfe);
    let rows: [(Vec<u8>, &str); 10] = [
        (vec![], "rlp: "),
        (vec![0xde, 0xad, 0xbe, 0xef], "rlp: "),
        (vec![0x02], "rlp: "),
        (good[..good.len() - 1].to_vec(), "rlp: "),
        (trailing, "rlp: "),
        (vec![0xc0; 1000], "rlp: "),
        (retyped(0x03), "transaction type not supported: blob"),
        (retyped(0x7f), "transaction type not supported: "),
        (bad_signature, "invalid transaction v, r, s values: "),
        (vec![0; 200_000], "oversized data: transaction size 200000, limit 131072"),
    ];
    for (raw, text) in rows {
        let params = json!([Bytes::from(raw)]);
        refused(server.local_addr(), "eth_sendRawTransaction", params, -32000, text).await;
    }
    assert!(fake.journal.lock().unwrap().is_empty());
}
