//! `parhelion_*`: what Ethereum has no methods for.

use alloy_primitives::B256;
use parhelion_core::relay::Relay;
use parhelion_rpc::{Arguments, Methods, Module, RegisterMethodError, RpcError};
use serde::Serialize;
use std::sync::Arc;

/// What a run in steps took: the answer of `parhelion_getRun`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    /// Its steps, as numbers go in JSON.
    steps: u32,
    /// How often it began anew.
    restarts: u8,
    /// Compute units that it would have taken at once, had a Solana transaction so many; `null` when not known.
    compute_units_at_once: Option<u64>,
}

/// The methods over a relay.
pub(crate) fn methods(relay: Arc<dyn Relay>) -> Result<Methods, RegisterMethodError> {
    let mut module = Module::new(Arc::new(relay));
    module.method("parhelion_getRun", 1, get_run)?;
    Ok(module.into_methods())
}

/// `parhelion_getRun(hash)`: what a transaction took that this node ran in steps; `null` for all others.
async fn get_run(arguments: Arguments, relay: Arc<Arc<dyn Relay>>) -> Result<Option<Run>, RpcError> {
    let run = relay.run(arguments.require::<B256>(0)?);
    Ok(run.map(|run| Run {
        steps: run.steps,
        restarts: run.restarts,
        compute_units_at_once: run.compute_units_at_once,
    }))
}
