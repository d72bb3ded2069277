//! Numbers as Otterscan sends them.

use crate::error::RpcError;
use alloy_eips::{BlockId, BlockNumberOrTag};
use serde::Deserialize;

/// A number as JSON has them, one in hex, or a block's tag.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged, expecting = "a number is wanted, as JSON has them or in hex, or a block's tag")]
pub(super) enum Number {
    Plain(u64),
    Named(BlockNumberOrTag),
}

impl Number {
    /// As the number or tag of a block.
    pub(super) const fn block(self) -> BlockNumberOrTag {
        match self {
            Self::Plain(number) => BlockNumberOrTag::Number(number),
            Self::Named(block) => block,
        }
    }

    /// As a number only.
    pub(super) fn number(self) -> Result<u64, RpcError> {
        match self.block() {
            BlockNumberOrTag::Number(number) => Ok(number),
            tag => Err(RpcError::InvalidParams(format!("a number is wanted, not {tag}"))),
        }
    }
}

/// A block by its number, its tag or its hash.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged, expecting = "a block's number is wanted, as JSON has them or in hex, its tag or its hash")]
pub(super) enum Block {
    Plain(u64),
    Id(BlockId),
}

impl Block {
    pub(super) const fn id(self) -> BlockId {
        match self {
            Self::Plain(number) => BlockId::Number(BlockNumberOrTag::Number(number)),
            Self::Id(id) => id,
        }
    }
}
