//! `eth_call`, `eth_estimateGas` and `eth_createAccessList`.

use crate::client::{refused, result};
use crate::fake::{ALICE, BLOCK_GAS_LIMIT, CHAIN_ID, Fake, TOKEN, callee};
use alloy_primitives::{Address, Bytes, U256, hex};
use parhelion_rpc::{Config, Limits, Methods, serve};
use serde_json::{Value, json};

/// `Error("nope")` as Solidity encodes it.
const ERROR_NOPE: &str = "0x08c379a0\
    0000000000000000000000000000000000000000000000000000000000000020\
    0000000000000000000000000000000000000000000000000000000000000004\
    6e6f706500000000000000000000000000000000000000000000000000000000";
/// `Panic(0x11)`.
const PANIC_OVERFLOW: &str = "0x4e487b710000000000000000000000000000000000000000000000000000000000000011";

#[tokio::test]
async fn calls_and_estimates_succeed() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let request = json!({
        "from": Address::repeat_byte(1), "to": callee::ECHO, "data": "0x1234", "gas": "0xffffffffffff",
        "gasPrice": "0x7", "value": "0x5", "nonce": "0x9", "chainId": format!("{CHAIN_ID:#x}"),
    });
    assert_eq!(result(at, "eth_call", json!([request])).await, "0x1234");
    let call = fake.last_call.lock().unwrap().clone().unwrap();
    assert_eq!((call.from, call.to), (Some(Address::repeat_byte(1)), Some(callee::ECHO)));
    assert_eq!((call.gas, call.gas_price), (Some(BLOCK_GAS_LIMIT), Some(U256::from(7))));
    assert_eq!((call.value, call.nonce), (Some(U256::from(5)), Some(9)));
    assert_eq!(call.data, Bytes::from(hex!("1234")));

    assert_eq!(result(at, "eth_estimateGas", json!([request])).await, "0xe0da8");
    // Nothing set means the defaults, and no overrides are fine.
    assert_eq!(result(at, "eth_call", json!([{}, "latest", null, {}])).await, "0x");
    assert_eq!(fake.last_call.lock().unwrap().clone().unwrap().to, None);
}

#[tokio::test]
async fn reverts_have_code_3_the_reason_and_the_data() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    let custom = "0xdeadbeef01";
    for (data, message) in [
        (ERROR_NOPE, "execution reverted: nope"),
        (PANIC_OVERFLOW, "execution reverted: arithmetic underflow or overflow"),
        (custom, "execution reverted"),
        ("0x", "execution reverted"),
    ] {
        for method in ["eth_call", "eth_estimateGas"] {
            let params = json!([{ "to": callee::REVERT, "input": data }, "latest"]);
            assert_eq!(refused(at, method, params, 3, message).await, json!(data), "{method}");
        }
    }
}

#[tokio::test]
async fn other_failures_say_what_failed() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    for (method, to, code, text) in [
        ("eth_call", callee::HALT, -32000, "out of gas"),
        ("eth_call", callee::RENT, -32000, "out of rent gas"),
        (
            "eth_call",
            callee::REFUSED,
            -32000,
            "insufficient funds for gas * price + value: balance 1, tx cost 2",
        ),
        ("eth_call", callee::TOO_MANY, -32000, "more accounts than"),
        ("eth_call", callee::UNREACHABLE, -32603, "check --solana-url"),
        ("eth_estimateGas", callee::HALT, -32000, "gas required exceeds allowance (30000000)"),
        ("eth_estimateGas", callee::REFUSED, -32000, "insufficient funds"),
    ] {
        refused(at, method, json!([{ "to": to }]), code, text).await;
    }
}

#[tokio::test]
async fn what_is_not_supported_is_refused_clearly() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    let change = |change: Value| json!([{}, "latest", { Address::ZERO.to_string(): change }]);
    let both = change(json!({ "state": {}, "stateDiff": {} }));
    refused(at, "eth_call", both, -32602, "has both 'state' and 'stateDiff'").await;
    let moved = change(json!({ "movePrecompileToAddress": Address::ZERO }));
    refused(at, "eth_estimateGas", moved, -32602, "'movePrecompileToAddress', which is not supported").await;
    refused(at, "eth_call", change(json!({ "wealth": "0x1" })), -32602, "unknown field `wealth`").await;
    let block = json!([{}, "latest", {}, { "number": "one" }]);
    refused(at, "eth_call", block, -32602, "invalid argument 3").await;
    let prices = json!([{ "gasPrice": "0x1", "maxFeePerGas": "0x1" }]);
    refused(at, "eth_call", prices, -32000, "both gasPrice and").await;
    let inputs = json!([{ "data": "0x01", "input": "0x02" }]);
    refused(at, "eth_call", inputs, -32000, "\"data\" and \"input\"").await;
    refused(at, "eth_call", json!([{ "chainId": "0x1" }]), -32000, "chainId does not match").await;
}

#[tokio::test]
async fn a_call_that_does_not_end_times_out() {
    let mut config = Config::new(([127, 0, 0, 1], 0).into());
    config.limits = Limits { request_seconds_max: 1, ..Limits::default() };
    let server = serve(config, Fake::new().services(Methods::new())).await.unwrap();
    let params = json!([{ "to": callee::HANGS }]);
    refused(server.local_addr(), "eth_call", params, -32002, "request timed out after 1 s").await;
}

#[tokio::test]
async fn calls_are_made_with_their_overrides() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let overrides = || fake.last_call.lock().unwrap().clone().unwrap().overrides;
    result(at, "eth_call", json!([{}, "latest", {}, {}])).await;
    assert!(overrides().is_none());
    let state =
        json!({ Address::ZERO.to_string(): { "balance": "0x7", "stateDiff": { ALICE.to_string(): ALICE } } });
    for method in ["eth_call", "eth_estimateGas", "eth_createAccessList"] {
        result(at, method, json!([{}, "latest", state, { "time": "0x9" }])).await;
        let seen = overrides().unwrap();
        assert_eq!(seen.block.time, Some(9));
        assert_eq!(seen.state[&Address::ZERO].balance, Some(U256::from(7)));
        assert_eq!(seen.state[&Address::ZERO].state_diff.as_ref().unwrap()[&ALICE], ALICE);
    }
}

#[tokio::test]
async fn an_access_list_comes_with_what_the_call_does() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    let list = json!([{ "address": TOKEN, "storageKeys": [ALICE] }]);
    let fine = result(at, "eth_createAccessList", json!([{ "to": callee::ECHO }])).await;
    assert_eq!(fine, json!({ "accessList": list, "gasUsed": "0x5208" }));
    let reverts = result(at, "eth_createAccessList", json!([{ "to": callee::REVERT }, "latest"])).await;
    assert_eq!(reverts, json!({ "accessList": list, "error": "execution reverted", "gasUsed": "0x5208" }));
    let halts = result(at, "eth_createAccessList", json!([{ "to": callee::HALT }])).await;
    assert_eq!(halts["error"], "out of gas");
}
