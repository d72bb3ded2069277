//! Blocks out of rows.
//!
//! What blocks, transactions and logs are found by lies in the order of its keys, not of blocks. So what is to go is made
//! again from the rows that it came from, as it was made when it was written.

use super::write::{ROWS_AT_ONCE, hash_pair, place_of, values};
use super::{archive, chain, clues, executed_of, failed, header_of, journal, key, logs};
use alloy_consensus::Header;
use parhelion_core::store::{Block, StoreError};
use sqlx::any::Any;
use sqlx::{AssertSqlSafe, Transaction};

/// Deletes the blocks behind `kept`, up to `newest`, with everything that they brought.
pub(super) async fn delete_behind(
    transaction: &mut Transaction<'_, Any>,
    kept: &Block,
    newest: u64,
) -> Result<(), StoreError> {
    let number = kept.header.number;
    delete_transactions(transaction, number).await?;
    archive::delete_changes(transaction, number).await?;
    delete_hashes(transaction, kept, newest).await?;
    sqlx::query("DELETE FROM blocks WHERE number > $1")
        .bind(key::block(number))
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Deletes the transactions of the blocks behind `number`, and what they and their logs are found by. They are written down
/// in the journal instead: the cluster may have them no more.
async fn delete_transactions(transaction: &mut Transaction<'_, Any>, number: u64) -> Result<(), StoreError> {
    let kept = key::transaction(number, key::PLACE_MAX);
    loop {
        let rows =
            sqlx::query("SELECT place, data FROM transactions WHERE place > $1 ORDER BY place LIMIT $2")
                .bind(kept)
                .bind(ROWS_AT_ONCE as i64)
                .fetch_all(&mut **transaction)
                .await
                .map_err(failed)?;
        let executed = rows.iter().map(executed_of).collect::<Result<Vec<_>, _>>()?;
        let taken: Vec<_> = executed.iter().map(|executed| &executed.transaction).collect();
        journal::bring_back(transaction, &taken).await?;
        let (mut hashes, mut postings, mut found) = (Vec::new(), Vec::new(), Vec::new());
        for executed in executed {
            hashes.push((key::hash(&executed.transaction.hash()), place_of(&executed)));
            logs::postings(&executed, &mut postings);
            clues::pairs(&executed, &mut found);
        }
        let Some((_, last)) = hashes.last().copied() else { return Ok(()) };
        delete_pairs(transaction, "transaction_hashes", ("hash", "place"), &hashes).await?;
        delete_pairs(transaction, "postings", ("key", "place"), &postings).await?;
        delete_pairs(transaction, "clues", ("key", "place"), &found).await?;
        sqlx::query("DELETE FROM transactions WHERE place > $1 AND place <= $2")
            .bind(kept)
            .bind(last)
            .execute(&mut **transaction)
            .await
            .map_err(failed)?;
    }
}

/// Deletes what the blocks behind `kept` up to `newest` are found by.
async fn delete_hashes(
    transaction: &mut Transaction<'_, Any>,
    kept: &Block,
    newest: u64,
) -> Result<(), StoreError> {
    let stored = sqlx::query("SELECT header FROM blocks WHERE number > $1 ORDER BY number")
        .bind(key::block(kept.header.number))
        .fetch_all(&mut **transaction)
        .await
        .map_err(failed)?;
    let stored = stored.iter().map(header_of).collect::<Result<Vec<Header>, _>>()?;
    let mut stored = stored.into_iter().peekable();
    let (mut header, mut hash) = (kept.header.clone(), kept.hash);
    let mut pairs = Vec::new();
    while header.number < newest {
        let number = header.number + 1;
        header = match stored.next_if(|next| next.number == number) {
            Some(stored) => stored,
            None => chain::empty_behind(&header, hash),
        };
        hash = header.hash_slow();
        pairs.push(hash_pair(number, &hash));
    }
    delete_pairs(transaction, "block_hashes", ("hash", "number"), &pairs).await
}

/// Deletes rows by their keys, which are pairs of numbers.
async fn delete_pairs(
    transaction: &mut Transaction<'_, Any>,
    table: &str,
    (one, other): (&str, &str),
    pairs: &[(i64, i64)],
) -> Result<(), StoreError> {
    for some in pairs.chunks(ROWS_AT_ONCE) {
        let statement = format!("DELETE FROM {table} WHERE ({one}, {other}) IN (VALUES {})", values(some));
        let delete = sqlx::query(AssertSqlSafe(statement)).persistent(false);
        delete.execute(&mut **transaction).await.map_err(failed)?;
    }
    Ok(())
}
