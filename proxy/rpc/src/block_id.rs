//! Block tags, numbers and hashes.

use crate::error::RpcError;
use crate::services::Context;
use alloy_eips::{BlockId, BlockNumberOrTag};
use parhelion_core::store;

/// The store's name for a block. A block counts as final when it is the newest: `pending`, `safe` and `finalized`
/// are other names for it.
pub(crate) fn by_number(block: BlockNumberOrTag) -> store::BlockId {
    match block {
        BlockNumberOrTag::Latest
        | BlockNumberOrTag::Pending
        | BlockNumberOrTag::Safe
        | BlockNumberOrTag::Finalized => store::BlockId::Latest,
        BlockNumberOrTag::Earliest => store::BlockId::Earliest,
        BlockNumberOrTag::Number(number) => store::BlockId::Number(number),
    }
}

/// As [`by_number`], for a number, a tag or a hash.
pub(crate) fn by_id(block: BlockId) -> store::BlockId {
    match block {
        BlockId::Number(number) => by_number(number),
        BlockId::Hash(hash) => store::BlockId::Hash(hash.block_hash),
    }
}

/// The number that a tag means when `latest` is the newest block; there need not be a block of that number.
pub(crate) async fn number(context: &Context, block: BlockNumberOrTag, latest: u64) -> Result<u64, RpcError> {
    Ok(match by_number(block) {
        store::BlockId::Number(number) => number,
        store::BlockId::Latest | store::BlockId::Hash(_) => latest,
        store::BlockId::Earliest => {
            context.store.block(store::BlockId::Earliest).await?.map_or(0, |block| block.header.number)
        }
    })
}

/// Checks that state is asked for as it is at the newest block, the only one whose state is kept.
pub(crate) async fn require_newest(context: &Context, block: Option<BlockId>) -> Result<(), RpcError> {
    let id = block.map_or(store::BlockId::Latest, by_id);
    let asked = match id {
        store::BlockId::Latest => return Ok(()),
        store::BlockId::Number(number) => number,
        store::BlockId::Earliest | store::BlockId::Hash(_) => {
            context.store.block(id).await?.ok_or_else(RpcError::header_not_found)?.header.number
        }
    };
    let latest = context.store.latest().await?;
    if asked > latest {
        return Err(RpcError::header_not_found());
    }
    if asked < latest {
        return Err(RpcError::Rejected(format!(
            "only the latest state is available in this version: asked for block {asked}, the newest is {latest}; \
             use the tag \"latest\""
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{by_id, by_number};
    use alloy_eips::{BlockId, BlockNumberOrTag};
    use alloy_primitives::B256;
    use parhelion_core::store;

    #[test]
    fn tags_name_the_newest_block_or_the_first() {
        for tag in ["latest", "pending", "safe", "finalized"] {
            let tag: BlockNumberOrTag = tag.parse().unwrap();
            assert_eq!(by_number(tag), store::BlockId::Latest);
        }
        assert_eq!(by_number(BlockNumberOrTag::Earliest), store::BlockId::Earliest);
        assert_eq!(by_number(BlockNumberOrTag::Number(u64::MAX)), store::BlockId::Number(u64::MAX));
    }

    #[test]
    fn clients_name_blocks_in_all_ways_of_eip_1898() {
        let hash = B256::repeat_byte(7);
        let parse = |json: &str| serde_json::from_str::<BlockId>(json).map(by_id);
        let by_hash = store::BlockId::Hash(hash);
        for (json, expected) in [
            ("\"latest\"".to_owned(), store::BlockId::Latest),
            ("\"0x10\"".to_owned(), store::BlockId::Number(16)),
            ("{\"blockNumber\":\"0x10\"}".to_owned(), store::BlockId::Number(16)),
            (format!("{{\"blockHash\":\"{hash}\",\"requireCanonical\":true}}"), by_hash),
            (format!("\"{hash}\""), by_hash),
        ] {
            assert_eq!(parse(&json).unwrap(), expected, "{json}");
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
