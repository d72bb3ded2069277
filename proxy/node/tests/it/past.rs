//! The state of the past, which a development chain keeps.

use crate::dev::Dev;
use crate::development::{ALICE, BOB, CAROL, ETHER};
use alloy_primitives::{Address, B256, U256};
use serde_json::{Value, json};

/// Deploys `SLOAD(0) + 1 -> SSTORE(0)`, logs the new value, and returns it. A second kind of it calls the first.
async fn counter(dev: &Dev) -> Address {
    // PUSH1 1 PUSH0 SLOAD ADD DUP1 PUSH0 SSTORE PUSH0 MSTORE PUSH1 32 PUSH0 LOG0 PUSH1 32 PUSH0 RETURN
    deploy(dev, "60015f5401805f555f5260205fa060205ff3").await
}

/// Deploys code, by an initcode that copies it.
async fn deploy(dev: &Dev, code: &str) -> Address {
    let length = code.len() / 2;
    let init = format!("0x60{length:02x}8060095f395ff3{code}");
    let hash = dev.ask("eth_sendTransaction", json!([{ "from": ALICE, "input": init }])).await;
    let receipt = dev.receipt(&hash).await;
    assert_eq!(receipt["status"], "0x1", "{receipt}");
    serde_json::from_value(receipt["contractAddress"].clone()).unwrap()
}

fn at(number: u64) -> Value {
    json!(format!("{number:#x}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn state_is_what_it_was_at_each_block() {
    let dev = Dev::start(&[]);
    let contract = counter(&dev).await;
    let first = dev.height().await;
    for _ in 0..3 {
        dev.ask("eth_sendTransaction", json!([{ "from": BOB, "to": contract, "value": "0x0" }])).await;
    }
    dev.pay(ALICE, CAROL, ETHER).await;
    for (index, value) in (0..=3).enumerate() {
        let block = at(first + index as u64);
        let stored = dev.ask("eth_getStorageAt", json!([contract, "0x0", block])).await;
        assert_eq!(stored, json!(B256::from(U256::from(value))), "{block}");
        // What a call would do there.
        let called = dev.number("eth_call", json!([{ "to": contract }, block])).await;
        assert_eq!(called, U256::from(value + 1));
        assert_eq!(dev.number("eth_getTransactionCount", json!([BOB, block])).await, U256::from(value));
        let number: U256 = dev.number("eth_call", json!([{ "input": "0x435f5260205ff3" }, block])).await;
        assert_eq!(number, U256::from(first + index as u64), "NUMBER");
    }
    let before = at(first - 1);
    assert_eq!(dev.ask("eth_getCode", json!([contract, before])).await, "0x");
    assert_ne!(dev.ask("eth_getCode", json!([contract, at(first)])).await, "0x");
    let newest = dev.height().await;
    assert_eq!(dev.number("eth_getBalance", json!([CAROL, at(newest - 1)])).await, U256::ZERO);
    assert_eq!(dev.number("eth_getBalance", json!([CAROL, at(newest)])).await, ETHER);
    // By hash, too.
    let hash = dev.block(at(newest - 1)).await["hash"].clone();
    assert_eq!(dev.number("eth_getBalance", json!([CAROL, { "blockHash": hash }])).await, U256::ZERO);
    // State that was set belongs to the newest block then.
    dev.ask("anvil_setBalance", json!([CAROL, "0x5"])).await;
    dev.ask("evm_mine", json!([])).await;
    assert_eq!(dev.number("eth_getBalance", json!([CAROL, at(newest - 1)])).await, U256::ZERO);
    assert_eq!(dev.number("eth_getBalance", json!([CAROL, at(newest)])).await, U256::from(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_traced_as_it_ran() {
    let dev = Dev::start(&[]);
    let contract = counter(&dev).await;
    let mut hashes = Vec::new();
    for _ in 0..2 {
        hashes.push(dev.ask("eth_sendTransaction", json!([{ "from": BOB, "to": contract }])).await);
    }
    for (value, hash) in (1..).zip(&hashes) {
        let receipt = dev.receipt(hash).await;
        let trace = dev
            .ask(
                "debug_traceTransaction",
                json!([hash, { "tracer": "callTracer", "tracerConfig": { "withLog": true } }]),
            )
            .await;
        assert_eq!(trace["gasUsed"], receipt["gasUsed"]);
        assert_eq!(trace["output"], json!(B256::from(U256::from(value))));
        assert_eq!(trace["logs"][0]["data"], json!(B256::from(U256::from(value))));
        assert_eq!(trace["from"], json!(BOB.to_string().to_lowercase()));
        let steps = dev.ask("debug_traceTransaction", json!([hash])).await;
        assert_eq!(steps["returnValue"], json!(B256::from(U256::from(value))));
        let ops: Vec<_> = steps["structLogs"].as_array().unwrap().iter().map(|step| &step["op"]).collect();
        assert_eq!((ops[2], ops.len()), (&json!("SLOAD"), 15), "{ops:?}");
    }
    // Of a block with several transactions each begins where the one before it ended.
    dev.ask("evm_setAutomine", json!([false])).await;
    for _ in 0..3 {
        dev.ask("eth_sendTransaction", json!([{ "from": BOB, "to": contract, "gas": "0x186a0" }])).await;
    }
    dev.ask("evm_mine", json!([])).await;
    let traces = dev.ask("debug_traceBlockByNumber", json!(["latest", { "tracer": "callTracer" }])).await;
    let outputs: Vec<_> =
        traces.as_array().unwrap().iter().map(|trace| trace["result"]["output"].clone()).collect();
    assert_eq!(outputs, [3, 4, 5].map(|value| json!(B256::from(U256::from(value)))), "{traces}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_transaction_changes_is_the_difference_of_the_blocks() {
    let dev = Dev::start(&[]);
    let contract = counter(&dev).await;
    let hash = dev.ask("eth_sendTransaction", json!([{ "from": BOB, "to": contract }])).await;
    let receipt = dev.receipt(&hash).await;
    let newest = dev.height().await;
    let options = json!({ "tracer": "prestateTracer", "tracerConfig": { "diffMode": true } });
    let diff = dev.ask("debug_traceTransaction", json!([hash, options])).await;
    let coinbase: Address = serde_json::from_value(dev.block(at(newest)).await["miner"].clone()).unwrap();
    let name = |address: Address| address.to_string().to_lowercase();
    for address in [BOB, coinbase] {
        for (part, number) in [("pre", newest - 1), ("post", newest)] {
            let balance = dev.ask("eth_getBalance", json!([address, at(number)])).await;
            assert_eq!(diff[part][name(address)]["balance"], balance, "{part} {address}");
        }
    }
    assert_eq!(
        (&diff["pre"][name(BOB)]["nonce"], &diff["post"][name(BOB)]["nonce"]),
        (&Value::Null, &json!(1))
    );
    let (zero, one) = (B256::ZERO.to_string(), B256::from(U256::from(1)));
    assert_eq!(diff["post"][name(contract)], json!({ "storage": { &zero: one } }));
    assert_eq!(diff["pre"][name(contract)]["nonce"], 1);
    assert_eq!(diff["post"].as_object().unwrap().len(), 3, "{diff} {receipt}");
    let before = dev.ask("debug_traceTransaction", json!([hash, { "tracer": "prestateTracer" }])).await;
    assert_eq!(before[name(contract)]["storage"], json!({ &zero: B256::ZERO }));
    let code = dev.ask("eth_getCode", json!([contract, "latest"])).await;
    assert_eq!(before[name(contract)]["code"], code);
}

#[tokio::test(flavor = "multi_thread")]
async fn otterscan_is_told_what_happened_inside() {
    let dev = Dev::start(&[]);
    // Creates a contract of one byte with the value that it is called with.
    let factory = deploy(&dev, "6360015ff35f526004601c34f000").await;
    dev.pay(ALICE, CAROL, ETHER).await;
    let call = json!([{ "from": BOB, "to": factory, "value": "0x5" }]);
    let hash = dev.ask("eth_sendTransaction", call).await;
    dev.pay(ALICE, CAROL, ETHER).await;
    let child = factory.create(1);
    let operations = dev.ask("ots_getInternalOperations", json!([hash])).await;
    assert_eq!(operations, json!([{ "type": 2, "from": factory, "to": child, "value": "0x5" }]));
    let entries = dev.ask("ots_traceTransaction", json!([hash])).await;
    assert_eq!((&entries[1]["type"], &entries[1]["output"]), (&json!("CREATE"), &json!("0x00")));
    let creator = dev.ask("ots_getContractCreator", json!([child])).await;
    assert_eq!(creator, json!({ "hash": hash, "creator": factory }));
    let creator = dev.ask("ots_getContractCreator", json!([factory])).await;
    assert_eq!(creator["creator"], json!(ALICE));

    let reverts = deploy(&dev, "60075f5260205ffd").await;
    let call = json!([{ "from": BOB, "to": reverts, "gas": "0x186a0" }]);
    let failed = dev.ask("eth_sendTransaction", call).await;
    let error = dev.ask("ots_getTransactionError", json!([failed])).await;
    assert_eq!(error, json!(B256::from(U256::from(7))));
    assert_eq!(dev.ask("ots_getTransactionError", json!([hash])).await, "0x");
    let found = dev.ask("ots_searchTransactionsBefore", json!([BOB, 0, 25])).await;
    let hashes: Vec<_> = found["txs"].as_array().unwrap().iter().map(|one| &one["hash"]).collect();
    assert_eq!(hashes, [&failed, &hash]);
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_are_told_as_solana_knows_them() {
    let dev = Dev::start(&[]);
    let contract = counter(&dev).await;
    let call = json!([{ "from": BOB, "to": contract }]);
    let parts = dev.ask("parhelion_estimateGas", call.clone()).await;
    assert_ne!(parts["rentGas"], "0x0");
    let hash = dev.ask("eth_sendTransaction", call).await;
    let (receipt, landed) =
        (dev.receipt(&hash).await, dev.ask("parhelion_getTransaction", json!([hash])).await);
    for field in ["solanaSignature", "solanaSignatures", "computeUnits", "rentGas", "gasUsed"] {
        assert_eq!(landed[field], receipt[field], "{field}");
    }
    assert_eq!(landed["rentGas"], parts["rentGas"]);
    let signature = json!([landed["solanaSignature"]]);
    assert_eq!(dev.ask("parhelion_getTransactionsBySignature", signature).await, json!([hash]));
    let accounts = dev.ask("parhelion_getAccounts", json!([hash])).await;
    assert_eq!(accounts, parts["accounts"]);
    // The balances of sender and operator and the Cell are written; contract, code and the System program are read.
    let written = accounts.as_array().unwrap().iter().filter(|account| account["writable"] == true);
    assert_eq!((written.count(), accounts.as_array().unwrap().len()), (3, 6), "{accounts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_undone_is_no_past() {
    let dev = Dev::start(&[]);
    let contract = counter(&dev).await;
    let height = dev.height().await;
    let snapshot = dev.ask("evm_snapshot", json!([])).await;
    let undone = dev.ask("eth_sendTransaction", json!([{ "from": BOB, "to": contract }])).await;
    dev.ask("evm_revert", json!([snapshot])).await;
    dev.pay(ALICE, CAROL, ETHER).await;
    dev.pay(ALICE, CAROL, ETHER).await;
    let balance = async |number| dev.number("eth_getBalance", json!([CAROL, at(number)])).await;
    assert_eq!([balance(height).await, balance(height + 1).await], [U256::ZERO, ETHER]);
    let stored = dev.ask("eth_getStorageAt", json!([contract, "0x0", at(height + 1)])).await;
    assert_eq!(stored, json!(B256::ZERO));
    let (code, text) = dev.refusal("debug_traceTransaction", json!([undone])).await;
    assert_eq!((code, text.as_str()), (-32000, "transaction not found"));
}
