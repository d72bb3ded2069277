//! Balances, code, storage and nonces.

use crate::arguments::Arguments;
use crate::block_id::state_at;
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_serde::JsonStorageKey;
use futures::future::try_join_all;
use jsonrpsee::server::RegisterMethodError;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most storage values of one `eth_getStorageValues`: geth's limit.
const STORAGE_VALUES_MAX: usize = 1024;

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method("eth_getBalance", 2, balance)?;
    module.method("eth_getCode", 2, code)?;
    module.method("eth_getStorageAt", 3, storage)?;
    module.method("eth_getStorageValues", 2, storage_values)?;
    module.method("eth_getTransactionCount", 2, transaction_count)?;
    Ok(())
}

async fn balance(arguments: Arguments, context: Arc<Context>) -> Result<U256, RpcError> {
    let address: Address = arguments.require(0)?;
    let state = state_at(&context, arguments.optional(1)?).await?;
    Ok(state.account(address).await?.balance)
}

async fn code(arguments: Arguments, context: Arc<Context>) -> Result<Bytes, RpcError> {
    let address: Address = arguments.require(0)?;
    let state = state_at(&context, arguments.optional(1)?).await?;
    Ok(state.code(address).await?)
}

async fn storage(arguments: Arguments, context: Arc<Context>) -> Result<B256, RpcError> {
    let address: Address = arguments.require(0)?;
    let key: JsonStorageKey = arguments.require(1)?;
    let state = state_at(&context, arguments.optional(2)?).await?;
    Ok(state.storage(address, slot(key)).await?)
}

/// `eth_getStorageValues(keys by address)`: storage values of several contracts at once.
async fn storage_values(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<BTreeMap<Address, Vec<B256>>, RpcError> {
    let wanted: BTreeMap<Address, Vec<JsonStorageKey>> = arguments.require(0)?;
    let state = state_at(&context, arguments.optional(1)?).await?;
    let count: usize = wanted.values().map(Vec::len).sum();
    if count == 0 {
        return Err(RpcError::InvalidParams("empty request".into()));
    }
    if count > STORAGE_VALUES_MAX {
        let text = format!("too many storage values: {count}, at most {STORAGE_VALUES_MAX}");
        return Err(RpcError::InvalidParams(text));
    }
    let values = wanted.into_iter().map(async |(address, keys)| {
        let read = keys.iter().map(|key| state.storage(address, slot(*key)));
        Ok::<_, RpcError>((address, try_join_all(read).await?))
    });
    Ok(try_join_all(values).await?.into_iter().collect())
}

fn slot(key: JsonStorageKey) -> U256 {
    U256::from_be_bytes(key.as_b256().0)
}

async fn transaction_count(arguments: Arguments, context: Arc<Context>) -> Result<U64, RpcError> {
    let address: Address = arguments.require(0)?;
    let block: Option<BlockId> = arguments.optional(1)?;
    let nonce = state_at(&context, block).await?.account(address).await?.nonce;
    let is_pending = block == Some(BlockId::Number(BlockNumberOrTag::Pending));
    Ok(U64::from(if is_pending { context.pool.pending_nonce(address, nonce) } else { nonce }))
}
