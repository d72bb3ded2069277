//! Blocks.

use crate::arguments::Arguments;
use crate::block_id::{by_id, by_number};
use crate::convert::{self, Receipt};
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_primitives::{B256, U64};
use alloy_rpc_types_eth::Block;
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::store::BlockId;
use std::sync::Arc;

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method("eth_blockNumber", 0, block_number)?;
    module.method("eth_getBlockByNumber", 2, block_by_number)?;
    module.method("eth_getBlockByHash", 2, block_by_hash)?;
    module.method("eth_getBlockReceipts", 1, block_receipts)?;
    module.method("eth_getBlockTransactionCountByNumber", 1, transaction_count_by_number)?;
    module.method("eth_getBlockTransactionCountByHash", 1, transaction_count_by_hash)?;
    Ok(())
}

async fn block_number(_: Arguments, context: Arc<Context>) -> Result<U64, RpcError> {
    Ok(U64::from(context.store.latest().await?))
}

async fn block_by_number(arguments: Arguments, context: Arc<Context>) -> Result<Option<Block>, RpcError> {
    block(&context, by_number(&context, arguments.require(0)?).await?, arguments.require(1)?).await
}

async fn block_by_hash(arguments: Arguments, context: Arc<Context>) -> Result<Option<Block>, RpcError> {
    block(&context, BlockId::Hash(arguments.hex(0)?), arguments.require(1)?).await
}

async fn block(context: &Context, id: BlockId, has_full: bool) -> Result<Option<Block>, RpcError> {
    Ok(context.store.block(id).await?.map(|block| convert::block(&block, has_full)))
}

async fn block_receipts(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<Option<Vec<Receipt>>, RpcError> {
    let block = context.store.block(by_id(&context, arguments.require(0)?).await?).await?;
    Ok(block.map(|block| block.transactions.iter().map(|executed| convert::receipt(executed)).collect()))
}

async fn transaction_count_by_number(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<Option<U64>, RpcError> {
    transaction_count(&context, by_number(&context, arguments.require(0)?).await?).await
}

async fn transaction_count_by_hash(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<Option<U64>, RpcError> {
    let hash: B256 = arguments.hex(0)?;
    transaction_count(&context, BlockId::Hash(hash)).await
}

async fn transaction_count(context: &Context, id: BlockId) -> Result<Option<U64>, RpcError> {
    Ok(context.store.block(id).await?.map(|block| U64::from(block.transactions.len())))
}
