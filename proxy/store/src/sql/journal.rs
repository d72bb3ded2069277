//! Accepted transactions that are not over, written down for the next start.

use super::engine::Engine;
use super::{SqlStore, failed, row};
use alloy_primitives::B256;
use async_trait::async_trait;
use parhelion_core::pool::Journal;
use parhelion_core::store::StoreError;
use parhelion_core::transaction::Transaction;
use sqlx::{AssertSqlSafe, Row as _};

/// Hashes that one statement names.
const HASHES_AT_ONCE: usize = 500;

/// The [`Journal`] of one operator in a store's database.
#[derive(Clone, Debug)]
pub struct SqlJournal {
    engine: Engine,
    owner: Vec<u8>,
}

impl SqlStore {
    /// The journal of whoever lands with this key: several nodes may have theirs in one database.
    #[must_use]
    pub fn journal(&self, owner: &[u8; 32]) -> SqlJournal {
        SqlJournal { engine: self.engine.clone(), owner: owner.to_vec() }
    }
}

#[async_trait]
impl Journal for SqlJournal {
    async fn put(&self, transaction: &Transaction) -> Result<(), StoreError> {
        let statement = "INSERT INTO journal (owner, hash, sender, raw) VALUES ($1, $2, $3, $4) \
                         ON CONFLICT (owner, hash) DO NOTHING";
        sqlx::query(statement)
            .bind(self.owner.clone())
            .bind(transaction.hash().to_vec())
            .bind(transaction.sender().to_vec())
            .bind(transaction.raw().to_vec())
            .execute(&self.engine.pool)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn remove(&self, hashes: &[B256]) -> Result<(), StoreError> {
        for some in hashes.chunks(HASHES_AT_ONCE) {
            let list: Vec<_> = (2..some.len() + 2).map(|number| format!("${number}")).collect();
            let statement = format!("DELETE FROM journal WHERE owner = $1 AND hash IN ({})", list.join(", "));
            let mut delete = sqlx::query(AssertSqlSafe(statement)).persistent(false).bind(self.owner.clone());
            for hash in some {
                delete = delete.bind(hash.to_vec());
            }
            delete.execute(&self.engine.pool).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn all(&self) -> Result<Vec<Transaction>, StoreError> {
        let rows = sqlx::query("SELECT raw, sender FROM journal WHERE owner = $1")
            .bind(self.owner.clone())
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
