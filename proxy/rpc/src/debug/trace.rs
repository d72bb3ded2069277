//! `debug_traceCall`: how a call does what it does, told by geth's tracers.

use crate::arguments::Arguments;
use crate::error::RpcError;
use crate::eth::prepare_call;
use crate::module::Module;
use crate::services::Context;
use alloy_primitives::hex;
use alloy_rpc_types_eth::TransactionInfo;
use alloy_rpc_types_trace::geth::{
    DefaultFrame, FourByteFrame, GethDebugBuiltInTracerType, GethDebugTracerType,
    GethDebugTracingCallOptions, GethDebugTracingOptions, GethTrace, NoopFrame,
};
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::emulator::{Call, Recording, Trace, TraceRequest};
use revm_inspectors::tracing::types::CallTraceNode;
use revm_inspectors::tracing::{GethTraceBuilder, ParityTraceBuilder, TracingInspectorConfig};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Characters of a tracer's name that an error repeats.
const NAME_CHARS_MAX: usize = 32;

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method("debug_traceCall", 3, trace_call)?;
    Ok(())
}

async fn trace_call(arguments: Arguments, context: Arc<Context>) -> Result<GethTrace, RpcError> {
    let options: GethDebugTracingCallOptions = arguments.optional(2)?.unwrap_or_default();
    let GethDebugTracingCallOptions { tracing_options, state_overrides, block_overrides, .. } = options;
    let state = state_overrides.unwrap_or_default();
    let block = block_overrides.unwrap_or_default();
    let call = prepare_call(arguments.require(0)?, arguments.optional(1)?, state, block, &context).await?;
    trace(&context, &call, tracing_options).await
}

/// Runs a call under a tracer.
async fn trace(
    context: &Context,
    call: &Call,
    options: GethDebugTracingOptions,
) -> Result<GethTrace, RpcError> {
    let invalid =
        |error: serde_json::Error| RpcError::InvalidParams(format!("invalid tracerConfig: {error}"));
    let tracer = match options.tracer {
        None => return opcodes(context, call, options).await,
        Some(GethDebugTracerType::BuiltInTracer(tracer)) => tracer,
        Some(GethDebugTracerType::JsTracer(name)) => return Err(unknown(&name)),
    };
    match tracer {
        GethDebugBuiltInTracerType::CallTracer => {
            let config = options.tracer_config.into_call_config().map_err(invalid)?;
            let (nodes, gas_used) = calls(context, call).await?;
            Ok(GethTrace::CallTracer(GethTraceBuilder::new(nodes).geth_call_traces(config, gas_used)))
        }
        GethDebugBuiltInTracerType::FlatCallTracer => {
            let config = options.tracer_config.into_flat_call_config().map_err(invalid)?;
            let (mut nodes, _) = calls(context, call).await?;
            if config.include_precompiles.unwrap_or(false) {
                nodes.iter_mut().for_each(|node| node.trace.maybe_precompile = None);
            }
            let builder = ParityTraceBuilder::new(nodes, None, TracingInspectorConfig::default_parity());
            let traces = builder.into_localized_transaction_traces(TransactionInfo::default());
            Ok(GethTrace::FlatCallTracer(traces))
        }
        GethDebugBuiltInTracerType::FourByteTracer => {
            Ok(GethTrace::FourByteTracer(selectors(&calls(context, call).await?.0)))
        }
        GethDebugBuiltInTracerType::NoopTracer => {
            context.emulator.call(call).await?;
            Ok(GethTrace::NoopTracer(NoopFrame::default()))
        }
        GethDebugBuiltInTracerType::PreStateTracer
        | GethDebugBuiltInTracerType::StateGasTracer
        | GethDebugBuiltInTracerType::MuxTracer
        | GethDebugBuiltInTracerType::Erc7562Tracer => {
            Err(unknown(GethDebugTracerType::BuiltInTracer(tracer).as_str()))
        }
    }
}

/// The struct logger.
async fn opcodes(
    context: &Context,
    call: &Call,
    options: GethDebugTracingOptions,
) -> Result<GethTrace, RpcError> {
    let Trace { execution, recording } =
        context.emulator.trace(call, TraceRequest::Opcodes(options.config)).await?;
    let struct_logs = match recording {
        Recording::Opcodes(logs) => logs,
        Recording::Calls(_) => return Err(other_recording()),
    };
    Ok(GethTrace::Default(DefaultFrame {
        failed: !execution.outcome.is_success(),
        gas: execution.gas_used,
        return_value: execution.output,
        struct_logs,
        ..DefaultFrame::default()
    }))
}

/// The calls that a call makes, itself the first, and the gas that it uses.
async fn calls(context: &Context, call: &Call) -> Result<(Vec<CallTraceNode>, u64), RpcError> {
    let Trace { execution, recording } = context.emulator.trace(call, TraceRequest::Calls).await?;
    match recording {
        Recording::Calls(nodes) => Ok((nodes, execution.gas_used)),
        Recording::Opcodes(_) => Err(other_recording()),
    }
}

/// geth's 4byteTracer: how often each selector was called, by the length of what follows it.
fn selectors(nodes: &[CallTraceNode]) -> FourByteFrame {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for node in nodes.iter().filter(|node| !node.kind().is_any_create() && !node.is_precompile()) {
        if let Some(selector) = node.selector() {
            let key =
                format!("{}-{}", hex::encode_prefixed(selector), node.trace.data.len() - selector.len());
            *counts.entry(key).or_default() += 1;
        }
    }
    FourByteFrame(counts)
}

fn unknown(tracer: &str) -> RpcError {
    let name: String = tracer.chars().take(NAME_CHARS_MAX).collect();
    RpcError::InvalidParams(format!(
        "no tracer {name:?}: there are callTracer, flatCallTracer, 4byteTracer, noopTracer, and the struct logger, \
         which has no name"
    ))
}

fn other_recording() -> RpcError {
    RpcError::Internal("something else was recorded than was asked for".into())
}
