//! Block tags, numbers and hashes.

use crate::error::RpcError;
use crate::services::Context;
use alloy_eips::{BlockId, BlockNumberOrTag};
use parhelion_core::cluster::{ClusterError, Moment};
use parhelion_core::emulator::{Emulator, EmulatorError};
use parhelion_core::store;
use std::sync::Arc;

/// The store's name for a block, where nobody has to be asked for it: for all but `finalized`. Everything that a node shows is
/// confirmed, voted for by two thirds of the stake, which Solana has never taken back: so the newest block is `safe`.
fn known(block: BlockId) -> Option<store::BlockId> {
    Some(match block {
        BlockId::Hash(hash) => store::BlockId::Hash(hash.block_hash),
        BlockId::Number(BlockNumberOrTag::Latest | BlockNumberOrTag::Pending | BlockNumberOrTag::Safe) => {
            store::BlockId::Latest
        }
        BlockId::Number(BlockNumberOrTag::Earliest) => store::BlockId::Earliest,
        BlockId::Number(BlockNumberOrTag::Number(number)) => store::BlockId::Number(number),
        BlockId::Number(BlockNumberOrTag::Finalized) => return None,
    })
}

/// The store's name for a block, given as a number, a tag or a hash.
pub(crate) async fn by_id(context: &Context, block: BlockId) -> Result<store::BlockId, RpcError> {
    match known(block) {
        Some(block) => Ok(block),
        None => Ok(store::BlockId::Number(finalized(context).await?)),
    }
}

/// As [`by_id`], for a number or a tag.
pub(crate) async fn by_number(
    context: &Context,
    block: BlockNumberOrTag,
) -> Result<store::BlockId, RpcError> {
    by_id(context, block.into()).await
}

/// The number of the newest block that is final: the cluster's, as far as the store has blocks.
async fn finalized(context: &Context) -> Result<u64, RpcError> {
    let finalized = *context.finalized.borrow();
    Ok(finalized.min(context.store.latest().await?).max(earliest(context).await?))
}

async fn earliest(context: &Context) -> Result<u64, RpcError> {
    let earliest = context.store.block(store::BlockId::Earliest).await?;
    Ok(earliest.map_or(0, |block| block.header.number))
}

/// The number that a tag means when `latest` is the newest block; there need not be a block of that number.
pub(crate) async fn number(context: &Context, block: BlockNumberOrTag, latest: u64) -> Result<u64, RpcError> {
    Ok(match by_number(context, block).await? {
        store::BlockId::Number(number) => number,
        store::BlockId::Latest | store::BlockId::Hash(_) => latest,
        store::BlockId::Earliest => earliest(context).await?,
    })
}

/// The state at a block: the newest one, or one of the past where that is kept.
pub(crate) async fn state_at(
    context: &Context,
    block: Option<BlockId>,
) -> Result<Arc<dyn Emulator>, RpcError> {
    let newest = || Ok(Arc::clone(&context.emulator));
    let id = by_id(context, block.unwrap_or_default()).await?;
    let asked = match id {
        store::BlockId::Latest => return newest(),
        store::BlockId::Number(number) => number,
        store::BlockId::Earliest | store::BlockId::Hash(_) => {
            context.store.block(id).await?.ok_or_else(RpcError::header_not_found)?.header.number
        }
    };
    let latest = context.store.latest().await?;
    if asked > latest {
        return Err(RpcError::header_not_found());
    }
    if asked == latest {
        return newest();
    }
    context.emulator.at(Moment::Behind(asked)).await.map_err(|error| match error {
        EmulatorError::Cluster(ClusterError::Unsupported(why)) => {
            RpcError::Rejected(format!("no state of block {asked}, the newest block is {latest}: {why}"))
        }
        other => other.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::known;
    use alloy_eips::{BlockId, BlockNumberOrTag};
    use alloy_primitives::B256;
    use parhelion_core::store;

    #[test]
    fn tags_name_the_newest_block_or_the_first() {
        let named = |tag: BlockNumberOrTag| known(tag.into());
        for tag in ["latest", "pending", "safe"] {
            assert_eq!(named(tag.parse().unwrap()), Some(store::BlockId::Latest));
        }
        assert_eq!(named(BlockNumberOrTag::Finalized), None, "the cluster tells");
        assert_eq!(named(BlockNumberOrTag::Earliest), Some(store::BlockId::Earliest));
        assert_eq!(named(BlockNumberOrTag::Number(u64::MAX)), Some(store::BlockId::Number(u64::MAX)));
    }

    #[test]
    fn clients_name_blocks_in_all_ways_of_eip_1898() {
        let hash = B256::repeat_byte(7);
        let parse = |json: &str| serde_json::from_str::<BlockId>(json).map(known);
        let by_hash = store::BlockId::Hash(hash);
        for (json, expected) in [
            ("\"latest\"".to_owned(), store::BlockId::Latest),
            ("\"0x10\"".to_owned(), store::BlockId::Number(16)),
            ("{\"blockNumber\":\"0x10\"}".to_owned(), store::BlockId::Number(16)),
            (format!("{{\"blockHash\":\"{hash}\",\"requireCanonical\":true}}"), by_hash),
            (format!("\"{hash}\""), by_hash),
        ] {
            assert_eq!(parse(&json).unwrap(), Some(expected), "{json}");
        }
        for json in [
            "\"\"",
            "\"0x\"",
            "\"16\"",
            "16",
            "\"-0x1\"",
            "\"newest\"",
            "\"0x10000000000000000\"",
            "{}",
            "[]",
        ] {
            assert!(parse(json).is_err(), "{json}");
        }
    }
}
