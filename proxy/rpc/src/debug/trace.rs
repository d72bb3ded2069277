//! `debug_trace*`: how a call or a transaction does what it does, told by geth's tracers.

use super::tracer::Tracer;
use crate::arguments::Arguments;
use crate::block_id::by_number;
use crate::error::RpcError;
use crate::eth::prepare_call;
use crate::module::Module;
use crate::services::Context;
use alloy_eips::BlockNumberOrTag;
use alloy_rpc_types_eth::TransactionInfo;
use alloy_rpc_types_trace::geth::{
    GethDebugTracingCallOptions, GethDebugTracingOptions, GethTrace, TraceResult,
};
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::emulator::{Call, Emulator};
use parhelion_core::store::{self, Executed};
use std::sync::Arc;

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
    let tracer = Tracer::of(tracing_options)?;
    let state = state_overrides.unwrap_or_default();
    let block = block_overrides.unwrap_or_default();
    let (emulator, call) =
        prepare_call(arguments.require(0)?, arguments.optional(1)?, state, block, &context).await?;
    Subject::Call(emulator, Box::new(call)).trace(&tracer).await
}

async fn trace_transaction(arguments: Arguments, context: Arc<Context>) -> Result<GethTrace, RpcError> {
    let hash = arguments.hex(0)?;
    let tracer = Tracer::of(arguments.optional(1)?.unwrap_or_default())?;
    let executed = context.store.executed(hash).await?;
    let executed = executed.ok_or_else(|| RpcError::Rejected("transaction not found".into()))?;
    Subject::Executed(Arc::clone(&context.emulator), executed).trace(&tracer).await
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
    let tracer = Tracer::of(options)?;
    let block = context.store.block(id).await?;
    let block = block.ok_or_else(|| RpcError::Rejected("block not found".into()))?;
    let mut traces = Vec::with_capacity(block.transactions.len());
    for executed in &block.transactions {
        let tx_hash = Some(executed.transaction.hash());
        let subject = Subject::Executed(Arc::clone(&context.emulator), Arc::clone(executed));
        traces.push(match subject.trace(&tracer).await {
            Ok(result) => TraceResult::Success { result, tx_hash },
            Err(error) => TraceResult::Error { error: error.to_string(), tx_hash },
        });
    }
    Ok(traces)
}

impl Subject {
    /// Runs it under a tracer.
    async fn trace(&self, tracer: &Tracer) -> Result<GethTrace, RpcError> {
        let request = tracer.request();
        let trace = match self {
            Self::Call(emulator, call) => emulator.trace(call, request).await?,
            Self::Executed(emulator, executed) => emulator.trace_executed(executed, request).await?,
        };
        tracer.tell(trace, self.place())
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
}
