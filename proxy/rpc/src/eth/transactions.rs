//! Transactions and receipts, as clients read them.

use crate::arguments::Arguments;
use crate::block_id::by_number;
use crate::convert::{self, Receipt};
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_primitives::B256;
use alloy_rpc_types_eth::{Index, Transaction as RpcTransaction};
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::store::{BlockId, Executed};
use std::sync::Arc;

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method("eth_getTransactionByHash", 1, transaction_by_hash)?;
    module.method("eth_getTransactionReceipt", 1, transaction_receipt)?;
    module.method("eth_getTransactionByBlockNumberAndIndex", 2, transaction_by_number_and_index)?;
    module.method("eth_getTransactionByBlockHashAndIndex", 2, transaction_by_hash_and_index)?;
    Ok(())
}

async fn transaction_by_hash(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<Option<RpcTransaction>, RpcError> {
    let hash: B256 = arguments.hex(0)?;
    // The pool first: a transaction that lands between the two questions is then found in the store.
    let pending = context.pool.transaction(hash);
    let executed = context.store.executed(hash).await?;
    Ok(executed
        .map(|executed| convert::transaction(&executed))
        .or_else(|| pending.map(|transaction| convert::pending_transaction(&transaction))))
}

async fn transaction_receipt(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<Option<Receipt>, RpcError> {
    let hash: B256 = arguments.hex(0)?;
    Ok(context.store.executed(hash).await?.map(|executed| convert::receipt(&executed)))
}

async fn transaction_by_number_and_index(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<Option<RpcTransaction>, RpcError> {
    transaction_at(&context, by_number(&context, arguments.require(0)?).await?, arguments.require(1)?).await
}

async fn transaction_by_hash_and_index(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<Option<RpcTransaction>, RpcError> {
    transaction_at(&context, BlockId::Hash(arguments.hex(0)?), arguments.require(1)?).await
}

async fn transaction_at(
    context: &Context,
    id: BlockId,
    index: Index,
) -> Result<Option<RpcTransaction>, RpcError> {
    Ok(executed_at(context, id, index).await?.map(|executed| convert::transaction(&executed)))
}

/// The transaction at a place of a block.
pub(super) async fn executed_at(
    context: &Context,
    id: BlockId,
    index: Index,
) -> Result<Option<Arc<Executed>>, RpcError> {
    let block = context.store.block(id).await?;
    Ok(block.and_then(|block| block.transactions.get(index.0).cloned()))
}
