//! What happened in a transaction: made out again, so only where the past is kept.

use crate::arguments::Arguments;
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_primitives::{Bytes, U256};
use alloy_rpc_types_trace::otterscan::{InternalOperation, OperationType, TraceEntry};
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::emulator::{Execution, Recording, Trace, TraceRequest};
use parhelion_core::store::Executed;
use parhelion_wire::event::Outcome;
use revm_inspectors::tracing::types::{CallKind, CallTraceNode};
use std::sync::Arc;

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method("ots_getInternalOperations", 1, internal_operations)?;
    module.method("ots_getTransactionError", 1, transaction_error)?;
    module.method("ots_traceTransaction", 1, trace_transaction)?;
    Ok(())
}

async fn internal_operations(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<Option<Vec<InternalOperation>>, RpcError> {
    let traced = traced(&arguments, &context).await?;
    Ok(traced.map(|(_, nodes)| operations(&nodes)))
}

async fn trace_transaction(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<Option<Vec<TraceEntry>>, RpcError> {
    let traced = traced(&arguments, &context).await?;
    Ok(traced.map(|(_, nodes)| walk(&nodes).map(|moment| entry(&moment)).collect()))
}

/// `ots_getTransactionError(hash)`: the revert data; nothing of a transaction that succeeded or halted.
async fn transaction_error(arguments: Arguments, context: Arc<Context>) -> Result<Option<Bytes>, RpcError> {
    let executed = context.store.executed(arguments.hex(0)?).await?;
    match executed {
        None => Ok(None),
        Some(executed) if executed.outcome != Outcome::Revert => Ok(Some(Bytes::new())),
        Some(executed) => Ok(Some(calls(&context, &executed).await?.0.output)),
    }
}

/// The calls of the transaction that is asked for, and what it did.
async fn traced(
    arguments: &Arguments,
    context: &Context,
) -> Result<Option<(Execution, Vec<CallTraceNode>)>, RpcError> {
    match context.store.executed(arguments.hex(0)?).await? {
        None => Ok(None),
        Some(executed) => calls(context, &executed).await.map(Some),
    }
}

/// The calls of a transaction, and what it did.
pub(super) async fn calls(
    context: &Context,
    executed: &Executed,
) -> Result<(Execution, Vec<CallTraceNode>), RpcError> {
    let Trace { execution, recording } =
        context.emulator.trace_executed(executed, TraceRequest::Calls).await?;
    match recording {
        Recording::Calls(nodes) => Ok((execution, nodes)),
        _ => Err(RpcError::Internal("something else was recorded than was asked for".into())),
    }
}

/// Something that happens in a transaction.
enum Moment<'n> {
    /// A call or creation begins.
    Begins(&'n CallTraceNode),
    /// A contract destroys itself, when all that it called is over.
    Destroys(&'n CallTraceNode),
}

/// What happens, in its order. Every node is met once, and each contract's end once.
fn walk(nodes: &[CallTraceNode]) -> impl Iterator<Item = Moment<'_>> {
    let mut next: Vec<Moment<'_>> = nodes.first().map(Moment::Begins).into_iter().collect();
    std::iter::from_fn(move || {
        let moment = next.pop()?;
        if let Moment::Begins(node) = moment {
            next.extend(node.trace.selfdestruct_refund_target.map(|_| Moment::Destroys(node)));
            let callees = node.children.iter().rev().filter_map(|child| nodes.get(*child));
            next.extend(callees.map(Moment::Begins));
        }
        Some(moment)
    })
}

/// Value that moves behind the transaction itself, creations and destructions, but for those that are undone.
fn operations(nodes: &[CallTraceNode]) -> Vec<InternalOperation> {
    // Who calls comes before whom it calls.
    let mut stands: Vec<bool> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let parent = node.parent.is_none_or(|parent| stands.get(parent).copied().unwrap_or(false));
        stands.push(parent && node.trace.success);
    }
    let is_kept = |node: &CallTraceNode| stands.get(node.idx).copied().unwrap_or(false);
    let moments = walk(nodes).filter(|moment| match moment {
        Moment::Begins(node) | Moment::Destroys(node) => is_kept(node),
    });
    moments.filter_map(|moment| operation(&moment)).collect()
}

fn operation(moment: &Moment<'_>) -> Option<InternalOperation> {
    match moment {
        Moment::Begins(node) => {
            let trace = &node.trace;
            let r#type = match trace.kind {
                _ if node.parent.is_none() => return None,
                CallKind::Create => OperationType::OpCreate,
                CallKind::Create2 => OperationType::OpCreate2,
                CallKind::Call if !trace.value.is_zero() => OperationType::OpTransfer,
                _ => return None,
            };
            Some(InternalOperation { r#type, from: trace.caller, to: trace.address, value: trace.value })
        }
        Moment::Destroys(node) => Some(InternalOperation {
            r#type: OperationType::OpSelfDestruct,
            from: node.trace.selfdestruct_address?,
            to: node.trace.selfdestruct_refund_target?,
            value: node.trace.selfdestruct_transferred_value.unwrap_or_default(),
        }),
    }
}

fn entry(moment: &Moment<'_>) -> TraceEntry {
    match moment {
        Moment::Begins(node) => {
            let trace = &node.trace;
            let moves_nothing = matches!(trace.kind, CallKind::StaticCall | CallKind::DelegateCall);
            TraceEntry {
                r#type: trace.kind.to_string(),
                depth: trace.depth as u32,
                from: trace.caller,
                to: trace.address,
                value: (!moves_nothing).then_some(trace.value),
                input: trace.data.clone(),
                output: trace.output.clone(),
            }
        }
        Moment::Destroys(node) => TraceEntry {
            r#type: "SELFDESTRUCT".into(),
            depth: (node.trace.depth as u32).saturating_add(1),
            from: node.trace.selfdestruct_address.unwrap_or_default(),
            to: node.trace.selfdestruct_refund_target.unwrap_or_default(),
            value: Some(node.trace.selfdestruct_transferred_value.unwrap_or(U256::ZERO)),
            input: Bytes::new(),
            output: Bytes::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::Address;
    use revm_inspectors::tracing::types::CallTrace;

    /// A node that calls `children`, and destroys itself if it has a beneficiary.
    fn node(
        idx: usize,
        parent: Option<usize>,
        children: &[usize],
        kind: CallKind,
        beneficiary: Option<u8>,
    ) -> CallTraceNode {
        let trace = CallTrace {
            kind,
            depth: usize::from(parent.is_some()),
            value: U256::from(idx),
            caller: Address::with_last_byte(parent.unwrap_or(99) as u8),
            address: Address::with_last_byte(idx as u8),
            success: true,
            selfdestruct_address: beneficiary.map(|_| Address::with_last_byte(idx as u8)),
            selfdestruct_refund_target: beneficiary.map(Address::with_last_byte),
            selfdestruct_transferred_value: beneficiary.map(|_| U256::from(7)),
            ..CallTrace::default()
        };
        CallTraceNode { idx, parent, children: children.to_vec(), trace, ..CallTraceNode::default() }
    }

    fn nodes() -> Vec<CallTraceNode> {
        let mut nodes = vec![
            node(0, None, &[1, 3, 4, 6], CallKind::Call, Some(9)),
            node(1, Some(0), &[2], CallKind::Call, Some(8)),
            node(2, Some(1), &[], CallKind::Create2, None),
            node(3, Some(0), &[], CallKind::DelegateCall, None),
            node(4, Some(0), &[5], CallKind::Call, None),
            node(5, Some(4), &[], CallKind::Create, None),
            node(6, Some(0), &[], CallKind::StaticCall, None),
        ];
        nodes[4].trace.success = false;
        nodes
    }

    #[test]
    fn operations_come_in_their_order_and_without_those_that_are_undone() {
        let found: Vec<_> = operations(&nodes())
            .iter()
            .map(|one| (one.r#type as u8, one.from.0[19], one.to.0[19], one.value.to::<u64>()))
            .collect();
        assert_eq!(found, [(0, 0, 1, 1), (3, 1, 2, 2), (1, 1, 8, 7), (1, 0, 9, 7)]);
        assert!(operations(&[]).is_empty());
    }

    #[test]
    fn everything_is_traced() {
        let nodes = nodes();
        let entries: Vec<_> = walk(&nodes).map(|moment| entry(&moment)).collect();
        let kinds: Vec<_> = entries.iter().map(|entry| (entry.r#type.as_str(), entry.depth)).collect();
        let expected = [
            ("CALL", 0),
            ("CALL", 1),
            ("CREATE2", 1),
            ("SELFDESTRUCT", 2),
            ("DELEGATECALL", 1),
            ("CALL", 1),
            ("CREATE", 1),
            ("STATICCALL", 1),
            ("SELFDESTRUCT", 1),
        ];
        assert_eq!(kinds, expected);
        assert_eq!((entries[1].value, entries[4].value), (Some(U256::from(1)), None));
    }
}
