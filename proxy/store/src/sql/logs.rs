//! Log queries.
//!
//! For each address, and for each topic at a position, `postings` has the places of the logs that have it, in the order of
//! blocks. A query counts, for each of its parts, how many logs of its range that part lets through, up to a bound; walks
//! the smallest; leaves out on the way what a second part does not let through; and checks the whole filter on each log
//! that is left.

use super::engine::Engine;
use super::list::{self, numbers};
use super::{failed, key, row};
use crate::LOGS_MAX;
use alloy_primitives::Log;
use parhelion_core::store::{Executed, FoundLog, LogFilter, StoreError};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

/// Up to here is counted to find the part of a filter that lets fewest logs through.
const COUNT_MAX: i64 = 2_000;
/// Places that are looked at together, and transactions that are read together.
const BATCH: i64 = 1_000;
/// The most keys of a part that is looked up for each place of another: each costs a search.
const SECOND_KEYS_MAX: usize = 4;

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

/// How the logs of a filter are found.
struct Plan {
    /// The keys of the part whose places are walked; none where the filter has no part.
    walked: Option<Vec<i64>>,
    /// The keys of another part, which each of these places has to have one of.
    second: Vec<i64>,
}

/// The logs that match, in the order of blocks, up to one more than [`LOGS_MAX`].
pub(super) async fn find(engine: &Engine, filter: &LogFilter) -> Result<Vec<FoundLog>, StoreError> {
    if filter.from_block > filter.to_block {
        return Ok(Vec::new());
    }
    let range = Range {
        from: key::log(filter.from_block, 0, 0),
        to: key::log(filter.to_block, key::PLACE_MAX, key::PLACE_MAX),
    };
    let mut found = Vec::new();
    let plan = plan(engine, parts(filter), range).await?;
    let (mut from, mut walked) = (range.from, None);
    loop {
        let range = Range { from, ..range };
        let (some, last) = match &plan.walked {
            Some(keys) => {
                let Places { places, last } = match walked.take() {
                    Some(places) => places,
                    None => by_keys(engine, keys, &plan.second, range).await?,
                };
                // Behind that, logs of the last transaction are found with the next places.
                let to = last.unwrap_or(range.to);
                let some = read(engine, filter, transactions_of(&places), Range { to, ..range });
                match last.and_then(|last| last.checked_add(1)) {
                    // All of these may match: then there is more to walk, which is done meanwhile.
                    Some(next) if found.len() + places.len() <= LOGS_MAX => {
                        let next = by_keys(engine, keys, &plan.second, Range { from: next, ..range });
                        let (some, next) = tokio::try_join!(some, next)?;
                        walked = Some(next);
                        (some, last)
                    }
                    _ => (some.await?, last),
                }
            }
            None => all(engine, filter, range).await?,
        };
        found.extend(some);
        match last.and_then(|last| last.checked_add(1)) {
            Some(next) if found.len() <= LOGS_MAX => from = next,
            _ => break,
        }
    }
    found.truncate(LOGS_MAX + 1);
    Ok(found)
}

/// A part of a filter that names something.
struct Part {
    keys: Vec<i64>,
    /// Whether it is the first topic, the kind of event, which most logs that have the rest of a filter have anyway.
    is_kind: bool,
}

/// The parts of a filter that name something, an address or a topic at a position: those first that tend to let fewest logs
/// through.
fn parts(filter: &LogFilter) -> Vec<Part> {
    let topics = filter.topics.iter().enumerate();
    let topic = |(position, wanted): (usize, &Vec<_>)| Part {
        keys: wanted.iter().map(|topic| key::topic(position, topic)).collect(),
        is_kind: position == 0,
    };
    let mut parts: Vec<Part> = topics.map(topic).collect();
    let addresses = Part { keys: filter.addresses.iter().map(key::address).collect(), is_kind: false };
    parts.insert(parts.len().min(1), addresses);
    parts.reverse();
    parts.retain(|part| !part.keys.is_empty());
    for part in &mut parts {
        part.keys.sort_unstable();
        part.keys.dedup();
    }
    parts
}

/// Decides which part is walked: the one that lets fewest logs through.
async fn plan(engine: &Engine, mut parts: Vec<Part>, range: Range) -> Result<Plan, StoreError> {
    let (mut best, mut least) = (0, COUNT_MAX);
    if parts.len() > 1 {
        for (index, part) in parts.iter().enumerate() {
            let count = count(engine, &part.keys, range, least).await?;
            if count < least {
                (best, least) = (index, count);
            }
        }
    }
    let walked = (best < parts.len()).then(|| parts.remove(best).keys);
    let second = parts.into_iter().find(|part| !part.is_kind && part.keys.len() <= SECOND_KEYS_MAX);
    Ok(Plan { walked, second: second.map(|part| part.keys).unwrap_or_default() })
}

/// Places that have one of the keys, counted up to `most`.
async fn count(engine: &Engine, keys: &[i64], range: Range, most: i64) -> Result<i64, StoreError> {
    let mut sum = 0;
    for key in keys {
        let query = "SELECT COUNT(*) FROM (SELECT 1 AS one FROM postings WHERE key = $1 AND place BETWEEN $2 AND $3 \
                     LIMIT $4) AS counted";
        let query = sqlx::query(query).bind(*key).bind(range.from).bind(range.to).bind(most - sum);
        let row = query.fetch_one(&engine.pool).await.map_err(failed)?;
        let counted: i64 = row.try_get(0).map_err(failed)?;
        sum += counted;
        if sum >= most {
            break;
        }
    }
    Ok(sum)
}

/// Places of logs, in order.
struct Places {
    places: Vec<i64>,
    /// The place up to which was looked; none when there are no more.
    last: Option<i64>,
}

/// The next places that have one of the keys and one of the `second` ones.
async fn by_keys(engine: &Engine, keys: &[i64], second: &[i64], range: Range) -> Result<Places, StoreError> {
    let (mut places, mut last) = (Vec::new(), None);
    for key in keys {
        let (some, end) = walk(engine, *key, second, range).await?;
        places.extend(some);
        // Behind that, a key may have more places than were read.
        last = last.into_iter().chain(end).min();
    }
    places.sort_unstable();
    places.dedup();
    places.retain(|place| last.is_none_or(|last| *place <= last));
    if places.len() > BATCH as usize {
        places.truncate(BATCH as usize);
        last = places.last().copied();
    }
    Ok(Places { places, last })
}

/// The places of the transactions of logs, each once.
fn transactions_of(logs: &[i64]) -> Vec<i64> {
    let mut transactions: Vec<i64> = logs.iter().map(|place| key::of_log(*place).0).collect();
    transactions.dedup();
    transactions
}

/// The next places that have a key and one of the `second` ones, and the place up to which was looked; none when there are
/// no more.
async fn walk(
    engine: &Engine,
    key: i64,
    second: &[i64],
    range: Range,
) -> Result<(Vec<i64>, Option<i64>), StoreError> {
    let place = match second {
        [] => "place".to_owned(),
        // A search for each place: a join would let the planner read all that have the second key.
        keys => format!(
            "(SELECT second.place FROM postings AS second WHERE second.key IN ({}) AND second.place = walked.place LIMIT 1)",
            numbers(keys)
        ),
    };
    let statement = format!(
        "SELECT COUNT(*), MAX(place), {} FROM (SELECT place FROM postings WHERE key = $1 AND place BETWEEN $2 AND $3 \
         ORDER BY place LIMIT $4) AS walked",
        list::of_numbers(engine.dialect, &place),
    );
    let query = sqlx::query(AssertSqlSafe(statement)).persistent(second.is_empty());
    let query = query.bind(key).bind(range.from).bind(range.to).bind(BATCH);
    let row = query.fetch_one(&engine.pool).await.map_err(failed)?;
    let count: i64 = row.try_get(0).map_err(failed)?;
    let last: Option<i64> = row.try_get(1).map_err(failed)?;
    let places = list::parse_numbers(row.try_get(2).map_err(failed)?)?;
    Ok((places, last.filter(|_| count == BATCH)))
}

/// The matching logs, within a range, of the transactions at these places.
async fn read(
    engine: &Engine,
    filter: &LogFilter,
    places: Vec<i64>,
    range: Range,
) -> Result<Vec<FoundLog>, StoreError> {
    let mut found = Vec::new();
    for some in places.chunks(BATCH as usize) {
        // In the statement, for the same reason as in `write::values`.
        let from = format!("transactions WHERE place IN ({})", numbers(some));
        let statement = format!("SELECT {} FROM {from}", list::of_blobs(engine.dialect, "place", "data"));
        let query = sqlx::query(AssertSqlSafe(statement)).persistent(false);
        let list = query.fetch_one(&engine.pool).await.map_err(failed)?;
        found.extend(matching(&rows(&list)?, filter, range)?);
    }
    Ok(found)
}

/// The matching logs of the next transactions, whatever logs those have, and the last place in them; none when there are no
/// more.
async fn all(
    engine: &Engine,
    filter: &LogFilter,
    range: Range,
) -> Result<(Vec<FoundLog>, Option<i64>), StoreError> {
    let statement = format!(
        "SELECT {} FROM (SELECT place, data FROM transactions WHERE place BETWEEN $1 AND $2 ORDER BY place LIMIT $3) AS walked",
        list::of_blobs(engine.dialect, "place", "data"),
    );
    let (from, to) = (key::of_log(range.from).0, key::of_log(range.to).0);
    let query = sqlx::query(AssertSqlSafe(statement)).bind(from).bind(to).bind(BATCH);
    let list = query.fetch_one(&engine.pool).await.map_err(failed)?;
    let rows = rows(&list)?;
    let last = rows.last().filter(|_| rows.len() as i64 == BATCH).map(|(place, _)| {
        let (number, index) = key::of_transaction(*place);
        key::log(number, index, key::PLACE_MAX)
    });
    Ok((matching(&rows, filter, range)?, last))
}

/// The transactions of a list, in order: each one's place and its row.
fn rows(list: &AnyRow) -> Result<Vec<(i64, &[u8])>, StoreError> {
    let mut rows = list::parse_blobs(list.try_get(0).map_err(failed)?)?;
    // A list has no order.
    rows.sort_unstable_by_key(|(place, _)| *place);
    Ok(rows)
}

/// The matching logs, within a range, of transactions.
fn matching(rows: &[(i64, &[u8])], filter: &LogFilter, range: Range) -> Result<Vec<FoundLog>, StoreError> {
    let mut found = Vec::new();
    for (place, data) in rows {
        let (number, index) = key::of_transaction(*place);
        let is_wanted = |position: usize, log: &Log| {
            let place = key::log(number, index, position as u64);
            (range.from..=range.to).contains(&place) && filter.matches(log)
        };
        found.extend(row::decode_logs(number, index, data, is_wanted)?);
    }
    Ok(found)
}
