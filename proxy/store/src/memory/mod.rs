//! The store in memory.

mod archive;
mod chain;
mod clues;
mod logs;

use alloy_primitives::B256;
use archive::Versions;
use async_trait::async_trait;
use chain::Chain;
use clues::ClueIndex;
use logs::LogIndex;
use parhelion_core::clue::Lookup;
use parhelion_core::past::{Archive, Change, Point, Version};
use parhelion_core::store::{Block, BlockId, Executed, FoundLog, LogFilter, Store, StoreError};
use parhelion_wire::Pubkey;
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
    versions: Versions,
    clues: ClueIndex,
}

impl MemoryStore {
    /// A store that begins with `genesis`, the block that is its own beginning: no parent is looked for.
    #[must_use]
    pub fn new(genesis: Block) -> Self {
        let mut tables = Tables {
            chain: Chain::new(genesis.header.number),
            executed: HashMap::new(),
            logs: LogIndex::default(),
            versions: Versions::default(),
            clues: ClueIndex::default(),
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
            self.clues.push(executed);
        }
        self.chain.push(block);
    }

    /// Takes off the blocks behind this one; the first one stays.
    fn truncate(&mut self, number: u64) {
        let number = number.max(self.chain.first());
        for behind in number.saturating_add(1)..=self.chain.latest() {
            for executed in self.chain.transactions(behind) {
                self.executed.remove(&executed.transaction.hash());
                self.clues.truncate(executed, number);
            }
        }
        self.logs.truncate(number);
        self.versions.truncate(number);
        self.chain.truncate(number);
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

    async fn lookup(&self, lookup: &Lookup) -> Result<Vec<Arc<Executed>>, StoreError> {
        self.read(|tables| tables.clues.find(lookup))
    }

    async fn logs(&self, filter: &LogFilter) -> Result<Vec<FoundLog>, StoreError> {
        self.read(|tables| tables.logs.find(filter))?
    }

    async fn roll_back(&self, number: u64) -> Result<(), StoreError> {
        self.0.write().map_err(|_| poisoned())?.truncate(number);
        Ok(())
    }

    async fn append(&self, block: Block) -> Result<(), StoreError> {
        let mut tables = self.0.write().map_err(|_| poisoned())?;
        tables.chain.check_next(&block)?;
        tables.push(block);
        Ok(())
    }

    async fn append_with(&self, blocks: Vec<Block>, changes: Vec<Change>) -> Result<(), StoreError> {
        self.append_all(blocks).await?;
        self.0.write().map_err(|_| poisoned())?.versions.push(changes);
        Ok(())
    }
}

#[async_trait]
impl Archive for MemoryStore {
    async fn versions(&self, point: Point, addresses: &[Pubkey]) -> Result<Vec<Option<Version>>, StoreError> {
        self.read(|tables| tables.versions.at(point, addresses))
    }

    async fn forget(&self, mark: &Pubkey, point: Point) -> Result<u64, StoreError> {
        Ok(self.0.write().map_err(|_| poisoned())?.versions.forget(mark, point))
    }
}
