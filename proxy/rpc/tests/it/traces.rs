//! `debug_trace*`.

use crate::client::{refused, result};
use crate::fake::{Fake, callee};
use alloy_primitives::{Address, B256};
use serde_json::{Value, json};

fn traced(options: Value) -> Value {
    json!([{ "to": callee::ECHO, "data": "0x010203040506" }, "latest", options])
}

#[tokio::test]
async fn without_a_tracer_every_opcode_is_told() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let expected = json!({
        "failed": false, "gas": 21_000, "returnValue": "0x010203040506",
        "structLogs": [{ "pc": 0, "op": "STOP", "gas": 0, "gasCost": 0, "depth": 1 }],
    });
    assert_eq!(result(at, "debug_traceCall", traced(json!({}))).await, expected);
    assert_eq!(result(at, "debug_traceCall", traced(Value::Null)).await, expected);
    let failed = json!([{ "to": callee::REVERT }, "latest"]);
    assert_eq!(result(at, "debug_traceCall", failed).await["failed"], true);
    let large = traced(json!({ "limit": 1_000_000 }));
    refused(at, "debug_traceCall", large, -32005, "the trace needs more than 5 bytes").await;
    // Overrides come with the options here.
    let options = json!({ "stateOverrides": { callee::ECHO.to_string(): { "balance": "0x1" } } });
    result(at, "debug_traceCall", traced(options)).await;
    assert!(fake.last_call.lock().unwrap().as_ref().unwrap().overrides.is_some());
}

#[tokio::test]
async fn tracers_have_their_own_answers() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    let trace = async |tracer: &str, config: Value| {
        result(at, "debug_traceCall", traced(json!({ "tracer": tracer, "tracerConfig": config }))).await
    };
    let calls = trace("callTracer", json!({})).await;
    assert_eq!(
        (&calls["type"], &calls["gas"], &calls["gasUsed"]),
        (&json!("CALL"), &json!("0x15f90"), &json!("0x5208"))
    );
    assert_eq!(calls["calls"].as_array().unwrap().len(), 1);
    let top = trace("callTracer", json!({ "onlyTopCall": true })).await;
    assert!(top.get("calls").is_none(), "{top}");
    // The inner call is one of a precompile: no selector, and in a flat trace only if asked for.
    assert_eq!(trace("4byteTracer", json!(null)).await, json!({ "0x01020304-2": 1 }));
    assert_eq!(trace("noopTracer", json!(null)).await, json!({}));
    let count = |flat: Value| flat.as_array().unwrap().len();
    assert_eq!(count(trace("flatCallTracer", json!({})).await), 1);
    assert_eq!(count(trace("flatCallTracer", json!({ "includePrecompiles": true })).await), 2);
}

#[tokio::test]
async fn unknown_tracers_and_configurations_are_refused() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    for tracer in ["{ step: function() {} }", "erc7562Tracer"] {
        let options = traced(json!({ "tracer": tracer }));
        refused(at, "debug_traceCall", options, -32602, "no tracer").await;
        let options = traced(json!({ "tracer": "muxTracer", "tracerConfig": { tracer: null } }));
        refused(at, "debug_traceCall", options, -32602, "no tracer").await;
    }
    let inner = json!({ "muxTracer": { "noopTracer": {} } });
    let options = traced(json!({ "tracer": "muxTracer", "tracerConfig": inner }));
    refused(at, "debug_traceCall", options, -32602, "no tracer \"muxTracer\"").await;
    let config = json!({ "diffMode": true, "includeEmpty": true });
    let options = traced(json!({ "tracer": "prestateTracer", "tracerConfig": config }));
    refused(at, "debug_traceCall", options, -32602, "invalid tracerConfig: diffMode").await;
    let options = traced(json!({ "tracer": "callTracer", "tracerConfig": { "onlyTopCall": "yes" } }));
    refused(at, "debug_traceCall", options, -32602, "invalid tracerConfig").await;
    refused(at, "debug_traceCall", json!([]), -32602, "missing value for required argument 0").await;
}

#[tokio::test]
async fn transactions_and_blocks_are_traced() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let block = fake.blocks.iter().find(|block| block.transactions.len() > 1).unwrap();
    let hashes: Vec<_> = block.transactions.iter().map(|executed| executed.transaction.hash()).collect();
    let options = json!({ "tracer": "callTracer" });
    let one = result(at, "debug_traceTransaction", json!([hashes[0], options])).await;
    assert_eq!(one["type"], "CALL");
    assert!(result(at, "debug_traceTransaction", json!([hashes[0]])).await["structLogs"].is_array());
    let flat = json!({ "tracer": "flatCallTracer" });
    let flat = result(at, "debug_traceTransaction", json!([hashes[1], flat])).await;
    assert_eq!(
        (&flat[0]["transactionHash"], &flat[0]["transactionPosition"]),
        (&json!(hashes[1]), &json!(1))
    );

    let number = json!(format!("{:#x}", block.header.number));
    for (method, id) in [("debug_traceBlockByNumber", number), ("debug_traceBlockByHash", json!(block.hash))]
    {
        let traces = result(at, method, json!([id, options])).await;
        let traced: Vec<_> = traces.as_array().unwrap().iter().map(|trace| &trace["txHash"]).collect();
        assert_eq!(
            traced,
            hashes.iter().map(|hash| json!(hash)).collect::<Vec<_>>().iter().collect::<Vec<_>>()
        );
        assert_eq!(traces[0]["result"]["type"], "CALL");
    }
    let unknown = json!([B256::ZERO]);
    refused(at, "debug_traceTransaction", unknown.clone(), -32000, "transaction not found").await;
    refused(at, "debug_traceBlockByHash", unknown, -32000, "block not found").await;
    refused(at, "debug_traceBlockByNumber", json!(["0xffff"]), -32000, "block not found").await;
    let foreign = json!([block.hash, { "tracer": "erc7562Tracer" }]);
    refused(at, "debug_traceBlockByHash", foreign, -32602, "no tracer \"erc7562Tracer\"").await;
}

/// The accounts of `fake::touched`, by the last byte of each.
fn account(byte: u8) -> String {
    format!("{:?}", Address::with_last_byte(byte))
}

fn word(byte: u8) -> String {
    B256::with_last_byte(byte).to_string()
}

#[tokio::test]
async fn accounts_are_shown_as_they_were() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let trace = async |config: Value| {
        let options = json!({ "tracer": "prestateTracer", "tracerConfig": config });
        result(at, "debug_traceCall", traced(options)).await
    };
    // As geth shows them: balances always, nonces and code where there are some, nothing of what is empty.
    let expected = json!({
        account(0xa1): { "balance": "0x64", "nonce": 7 },
        account(0xa2): {
            "balance": "0x5", "nonce": 1, "code": "0xfe",
            "storage": { word(1): word(1), word(2): word(2), word(3): word(0) },
        },
        account(0xa3): {
            "balance": "0x0", "nonce": 1, "code": "0xfe",
            "storage": { word(1): word(1), word(2): word(0), word(3): word(0) },
        },
        account(0xa5): { "balance": "0x6" },
    });
    assert_eq!(trace(Value::Null).await, expected);
    let hash = fake.executed(1, 0).transaction.hash();
    let executed = json!([hash, { "tracer": "prestateTracer" }]);
    assert_eq!(result(at, "debug_traceTransaction", executed).await, expected);
    let mut with_empty = expected;
    with_empty[account(0xa4)] = json!({ "balance": "0x0" });
    with_empty[account(0xa6)] = json!({ "balance": "0x0" });
    assert_eq!(trace(json!({ "includeEmpty": true })).await, with_empty);
    let bare = trace(json!({ "disableCode": true, "disableStorage": true })).await;
    assert_eq!(bare[account(0xa2)], json!({ "balance": "0x5", "nonce": 1 }));
}

#[tokio::test]
async fn what_changes_is_shown_before_and_behind() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    let trace = async |config: Value| {
        let options = json!({ "tracer": "prestateTracer", "tracerConfig": config });
        result(at, "debug_traceCall", traced(options)).await
    };
    let diff = trace(json!({ "diffMode": true })).await;
    let expected = json!({
        "pre": {
            account(0xa1): { "balance": "0x64", "nonce": 7 },
            account(0xa2): { "balance": "0x5", "nonce": 1, "code": "0xfe", "storage": { word(2): word(2) } },
            account(0xa5): { "balance": "0x6" },
        },
        "post": {
            account(0xa1): { "balance": "0x0", "nonce": 8 },
            account(0xa2): { "storage": { word(3): word(3) } },
            account(0xa4): {
                "balance": "0x9", "nonce": 1, "code": "0xfd", "storage": { word(1): word(4) },
            },
        },
    });
    assert_eq!(diff, expected);
    let bare = trace(json!({ "diffMode": true, "disableCode": true, "disableStorage": true })).await;
    assert_eq!(bare["pre"].as_object().unwrap().keys().collect::<Vec<_>>(), [&account(0xa1), &account(0xa5)]);
    assert_eq!(bare["post"][account(0xa4)], json!({ "balance": "0x9", "nonce": 1 }));
}

#[tokio::test]
async fn tracers_share_a_run() {
    let server = Fake::new().serve().await;
    let at = server.local_addr();
    let parts = json!({ "callTracer": { "onlyTopCall": true }, "4byteTracer": null, "prestateTracer": {} });
    let options = json!({ "tracer": "muxTracer", "tracerConfig": parts });
    let mux = result(at, "debug_traceCall", traced(options)).await;
    assert_eq!(mux.as_object().unwrap().len(), 3);
    assert!(mux["callTracer"]["type"] == "CALL" && mux["callTracer"].get("calls").is_none());
    assert_eq!(mux["4byteTracer"], json!({ "0x01020304-2": 1 }));
    assert_eq!(mux["prestateTracer"][account(0xa5)], json!({ "balance": "0x6" }));
    let nothing = json!({ "tracer": "muxTracer", "tracerConfig": {} });
    assert_eq!(result(at, "debug_traceCall", traced(nothing)).await, json!({}));
}
