//! geth's tracers: what each needs to be recorded, and what it tells of that.

use super::prestate;
use crate::error::RpcError;
use alloy_primitives::hex;
use alloy_rpc_types_eth::TransactionInfo;
use alloy_rpc_types_trace::geth::mux::MuxFrame;
use alloy_rpc_types_trace::geth::{
    CallConfig, DefaultFrame, FlatCallConfig, FourByteFrame, GethDebugBuiltInTracerType,
    GethDebugTracerConfig, GethDebugTracerType, GethDebugTracingOptions, GethDefaultTracingOptions,
    GethTrace, NoopFrame,
};
use parhelion_core::emulator::{Execution, Recording, Trace, TraceRequest};
use parhelion_core::touched::TouchedAccounts;
use revm_inspectors::tracing::types::CallTraceNode;
use revm_inspectors::tracing::{GethTraceBuilder, ParityTraceBuilder, TracingInspectorConfig};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Characters of a tracer's name that an error repeats.
const NAME_CHARS_MAX: usize = 32;

/// A tracer, and what a client wants of it.
#[derive(Clone, Debug)]
pub(super) enum Tracer {
    /// The struct logger, which has no name.
    Opcodes(Box<GethDefaultTracingOptions>),
    /// One with a name.
    Named(Named),
    /// Several of them, of one run.
    Mux(Vec<(GethDebugTracerType, Named)>),
}

/// A tracer with a name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Named {
    Calls(CallConfig),
    FlatCalls(FlatCallConfig),
    Selectors,
    Noop,
    Prestate(prestate::Options),
}

/// What was recorded for a tracer, and of what.
#[derive(Clone, Debug)]
struct Recorded {
    execution: Execution,
    calls: Option<Vec<CallTraceNode>>,
    accounts: Option<TouchedAccounts>,
    /// Where in the chain it is.
    place: TransactionInfo,
}

impl Tracer {
    /// The tracer that is asked for, if it is one that there is.
    pub(super) fn of(options: GethDebugTracingOptions) -> Result<Self, RpcError> {
        let GethDebugTracingOptions { config, tracer, tracer_config, .. } = options;
        let Some(tracer) = tracer else { return Ok(Self::Opcodes(Box::new(config))) };
        if tracer != GethDebugTracerType::BuiltInTracer(GethDebugBuiltInTracerType::MuxTracer) {
            return Ok(Self::Named(Named::of(&tracer, tracer_config)?));
        }
        let parts = tracer_config.into_mux_config().map_err(|error| invalid(&error))?.0.into_iter();
        let parts = parts.map(|(tracer, config)| {
            let named = Named::of(&tracer, config.unwrap_or_default())?;
            Ok((tracer, named))
        });
        parts.collect::<Result<_, RpcError>>().map(Self::Mux)
    }

    /// What it needs to be recorded.
    pub(super) fn request(&self) -> TraceRequest {
        let (calls, accounts) = match self {
            Self::Opcodes(options) => return TraceRequest::Opcodes(**options),
            Self::Named(named) => (!named.wants_accounts(), named.wants_accounts()),
            Self::Mux(parts) => (
                parts.iter().any(|(_, part)| !part.wants_accounts()),
                parts.iter().any(|(_, part)| part.wants_accounts()),
            ),
        };
        match (calls, accounts) {
            (_, false) => TraceRequest::Calls,
            (false, true) => TraceRequest::Accounts,
            (true, true) => TraceRequest::CallsAndAccounts,
        }
    }

    /// What it tells of what was recorded for it.
    pub(super) fn tell(&self, trace: Trace, place: TransactionInfo) -> Result<GethTrace, RpcError> {
        let Trace { execution, recording } = trace;
        let (calls, accounts) = match recording {
            Recording::Opcodes(struct_logs) => {
                return Ok(GethTrace::Default(DefaultFrame {
                    failed: !execution.outcome.is_success(),
                    gas: execution.gas_used,
                    return_value: execution.output,
                    struct_logs,
                    ..DefaultFrame::default()
                }));
            }
            Recording::Calls(calls) => (Some(calls), None),
            Recording::Accounts(accounts) => (None, Some(accounts)),
            Recording::CallsAndAccounts(calls, accounts) => (Some(calls), Some(accounts)),
        };
        let recorded = Recorded { execution, calls, accounts, place };
        match self {
            Self::Opcodes(_) => Err(other_recording()),
            Self::Named(named) => named.tell(recorded),
            Self::Mux(parts) => {
                let parts =
                    parts.iter().map(|(tracer, part)| Ok((tracer.clone(), part.tell(recorded.clone())?)));
                Ok(GethTrace::MuxTracer(MuxFrame(parts.collect::<Result<_, RpcError>>()?)))
            }
        }
    }
}

impl Named {
    fn of(tracer: &GethDebugTracerType, config: GethDebugTracerConfig) -> Result<Self, RpcError> {
        let GethDebugTracerType::BuiltInTracer(tracer) = tracer else { return Err(unknown(tracer.as_str())) };
        Ok(match tracer {
            GethDebugBuiltInTracerType::CallTracer => Self::Calls(read(config)?),
            GethDebugBuiltInTracerType::FlatCallTracer => Self::FlatCalls(read(config)?),
            GethDebugBuiltInTracerType::FourByteTracer => Self::Selectors,
            GethDebugBuiltInTracerType::NoopTracer => Self::Noop,
            GethDebugBuiltInTracerType::PreStateTracer => {
                let options: prestate::Options = read(config)?;
                if options.is_contradiction() {
                    let text =
                        "invalid tracerConfig: diffMode shows no empty accounts: leave includeEmpty out";
                    return Err(RpcError::InvalidParams(text.into()));
                }
                Self::Prestate(options)
            }
            other => return Err(unknown(GethDebugTracerType::BuiltInTracer(*other).as_str())),
        })
    }

    const fn wants_accounts(self) -> bool {
        matches!(self, Self::Prestate(_))
    }

    fn tell(self, recorded: Recorded) -> Result<GethTrace, RpcError> {
        let calls = recorded.calls.ok_or_else(other_recording);
        Ok(match self {
            Self::Calls(config) => {
                let gas_used = recorded.execution.gas_used;
                GethTrace::CallTracer(GethTraceBuilder::new(calls?).geth_call_traces(config, gas_used))
            }
            Self::FlatCalls(config) => {
                let mut nodes = calls?;
                if config.include_precompiles.unwrap_or(false) {
                    nodes.iter_mut().for_each(|node| node.trace.maybe_precompile = None);
                }
                let builder = ParityTraceBuilder::new(nodes, None, TracingInspectorConfig::default_parity());
                GethTrace::FlatCallTracer(builder.into_localized_transaction_traces(recorded.place))
            }
            Self::Selectors => GethTrace::FourByteTracer(selectors(&calls?)),
            Self::Noop => GethTrace::NoopTracer(NoopFrame::default()),
            Self::Prestate(options) => {
                let accounts = recorded.accounts.ok_or_else(other_recording)?;
                GethTrace::PreStateTracer(options.frame(accounts))
            }
        })
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

/// A tracer's configuration; none has its defaults.
fn read<T: DeserializeOwned + Default>(config: GethDebugTracerConfig) -> Result<T, RpcError> {
    if config.is_null() {
        return Ok(T::default());
    }
    config.from_value().map_err(|error| invalid(&error))
}

fn invalid(error: &serde_json::Error) -> RpcError {
    RpcError::InvalidParams(format!("invalid tracerConfig: {error}"))
}

fn unknown(tracer: &str) -> RpcError {
    let name: String = tracer.chars().take(NAME_CHARS_MAX).collect();
    RpcError::InvalidParams(format!(
        "no tracer {name:?}: there are callTracer, flatCallTracer, prestateTracer, 4byteTracer, noopTracer, muxTracer of \
         these, and the struct logger, which has no name"
    ))
}

fn other_recording() -> RpcError {
    RpcError::Internal("something else was recorded than was asked for".into())
}
