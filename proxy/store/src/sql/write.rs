//! Blocks into rows.

use super::{chain, failed, key, logs, row};
use alloy_consensus::Header;
use alloy_rlp::Encodable as _;
use parhelion_core::store::{Block, StoreError};
use sqlx::any::Any;
use sqlx::{AssertSqlSafe, Transaction};
use std::collections::VecDeque;

/// Rows that one statement inserts.
const ROWS_AT_ONCE: usize = 500;

/// Writes the first block, which is empty.
pub(super) async fn insert_genesis(
    transaction: &mut Transaction<'_, Any>,
    genesis: &Block,
) -> Result<(), StoreError> {
    insert_header(transaction, &genesis.header).await?;
    insert_hashes(transaction, [genesis]).await
}

/// Writes blocks that come behind a parent; of the headers only those that are not made again from others.
pub(super) async fn insert_blocks(
    transaction: &mut Transaction<'_, Any>,
    parent: &Block,
    blocks: &VecDeque<Block>,
) -> Result<(), StoreError> {
    let parents = std::iter::once(parent).chain(blocks);
    for (parent, block) in parents.zip(blocks) {
        if chain::is_stored(parent, block) {
            insert_header(transaction, &block.header).await?;
        }
        insert_transactions(transaction, block).await?;
    }
    insert_hashes(transaction, blocks).await
}

/// Writes what blocks are found by.
async fn insert_hashes<'b>(
    transaction: &mut Transaction<'_, Any>,
    blocks: impl IntoIterator<Item = &'b Block>,
) -> Result<(), StoreError> {
    let hash = |block: &Block| (key::hash(&block.hash), key::block(block.header.number));
    let hashes: Vec<_> = blocks.into_iter().map(hash).collect();
    insert_pairs(transaction, "block_hashes (hash, number)", &hashes).await
}

async fn insert_header(transaction: &mut Transaction<'_, Any>, header: &Header) -> Result<(), StoreError> {
    let mut bytes = Vec::new();
    header.encode(&mut bytes);
    sqlx::query("INSERT INTO blocks (number, header) VALUES ($1, $2)")
        .bind(key::block(header.number))
        .bind(bytes)
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Writes a block's transactions and what they and their logs are found by.
async fn insert_transactions(
    transaction: &mut Transaction<'_, Any>,
    block: &Block,
) -> Result<(), StoreError> {
    let (mut hashes, mut postings) = (Vec::new(), Vec::new());
    for executed in &block.transactions {
        let place = key::transaction(block.header.number, executed.index);
        hashes.push((key::hash(&executed.transaction.hash()), place));
        logs::postings(executed, &mut postings);
        sqlx::query("INSERT INTO transactions (place, data) VALUES ($1, $2)")
            .bind(place)
            .bind(row::encode(executed)?)
            .execute(&mut **transaction)
            .await
            .map_err(failed)?;
    }
    insert_pairs(transaction, "transaction_hashes (hash, place)", &hashes).await?;
    postings.sort_unstable();
    postings.dedup();
    insert_pairs(transaction, "postings (key, place)", &postings).await
}

/// Inserts pairs of numbers.
async fn insert_pairs(
    transaction: &mut Transaction<'_, Any>,
    table: &str,
    pairs: &[(i64, i64)],
) -> Result<(), StoreError> {
    for some in pairs.chunks(ROWS_AT_ONCE) {
        let values: Vec<_> =
            (0..some.len()).map(|row| format!("(${}, ${})", 2 * row + 1, 2 * row + 2)).collect();
        let statement = AssertSqlSafe(format!("INSERT INTO {table} VALUES {}", values.join(", ")));
        // One of any length is not worth keeping.
        let mut insert = sqlx::query(statement).persistent(some.len() == 1);
        for (one, other) in some {
            insert = insert.bind(*one).bind(*other);
        }
        insert.execute(&mut **transaction).await.map_err(failed)?;
    }
    Ok(())
}
