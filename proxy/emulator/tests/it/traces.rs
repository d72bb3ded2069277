//! How a run is recorded.

use crate::cluster::Chain;
use crate::rounds::call;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rpc_types_trace::geth::{GethDefaultTracingOptions, StructLog};
use parhelion_assembler::{Code, log1, mstore, push, return_top, revert, sload, sstore};
use parhelion_core::emulator::{Call, Emulator, EmulatorError, Recording, TraceRequest};
use parhelion_evm::opcode as op;
use revm_inspectors::tracing::types::{CallKind, CallTraceNode};

async fn calls(chain: &Chain, call: &Call) -> Vec<CallTraceNode> {
    match chain.emulator.trace(call, TraceRequest::Calls).await.unwrap().recording {
        Recording::Calls(nodes) => nodes,
        other => panic!("{other:?}"),
    }
}

async fn opcodes(chain: &Chain, call: &Call, options: GethDefaultTracingOptions) -> Vec<StructLog> {
    match chain.emulator.trace(call, TraceRequest::Opcodes(options)).await.unwrap().recording {
        Recording::Opcodes(logs) => logs,
        other => panic!("{other:?}"),
    }
}

/// Calls an address, with these first four bytes of zeroed memory as data, and drops the result.
fn invoke(opcode: u8, to: Address, gas: u64, value: Option<u64>) -> Code {
    let value = value.map_or_else(Code::new, push);
    push(0) + push(0) + push(4) + push(0) + value + push(to.into_array()) + push(gas) + opcode + op::POP
}

#[tokio::test]
async fn calls_are_recorded_as_a_tree_with_kinds_parties_and_logs() {
    let chain = Chain::new();
    let leaf = chain.contract(1, &(push(7) + return_top()), &[]);
    let fails = chain.contract(2, &(log1(0, 0, 1) + mstore(0, 9) + revert(0, 32)), &[]);
    let identity = Address::with_last_byte(4);
    let nobody = Address::repeat_byte(0x66);
    let code = log1(0, 4, 5)
        + invoke(op::STATICCALL, leaf, 50_000, None)
        + invoke(op::DELEGATECALL, leaf, 50_000, None)
        + invoke(op::CALLCODE, leaf, 50_000, Some(0))
        + invoke(op::CALL, fails, 50_000, Some(0))
        + log1(0, 0, 6)
        + invoke(op::CALL, identity, 50_000, Some(0))
        + invoke(op::CALL, nobody, 50_000, Some(1))
        + op::STOP;
    let outer = chain.contract(3, &code, &[]);
    let nodes = calls(&chain, &call(outer)).await;
    let summary: Vec<_> = nodes
        .iter()
        .map(|node| {
            let trace = &node.trace;
            (node.parent, trace.kind, trace.caller, trace.address, trace.success, trace.output.len())
        })
        .collect();
    assert_eq!(
        summary,
        [
            (None, CallKind::Call, Address::ZERO, outer, true, 0),
            (Some(0), CallKind::StaticCall, outer, leaf, true, 32),
            (Some(0), CallKind::DelegateCall, outer, leaf, true, 32),
            (Some(0), CallKind::CallCode, outer, leaf, true, 32),
            (Some(0), CallKind::Call, outer, fails, false, 32),
            (Some(0), CallKind::Call, outer, identity, true, 4),
            (Some(0), CallKind::Call, outer, nobody, false, 0),
        ]
    );
    assert_eq!(nodes[0].children, [1, 2, 3, 4, 5, 6]);
    let errors = nodes.iter().map(|node| format!("{:?}", node.trace.status.unwrap()));
    assert_eq!(
        errors.collect::<Vec<_>>(),
        ["Stop", "Return", "Return", "Return", "Revert", "Return", "OutOfFunds"]
    );
    // Where a log is among the calls, and how it is numbered in the transaction.
    let places: Vec<_> =
        nodes[0].logs.iter().map(|log| (log.position, log.index, log.raw_log.data.len())).collect();
    assert_eq!(places, [(0, 0, 4), (4, 2, 0)]);
    assert_eq!(nodes[0].logs[0].raw_log.topics(), [B256::from(U256::from(5))]);
    // What came back of the callee's gas is not used.
    assert_eq!((nodes[1].trace.gas_limit, nodes[1].trace.gas_used), (50_000, 3 + 2 + 6 + 3 + 2));
    assert_eq!((nodes[6].trace.value, nodes[6].trace.gas_used), (U256::from(1), 0));
}

#[tokio::test]
async fn creations_and_self_destructions_are_recorded() {
    let chain = Chain::new();
    // Init code of three bytes that leaves one byte of code: PUSH1 1, PUSH0, RETURN; memory is zero, so the code is STOP.
    let init = U256::from(0x6001_5ff3_u64) << 224;
    let creates = mstore(0, U256::to_be_bytes::<32>(&init))
        + push(4)
        + push(0)
        + push(0)
        + op::CREATE
        + op::POP
        + push([0xbe; 20])
        + op::SELFDESTRUCT;
    let creator = chain.contract(1, &creates, &[]);
    let nodes = calls(&chain, &call(creator)).await;
    assert_eq!(nodes.len(), 2);
    let created = &nodes[1].trace;
    assert_eq!(
        (created.kind, created.address, &created.output),
        (CallKind::Create, creator.create(1), &Bytes::from([0]))
    );
    assert_eq!(created.data, Bytes::from([0x60, 0x01, 0x5f, 0xf3]));
    // 3 + 2 of pushes, 3 of memory, 200 of the byte that is left.
    assert_eq!(created.gas_used, 208);
    let outer = &nodes[0].trace;
    assert_eq!(outer.selfdestruct_refund_target, Some(Address::repeat_byte(0xbe)));
    assert_eq!(outer.selfdestruct_address, Some(creator));
}

#[tokio::test]
async fn opcodes_are_recorded_with_what_they_cost_and_see() {
    let chain = Chain::new();
    let leaf = chain.contract(1, &(push(7) + return_top()), &[]);
    let code = sload(1) + op::POP + sstore(2, 3) + invoke(op::CALL, leaf, 50_000, Some(0)) + op::STOP;
    let outer = chain.contract(2, &code, &[(1, 5)]);
    let logs = opcodes(&chain, &call(outer), GethDefaultTracingOptions::default().enable_memory()).await;
    let named =
        |name: &str, depth: u64| logs.iter().find(|log| log.op == name && log.depth == depth).unwrap();
    let key = |number: u64| B256::from(U256::from(number));
    assert_eq!(logs[0].op, "PUSH1");
    assert_eq!((logs[0].pc, logs[0].gas_cost, logs[0].depth), (0, 3, 1));
    let sload = named("SLOAD", 1);
    assert_eq!((sload.gas_cost, &sload.stack), (2_100, &Some(vec![U256::from(1)])));
    assert_eq!(sload.storage, Some([(key(1), key(5))].into()));
    let sstore = named("SSTORE", 1);
    assert_eq!(sstore.gas_cost, 22_100);
    assert_eq!(sstore.storage, Some([(key(1), key(5)), (key(2), key(3))].into()));
    // A call costs what it takes and what it hands on.
    assert_eq!(named("CALL", 1).gas_cost, 2_600 + 50_000 + 3);
    assert_eq!(named("RETURN", 2).memory.as_ref().unwrap().len(), 1);
    // Behind the call its unused gas is there again.
    let pop = logs.iter().rfind(|log| log.op == "POP").unwrap();
    assert_eq!(named("CALL", 1).gas - pop.gas, 2_600 + 3 + (3 + 2 + 6 + 3 + 2));
    assert_eq!((pop.gas_cost, logs.last().unwrap().op.as_ref()), (2, "STOP"));
    // The gas of each opcode of a frame is that of the one before less its cost, but for calls.
    for pair in logs.windows(2).filter(|pair| pair[0].depth == pair[1].depth) {
        assert_eq!(pair[1].gas, pair[0].gas - pair[0].gas_cost, "{}", pair[0].op);
    }
}

#[tokio::test]
async fn what_is_recorded_can_be_chosen_and_is_bounded() {
    let chain = Chain::new();
    let fails = chain.contract(1, &(mstore(0, 1) + op::INVALID), &[]);
    let options = GethDefaultTracingOptions::default;
    let logs = opcodes(&chain, &call(fails), options().disable_stack().enable_return_data()).await;
    assert!(logs.iter().all(|log| log.stack.is_none() && log.memory.is_none() && log.return_data.is_some()));
    let last = logs.last().unwrap();
    assert_eq!((last.error.as_deref(), last.gas_cost), (Some("invalid opcode"), 0));
    assert_eq!(opcodes(&chain, &call(fails), options().with_limit(2)).await.len(), 2);
    assert_eq!(opcodes(&chain, &call(fails), options().with_limit(0)).await.len(), 4);
    // An endless loop (to the JUMPDEST at 7) with a large memory.
    let grows = mstore(100_000, 1) + Code::new().op(op::JUMPDEST) + push(7) + op::JUMP;
    let endless = chain.contract(2, &grows, &[]);
    let options = options().enable_memory();
    match chain.emulator.trace(&call(endless), TraceRequest::Opcodes(options)).await {
        Err(EmulatorError::TraceTooLarge { max }) => assert_eq!(max, 64 << 20),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it ended"),
    }
    // The first opcodes can be had all the same.
    let logs = opcodes(&chain, &call(endless), options.with_limit(10)).await;
    assert_eq!(logs.len(), 10);
}
