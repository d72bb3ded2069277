//! The tables, and how an older database becomes a newer one.
//!
//! | table | row | |
//! |---|---|---|
//! | `meta` | name, value | the version of the schema |
//! | `tip` | number, hash | the newest block: one row |
//! | `blocks` | number, header | blocks that are not just empty ones behind the one before, see [`super::chain`] |
//! | `block_hashes` | hash, number | of every block, by the first eight bytes of its hash |
//! | `transactions` | place, data | see [`super::row`] and [`super::key`] |
//! | `transaction_hashes` | hash, place | by the first eight bytes |
//! | `postings` | key, place | which logs have an address, or a topic at a position |
//! | `versions` | address, point, content | accounts as they were, see [`super::archive`] |
//! | `clues` | key, place | which transactions have a clue; a database without it is filled once |
//! | `journal` | owner, hash, sender, raw | accepted transactions that are not over, by the operator that has them, and those of dropped forks, of nobody |
//!
//! Numbers and blobs only, so SQLite and Postgres understand the same queries.

use super::Engine;
use parhelion_core::store::StoreError;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

/// The schemas, one after another: a database has been through the first so many.
const VERSIONS: [&[&str]; 3] = [
    &[
        "CREATE TABLE tip (one BIGINT PRIMARY KEY, number BIGINT NOT NULL, hash BLOB NOT NULL)",
        "CREATE TABLE blocks (number BIGINT PRIMARY KEY, header BLOB NOT NULL)",
        "CREATE TABLE block_hashes (hash BIGINT NOT NULL, number BIGINT NOT NULL, PRIMARY KEY (hash, number)) KEYED",
        "CREATE TABLE transactions (place BIGINT PRIMARY KEY, data BLOB NOT NULL)",
        "CREATE TABLE transaction_hashes (hash BIGINT NOT NULL, place BIGINT NOT NULL, PRIMARY KEY (hash, place)) KEYED",
        "CREATE TABLE journal (owner BLOB, hash BLOB, sender BLOB NOT NULL, raw BLOB NOT NULL, PRIMARY KEY (owner, hash))",
        "CREATE TABLE postings (key BIGINT NOT NULL, place BIGINT NOT NULL, PRIMARY KEY (key, place)) KEYED",
    ],
    // Not KEYED: contents are long.
    &[
        "CREATE TABLE versions (address BLOB NOT NULL, point BIGINT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (address, point))",
        "CREATE INDEX versions_by_point ON versions (point)",
    ],
    &["CREATE TABLE clues (key BIGINT NOT NULL, place BIGINT NOT NULL, PRIMARY KEY (key, place)) KEYED"],
];

/// The first version that has clues.
const CLUES: i64 = 3;

/// Brings the tables to the newest version. Several nodes may try at once.
pub(super) async fn migrate(engine: &Engine) -> Result<(), StoreError> {
    let mut connection = engine.pool.acquire().await.map_err(super::failed)?;
    let mut transaction = connection.begin().await.map_err(super::failed)?;
    let run = |statement: &str| AssertSqlSafe(engine.dialect.translate(statement));
    for statement in engine.dialect.lock() {
        sqlx::query(*statement).execute(&mut *transaction).await.map_err(super::failed)?;
    }
    let meta = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BIGINT NOT NULL)";
    sqlx::query(meta).execute(&mut *transaction).await.map_err(super::failed)?;
    let row = sqlx::query("SELECT value FROM meta WHERE name = 'schema'").fetch_optional(&mut *transaction);
    let has: i64 = match row.await.map_err(super::failed)? {
        Some(row) => row.try_get(0).map_err(super::failed)?,
        None => 0,
    };
    let newest = VERSIONS.len() as i64;
    if has > newest {
        return Err(StoreError::Unavailable(format!(
            "the database has schema {has}, this node knows {newest}: it was written by a newer version"
        )));
    }
    if has == newest {
        return Ok(());
    }
    for statement in VERSIONS.iter().skip(has as usize).copied().flatten() {
        sqlx::query(run(statement)).execute(&mut *transaction).await.map_err(super::failed)?;
    }
    if has < CLUES {
        super::clues::fill(&mut transaction).await?;
    }
    sqlx::query(
        "INSERT INTO meta (name, value) VALUES ('schema', $1) ON CONFLICT (name) DO UPDATE SET value = $1",
    )
    .bind(newest)
    .execute(&mut *transaction)
    .await
    .map_err(super::failed)?;
    transaction.commit().await.map_err(super::failed)
}
