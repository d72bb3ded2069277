//! Filters that clients poll.

use super::logs::{self, live_filter};
use crate::arguments::Arguments;
use crate::error::RpcError;
use crate::filters::Kind;
use crate::module::Module;
use crate::services::Context;
use alloy_rpc_types_eth::{Filter, FilterChanges, Log};
use jsonrpsee::server::RegisterMethodError;
use std::sync::Arc;

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method("eth_newFilter", 1, new_filter)?;
    module.method("eth_newBlockFilter", 0, new_block_filter)?;
    module.method("eth_newPendingTransactionFilter", 1, new_pending_transaction_filter)?;
    module.method("eth_getFilterChanges", 1, filter_changes)?;
    module.method("eth_getFilterLogs", 1, filter_logs)?;
    module.method("eth_uninstallFilter", 1, uninstall_filter)?;
    Ok(())
}

async fn new_filter(arguments: Arguments, context: Arc<Context>) -> Result<String, RpcError> {
    let filter: Filter = arguments.require(0)?;
    let live = live_filter(&filter)?;
    let follower = context.follow().await?;
    context.filters.open(Kind::Logs(Box::new((live, filter)), follower))
}

async fn new_block_filter(_: Arguments, context: Arc<Context>) -> Result<String, RpcError> {
    context.filters.open(Kind::Blocks(context.follow().await?))
}

/// With `true` the filter tells whole transactions, otherwise their hashes.
async fn new_pending_transaction_filter(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<String, RpcError> {
    let are_full = arguments.optional(0)?.unwrap_or(false);
    context.filters.open(Kind::Transactions { accepted: context.pool.accepted(), are_full })
}

async fn filter_changes(arguments: Arguments, context: Arc<Context>) -> Result<FilterChanges, RpcError> {
    context.filters.changes(&arguments.require::<String>(0)?).await
}

async fn filter_logs(arguments: Arguments, context: Arc<Context>) -> Result<Vec<Log>, RpcError> {
    let filter = context.filters.log_filter(&arguments.require::<String>(0)?).await?;
    logs::find(&context, &filter).await
}

async fn uninstall_filter(arguments: Arguments, context: Arc<Context>) -> Result<bool, RpcError> {
    Ok(context.filters.close(&arguments.require::<String>(0)?))
}
