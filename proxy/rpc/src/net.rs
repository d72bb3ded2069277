//! `net_*`.

use crate::arguments::Arguments;
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_primitives::U64;
use jsonrpsee::Methods;
use jsonrpsee::server::RegisterMethodError;
use std::sync::Arc;

pub(crate) fn methods(context: &Arc<Context>) -> Result<Methods, RegisterMethodError> {
    let mut module = Module::new(context.clone());
    module.method("net_version", 0, version)?;
    module.method("net_listening", 0, listening)?;
    module.method("net_peerCount", 0, peer_count)?;
    Ok(module.into_methods())
}

/// The chain id, as a decimal text.
async fn version(_: Arguments, context: Arc<Context>) -> Result<String, RpcError> {
    Ok(context.emulator.settings().await?.chain_id.to_string())
}

async fn listening(_: Arguments, _: Arc<Context>) -> Result<bool, RpcError> {
    Ok(true)
}

/// Proxies do not know each other: Solana is the network.
async fn peer_count(_: Arguments, _: Arc<Context>) -> Result<U64, RpcError> {
    Ok(U64::ZERO)
}
