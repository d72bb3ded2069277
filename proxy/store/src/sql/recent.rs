//! The newest blocks, in memory: what is asked for most.

use alloy_primitives::B256;
use parhelion_core::store::{Block, Executed, FoundLog, LogFilter};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Blocks at most.
const BLOCKS_MAX: usize = 1_024;
/// Transactions in them at most, unless the newest block alone has more.
const TRANSACTIONS_MAX: usize = 4_096;

/// Blocks without a gap up to the newest.
#[derive(Debug, Default)]
pub(super) struct Recent {
    blocks: VecDeque<Arc<Block>>,
    numbers: HashMap<B256, u64>,
    transactions: HashMap<B256, Arc<Executed>>,
}

impl Recent {
    pub(super) fn latest(&self) -> Option<&Arc<Block>> {
        self.blocks.back()
    }

    pub(super) fn block(&self, number: u64) -> Option<&Arc<Block>> {
        let first = self.blocks.front()?.header.number;
        self.blocks.get(usize::try_from(number.checked_sub(first)?).ok()?)
    }

    pub(super) fn by_hash(&self, hash: &B256) -> Option<&Arc<Block>> {
        self.block(*self.numbers.get(hash)?)
    }

    pub(super) fn executed(&self, hash: &B256) -> Option<&Arc<Executed>> {
        self.transactions.get(hash)
    }

    /// The logs that match, up to one more than `max`, if all blocks of the filter's range that there are, are here.
    pub(super) fn logs(&self, filter: &LogFilter, max: usize) -> Option<Vec<FoundLog>> {
        if self.blocks.front()?.header.number > filter.from_block {
            return None;
        }
        let in_range =
            |block: &&Arc<Block>| (filter.from_block..=filter.to_block).contains(&block.header.number);
        let executed = self.blocks.iter().filter(in_range).flat_map(|block| &block.transactions);
        Some(executed.flat_map(|executed| executed.matching(filter)).take(max + 1).collect())
    }

    /// Hashes of the blocks by number, oldest first.
    pub(super) fn hashes(&self) -> impl ExactSizeIterator<Item = (u64, B256)> {
        self.blocks.iter().map(|block| (block.header.number, block.hash))
    }

    /// Takes off the blocks behind this one.
    pub(super) fn truncate(&mut self, number: u64) {
        while let Some(newest) = self.blocks.pop_back_if(|newest| newest.header.number > number) {
            self.forget(&newest);
        }
    }

    fn forget(&mut self, block: &Block) {
        self.numbers.remove(&block.hash);
        for executed in &block.transactions {
            self.transactions.remove(&executed.transaction.hash());
        }
    }

    /// Appends the block behind the newest.
    pub(super) fn push(&mut self, block: Arc<Block>) {
        self.numbers.insert(block.hash, block.header.number);
        for executed in &block.transactions {
            self.transactions.insert(executed.transaction.hash(), Arc::clone(executed));
        }
        self.blocks.push_back(block);
        while self.blocks.len() > BLOCKS_MAX
            || self.transactions.len() > TRANSACTIONS_MAX && self.blocks.len() > 1
        {
            let Some(oldest) = self.blocks.pop_front() else { return };
            self.forget(&oldest);
        }
    }
}
