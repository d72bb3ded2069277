//! Lookups.
//!
//! For each clue, `clues` has the places of the transactions that have it. Keys are 64 bits, so others may have the same:
//! what is found is compared.

use super::write::{ROWS_AT_ONCE, insert_pairs, place_of};
use super::{executed_of, failed, key};
use parhelion_core::clue::{Clue, LOOKUP_MAX, Lookup};
use parhelion_core::store::{Executed, StoreError};
use sqlx::any::Any;
use sqlx::{AnyPool, AssertSqlSafe, Transaction};
use std::sync::Arc;

/// Transactions that are read together.
const BATCH: usize = 500;

/// What a transaction is found by.
pub(super) fn pairs(executed: &Executed, out: &mut Vec<(i64, i64)>) {
    let place = place_of(executed);
    out.extend(Clue::of(executed).iter().map(|clue| (key::clue(clue), place)));
}

/// The transactions that are looked up.
pub(super) async fn find(pool: &AnyPool, lookup: &Lookup) -> Result<Vec<Arc<Executed>>, StoreError> {
    let max = lookup.max.min(LOOKUP_MAX);
    let mut from = key::transaction(lookup.from_block, 0);
    let mut to = key::transaction(lookup.to_block, key::PLACE_MAX);
    let order = if lookup.newest_first { "DESC" } else { "ASC" };
    let statement = format!(
        "SELECT transactions.place, transactions.data FROM clues \
         JOIN transactions ON transactions.place = clues.place \
         WHERE clues.key = $1 AND clues.place BETWEEN $2 AND $3 ORDER BY clues.place {order} LIMIT $4"
    );
    let mut found = Vec::new();
    while found.len() < max && from <= to {
        let wanted = (max - found.len()).min(BATCH);
        let rows = sqlx::query(AssertSqlSafe(statement.clone()))
            .bind(key::clue(&lookup.clue))
            .bind(from)
            .bind(to)
            .bind(wanted as i64)
            .fetch_all(pool)
            .await
            .map_err(failed)?;
        let batch = rows.iter().map(executed_of).collect::<Result<Vec<_>, _>>()?;
        let Some(last) = batch.last().map(|executed| place_of(executed)) else { break };
        if lookup.newest_first {
            to = last - 1;
        } else {
            from = last + 1;
        }
        let is_over = batch.len() < wanted;
        found.extend(batch.into_iter().filter(|executed| Clue::of(executed).contains(&lookup.clue)));
        if is_over {
            break;
        }
    }
    Ok(found)
}

/// Writes what the transactions are found by that are there already.
pub(super) async fn fill(transaction: &mut Transaction<'_, Any>) -> Result<(), StoreError> {
    let mut done = -1_i64;
    loop {
        let rows =
            sqlx::query("SELECT place, data FROM transactions WHERE place > $1 ORDER BY place LIMIT $2")
                .bind(done)
                .bind(ROWS_AT_ONCE as i64)
                .fetch_all(&mut **transaction)
                .await
                .map_err(failed)?;
        let mut found = Vec::new();
        for row in &rows {
            let executed = executed_of(row)?;
            done = place_of(&executed);
            pairs(&executed, &mut found);
        }
        if rows.is_empty() {
            return Ok(());
        }
        insert(transaction, found).await?;
    }
}

/// Writes what transactions are found by.
pub(super) async fn insert(
    transaction: &mut Transaction<'_, Any>,
    mut found: Vec<(i64, i64)>,
) -> Result<(), StoreError> {
    found.sort_unstable();
    found.dedup();
    insert_pairs(transaction, "clues (key, place)", &found).await
}
