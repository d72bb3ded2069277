//! `eth_getLogs`.

use crate::client::{refused, result};
use crate::fake::{ALICE, APPROVAL, Fake, OTHER_TOKEN, TOKEN, TRANSFER};
use alloy_primitives::{Address, B256};
use parhelion_rpc::{Config, Limits, Methods, serve};
use serde_json::{Value, json};

#[tokio::test]
async fn a_log_has_every_field() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let executed = fake.executed(1, 0);
    let found =
        result(server.local_addr(), "eth_getLogs", json!([{ "fromBlock": "0x0", "address": TOKEN }])).await;
    let expected = json!([{
        "address": TOKEN,
        "topics": [TRANSFER, ALICE],
        "data": format!("0x{}", "01".repeat(32)),
        "blockHash": executed.block_hash,
        "blockNumber": "0x1",
        "blockTimestamp": "0x6553f102",
        "transactionHash": executed.transaction.hash(),
        "transactionIndex": "0x0",
        "logIndex": "0x0",
        "removed": false,
    }]);
    assert_eq!(found, expected);
}

#[tokio::test]
async fn filters_by_block_address_and_topic() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    // Block and index of each log that is found.
    let find = async |filter: Value| {
        let logs = result(at, "eth_getLogs", json!([filter])).await;
        let place = |log: &Value| (log["blockNumber"].clone(), log["logIndex"].clone());
        logs.as_array().unwrap().iter().map(place).collect::<Vec<_>>()
    };
    let [first, second, third] = [(1, 0), (1, 1), (2, 0)]
        .map(|(block, log)| (json!(format!("{block:#x}")), json!(format!("{log:#x}"))));
    let all = [first.clone(), second.clone(), third.clone()];
    let from_start = |filter: Value| {
        let mut filter = filter;
        filter["fromBlock"] = json!("earliest");
        filter
    };
    assert_eq!(find(json!({})).await, all[2..]);
    assert_eq!(find(from_start(json!({}))).await, all);
    assert_eq!(find(json!({ "fromBlock": "0x1", "toBlock": "0x1" })).await, all[..2]);
    assert_eq!(find(json!({ "blockHash": fake.blocks[1].hash })).await, all[..2]);
    assert_eq!(find(json!({ "blockHash": fake.blocks[0].hash })).await, []);
    assert_eq!(find(from_start(json!({ "address": [TOKEN, OTHER_TOKEN] }))).await, all);
    assert_eq!(find(from_start(json!({ "address": Address::ZERO }))).await, []);
    assert_eq!(find(from_start(json!({ "topics": [TRANSFER] }))).await, [first.clone(), third.clone()]);
    assert_eq!(find(from_start(json!({ "topics": [[APPROVAL, ALICE]] }))).await, [second]);
    assert_eq!(find(from_start(json!({ "topics": [null, ALICE] }))).await, [first]);
    assert_eq!(find(from_start(json!({ "topics": [null, null] }))).await, all);
    assert_eq!(find(from_start(json!({ "topics": [ALICE] }))).await, []);
    // From behind the newest block on, as pollers ask.
    assert_eq!(find(json!({ "fromBlock": "0x3" })).await, []);
    assert_eq!(find(json!({ "fromBlock": "0xffffffffffffffff" })).await, []);
    assert_eq!(find(json!({ "fromBlock": "0x0", "toBlock": "0x2" })).await, all);
}

#[tokio::test]
async fn bad_filters_are_explained() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    let many: Vec<_> = (0..5_000_u64).map(|i| Address::left_padding_from(&i.to_be_bytes())).collect();
    for (filter, code, text) in [
        (json!({ "topics": vec![B256::ZERO; 5] }), -32602, "topics"),
        (json!({ "topics": ["0x11"] }), -32602, "invalid argument 0"),
        (json!({ "blockHash": B256::ZERO, "fromBlock": "0x0" }), -32602, "blockHash"),
        (json!({ "fromBlock": "0x5", "toBlock": "0x1" }), -32602, "fromBlock 5 is above toBlock 1"),
        (
            json!({ "fromBlock": "0x0", "toBlock": "0x3" }),
            -32602,
            "beyond current head block: the newest is 2",
        ),
        (json!({ "toBlock": "0xffffffffffffffff" }), -32602, "beyond current head block"),
        (json!({ "address": many }), -32602, "exceed max addresses or topics"),
        (json!({ "blockHash": B256::ZERO }), -32000, "unknown block"),
        (json!({ "fromBlock": "0x10000000000000000" }), -32602, "invalid argument 0"),
    ] {
        refused(at, "eth_getLogs", json!([filter]), code, text).await;
    }
}

#[tokio::test]
async fn too_many_blocks_or_logs_exceed_a_limit() {
    let mut config = Config::new(([127, 0, 0, 1], 0).into());
    config.limits = Limits { log_range_blocks_max: 2, ..Limits::default() };
    let server = serve(config, Fake::new().services(Methods::new())).await.unwrap();
    let at = server.local_addr();
    let whole = json!([{ "fromBlock": "earliest", "toBlock": "latest" }]);
    refused(at, "eth_getLogs", whole, -32005, "block range of 3 blocks exceeds the limit of 2").await;
    result(at, "eth_getLogs", json!([{ "fromBlock": "0x1" }])).await;

    let mut fake = Fake::new();
    let repeated = fake.blocks[2].clone();
    std::sync::Arc::get_mut(&mut fake).unwrap().blocks.extend([repeated.clone(), repeated]);
    let server = fake.serve().await;
    let everything = json!([{ "fromBlock": "0x0" }]);
    refused(server.local_addr(), "eth_getLogs", everything, -32005, "more than 3 results").await;
}
