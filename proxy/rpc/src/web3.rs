//! `web3_*`.

use crate::arguments::Arguments;
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_primitives::{B256, Bytes, keccak256};
use jsonrpsee::Methods;
use jsonrpsee::server::RegisterMethodError;
use std::env::consts::{ARCH, OS};
use std::sync::Arc;

pub(crate) fn methods(context: &Arc<Context>) -> Result<Methods, RegisterMethodError> {
    let mut module = Module::new(context.clone());
    module.method("web3_clientVersion", 0, client_version)?;
    module.method("web3_sha3", 1, sha3)?;
    Ok(module.into_methods())
}

async fn client_version(_: Arguments, _: Arc<Context>) -> Result<String, RpcError> {
    Ok(format!("Parhelion/v{}/{OS}-{ARCH}", env!("CARGO_PKG_VERSION")))
}

async fn sha3(arguments: Arguments, _: Arc<Context>) -> Result<B256, RpcError> {
    Ok(keccak256(arguments.hex::<Bytes>(0)?))
}
