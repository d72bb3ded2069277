//! Accounts as they were.
//!
//! A row is an account from a point on, until its next row. A point is a number: the block's, and the place in it.

use super::engine::Engine;
use super::{SqlStore, failed, key, row};
use async_trait::async_trait;
use parhelion_core::past::{Archive, Change, Point, Version};
use parhelion_core::store::StoreError;
use parhelion_wire::Pubkey;
use sqlx::any::Any;
use sqlx::{AssertSqlSafe, Row as _, Transaction};
use std::collections::BTreeMap;

/// Rows that one statement inserts, and accounts that one reads.
const ROWS_AT_ONCE: usize = 50;

/// Changes of the mark up to which is forgotten at once: SQLite has one writer, and what is accepted waits for it. A hundred
/// blocks of 120 changes took it a fifth of a second on two busy cores, a thousand two to three seconds.
const MARKS_AT_ONCE: i64 = 100;

/// What the first byte of a row's content says.
mod tag {
    pub(super) const UNKNOWN: u8 = 0;
    pub(super) const ABSENT: u8 = 1;
    pub(super) const PRESENT: u8 = 2;
}

/// Writes changes, together with the blocks that brought them. Of several at one point the last one counts.
pub(super) async fn insert_changes(
    transaction: &mut Transaction<'_, Any>,
    changes: impl IntoIterator<Item = &Change>,
) -> Result<(), StoreError> {
    let changes: BTreeMap<_, _> =
        changes.into_iter().map(|change| ((change.address, change.point), change)).collect();
    let changes: Vec<&Change> = changes.into_values().collect();
    for some in changes.chunks(ROWS_AT_ONCE) {
        let values: Vec<_> = (0..some.len())
            .map(|row| format!("(${}, ${}, ${})", 3 * row + 1, 3 * row + 2, 3 * row + 3))
            .collect();
        let statement =
            format!("INSERT INTO versions (address, point, content) VALUES {}", values.join(", "));
        let mut insert = sqlx::query(AssertSqlSafe(statement)).persistent(some.len() == 1);
        for change in some {
            insert = insert
                .bind(change.address.to_vec())
                .bind(key::point(change.point))
                .bind(encode(&change.version));
        }
        insert.execute(&mut **transaction).await.map_err(failed)?;
    }
    Ok(())
}

/// Deletes what blocks behind this one brought.
pub(super) async fn delete_changes(
    transaction: &mut Transaction<'_, Any>,
    number: u64,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM versions WHERE point > $1")
        .bind(key::point(Point::end(number)))
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    Ok(())
}

#[async_trait]
impl Archive for SqlStore {
    async fn versions(&self, point: Point, addresses: &[Pubkey]) -> Result<Vec<Option<Version>>, StoreError> {
        let mut versions = Vec::with_capacity(addresses.len());
        for some in addresses.chunks(ROWS_AT_ONCE) {
            versions.extend(read(&self.engine, point, some).await?);
        }
        Ok(versions)
    }

    async fn forget(&self, mark: &Pubkey, point: Point) -> Result<u64, StoreError> {
        let marks = "SELECT MIN(point), MAX(point) FROM (SELECT point FROM versions WHERE address = $1 AND point <= $2 \
                     ORDER BY point LIMIT $3) AS marks";
        let marks = sqlx::query(marks).bind(mark.to_vec()).bind(key::point(point)).bind(MARKS_AT_ONCE);
        let marks = marks.fetch_one(&self.engine.pool).await.map_err(failed)?;
        let (oldest, newest) = (marks.try_get(0).map_err(failed)?, marks.try_get(1).map_err(failed)?);
        match (oldest, newest) {
            (Some(oldest), Some(newest)) if oldest < newest => forget(&self.engine, oldest, newest).await,
            _ => Ok(0),
        }
    }
}

/// Forgets what was replaced up to the point `newest`. Nothing before the point `oldest` was: it is forgotten already.
async fn forget(engine: &Engine, oldest: i64, newest: i64) -> Result<u64, StoreError> {
    const REPLACED: &str = "DELETE FROM versions WHERE point < $2 \
        AND address IN (SELECT address FROM versions WHERE point > $1 AND point <= $2) \
        AND point < (SELECT MAX(point) FROM versions AS newer WHERE newer.address = versions.address AND newer.point <= $2)";
    // What has no version does not exist either.
    const ABSENT: &str = "DELETE FROM versions WHERE point >= $1 AND point <= $2 AND content = $3";
    let mut transaction = engine.pool.begin().await.map_err(failed)?;
    let replaced = sqlx::query(REPLACED).bind(oldest).bind(newest);
    let replaced = replaced.execute(&mut *transaction).await.map_err(failed)?;
    let absent = sqlx::query(ABSENT).bind(oldest).bind(newest).bind(encode(&Version::Absent));
    let absent = absent.execute(&mut *transaction).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok(replaced.rows_affected() + absent.rows_affected())
}

async fn read(
    engine: &Engine,
    point: Point,
    addresses: &[Pubkey],
) -> Result<Vec<Option<Version>>, StoreError> {
    let newest = |place: usize| {
        format!(
            "SELECT * FROM (SELECT {place} AS place, content FROM versions WHERE address = ${} AND point <= $1 \
             ORDER BY point DESC LIMIT 1) AS newest{place}",
            place + 2
        )
    };
    let statement = (0..addresses.len()).map(newest).collect::<Vec<_>>().join(" UNION ALL ");
    let mut select = sqlx::query(AssertSqlSafe(statement)).bind(key::point(point));
    for address in addresses {
        select = select.bind(address.to_vec());
    }
    let rows = select.fetch_all(&engine.pool).await.map_err(failed)?;
    let mut versions = vec![None; addresses.len()];
    for found in &rows {
        let place: i32 = found.try_get(0).map_err(failed)?;
        let content: Vec<u8> = found.try_get(1).map_err(failed)?;
        if let Some(version) = usize::try_from(place).ok().and_then(|place| versions.get_mut(place)) {
            *version = Some(decode(&content)?);
        }
    }
    Ok(versions)
}

/// ```text
///  0     1          9
///  ├ tag ┼ lamports ┼ data … ┤      behind a tag that is not "present" is nothing
/// ```
fn encode(version: &Version) -> Vec<u8> {
    match version {
        Version::Unknown => vec![tag::UNKNOWN],
        Version::Absent => vec![tag::ABSENT],
        Version::Present { lamports, data } => [&[tag::PRESENT], &lamports.to_le_bytes()[..], data].concat(),
    }
}

fn decode(content: &[u8]) -> Result<Version, StoreError> {
    Ok(match content {
        [tag::UNKNOWN] => Version::Unknown,
        [tag::ABSENT] => Version::Absent,
        [tag::PRESENT, rest @ ..] => {
            let (lamports, data) = rest
                .split_first_chunk()
                .ok_or_else(|| row::damaged("an account of the past is too short"))?;
            Version::Present { lamports: u64::from_le_bytes(*lamports), data: data.to_vec() }
        }
        _ => return Err(row::damaged("an account of the past begins with an unknown byte")),
    })
}
