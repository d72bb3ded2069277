//! Log queries.
//!
//! For each address, and for each topic at a position, `postings` has the places of the logs that have it, in the order of
//! blocks. A query counts, for each of its parts, how many logs of its range that part lets through, up to a bound; walks
//! the smallest; and checks the whole filter on each log that it meets there.

use super::key;
use super::{executed_of, failed};
use crate::LOGS_MAX;
use parhelion_core::store::{Executed, FoundLog, LogFilter, StoreError};
use sqlx::{AnyPool, AssertSqlSafe, Row as _};
use std::sync::Arc;

/// Up to here is counted to find the part of a filter that lets fewest logs through.
const COUNT_MAX: i64 = 2_000;
/// Places that are looked at together, and transactions that are read together.
const BATCH: i64 = 500;

/// What a transaction's logs are found by.
pub(super) fn postings(executed: &Executed, out: &mut Vec<(i64, i64)>) {
    for (position, log) in executed.logs.iter().enumerate() {
        let place = key::log(executed.block_number, executed.index, position as u64);
        out.push((key::address(&log.address), place));
        let topics = log.data.topics().iter().enumerate();
        out.extend(topics.map(|(position, topic)| (key::topic(position, topic), place)));
    }
}

/// The places of logs from one to another, both included.
#[derive(Clone, Copy)]
struct Range {
    from: i64,
    to: i64,
}

/// The logs that match, in the order of blocks, up to one more than [`LOGS_MAX`].
pub(super) async fn find(pool: &AnyPool, filter: &LogFilter) -> Result<Vec<FoundLog>, StoreError> {
    if filter.from_block > filter.to_block {
        return Ok(Vec::new());
    }
    let range = Range {
        from: key::log(filter.from_block, 0, 0),
        to: key::log(filter.to_block, key::PLACE_MAX, key::PLACE_MAX),
    };
    let mut found = Vec::new();
    let parts = parts(filter);
    let smallest = smallest(pool, &parts, range).await?;
    let mut from = range.from;
    loop {
        let range = Range { from, ..range };
        let (transactions, last) = match smallest {
            Some(keys) => by_keys(pool, keys, range).await?,
            None => all(pool, range).await?,
        };
        for executed in transactions {
            let place = |position: usize| key::log(executed.block_number, executed.index, position as u64);
            let matching = executed.logs.iter().enumerate().filter(|(position, log)| {
                (range.from..=last.unwrap_or(range.to)).contains(&place(*position)) && filter.matches(log)
            });
            found
                .extend(matching.map(|(position, _)| FoundLog { executed: Arc::clone(&executed), position }));
        }
        match last.and_then(|last| last.checked_add(1)) {
            Some(next) if found.len() <= LOGS_MAX => from = next,
            _ => break,
        }
    }
    found.truncate(LOGS_MAX + 1);
    Ok(found)
}

/// The keys of each part of a filter that names something: an address, or a topic at a position.
fn parts(filter: &LogFilter) -> Vec<Vec<i64>> {
    let addresses = filter.addresses.iter().map(key::address).collect();
    let topics = filter.topics.iter().enumerate();
    let topics =
        topics.map(|(position, wanted)| wanted.iter().map(|topic| key::topic(position, topic)).collect());
    let named = [addresses].into_iter().chain(topics).filter(|keys: &Vec<i64>| !keys.is_empty());
    named
        .map(|mut keys| {
            keys.sort_unstable();
            keys.dedup();
            keys
        })
        .collect()
}

/// The part that lets fewest logs through.
async fn smallest<'p>(
    pool: &AnyPool,
    parts: &'p [Vec<i64>],
    range: Range,
) -> Result<Option<&'p Vec<i64>>, StoreError> {
    if let [part] = parts {
        return Ok(Some(part));
    }
    let mut best = None;
    let mut least = COUNT_MAX;
    for part in parts {
        let count = count(pool, part, range, least).await?;
        if best.is_none() || count < least {
            (best, least) = (Some(part), count);
        }
    }
    Ok(best)
}

/// Places that have one of the keys, counted up to `most`.
async fn count(pool: &AnyPool, keys: &[i64], range: Range, most: i64) -> Result<i64, StoreError> {
    let mut sum = 0;
    for key in keys {
        let query = "SELECT COUNT(*) FROM (SELECT 1 AS one FROM postings WHERE key = $1 AND place BETWEEN $2 AND $3 \
                     LIMIT $4) AS counted";
        let row =
            sqlx::query(query).bind(*key).bind(range.from).bind(range.to).bind(most - sum).fetch_one(pool);
        let counted: i64 = row.await.map_err(failed)?.try_get(0).map_err(failed)?;
        sum += counted;
        if sum >= most {
            break;
        }
    }
    Ok(sum)
}

/// The transactions of the next places that have one of the keys, and the last of these places; none when there are no
/// more.
async fn by_keys(
    pool: &AnyPool,
    keys: &[i64],
    range: Range,
) -> Result<(Vec<Arc<Executed>>, Option<i64>), StoreError> {
    let mut places = Vec::new();
    for key in keys {
        let query =
            "SELECT place FROM postings WHERE key = $1 AND place BETWEEN $2 AND $3 ORDER BY place LIMIT $4";
        let rows = sqlx::query(query).bind(*key).bind(range.from).bind(range.to).bind(BATCH).fetch_all(pool);
        for row in rows.await.map_err(failed)? {
            places.push(row.try_get::<i64, _>(0).map_err(failed)?);
        }
    }
    places.sort_unstable();
    places.dedup();
    // Behind that, a key may have more places than were read.
    let is_last = (places.len() as i64) < BATCH;
    places.truncate(BATCH as usize);
    let last = if is_last { None } else { places.last().copied() };
    let mut transactions: Vec<i64> = places.iter().map(|place| key::of_log(*place).0).collect();
    transactions.dedup();
    Ok((read(pool, &transactions).await?, last))
}

/// The transactions at these places, in order.
async fn read(pool: &AnyPool, places: &[i64]) -> Result<Vec<Arc<Executed>>, StoreError> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    // In the statement, for the same reason as in `write::values`.
    let list: Vec<_> = places.iter().map(i64::to_string).collect();
    let list = list.join(", ");
    let statement = format!("SELECT place, data FROM transactions WHERE place IN ({list}) ORDER BY place");
    let query = sqlx::query(AssertSqlSafe(statement)).persistent(false);
    let rows = query.fetch_all(pool).await.map_err(failed)?;
    rows.iter().map(executed_of).collect()
}

/// The next transactions, whatever logs they have, and the last place in them; none when there are no more.
async fn all(pool: &AnyPool, range: Range) -> Result<(Vec<Arc<Executed>>, Option<i64>), StoreError> {
    let query = "SELECT place, data FROM transactions WHERE place BETWEEN $1 AND $2 ORDER BY place LIMIT $3";
    let (from, to) = (key::of_log(range.from).0, key::of_log(range.to).0);
    let rows = sqlx::query(query).bind(from).bind(to).bind(BATCH).fetch_all(pool).await.map_err(failed)?;
    let read = rows.iter().map(executed_of).collect::<Result<Vec<_>, _>>()?;
    let last = read.last().filter(|_| read.len() as i64 == BATCH);
    let last = last.map(|executed| key::log(executed.block_number, executed.index, key::PLACE_MAX));
    Ok((read, last))
}
