//! Uncles: a chain inside Solana has none. A block that exists has none of them, a block that does not has no number of them.

use crate::arguments::Arguments;
use crate::block_id::by_number;
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{B256, U64};
use alloy_rpc_types_eth::{Block, Index};
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::store::BlockId;
use std::sync::Arc;

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method("eth_getUncleCountByBlockNumber", 1, count_by_number)?;
    module.method("eth_getUncleCountByBlockHash", 1, count_by_hash)?;
    module.method("eth_getUncleByBlockNumberAndIndex", 2, uncle_by_number)?;
    module.method("eth_getUncleByBlockHashAndIndex", 2, uncle_by_hash)?;
    Ok(())
}

async fn count_by_number(arguments: Arguments, context: Arc<Context>) -> Result<Option<U64>, RpcError> {
    count(&context, by_number(&context, arguments.require(0)?).await?).await
}

async fn count_by_hash(arguments: Arguments, context: Arc<Context>) -> Result<Option<U64>, RpcError> {
    count(&context, BlockId::Hash(arguments.hex(0)?)).await
}

async fn count(context: &Context, id: BlockId) -> Result<Option<U64>, RpcError> {
    Ok(context.store.block(id).await?.map(|_| U64::ZERO))
}

async fn uncle_by_number(arguments: Arguments, _: Arc<Context>) -> Result<Option<Block>, RpcError> {
    let _: BlockNumberOrTag = arguments.require(0)?;
    let _: Index = arguments.require(1)?;
    Ok(None)
}

async fn uncle_by_hash(arguments: Arguments, _: Arc<Context>) -> Result<Option<Block>, RpcError> {
    let _: B256 = arguments.hex(0)?;
    let _: Index = arguments.require(1)?;
    Ok(None)
}
