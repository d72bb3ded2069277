//! `ots_*`.

use crate::client::{refused, result};
use crate::fake::{COINBASE, Fake, GWEI, OTHER_TOKEN, TOKEN, callee, legacy, signer};
use alloy_primitives::{Address, B256, TxKind, U256};
use serde_json::{Value, json};
use std::net::SocketAddr;

fn sender(number: u8) -> Address {
    signer(number).address()
}

#[tokio::test]
async fn small_questions_have_small_answers() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    assert_eq!(result(at, "ots_getApiLevel", json!([])).await, 8);
    assert_eq!(result(at, "ots_hasCode", json!([TOKEN, "latest"])).await, true);
    assert_eq!(result(at, "ots_hasCode", json!([TOKEN, 2])).await, true);
    assert_eq!(result(at, "ots_hasCode", json!([sender(1)])).await, false);
    let hash = fake.executed(2, 0).transaction.hash();
    for nonce in [json!(1), json!("0x1")] {
        let found = result(at, "ots_getTransactionBySenderAndNonce", json!([sender(1), nonce])).await;
        assert_eq!(found, json!(hash));
    }
    assert_eq!(result(at, "ots_getTransactionBySenderAndNonce", json!([sender(1), 7])).await, Value::Null);
    let tag = json!([sender(1), "latest"]);
    refused(at, "ots_getTransactionBySenderAndNonce", tag, -32602, "a number is wanted, not latest").await;
    let text = json!([sender(1), "newest"]);
    refused(at, "ots_getTransactionBySenderAndNonce", text, -32602, "a number is wanted").await;
    refused(at, "ots_hasCode", json!([TOKEN, "newest"]), -32602, "a block's number is wanted").await;
}

#[tokio::test]
async fn blocks_are_told_without_their_transactions() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let details = result(at, "ots_getBlockDetails", json!([1])).await;
    let block = &fake.blocks[1];
    assert_eq!(details["block"]["hash"], json!(block.hash));
    assert_eq!(
        (&details["block"]["transactionCount"], details["block"].get("transactions")),
        (&json!(2), None)
    );
    let fees = U256::from(50_000 * 3 + 2_000_000 * 2) * U256::from(GWEI);
    assert_eq!((&details["totalFees"], &details["issuance"]["issuance"]), (&json!(fees), &json!("0x0")));
    assert_eq!(result(at, "ots_getBlockDetailsByHash", json!([block.hash])).await, details);
    let header = result(at, "erigon_getHeaderByNumber", json!([1])).await;
    assert_eq!((&header["hash"], &header["number"]), (&json!(block.hash), &json!("0x1")));
    assert_eq!(result(at, "erigon_getHeaderByNumber", json!([99])).await, Value::Null);
    assert_eq!(result(at, "ots_getBlockDetails", json!([99])).await, Value::Null);
    assert_eq!(result(at, "ots_getBlockDetailsByHash", json!([B256::ZERO])).await, Value::Null);
}

#[tokio::test]
async fn blocks_have_pages_of_transactions() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let page = async |page: u64, size: u64| {
        let answer = result(at, "ots_getBlockTransactions", json!([1, page, size])).await;
        let (block, receipts) = (&answer["fullblock"], &answer["receipts"]);
        assert_eq!(block["transactionCount"], 2);
        let hashes = |list: &Value, field: &str| -> Vec<Value> {
            list.as_array().unwrap().iter().map(|one| one[field].clone()).collect()
        };
        let shown = hashes(&block["transactions"], "hash");
        assert_eq!(shown, hashes(receipts, "transactionHash"));
        (shown, block["transactions"][0]["input"].clone(), receipts[0].clone())
    };
    let hash = |index| json!(fake.executed(1, index).transaction.hash());
    let (shown, input, receipt) = page(0, 9).await;
    assert_eq!((shown, input), (vec![hash(0), hash(1)], json!("0xabcd")));
    assert_eq!(
        (&receipt["logs"], &receipt["logsBloom"], &receipt["status"]),
        (&Value::Null, &Value::Null, &json!("0x1"))
    );
    assert_eq!(receipt["timestamp"], json!(format!("{:#x}", fake.blocks[1].header.timestamp)));
    // The last ones come first.
    assert_eq!(page(0, 1).await.0, [hash(1)]);
    assert_eq!(page(1, 1).await.0, [hash(0)]);
    assert!(page(2, 1).await.0.is_empty() && page(u64::MAX, 100).await.0.is_empty());
    assert_eq!(result(at, "ots_getBlockTransactions", json!([9, 0, 1])).await, Value::Null);
    for size in [0, 101] {
        let asked = json!([1, 0, size]);
        refused(at, "ots_getBlockTransactions", asked, -32602, "it has 1 to 100").await;
    }
}

/// Block numbers and senders' nonces of a page, and whether it is the first and the last one.
async fn search(at: SocketAddr, method: &str, asked: Value) -> (Vec<String>, bool, bool) {
    let page = result(at, method, asked).await;
    let (txs, receipts) = (page["txs"].as_array().unwrap(), page["receipts"].as_array().unwrap());
    assert_eq!(txs.len(), receipts.len());
    for (transaction, receipt) in txs.iter().zip(receipts) {
        assert_eq!(transaction["hash"], receipt["transactionHash"]);
    }
    let places = txs.iter().map(|one| {
        format!("{} {}", one["blockNumber"].as_str().unwrap(), one["transactionIndex"].as_str().unwrap())
    });
    (places.collect(), page["firstPage"] == true, page["lastPage"] == true)
}

#[tokio::test]
async fn transactions_of_an_address_are_searched_for_in_pages() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let before = async |asked: Value| search(at, "ots_searchTransactionsBefore", asked).await;
    let after = async |asked: Value| search(at, "ots_searchTransactionsAfter", asked).await;
    let one = sender(1);
    let places = |places: &[&str]| places.iter().map(ToString::to_string).collect::<Vec<_>>();
    let both = places(&["0x2 0x0", "0x1 0x0"]);
    assert_eq!(before(json!([one, 0, 25])).await, (both.clone(), true, true));
    assert_eq!(after(json!([one, 0, 25])).await, (both, true, true));
    assert_eq!(before(json!([one, 0, 1])).await, (places(&["0x2 0x0"]), true, false));
    assert_eq!(before(json!([one, 2, 1])).await, (places(&["0x1 0x0"]), false, true));
    assert_eq!(before(json!([one, 1, 1])).await, (vec![], false, true));
    assert_eq!(after(json!([one, 0, 1])).await, (places(&["0x1 0x0"]), false, true));
    assert_eq!(after(json!([one, 1, 1])).await, (places(&["0x2 0x0"]), true, false));
    // A contract appears by its logs.
    assert_eq!(before(json!([OTHER_TOKEN, 0, 5])).await, (places(&["0x2 0x0", "0x1 0x0"]), true, true));
    assert_eq!(before(json!([COINBASE, 0, 5])).await, (vec![], true, true));
    refused(at, "ots_searchTransactionsAfter", json!([one, 0, 0]), -32602, "it has 1 to 100").await;
}

#[tokio::test]
async fn a_page_ends_with_a_whole_block() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let transactions = (2..4).map(|nonce| legacy(1, nonce, TxKind::Call(TOKEN))).collect();
    fake.mine(transactions);
    // One was asked for, and its block has two.
    let (found, first, last) = search(at, "ots_searchTransactionsBefore", json!([TOKEN, 0, 1])).await;
    assert_eq!((found, first, last), (vec!["0x3 0x1".into(), "0x3 0x0".into()], true, false));
    let (found, first, last) = search(at, "ots_searchTransactionsBefore", json!([TOKEN, 3, 1])).await;
    assert_eq!((found, first, last), (vec!["0x1 0x0".to_owned()], false, true));
    let (found, first, last) = search(at, "ots_searchTransactionsAfter", json!([TOKEN, 1, 1])).await;
    assert_eq!((found, first, last), (vec!["0x3 0x1".into(), "0x3 0x0".into()], true, false));
}

#[tokio::test]
async fn transactions_are_traced() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let hash = json!([fake.executed(1, 0).transaction.hash()]);
    let trace = result(at, "ots_traceTransaction", hash.clone()).await;
    let kinds: Vec<_> = trace.as_array().unwrap().iter().map(|entry| &entry["type"]).collect();
    assert_eq!(kinds, [&json!("CALL"), &json!("CALL")]);
    assert_eq!((&trace[1]["depth"], &trace[1]["to"]), (&json!(1), &json!(callee::ECHO)));
    assert_eq!(result(at, "ots_getInternalOperations", hash.clone()).await, json!([]));
    assert_eq!(result(at, "ots_getTransactionError", hash).await, "0x");
    for method in ["ots_traceTransaction", "ots_getInternalOperations", "ots_getTransactionError"] {
        assert_eq!(result(at, method, json!([B256::ZERO])).await, Value::Null);
    }
}

#[tokio::test]
async fn creators_are_known_of_what_transactions_created() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    assert_eq!(result(at, "ots_getContractCreator", json!([sender(1)])).await, Value::Null);
    let created = json!({ "hash": fake.executed(2, 0).transaction.hash(), "creator": sender(1) });
    assert_eq!(result(at, "ots_getContractCreator", json!([sender(1).create(1)])).await, created);
    // Of this one the past would have to be known.
    refused(at, "ots_getContractCreator", json!([TOKEN]), -32000, "no state of block").await;
}
