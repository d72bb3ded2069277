//! What other nodes of the same database have done meanwhile.
//!
//! Each node appends the blocks that it has made itself, and finds that another one was faster; and each takes off what its
//! cluster has dropped, and finds that another one did. What a node answers is what it has appended, so it has to notice
//! when that is gone: it does when it appends the next time, which is each slot.

use super::{SqlStore, failed, key};
use alloy_primitives::B256;
use parhelion_core::store::{Block, StoreError};
use sqlx::any::Any;
use sqlx::{Executor, Row as _};

/// The newest block in a database.
pub(super) struct StoredTip {
    pub(super) number: u64,
    pub(super) hash: Vec<u8>,
}

/// Reads the newest block's number and hash.
pub(super) async fn read_tip<'c>(
    database: impl Executor<'c, Database = Any>,
) -> Result<StoredTip, StoreError> {
    let row = sqlx::query("SELECT number, hash FROM tip").fetch_one(database).await.map_err(failed)?;
    let number: i64 = row.try_get(0).map_err(failed)?;
    Ok(StoredTip { number: number as u64, hash: row.try_get(1).map_err(failed)? })
}

/// Whether the database has a block of this number with this hash.
pub(super) async fn has<'c>(
    database: impl Executor<'c, Database = Any>,
    number: u64,
    hash: &B256,
) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT 1 AS one FROM block_hashes WHERE hash = $1 AND number = $2")
        .bind(key::hash(hash))
        .bind(key::block(number))
        .fetch_optional(database);
    Ok(row.await.map_err(failed)?.is_some())
}

impl SqlStore {
    /// How many of the blocks that were to come behind `parent` are in the database already: another node has appended
    /// them, or moves it right now.
    pub(super) async fn count_there(
        &self,
        parent: &Block,
        blocks: impl IntoIterator<Item = &Block>,
    ) -> Result<usize, StoreError> {
        let hashes: Vec<_> = blocks.into_iter().map(|block| (block.header.number, block.hash)).collect();
        let there = self.count_in_database(&hashes).await?;
        if there > 0 {
            return Ok(there);
        }
        let recent: Vec<_> = self.recent().hashes().collect();
        let common = match self.count_in_database(&recent).await? {
            // Blocks before those were seen by nobody but the database.
            0 => recent.first().map_or(0, |(first, _)| first.saturating_sub(1)),
            there => recent.get(there - 1).map_or(0, |(number, _)| *number),
        };
        let tip = read_tip(&self.engine.pool).await?;
        if tip.hash == parent.hash.as_slice() {
            return Ok(0);
        }
        Err(StoreError::Forked { common: common.min(tip.number) })
    }

    /// How many of these blocks, one behind the other, are in the database: where one is, those before it are.
    async fn count_in_database(&self, blocks: &[(u64, B256)]) -> Result<usize, StoreError> {
        let (mut there, mut missing) = (0, blocks.len());
        while there < missing {
            let middle = there.midpoint(missing);
            let Some((number, hash)) = blocks.get(middle) else { break };
            if has(&self.engine.pool, *number, hash).await? {
                there = middle + 1;
            } else {
                missing = middle;
            }
        }
        Ok(there)
    }
}
