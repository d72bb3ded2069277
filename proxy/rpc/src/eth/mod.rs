//! `eth_*`, a file a family.

mod blocks;
mod call;
mod fees;
mod logs;
mod state;
mod transactions;

use crate::arguments::Arguments;
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_primitives::{Address, U64};
use jsonrpsee::Methods;
use jsonrpsee::server::RegisterMethodError;
use std::sync::Arc;

pub(crate) use transactions::SEND_RAW_TRANSACTION;

pub(crate) fn methods(context: &Arc<Context>) -> Result<Methods, RegisterMethodError> {
    let mut module = Module::new(context.clone());
    module.method("eth_chainId", 0, chain_id)?;
    module.method("eth_syncing", 0, syncing)?;
    module.method("eth_accounts", 0, accounts)?;
    state::register(&mut module)?;
    call::register(&mut module)?;
    blocks::register(&mut module)?;
    transactions::register(&mut module)?;
    logs::register(&mut module)?;
    fees::register(&mut module)?;
    Ok(module.into_methods())
}

async fn chain_id(_: Arguments, context: Arc<Context>) -> Result<U64, RpcError> {
    Ok(U64::from(context.emulator.settings().await?.chain_id))
}

/// The proxy answers from what it has; there is no mode in which it only catches up.
async fn syncing(_: Arguments, _: Arc<Context>) -> Result<bool, RpcError> {
    Ok(false)
}

/// The proxy holds no keys of users.
async fn accounts(_: Arguments, _: Arc<Context>) -> Result<Vec<Address>, RpcError> {
    Ok(Vec::new())
}
