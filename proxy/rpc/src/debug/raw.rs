//! `debug_getRaw*`: blocks, transactions and receipts in the encodings that their hashes and roots are made of.

use crate::arguments::Arguments;
use crate::block_id::by_id;
use crate::convert;
use crate::error::RpcError;
use crate::eth::raw_transaction;
use crate::module::Module;
use crate::services::Context;
use alloy_primitives::Bytes;
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::store::Block;
use std::sync::Arc;

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method("debug_getRawHeader", 1, raw_header)?;
    module.method("debug_getRawBlock", 1, raw_block)?;
    module.method("debug_getRawReceipts", 1, raw_receipts)?;
    module.method("debug_getRawTransaction", 1, raw_transaction)?;
    Ok(())
}

async fn raw_header(arguments: Arguments, context: Arc<Context>) -> Result<Bytes, RpcError> {
    Ok(alloy_rlp::encode(&block(&arguments, &context).await?.header).into())
}

async fn raw_block(arguments: Arguments, context: Arc<Context>) -> Result<Bytes, RpcError> {
    Ok(alloy_rlp::encode(convert::consensus_block(&*block(&arguments, &context).await?)).into())
}

async fn raw_receipts(arguments: Arguments, context: Arc<Context>) -> Result<Vec<Bytes>, RpcError> {
    let block = block(&arguments, &context).await?;
    Ok(block.transactions.iter().map(|executed| convert::raw_receipt(executed)).collect())
}

async fn block(arguments: &Arguments, context: &Context) -> Result<Arc<Block>, RpcError> {
    let block = context.store.block(by_id(context, arguments.require(0)?).await?).await?;
    block.ok_or_else(RpcError::header_not_found)
}
