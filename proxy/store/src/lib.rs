//! Blocks, transactions, receipts and logs.
//!
//! [`SqlStore`] serves the [`Store`] port of a node in front of a cluster, in SQLite or Postgres, and keeps what the pool
//! has accepted ([`SqlJournal`]). [`MemoryStore`] serves the development node, and tests whose clock is not the real one: it
//! forgets everything when the process ends.
//!
//! # Block numbers
//! A block's number is its Solana slot. Ethereum clients expect a block for every number up to the newest, each
//! naming its parent by hash, but the program does not run in every slot. So the rule is: **every slot is a block**.
//! Whoever appends (the indexer) appends an empty block for a slot without transactions, and the store refuses a
//! block that does not follow its newest by number and parent hash. The first block, the genesis, has the number
//! that the store was made with: 0 in the development node, the slot before the chain was made on a cluster. There
//! are no blocks below it.
//!
//! An empty block repeats its predecessor but for number, parent hash and time, so it is stored as its hash
//! and time next to a shared header; a block with transactions is stored as it is.
//!
//! # Logs
//! Logs are numbered in the order of blocks. For each contract, and for each topic at its position, there is an
//! ascending list of the numbers of the logs that have it. A query cuts the lists that could answer it to its block
//! range, walks the shortest of them, and checks the rest of the filter on each log that it meets.
#![forbid(unsafe_code)]

mod chain;
mod logs;
mod sql;

use alloy_primitives::B256;
use async_trait::async_trait;
use chain::Chain;
pub use logs::LOGS_MAX;
use logs::LogIndex;
use parhelion_core::store::{Block, BlockId, Executed, FoundLog, LogFilter, Store, StoreError};
pub use sql::{SqlJournal, SqlStore};
use std::collections::HashMap;
use std::sync::{Arc, RwLock};

/// The [`Store`] in memory.
#[derive(Debug)]
pub struct MemoryStore(RwLock<Tables>);

#[derive(Debug)]
struct Tables {
    chain: Chain,
    executed: HashMap<B256, Arc<Executed>>,
    logs: LogIndex,
}

impl MemoryStore {
    /// A store that begins with `genesis`, the block that is its own beginning: no parent is looked for.
    #[must_use]
    pub fn new(genesis: Block) -> Self {
        let mut tables = Tables {
            chain: Chain::new(genesis.header.number),
            executed: HashMap::new(),
            logs: LogIndex::default(),
        };
        tables.push(genesis);
        Self(RwLock::new(tables))
    }

    /// Reads the tables. A writer that panicked may have left them half written, so they are given up then.
    fn read<T>(&self, read: impl FnOnce(&Tables) -> T) -> Result<T, StoreError> {
        self.0.read().map(|tables| read(&tables)).map_err(|_| poisoned())
    }
}

fn poisoned() -> StoreError {
    StoreError::Unavailable("an earlier write did not finish; restart the node".to_owned())
}

impl Tables {
    fn push(&mut self, block: Block) {
        for executed in &block.transactions {
            self.executed.insert(executed.transaction.hash(), Arc::clone(executed));
            self.logs.push(executed);
        }
        self.chain.push(block);
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn latest(&self) -> Result<u64, StoreError> {
        self.read(|tables| tables.chain.latest())
    }

    async fn block(&self, id: BlockId) -> Result<Option<Arc<Block>>, StoreError> {
        self.read(|tables| {
            let chain = &tables.chain;
            match id {
                BlockId::Latest => chain.block(chain.latest()),
                BlockId::Earliest => chain.block(chain.first()),
                BlockId::Number(number) => chain.block(number),
                BlockId::Hash(hash) => chain.number(&hash).and_then(|number| chain.block(number)),
            }
        })
    }

    async fn executed(&self, hash: B256) -> Result<Option<Arc<Executed>>, StoreError> {
        self.read(|tables| tables.executed.get(&hash).cloned())
    }

    async fn logs(&self, filter: &LogFilter) -> Result<Vec<FoundLog>, StoreError> {
        self.read(|tables| tables.logs.find(filter))?
    }

    async fn append(&self, block: Block) -> Result<(), StoreError> {
        let mut tables = self.0.write().map_err(|_| poisoned())?;
        tables.chain.check_next(&block)?;
        tables.push(block);
        Ok(())
    }
}
