//! `eth_simulateV1`.

use crate::client::{refused, result};
use crate::fake::{CHAIN_ID, Fake, TOKEN, callee};
use alloy_primitives::{Address, U256};
use serde_json::{Value, json};

const METHOD: &str = "eth_simulateV1";

#[tokio::test]
async fn blocks_are_shown_with_what_their_calls_did() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let calls = json!([
        { "to": callee::ECHO, "input": "0x1234", "value": "0x1" },
        { "to": callee::REVERT, "input": "0x", "value": "0x1" },
        { "to": callee::HALT, "from": TOKEN, "maxFeePerBlobGas": "0x0" },
    ]);
    let payload = json!({ "blockStateCalls": [{ "calls": calls }, {}], "returnFullTransactions": true });
    let blocks = result(server.local_addr(), METHOD, json!([payload])).await;
    let [first, second] = &blocks.as_array().unwrap()[..] else { panic!("{blocks}") };
    let shown = &first["calls"];
    let echo = &shown[0];
    assert_eq!((&echo["returnData"], &echo["status"]), (&json!("0x1234"), &json!("0x1")));
    assert_eq!((&echo["gasUsed"], &echo["maxUsedGas"]), (&json!("0x5208"), &json!("0x55f0")));
    assert_eq!(echo.get("error"), None);
    assert_eq!(
        (&shown[1]["error"], &shown[1]["returnData"]),
        (&json!({ "code": 3, "message": "execution reverted", "data": "0x" }), &json!("0x"))
    );
    assert_eq!(shown[2]["error"], json!({ "code": -32015, "message": "out of gas" }));
    assert_eq!(shown[2]["status"], "0x0");
    let places: Vec<&Value> = [echo, &shown[1]].iter().map(|call| &call["logs"][0]["logIndex"]).collect();
    assert_eq!(places, ["0x0", "0x1"], "logs are numbered in the block");
    assert_eq!(echo["logs"][0]["blockHash"], first["hash"]);
    let transaction = &first["transactions"][2];
    assert_eq!((&transaction["from"], &transaction["gasPrice"]), (&json!(TOKEN), &json!("0x7")));
    assert_eq!((&first["number"], &second["number"]), (&json!("0x3"), &json!("0x4")));
    assert_eq!(
        (&second["calls"], &second["uncles"], &second["withdrawals"]),
        (&json!([]), &json!([]), &json!([]))
    );
}

#[tokio::test]
async fn what_is_asked_for_arrives() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let payload = json!({
        "blockStateCalls": [{
            "blockOverrides": { "number": "0x5", "baseFeePerGas": "0x9", "feeRecipient": TOKEN },
            "stateOverrides": { TOKEN.to_string(): { "balance": "0x7" } },
            "calls": [{ "to": TOKEN, "gas": "0xffffffffff", "chainId": format!("{CHAIN_ID:#x}") }],
        }],
        "validation": true,
        "traceTransfers": true,
    });
    result(server.local_addr(), METHOD, json!([payload, "latest"])).await;
    let asked = fake.last_simulation.lock().unwrap().clone().unwrap();
    assert!(asked.validates && asked.traces_transfers);
    assert_eq!((asked.parent.number, asked.parent_hash), (2, fake.blocks[2].hash));
    let numbers: Vec<u64> = asked.blocks.iter().map(|block| block.number()).collect();
    assert_eq!(numbers, [3, 4, 5]);
    let last = &asked.blocks[2];
    assert_eq!((last.block.base_fee, last.block.coinbase), (Some(U256::from(9)), Some(TOKEN)));
    assert_eq!(last.state[&TOKEN].balance, Some(U256::from(7)));
    assert_eq!(last.calls[0].gas, Some(0xff_ffff_ffff), "the simulation's own blocks limit it");
}

#[tokio::test]
async fn what_makes_no_sense_has_its_code() {
    let server = Fake::new().serve().await;
    let many = vec![json!({}); 257];
    let calls = vec![json!({ "to": TOKEN }); 1001];
    let moved = json!({ Address::with_last_byte(1).to_string(): { "movePrecompileToAddress": TOKEN } });
    for (blocks, code, text) in [
        (json!([]), -32602, "empty input"),
        (
            json!([{ "blockOverrides": { "number": "0x2" } }]),
            -38020,
            "block numbers must be in order: 2 <= 2",
        ),
        (json!([{ "blockOverrides": { "time": "0x1" } }]), -38021, "block timestamps must be in order: 1 <="),
        (json!(many), -38026, "too many blocks"),
        (json!([{ "blockOverrides": { "number": "0xffffffffffffffffff" } }]), -38026, "too many blocks"),
        (json!([{ "calls": calls }]), -38026, "too many calls"),
        (json!([{ "stateOverrides": moved }]), -32602, "movePrecompileToAddress"),
        (json!([{ "calls": [{ "to": TOKEN, "chainId": "0x1" }] }]), -32000, "chainId does not match"),
        (json!([{ "calls": [{ "to": callee::TOO_MANY }] }]), -32000, "more accounts than"),
    ] {
        refused(server.local_addr(), METHOD, json!([{ "blockStateCalls": blocks }]), code, text).await;
    }
    let payload = json!({ "blockStateCalls": [{}] });
    refused(server.local_addr(), METHOD, json!([payload, "0x99"]), -32000, "header not found").await;
}
