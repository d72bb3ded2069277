//! The store in a database.

mod archive;
mod chain;
mod clues;
mod engine;
mod journal;
mod key;
mod list;
mod logs;
mod recent;
mod remove;
mod row;
mod schema;
mod shared;
mod trouble;
mod write;

use crate::LOGS_MAX;
use alloy_consensus::Header;
use alloy_primitives::B256;
use alloy_rlp::Decodable as _;
use async_trait::async_trait;
use engine::Engine;
pub use journal::SqlJournal;
use parhelion_core::clue::Lookup;
use parhelion_core::past::Change;
use parhelion_core::store::{Block, BlockId, Executed, FoundLog, LogFilter, Store, StoreError};
use recent::Recent;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use tokio::sync::Mutex;
use trouble::failed;
use write::{insert_blocks, insert_genesis};

/// The [`Store`] in SQLite or Postgres. What it answers it has written.
#[derive(Debug)]
pub struct SqlStore {
    engine: Engine,
    recent: RwLock<Recent>,
    /// Held by whoever appends.
    writing: Mutex<()>,
}

impl SqlStore {
    /// Opens the database at `sqlite:FILE`, which is made if it does not exist, or at `postgres://…`, and makes its tables
    /// those of this version.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not answer, or was written by a newer version.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let engine = Engine::connect(url).await?;
        schema::migrate(&engine).await?;
        let store = Self { engine, recent: RwLock::default(), writing: Mutex::default() };
        let tip =
            sqlx::query("SELECT number FROM tip").fetch_optional(&store.engine.pool).await.map_err(failed)?;
        if let Some(tip) = tip {
            let number: i64 = tip.try_get(0).map_err(failed)?;
            let newest = store.read_block(number as u64).await?;
            let newest = newest.ok_or_else(|| row::damaged("the newest block is not there"))?;
            store.recent.write().unwrap_or_else(PoisonError::into_inner).push(newest);
        }
        Ok(store)
    }

    /// Whether there is no block yet: then [`Self::begin`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.recent().latest().is_none()
    }

    /// Writes the first block, which is empty: no parent is looked for. Another node may have done so; then it must be the same.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], also when the database begins with another block.
    pub async fn begin(&self, genesis: Block) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        let mut transaction = self.engine.pool.begin().await.map_err(failed)?;
        let inserted = sqlx::query(
            "INSERT INTO tip (one, number, hash) VALUES (1, $1, $2) ON CONFLICT (one) DO NOTHING",
        )
        .bind(key::block(genesis.header.number))
        .bind(genesis.hash.to_vec())
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        if inserted.rows_affected() > 0 {
            insert_genesis(&mut transaction, &genesis).await?;
            transaction.commit().await.map_err(failed)?;
        } else {
            drop(transaction);
            self.require_same(&genesis).await?;
        }
        self.keep(genesis);
        Ok(())
    }

    fn recent(&self) -> RwLockReadGuard<'_, Recent> {
        // A push that panicked has lost a block of what is only a cache of the database.
        self.recent.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, block: Block) {
        self.recent.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(block));
    }

    /// Asserts that the database has this block.
    async fn require_same(&self, block: &Block) -> Result<(), StoreError> {
        let number = block.header.number;
        match self.read_block(number).await? {
            Some(found) if found.hash == block.hash => Ok(()),
            Some(found) => {
                let text = format!("block {number} is {} there, and not {}", found.hash, block.hash);
                Err(StoreError::Unavailable(format!("the database is of another chain: {text}")))
            }
            None => Err(StoreError::Unavailable(format!("the database has no block {number}"))),
        }
    }

    /// Reads a block.
    async fn read_block(&self, number: u64) -> Result<Option<Arc<Block>>, StoreError> {
        if number > key::NUMBER_MAX {
            return Ok(None);
        }
        // Behind the newest there is none: this node may not know yet that another one has taken blocks off.
        let stored = "SELECT header FROM blocks WHERE number <= $1 AND $1 <= (SELECT number FROM tip) \
                      ORDER BY number DESC LIMIT 1";
        let stored = sqlx::query(stored).bind(key::block(number)).fetch_optional(&self.engine.pool).await;
        let Some(stored) = stored.map_err(failed)? else { return Ok(None) };
        let header = header_of(&stored)?;
        let is_whole = header.number == number;
        let mut block = chain::follow(header, number);
        if is_whole {
            block.transactions = self.read_transactions(number).await?;
        }
        Ok(Some(Arc::new(block)))
    }

    /// Reads the first block's header.
    async fn read_first(&self) -> Result<Header, StoreError> {
        let first = "SELECT header FROM blocks ORDER BY number LIMIT 1";
        header_of(&sqlx::query(first).fetch_one(&self.engine.pool).await.map_err(failed)?)
    }

    /// Reads the block that stays when those behind `number` go: an older one where another node has taken more off.
    async fn read_kept(&self, number: u64) -> Result<Arc<Block>, StoreError> {
        let tip = shared::read_tip(&self.engine.pool).await?;
        let kept = self.read_block(number.min(tip.number)).await?;
        kept.ok_or_else(|| row::damaged("a block is not there"))
    }

    async fn read_transactions(&self, number: u64) -> Result<Vec<Arc<Executed>>, StoreError> {
        let rows =
            sqlx::query("SELECT place, data FROM transactions WHERE place BETWEEN $1 AND $2 ORDER BY place")
                .bind(key::transaction(number, 0))
                .bind(key::transaction(number, key::PLACE_MAX))
                .fetch_all(&self.engine.pool)
                .await
                .map_err(failed)?;
        rows.iter().map(executed_of).collect()
    }

    /// Reads the block with a hash, if it is not behind the newest.
    async fn read_by_hash(&self, hash: B256) -> Result<Option<Arc<Block>>, StoreError> {
        let numbers = sqlx::query("SELECT number FROM block_hashes WHERE hash = $1")
            .bind(key::hash(&hash))
            .fetch_all(&self.engine.pool)
            .await
            .map_err(failed)?;
        for row in numbers {
            let number: i64 = row.try_get(0).map_err(failed)?;
            if let Some(block) = self.read_block(number as u64).await?
                && block.hash == hash
            {
                return Ok(Some(block));
            }
        }
        Ok(None)
    }

    async fn read_executed(&self, hash: B256) -> Result<Option<Arc<Executed>>, StoreError> {
        let rows = sqlx::query(
            "SELECT transactions.place, transactions.data FROM transaction_hashes \
             JOIN transactions ON transactions.place = transaction_hashes.place WHERE transaction_hashes.hash = $1",
        )
        .bind(key::hash(&hash))
        .fetch_all(&self.engine.pool)
        .await
        .map_err(failed)?;
        for row in &rows {
            let executed = executed_of(row)?;
            if executed.transaction.hash() == hash {
                return Ok(Some(executed));
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn latest(&self) -> Result<u64, StoreError> {
        self.recent().latest().map(|block| block.header.number).ok_or_else(empty)
    }

    async fn check(&self) -> Result<(), StoreError> {
        shared::read_tip(&self.engine.pool).await.map(drop)
    }

    async fn block(&self, id: BlockId) -> Result<Option<Arc<Block>>, StoreError> {
        let found = {
            let recent = self.recent();
            let latest = recent.latest().ok_or_else(empty)?;
            match id {
                BlockId::Latest => Some(Arc::clone(latest)),
                BlockId::Number(number) if number > latest.header.number => return Ok(None),
                BlockId::Number(number) => recent.block(number).cloned(),
                BlockId::Hash(hash) => recent.by_hash(&hash).cloned(),
                BlockId::Earliest => None,
            }
        };
        match (found, id) {
            (Some(block), _) => Ok(Some(block)),
            (None, BlockId::Number(number)) => self.read_block(number).await,
            (None, BlockId::Hash(hash)) => self.read_by_hash(hash).await,
            (None, _) => self.read_block(self.read_first().await?.number).await,
        }
    }

    async fn executed(&self, hash: B256) -> Result<Option<Arc<Executed>>, StoreError> {
        if let Some(executed) = self.recent().executed(&hash) {
            return Ok(Some(Arc::clone(executed)));
        }
        self.read_executed(hash).await
    }

    async fn lookup(&self, lookup: &Lookup) -> Result<Vec<Arc<Executed>>, StoreError> {
        clues::find(&self.engine.pool, lookup).await
    }

    async fn logs(&self, filter: &LogFilter) -> Result<Vec<FoundLog>, StoreError> {
        let recent = self.recent().logs(filter, LOGS_MAX);
        let found = match recent {
            Some(found) => found,
            None => logs::find(&self.engine, filter).await?,
        };
        if found.len() > LOGS_MAX { Err(StoreError::TooManyLogs { max: LOGS_MAX }) } else { Ok(found) }
    }

    async fn roll_back(&self, number: u64) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        let number = number.max(self.read_first().await?.number);
        let seen = self.recent().hashes().find(|(seen, _)| *seen > number);
        let Some((seen, seen_hash)) = seen else { return Ok(()) };
        let kept = self.recent().block(number).cloned();
        let kept = match kept {
            Some(kept) => kept,
            None => self.read_kept(number).await?,
        };
        let number = kept.header.number;
        let mut transaction = self.engine.pool.begin().await.map_err(failed)?;
        // A write first: whoever else writes waits here until this is over.
        sqlx::query("UPDATE tip SET one = 1").execute(&mut *transaction).await.map_err(failed)?;
        // If not, another node has taken it off, and the database may have other blocks there.
        if shared::has(&mut *transaction, seen, &seen_hash).await? {
            let newest = shared::read_tip(&mut *transaction).await?;
            remove::delete_behind(&mut transaction, &kept, newest.number).await?;
            sqlx::query("UPDATE tip SET number = $1, hash = $2")
                .bind(key::block(number))
                .bind(kept.hash.to_vec())
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
            transaction.commit().await.map_err(failed)?;
        }
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        recent.truncate(number);
        if recent.latest().is_none() {
            recent.push(kept);
        }
        Ok(())
    }

    async fn append(&self, block: Block) -> Result<(), StoreError> {
        self.append_all(vec![block]).await
    }

    async fn append_all(&self, blocks: Vec<Block>) -> Result<(), StoreError> {
        self.append_with(blocks, Vec::new()).await
    }

    async fn append_with(&self, blocks: Vec<Block>, changes: Vec<Change>) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        let mut blocks: VecDeque<Block> = blocks.into();
        while let Some(newest) = blocks.back() {
            let parent = self.recent().latest().cloned().ok_or_else(empty)?;
            check_chain(&parent, &blocks)?;
            let mut transaction = self.engine.pool.begin().await.map_err(failed)?;
            // A write first: whoever else writes waits here until this is over.
            let moved = sqlx::query("UPDATE tip SET number = $1, hash = $2 WHERE number = $3 AND hash = $4")
                .bind(key::block(newest.header.number))
                .bind(newest.hash.to_vec())
                .bind(key::block(parent.header.number))
                .bind(parent.hash.to_vec())
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
            let there = if moved.rows_affected() > 0 {
                insert_blocks(&mut transaction, &parent, &blocks).await?;
                // Those of blocks that another node has appended are there.
                let is_behind = |change: &&Change| change.point.block > parent.header.number;
                archive::insert_changes(&mut transaction, changes.iter().filter(is_behind)).await?;
                transaction.commit().await.map_err(failed)?;
                blocks.len()
            } else {
                drop(transaction);
                self.count_there(&parent, &blocks).await?
            };
            blocks.drain(..there).for_each(|block| self.keep(block));
        }
        Ok(())
    }
}

/// Asserts that blocks may come behind a parent, one behind the other.
fn check_chain(parent: &Block, blocks: &VecDeque<Block>) -> Result<(), StoreError> {
    let parents = std::iter::once(parent).chain(blocks);
    parents.zip(blocks).try_for_each(|(parent, block)| check_next(parent, block))
}

/// Whether a block may come behind another.
fn check_next(parent: &Block, block: &Block) -> Result<(), StoreError> {
    let (latest, header) = (parent.header.number, &block.header);
    let refuse = |why: String| Err(StoreError::Unavailable(format!("block {} {why}", header.number)));
    if latest.checked_add(1) != Some(header.number) || header.number > key::NUMBER_MAX {
        return refuse(format!("does not follow the newest block {latest}"));
    }
    if header.parent_hash != parent.hash {
        return refuse(format!("names {} as its parent, which is {}", header.parent_hash, parent.hash));
    }
    let has_room = |executed: &Arc<Executed>| (executed.logs.len() as u64) <= key::PLACE_MAX;
    if block.transactions.len() as u64 > key::PLACE_MAX || !block.transactions.iter().all(has_room) {
        return refuse("has more transactions or logs than a block can have".to_owned());
    }
    Ok(())
}

/// The header in a row's only column.
fn header_of(row: &AnyRow) -> Result<Header, StoreError> {
    let bytes: Vec<u8> = row.try_get(0).map_err(failed)?;
    Header::decode(&mut bytes.as_slice()).map_err(|error| row::damaged(&error.to_string()))
}

/// The transaction in a row of place and data.
fn executed_of(row: &AnyRow) -> Result<Arc<Executed>, StoreError> {
    let place: i64 = row.try_get(0).map_err(failed)?;
    let data: Vec<u8> = row.try_get(1).map_err(failed)?;
    executed_at(place, &data)
}

/// The transaction at a place.
fn executed_at(place: i64, data: &[u8]) -> Result<Arc<Executed>, StoreError> {
    let (number, index) = key::of_transaction(place);
    Ok(Arc::new(row::decode(number, index, data)?))
}

fn empty() -> StoreError {
    StoreError::Unavailable("it has no genesis block".to_owned())
}
