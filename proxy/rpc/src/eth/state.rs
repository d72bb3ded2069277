//! Balances, code, storage and nonces.

use crate::arguments::Arguments;
use crate::block_id::state_at;
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use futures::future::try_join_all;
use jsonrpsee::server::RegisterMethodError;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
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
    let address: Address = arguments.hex(0)?;
    let state = state_at(&context, arguments.optional(1)?).await?;
    Ok(state.account(address).await?.balance)
}

async fn code(arguments: Arguments, context: Arc<Context>) -> Result<Bytes, RpcError> {
    let address: Address = arguments.hex(0)?;
    let state = state_at(&context, arguments.optional(1)?).await?;
    Ok(state.code(address).await?)
}

async fn storage(arguments: Arguments, context: Arc<Context>) -> Result<B256, RpcError> {
    let address: Address = arguments.hex(0)?;
    let key: StorageKey = arguments.require(1)?;
    let state = state_at(&context, arguments.optional(2)?).await?;
    Ok(state.storage(address, key.0).await?)
}

/// `eth_getStorageValues(keys by address)`: storage values of several contracts at once.
async fn storage_values(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<BTreeMap<Address, Vec<B256>>, RpcError> {
    let wanted: BTreeMap<Address, Vec<StorageKey>> = arguments.require(0)?;
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
        let read = keys.iter().map(|key| state.storage(address, key.0));
        Ok::<_, RpcError>((address, try_join_all(read).await?))
    });
    Ok(try_join_all(values).await?.into_iter().collect())
}

/// A storage key as geth reads it: hex of at most 32 bytes, with or without `0x` and leading zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StorageKey(U256);

impl<'de> Deserialize<'de> for StorageKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(&text);
        if digits.len() > 2 * size_of::<U256>() {
            return Err(D::Error::custom("storage key too long (want at most 32 bytes)"));
        }
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(D::Error::custom("invalid hex in storage key"));
        }
        if digits.is_empty() {
            return Ok(Self(U256::ZERO));
        }
        U256::from_str_radix(digits, 16).map(Self).map_err(D::Error::custom)
    }
}

async fn transaction_count(arguments: Arguments, context: Arc<Context>) -> Result<U64, RpcError> {
    let address: Address = arguments.hex(0)?;
    let block: Option<BlockId> = arguments.optional(1)?;
    let nonce = state_at(&context, block).await?.account(address).await?.nonce;
    let is_pending = block == Some(BlockId::Number(BlockNumberOrTag::Pending));
    Ok(U64::from(if is_pending { context.pool.pending_nonce(address, nonce) } else { nonce }))
}

#[cfg(test)]
mod tests {
    use super::StorageKey;
    use alloy_primitives::U256;

    #[test]
    fn storage_keys_are_hex_of_32_bytes_at_most() {
        let parse = |text: &str| serde_json::from_value::<StorageKey>(text.into());
        let zeros = format!("0x{}", "0".repeat(64));
        for (text, number) in
            [("0x12", 0x12), ("0X0", 0), ("12", 0x12), ("0x", 0), ("0x0ff", 255), (&zeros, 0)]
        {
            assert_eq!(parse(text).unwrap(), StorageKey(U256::from(number)), "{text}");
        }
        assert_eq!(parse(&format!("0x{}", "f".repeat(64))).unwrap(), StorageKey(U256::MAX));
        for (text, reason) in [
            (format!("{zeros}0").as_str(), "storage key too long"),
            ("0xasdf", "invalid hex in storage key"),
            ("0x-1", "invalid hex"),
            ("0x1_0", "invalid hex"),
        ] {
            assert!(parse(text).unwrap_err().to_string().contains(reason), "{text}");
        }
        assert!(serde_json::from_str::<StorageKey>("5").is_err());
    }
}
