//! Which transactions have a clue.

use parhelion_core::clue::{Clue, LOOKUP_MAX, Lookup};
use parhelion_core::store::Executed;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// The transactions of each clue, in the order of blocks.
#[derive(Debug, Default)]
pub(crate) struct ClueIndex(HashMap<Clue, Vec<Arc<Executed>>>);

impl ClueIndex {
    /// Adds a transaction of the newest block.
    pub(crate) fn push(&mut self, executed: &Arc<Executed>) {
        for clue in Clue::of(executed) {
            self.0.entry(clue).or_default().push(Arc::clone(executed));
        }
    }

    /// Takes off what the blocks behind this one have brought of the clues of a transaction in one of them.
    pub(crate) fn truncate(&mut self, executed: &Executed, number: u64) {
        for clue in Clue::of(executed) {
            if let Entry::Occupied(mut list) = self.0.entry(clue) {
                let kept = list.get().partition_point(|executed| executed.block_number <= number);
                list.get_mut().truncate(kept);
                if kept == 0 {
                    list.remove();
                }
            }
        }
    }

    /// The transactions that are looked up.
    pub(crate) fn find(&self, lookup: &Lookup) -> Vec<Arc<Executed>> {
        let list = self.0.get(&lookup.clue).map_or(&[][..], Vec::as_slice);
        let start = list.partition_point(|executed| executed.block_number < lookup.from_block);
        let end = list.partition_point(|executed| executed.block_number <= lookup.to_block);
        let found = list.get(start..end).unwrap_or_default().iter().cloned();
        let max = lookup.max.min(LOOKUP_MAX);
        if lookup.newest_first { found.rev().take(max).collect() } else { found.take(max).collect() }
    }
}
