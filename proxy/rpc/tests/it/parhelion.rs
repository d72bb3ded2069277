//! `parhelion_*`.

use crate::client::{refused, result};
use crate::fake::{CHAIN_ID, COINBASE, Fake, GWEI, callee, signer, solana_signature};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256, U256};
use serde_json::{Value, json};

#[tokio::test]
async fn a_transaction_is_told_as_solana_knows_it() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let hash = fake.executed(1, 1).transaction.hash();
    let signatures = [solana_signature(100), solana_signature(2)].map(|one| one.to_string());
    let expected = json!({
        "hash": hash, "sender": signer(2).address(), "slot": "0x1",
        "solanaSignature": signatures[1], "solanaSignatures": signatures,
        "computeUnits": format!("{:#x}", 31_001), "totalComputeUnits": format!("{:#x}", 32_001),
        "gasUsed": format!("{:#x}", 2_000_000), "executionGas": format!("{:#x}", 1_100_000),
        "rentGas": format!("{:#x}", 900_000), "effectiveGasPrice": U256::from(2 * GWEI),
        "coinbase": COINBASE, "outcome": "outOfRentGas",
    });
    assert_eq!(result(at, "parhelion_getTransaction", json!([hash])).await, expected);
    assert_eq!(result(at, "parhelion_getTransaction", json!([B256::ZERO])).await, Value::Null);
}

#[tokio::test]
async fn solana_transactions_are_looked_up() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let hash = |block, index| fake.executed(block, index).transaction.hash();
    let by = async |number| {
        let signature = json!([solana_signature(number).to_string()]);
        result(at, "parhelion_getTransactionsBySignature", signature).await
    };
    assert_eq!(by(1).await, json!([hash(1, 0), hash(2, 0)]));
    assert_eq!(by(100).await, json!([hash(1, 1)]), "one of the others that it landed with");
    assert_eq!(by(9).await, json!([]));
    for wrong in ["", "0x12", "no signature"] {
        let text = "invalid argument 0: no signature in base 58";
        refused(at, "parhelion_getTransactionsBySignature", json!([wrong]), -32602, text).await;
    }
}

#[tokio::test]
async fn accounts_of_the_past_take_a_past() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let hash = json!([fake.executed(1, 0).transaction.hash()]);
    refused(at, "parhelion_getAccounts", hash, -32000, "a fake has no past").await;
    assert_eq!(result(at, "parhelion_getAccounts", json!([B256::ZERO])).await, Value::Null);
}

#[tokio::test]
async fn estimates_are_told_in_parts() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let request = json!({ "from": signer(1).address(), "to": callee::ECHO, "gasPrice": "0x77359401" });
    let parts = result(at, "parhelion_estimateGas", json!([request, "latest"])).await;
    let address = |byte: u8| solana_address::Address::from([byte; 32]).to_string();
    let expected = json!({
        "gasLimit": format!("{:#x}", 921_000), "executionGas": format!("{:#x}", 21_000),
        "rentGas": format!("{:#x}", 900_000), "gasPrice": "0x77359401",
        "executionLamports": format!("{:#x}", 42_001), "rentLamports": format!("{:#x}", 1_800_001),
        "accounts": [
            { "address": address(1), "writable": true }, { "address": address(2), "writable": false },
        ],
    });
    assert_eq!(parts, expected);
    let emulated = fake.last_emulated.lock().unwrap().clone().unwrap();
    assert_eq!((emulated.sender(), emulated.inner().to()), (signer(1).address(), Some(callee::ECHO)));
    assert_eq!(emulated.inner().max_fee_per_gas(), 2_000_000_001);
    assert_eq!((emulated.inner().gas_limit(), emulated.inner().chain_id()), (921_000, Some(CHAIN_ID)));
    // Nobody's transaction would be refused, so that its accounts are not known.
    let request = json!({ "to": callee::ECHO });
    let parts = result(at, "parhelion_estimateGas", json!([request])).await;
    assert_eq!((&parts["accounts"], &parts["gasPrice"]), (&Value::Null, &json!("0x3b9aca00")));
    let reverts = json!([{ "from": Address::ZERO, "to": callee::REVERT }]);
    refused(at, "parhelion_estimateGas", reverts, 3, "execution reverted").await;
}
