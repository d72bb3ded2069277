//! Accepted transactions that are not over, written down for the next start.
//!
//! What is accepted at the same time is written in one database transaction: while one is committed, those that come in
//! gather for the next. Each commit is on the disk before any of them counts as accepted. Of 64 senders at a time SQLite
//! took 16,000 transactions a second so, on two busy cores, and 2,000 when each had a commit of its own.
//!
//! What a dropped fork had is written down when it leaves the chain, in the database transaction that takes it off, for
//! [`ANYBODY`]: it is in one or the other, whenever a node ends, and every node that starts or looks here goes on with it.

use super::engine::Engine;
use super::{SqlStore, failed, row};
use alloy_primitives::B256;
use async_trait::async_trait;
use parhelion_core::pool::Journal;
use parhelion_core::store::StoreError;
use parhelion_core::transaction::Transaction;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Row as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Hashes that one statement names, and transactions that one inserts.
const ROWS_AT_ONCE: usize = 500;

/// The owner of what belongs to whoever reads it: as no operator is called.
const ANYBODY: &[u8] = &[];

/// The [`Journal`] of one operator in a store's database. Clones are the same journal.
#[derive(Clone, Debug)]
pub struct SqlJournal {
    engine: Engine,
    owner: Vec<u8>,
    gathered: Arc<Mutex<Gathered>>,
}

/// What is to be written next.
#[derive(Debug, Default)]
struct Gathered {
    entries: Vec<Entry>,
    /// Whether a task writes, and will look here again.
    has_writer: bool,
}

/// A transaction that is to be written down.
#[derive(Debug)]
struct Entry {
    transaction: Transaction,
    written: oneshot::Sender<Result<(), StoreError>>,
}

impl SqlStore {
    /// The journal of whoever lands with this key: several nodes may have theirs in one database.
    #[must_use]
    pub fn journal(&self, owner: &[u8; 32]) -> SqlJournal {
        SqlJournal { engine: self.engine.clone(), owner: owner.to_vec(), gathered: Arc::default() }
    }
}

impl SqlJournal {
    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to what is written next, and sees to it that somebody does.
    fn gather(&self, entry: Entry) {
        let mut gathered = self.gathered();
        gathered.entries.push(entry);
        if !std::mem::replace(&mut gathered.has_writer, true) {
            // A task of its own: whoever asked may give up waiting.
            tokio::spawn(self.clone().write_gathered());
        }
    }

    /// Writes until nothing is left.
    async fn write_gathered(self) {
        while let Some(entries) = self.take_gathered() {
            let result = self.write(&entries).await;
            for entry in entries {
                // Who asked may be gone.
                let _ = entry.written.send(result.clone());
            }
        }
    }

    /// What has gathered; if it is nothing, the writer ends.
    fn take_gathered(&self) -> Option<Vec<Entry>> {
        let mut gathered = self.gathered();
        let entries = std::mem::take(&mut gathered.entries);
        gathered.has_writer = !entries.is_empty();
        gathered.has_writer.then_some(entries)
    }

    /// Writes entries in one transaction that is on the disk when it is over.
    async fn write(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let mut connection = self.engine.pool.acquire().await.map_err(failed)?;
        for statement in self.engine.dialect.sync() {
            sqlx::query(*statement).execute(&mut *connection).await.map_err(failed)?;
        }
        let result = self.insert(&mut connection, entries).await;
        for statement in self.engine.dialect.unsync() {
            sqlx::query(*statement).execute(&mut *connection).await.map_err(failed)?;
        }
        result
    }

    async fn insert(&self, connection: &mut AnyConnection, entries: &[Entry]) -> Result<(), StoreError> {
        let mut transaction = connection.begin().await.map_err(failed)?;
        let accepted: Vec<_> = entries.iter().map(|entry| &entry.transaction).collect();
        insert(&mut transaction, &self.owner, &accepted).await?;
        transaction.commit().await.map_err(failed)
    }
}

/// Writes down what is taken out of the chain.
pub(super) async fn bring_back(
    connection: &mut AnyConnection,
    transactions: &[&Transaction],
) -> Result<(), StoreError> {
    insert(connection, ANYBODY, transactions).await
}

async fn insert(
    connection: &mut AnyConnection,
    owner: &[u8],
    transactions: &[&Transaction],
) -> Result<(), StoreError> {
    for some in transactions.chunks(ROWS_AT_ONCE) {
        let values: Vec<_> = (0..some.len())
            .map(|row| format!("($1, ${}, ${}, ${})", 3 * row + 2, 3 * row + 3, 3 * row + 4))
            .collect();
        let statement = format!(
            "INSERT INTO journal (owner, hash, sender, raw) VALUES {} ON CONFLICT (owner, hash) DO NOTHING",
            values.join(", ")
        );
        // One of any length is not worth keeping.
        let mut insert = sqlx::query(AssertSqlSafe(statement)).persistent(some.len() == 1);
        insert = insert.bind(owner.to_vec());
        for transaction in some {
            insert = insert
                .bind(transaction.hash().to_vec())
                .bind(transaction.sender().to_vec())
                .bind(transaction.raw().to_vec());
        }
        insert.execute(&mut *connection).await.map_err(failed)?;
    }
    Ok(())
}

#[async_trait]
impl Journal for SqlJournal {
    async fn put(&self, transaction: &Transaction) -> Result<(), StoreError> {
        let (sender, written) = oneshot::channel();
        self.gather(Entry { transaction: transaction.clone(), written: sender });
        written
            .await
            .map_err(|_| StoreError::Unavailable("the write was given up, as the node stops".to_owned()))?
    }

    async fn remove(&self, hashes: &[B256]) -> Result<(), StoreError> {
        for some in hashes.chunks(ROWS_AT_ONCE) {
            let list: Vec<_> = (3..some.len() + 3).map(|number| format!("${number}")).collect();
            let list = list.join(", ");
            let statement = format!("DELETE FROM journal WHERE owner IN ($1, $2) AND hash IN ({list})");
            let mut delete = sqlx::query(AssertSqlSafe(statement)).persistent(false);
            delete = delete.bind(self.owner.clone()).bind(ANYBODY.to_vec());
            for hash in some {
                delete = delete.bind(hash.to_vec());
            }
            delete.execute(&self.engine.pool).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn all(&self) -> Result<Vec<Transaction>, StoreError> {
        // Whose row it is does not matter, so that what is there twice comes once.
        let rows = sqlx::query("SELECT DISTINCT raw, sender FROM journal WHERE owner IN ($1, $2)")
            .bind(self.owner.clone())
            .bind(ANYBODY.to_vec())
            .fetch_all(&self.engine.pool)
            .await
            .map_err(failed)?;
        let read = |row: &sqlx::any::AnyRow| {
            let (raw, sender): (Vec<u8>, Vec<u8>) =
                (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
            let sender =
                sender.as_slice().try_into().map_err(|_| row::damaged("a sender of another length"))?;
            Transaction::decode_known(raw.into(), sender).map_err(|error| row::damaged(&error.to_string()))
        };
        rows.iter().map(read).collect()
    }
}
