//! Blocks by number and hash.
//!
//! An empty block repeats its predecessor but for number, parent hash and time, so it is stored as its hash and time next to
//! a shared header; a block with transactions is stored as it is.

use alloy_consensus::Header;
use alloy_primitives::B256;
use parhelion_core::store::{Block, Executed, StoreError};
use std::collections::HashMap;
use std::sync::Arc;

/// A block as it is stored.
#[derive(Debug)]
enum Stored {
    Whole(Arc<Block>),
    /// An empty block whose header is `like` but for number, parent hash and timestamp.
    Empty {
        hash: B256,
        timestamp: u64,
        like: Arc<Header>,
    },
}

impl Stored {
    fn hash(&self) -> B256 {
        match self {
            Self::Whole(block) => block.hash,
            Self::Empty { hash, .. } => *hash,
        }
    }
}

/// Blocks without a gap, from the first on.
#[derive(Debug)]
pub(crate) struct Chain {
    first: u64,
    blocks: Vec<Stored>,
    numbers: HashMap<B256, u64>,
    /// The header that the newest empty block is like.
    like: Arc<Header>,
}

impl Chain {
    /// A chain without blocks, the first of which will have the number `first`.
    pub(crate) fn new(first: u64) -> Self {
        Self { first, blocks: Vec::new(), numbers: HashMap::new(), like: Arc::default() }
    }

    pub(crate) const fn first(&self) -> u64 {
        self.first
    }

    pub(crate) fn latest(&self) -> u64 {
        self.first + (self.blocks.len() as u64).saturating_sub(1)
    }

    pub(crate) fn number(&self, hash: &B256) -> Option<u64> {
        self.numbers.get(hash).copied()
    }

    pub(crate) fn block(&self, number: u64) -> Option<Arc<Block>> {
        Some(match self.stored(number)? {
            Stored::Whole(block) => Arc::clone(block),
            Stored::Empty { hash, timestamp, like } => {
                let parent_hash = self.hash_of(number.checked_sub(1)?);
                let header = Header { number, parent_hash, timestamp: *timestamp, ..(**like).clone() };
                Arc::new(Block { hash: *hash, header, transactions: Vec::new() })
            }
        })
    }

    /// The transactions of a block.
    pub(crate) fn transactions(&self, number: u64) -> &[Arc<Executed>] {
        match self.stored(number) {
            Some(Stored::Whole(block)) => &block.transactions,
            Some(Stored::Empty { .. }) | None => &[],
        }
    }

    /// Whether `block` may come next.
    pub(crate) fn check_next(&self, block: &Block) -> Result<(), StoreError> {
        let (latest, header) = (self.latest(), &block.header);
        let refuse = |why: String| Err(StoreError::Unavailable(format!("block {} {why}", header.number)));
        if latest.checked_add(1) != Some(header.number) {
            return refuse(format!("does not follow the newest block {latest}"));
        }
        if header.parent_hash != self.hash_of(latest) {
            return refuse(format!(
                "names {} as its parent, which is {}",
                header.parent_hash,
                self.hash_of(latest)
            ));
        }
        Ok(())
    }

    /// Appends a block that [`Self::check_next`] allows.
    pub(crate) fn push(&mut self, block: Block) {
        self.numbers.insert(block.hash, block.header.number);
        // The genesis stays whole: its parent hash is not that of a stored block.
        if self.blocks.is_empty() || !block.transactions.is_empty() {
            self.blocks.push(Stored::Whole(Arc::new(block)));
            return;
        }
        let Block { hash, header, .. } = block;
        let (number, parent_hash, timestamp) = (header.number, header.parent_hash, header.timestamp);
        if header != (Header { number, parent_hash, timestamp, ..(*self.like).clone() }) {
            self.like = Arc::new(header);
        }
        self.blocks.push(Stored::Empty { hash, timestamp, like: Arc::clone(&self.like) });
    }

    /// Takes off the blocks behind this one; the first one stays.
    pub(crate) fn truncate(&mut self, number: u64) {
        while self.latest() > number && self.blocks.len() > 1 {
            if let Some(newest) = self.blocks.pop() {
                self.numbers.remove(&newest.hash());
            }
        }
    }

    fn stored(&self, number: u64) -> Option<&Stored> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.blocks.get(place)
    }

    fn hash_of(&self, number: u64) -> B256 {
        self.stored(number).map(Stored::hash).unwrap_or_default()
    }
}
