//! Blocks into rows.

use super::{chain, clues, failed, key, logs, row};
use alloy_consensus::Header;
use alloy_primitives::B256;
use alloy_rlp::Encodable as _;
use parhelion_core::store::{Block, Executed, StoreError};
use sqlx::any::Any;
use sqlx::{AssertSqlSafe, Transaction};
use std::collections::VecDeque;

/// Rows that one statement inserts or deletes.
pub(super) const ROWS_AT_ONCE: usize = 500;

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

/// What a block is found by.
pub(super) fn hash_pair(number: u64, hash: &B256) -> (i64, i64) {
    (key::hash(hash), key::block(number))
}

/// The place of a transaction.
pub(super) fn place_of(executed: &Executed) -> i64 {
    key::transaction(executed.block_number, executed.index)
}

/// `(1, 2), (3, 4), …` for pairs. They stand in the statement: SQLite looks each of many parameters up among all the others, by
/// its name.
pub(super) fn values(pairs: &[(i64, i64)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(one, other)| format!("({one}, {other})")).collect();
    pairs.join(", ")
}

/// Writes what blocks are found by.
async fn insert_hashes<'b>(
    transaction: &mut Transaction<'_, Any>,
    blocks: impl IntoIterator<Item = &'b Block>,
) -> Result<(), StoreError> {
    let pair = |block: &Block| hash_pair(block.header.number, &block.hash);
    let hashes: Vec<_> = blocks.into_iter().map(pair).collect();
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
    let (mut hashes, mut postings, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for executed in &block.transactions {
        let place = place_of(executed);
        hashes.push((key::hash(&executed.transaction.hash()), place));
        logs::postings(executed, &mut postings);
        clues::pairs(executed, &mut found);
        sqlx::query("INSERT INTO transactions (place, data) VALUES ($1, $2)")
            .bind(place)
            .bind(row::encode(executed)?)
            .execute(&mut **transaction)
            .await
            .map_err(failed)?;
    }
    insert_pairs(transaction, "transaction_hashes (hash, place)", &hashes).await?;
    clues::insert(transaction, found).await?;
    postings.sort_unstable();
    postings.dedup();
    insert_pairs(transaction, "postings (key, place)", &postings).await
}

/// Inserts pairs of numbers.
pub(super) async fn insert_pairs(
    transaction: &mut Transaction<'_, Any>,
    table: &str,
    pairs: &[(i64, i64)],
) -> Result<(), StoreError> {
    for some in pairs.chunks(ROWS_AT_ONCE) {
        let statement = AssertSqlSafe(format!("INSERT INTO {table} VALUES {}", values(some)));
        // It never comes again.
        let insert = sqlx::query(statement).persistent(false);
        insert.execute(&mut **transaction).await.map_err(failed)?;
    }
    Ok(())
}
