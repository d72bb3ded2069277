//! Transactions as the bytes that were sent; `0x` where there is none, as in geth.

use super::transactions::executed_at;
use crate::arguments::Arguments;
use crate::block_id::by_number;
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_eth::Index;
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::store::BlockId;
use std::sync::Arc;

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method("eth_getRawTransactionByHash", 1, raw_transaction)?;
    module.method("eth_getRawTransactionByBlockNumberAndIndex", 2, raw_by_number_and_index)?;
    module.method("eth_getRawTransactionByBlockHashAndIndex", 2, raw_by_hash_and_index)?;
    Ok(())
}

/// The bytes of a transaction, executed or waiting; empty if there is none.
pub(crate) async fn raw_transaction(arguments: Arguments, context: Arc<Context>) -> Result<Bytes, RpcError> {
    let hash: B256 = arguments.hex(0)?;
    // The pool first: a transaction that lands between the two questions is then found in the store.
    let pending = context.pool.transaction(hash);
    let executed = context.store.executed(hash).await?;
    let transaction = executed.map(|executed| executed.transaction.clone()).or(pending);
    Ok(transaction.map(|transaction| transaction.raw().clone()).unwrap_or_default())
}

async fn raw_by_number_and_index(arguments: Arguments, context: Arc<Context>) -> Result<Bytes, RpcError> {
    raw_at(&context, by_number(&context, arguments.require(0)?).await?, arguments.require(1)?).await
}

async fn raw_by_hash_and_index(arguments: Arguments, context: Arc<Context>) -> Result<Bytes, RpcError> {
    raw_at(&context, BlockId::Hash(arguments.hex(0)?), arguments.require(1)?).await
}

async fn raw_at(context: &Context, id: BlockId, index: Index) -> Result<Bytes, RpcError> {
    let executed = executed_at(context, id, index).await?;
    Ok(executed.map(|executed| executed.transaction.raw().clone()).unwrap_or_default())
}
