//! Balances, code, storage and nonces.

use crate::arguments::Arguments;
use crate::block_id::require_newest;
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_serde::JsonStorageKey;
use jsonrpsee::server::RegisterMethodError;
use std::sync::Arc;

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method("eth_getBalance", 2, balance)?;
    module.method("eth_getCode", 2, code)?;
    module.method("eth_getStorageAt", 3, storage)?;
    module.method("eth_getTransactionCount", 2, transaction_count)?;
    Ok(())
}

async fn balance(arguments: Arguments, context: Arc<Context>) -> Result<U256, RpcError> {
    let address: Address = arguments.require(0)?;
    require_newest(&context, arguments.optional(1)?).await?;
    Ok(context.emulator.account(address).await?.balance)
}

async fn code(arguments: Arguments, context: Arc<Context>) -> Result<Bytes, RpcError> {
    let address: Address = arguments.require(0)?;
    require_newest(&context, arguments.optional(1)?).await?;
    Ok(context.emulator.code(address).await?)
}

async fn storage(arguments: Arguments, context: Arc<Context>) -> Result<B256, RpcError> {
    let address: Address = arguments.require(0)?;
    let key: JsonStorageKey = arguments.require(1)?;
    require_newest(&context, arguments.optional(2)?).await?;
    Ok(context.emulator.storage(address, U256::from_be_bytes(key.as_b256().0)).await?)
}

async fn transaction_count(arguments: Arguments, context: Arc<Context>) -> Result<U64, RpcError> {
    let address: Address = arguments.require(0)?;
    let block: Option<BlockId> = arguments.optional(1)?;
    require_newest(&context, block).await?;
    let nonce = context.emulator.account(address).await?.nonce;
    let is_pending = block == Some(BlockId::Number(BlockNumberOrTag::Pending));
    Ok(U64::from(if is_pending { context.pool.pending_nonce(address, nonce) } else { nonce }))
}
