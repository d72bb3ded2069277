//! Which blocks the cluster may still drop, and what they were made of.

use alloy_primitives::{B256, keccak256};
use parhelion_core::cluster::BlockOutline;
use parhelion_core::store::{Block, BlockId, Store, StoreError};
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

/// The newest blocks, as far as they are not known to be final.
///
/// Of those that were made here a digest is kept of the Solana block that they were made of; of a slot without
/// transactions of the program nothing is. Those that were in the store at the start are compared as they are.
#[derive(Debug)]
pub(crate) struct Unsettled {
    /// Every block up to this one is final, or older than what is compared at a start.
    settled: u64,
    /// Whether it is final: then it was compared since the start.
    is_compared: bool,
    /// The blocks behind that up to this one were in the store at the start.
    found: u64,
    /// What the others were made of, by slot.
    made_of: BTreeMap<u64, B256>,
}

impl Unsettled {
    /// The blocks behind `settled` up to `newest` are in the store.
    pub(crate) const fn found(settled: u64, newest: u64) -> Self {
        Self { settled, is_compared: false, found: newest, made_of: BTreeMap::new() }
    }

    /// The oldest slot that is not known to be final.
    pub(crate) const fn first(&self) -> u64 {
        self.settled.saturating_add(1)
    }

    /// A block is made of a Solana block.
    pub(crate) fn push(&mut self, outline: &BlockOutline) {
        if outline.slot > self.settled {
            self.made_of.insert(outline.slot, digest(outline));
        }
    }

    /// The blocks up to this one are final.
    pub(crate) fn settle(&mut self, last: u64) {
        self.settled = self.settled.max(last);
        self.is_compared = true;
        self.made_of = self.made_of.split_off(&self.first());
    }

    /// The blocks behind this one are gone.
    pub(crate) fn truncate(&mut self, number: u64) {
        self.found = self.found.min(number);
        self.made_of.split_off(&number.saturating_add(1));
    }

    /// The first slot of a range whose block is not made of what is final; `outlines` are all that are.
    pub(crate) async fn first_difference(
        &self,
        outlines: &[BlockOutline],
        range: RangeInclusive<u64>,
        store: &dyn Store,
    ) -> Result<Option<u64>, StoreError> {
        let outlines: BTreeMap<u64, &BlockOutline> =
            outlines.iter().map(|outline| (outline.slot, outline)).collect();
        for slot in range {
            if !self.is_made_of(slot, outlines.get(&slot).copied(), store).await? {
                return Ok(Some(slot));
            }
        }
        Ok(None)
    }

    /// Whether all is final that is before a range of slots whose blocks are made of what is final. That is so if it was
    /// compared, and if one of them had transactions: its block names the Solana block before it. An empty one may be empty
    /// on any fork.
    pub(crate) async fn is_anchored(&self, slots: Range<u64>, store: &dyn Store) -> Result<bool, StoreError> {
        if self.is_compared || self.made_of.range(slots.clone()).next().is_some() {
            return Ok(true);
        }
        for slot in slots.start..slots.end.min(self.found.saturating_add(1)) {
            let block = store.block(BlockId::Number(slot)).await?;
            if block.is_some_and(|block| !is_of_empty_slot(&block)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the block of a slot is made of this Solana block, or of none.
    pub(crate) async fn is_made_of(
        &self,
        slot: u64,
        outline: Option<&BlockOutline>,
        store: &dyn Store,
    ) -> Result<bool, StoreError> {
        if slot > self.found {
            return Ok(self.made_of.get(&slot).copied() == outline.map(digest));
        }
        let block = store.block(BlockId::Number(slot)).await?;
        Ok(block.is_some_and(|block| may_be_made_of(&block, outline)))
    }
}

fn digest(outline: &BlockOutline) -> B256 {
    let signatures = outline.signatures.iter().flat_map(AsRef::<[u8]>::as_ref);
    let bytes: Vec<u8> = outline.previous_blockhash.as_ref().iter().chain(signatures).copied().collect();
    keccak256(bytes)
}

/// Whether a block may be made of a Solana block: it names the same one before it, and all that it has executed is there. A
/// slot that was empty has no hash.
fn may_be_made_of(block: &Block, outline: Option<&BlockOutline>) -> bool {
    let Some(outline) = outline else { return is_of_empty_slot(block) };
    block.header.mix_hash.as_slice() == outline.previous_blockhash.as_ref()
        && block.transactions.iter().all(|one| outline.signatures.binary_search(&one.signature).is_ok())
}

fn is_of_empty_slot(block: &Block) -> bool {
    block.header.mix_hash.is_zero() && block.transactions.is_empty()
}
