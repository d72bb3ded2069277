//! `debug_trace*`: how a call or a transaction does what it does, told by geth's tracers.

use crate::arguments::Arguments;
use crate::block_id::by_number;
use crate::error::RpcError;
use crate::eth::prepare_call;
use crate::module::Module;
use crate::services::Context;
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::hex;
use alloy_rpc_types_eth::TransactionInfo;
use alloy_rpc_types_trace::geth::{
    DefaultFrame, FourByteFrame, GethDebugBuiltInTracerType, GethDebugTracerType,
    GethDebugTracingCallOptions, GethDebugTracingOptions, GethTrace, NoopFrame, TraceResult,
};
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::emulator::{Call, Emulator, Recording, Trace, TraceRequest};
use parhelion_core::store::{self, Executed};
use revm_inspectors::tracing::types::CallTraceNode;
use revm_inspectors::tracing::{GethTraceBuilder, ParityTraceBuilder, TracingInspectorConfig};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Characters of a tracer's name that an error repeats.
const NAME_CHARS_MAX: usize = 32;

/// What is traced.
enum Subject {
    Call(Arc<dyn Emulator>, Box<Call>),
    Executed(Arc<dyn Emulator>, Arc<Executed>),
}

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method("debug_traceCall", 3, trace_call)?;
    module.method("debug_traceTransaction", 2, trace_transaction)?;
    module.method("debug_traceBlockByNumber", 2, trace_block_by_number)?;
    module.method("debug_traceBlockByHash", 2, trace_block_by_hash)?;
    Ok(())
}

async fn trace_call(arguments: Arguments, context: Arc<Context>) -> Result<GethTrace, RpcError> {
    let options: GethDebugTracingCallOptions = arguments.optional(2)?.unwrap_or_default();
    let GethDebugTracingCallOptions { tracing_options, state_overrides, block_overrides, .. } = options;
    let state = state_overrides.unwrap_or_default();
    let block = block_overrides.unwrap_or_default();
    let (emulator, call) =
        prepare_call(arguments.require(0)?, arguments.optional(1)?, state, block, &context).await?;
    Subject::Call(emulator, Box::new(call)).trace(tracing_options).await
}

async fn trace_transaction(arguments: Arguments, context: Arc<Context>) -> Result<GethTrace, RpcError> {
    let (hash, options) = (arguments.hex(0)?, arguments.optional(1)?.unwrap_or_default());
    tracer_of(&options)?;
    let executed = context.store.executed(hash).await?;
    let executed = executed.ok_or_else(|| RpcError::Rejected("transaction not found".into()))?;
    Subject::Executed(Arc::clone(&context.emulator), executed).trace(options).await
}

async fn trace_block_by_number(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<Vec<TraceResult>, RpcError> {
    let number: BlockNumberOrTag = arguments.require(0)?;
    trace_block(by_number(&context, number).await?, &arguments, &context).await
}

async fn trace_block_by_hash(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<Vec<TraceResult>, RpcError> {
    trace_block(store::BlockId::Hash(arguments.hex(0)?), &arguments, &context).await
}

/// Every transaction of a block, each with its own trace. A trace that cannot be made is an error of its transaction.
async fn trace_block(
    id: store::BlockId,
    arguments: &Arguments,
    context: &Context,
) -> Result<Vec<TraceResult>, RpcError> {
    let options: GethDebugTracingOptions = arguments.optional(1)?.unwrap_or_default();
    tracer_of(&options)?;
    let block = context.store.block(id).await?;
    let block = block.ok_or_else(|| RpcError::Rejected("block not found".into()))?;
    let mut traces = Vec::with_capacity(block.transactions.len());
    for executed in &block.transactions {
        let tx_hash = Some(executed.transaction.hash());
        let subject = Subject::Executed(Arc::clone(&context.emulator), Arc::clone(executed));
        traces.push(match subject.trace(options.clone()).await {
            Ok(result) => TraceResult::Success { result, tx_hash },
            // The others would be refused for the same reason.
            Err(error @ RpcError::InvalidParams(_)) => return Err(error),
            Err(error) => TraceResult::Error { error: error.to_string(), tx_hash },
        });
    }
    Ok(traces)
}

impl Subject {
    /// Runs it under a tracer.
    async fn trace(&self, options: GethDebugTracingOptions) -> Result<GethTrace, RpcError> {
        let invalid =
            |error: serde_json::Error| RpcError::InvalidParams(format!("invalid tracerConfig: {error}"));
        let Some(tracer) = tracer_of(&options)? else { return self.opcodes(options).await };
        match tracer {
            GethDebugBuiltInTracerType::CallTracer => {
                let config = options.tracer_config.into_call_config().map_err(invalid)?;
                let (nodes, gas_used) = self.calls().await?;
                Ok(GethTrace::CallTracer(GethTraceBuilder::new(nodes).geth_call_traces(config, gas_used)))
            }
            GethDebugBuiltInTracerType::FlatCallTracer => {
                let config = options.tracer_config.into_flat_call_config().map_err(invalid)?;
                let (mut nodes, _) = self.calls().await?;
                if config.include_precompiles.unwrap_or(false) {
                    nodes.iter_mut().for_each(|node| node.trace.maybe_precompile = None);
                }
                let builder = ParityTraceBuilder::new(nodes, None, TracingInspectorConfig::default_parity());
                Ok(GethTrace::FlatCallTracer(builder.into_localized_transaction_traces(self.place())))
            }
            GethDebugBuiltInTracerType::FourByteTracer => {
                Ok(GethTrace::FourByteTracer(selectors(&self.calls().await?.0)))
            }
            GethDebugBuiltInTracerType::NoopTracer => {
                self.record(TraceRequest::Calls).await?;
                Ok(GethTrace::NoopTracer(NoopFrame::default()))
            }
            other => Err(unknown(GethDebugTracerType::BuiltInTracer(other).as_str())),
        }
    }

    async fn record(&self, request: TraceRequest) -> Result<Trace, RpcError> {
        Ok(match self {
            Self::Call(emulator, call) => emulator.trace(call, request).await?,
            Self::Executed(emulator, executed) => emulator.trace_executed(executed, request).await?,
        })
    }

    /// Where it is in the chain.
    fn place(&self) -> TransactionInfo {
        match self {
            Self::Call(..) => TransactionInfo::default(),
            Self::Executed(_, executed) => TransactionInfo {
                hash: Some(executed.transaction.hash()),
                index: Some(executed.index),
                block_hash: Some(executed.block_hash),
                block_number: Some(executed.block_number),
                block_timestamp: Some(executed.block_timestamp),
                ..TransactionInfo::default()
            },
        }
    }

    /// The struct logger.
    async fn opcodes(&self, options: GethDebugTracingOptions) -> Result<GethTrace, RpcError> {
        let Trace { execution, recording } = self.record(TraceRequest::Opcodes(options.config)).await?;
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

    /// The calls that it makes, itself the first, and the gas that it uses.
    async fn calls(&self) -> Result<(Vec<CallTraceNode>, u64), RpcError> {
        let Trace { execution, recording } = self.record(TraceRequest::Calls).await?;
        match recording {
            Recording::Calls(nodes) => Ok((nodes, execution.gas_used)),
            Recording::Opcodes(_) => Err(other_recording()),
        }
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

/// The tracer that is asked for, if it is one that there is; none is the struct logger.
fn tracer_of(options: &GethDebugTracingOptions) -> Result<Option<GethDebugBuiltInTracerType>, RpcError> {
    use GethDebugBuiltInTracerType::{CallTracer, FlatCallTracer, FourByteTracer, NoopTracer};
    match &options.tracer {
        None => Ok(None),
        Some(GethDebugTracerType::BuiltInTracer(
            tracer @ (CallTracer | FlatCallTracer | FourByteTracer | NoopTracer),
        )) => Ok(Some(*tracer)),
        Some(other) => Err(unknown(other.as_str())),
    }
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
