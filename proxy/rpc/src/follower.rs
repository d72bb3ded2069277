//! Follows the chain for one client, without a gap.

use parhelion_core::feed::ChainEvent;
use parhelion_core::store::{Block, BlockId, Store, StoreError};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

/// So many of the blocks that were told last are remembered: of a client that is further behind than the feed reaches, those
/// of them that are gone are told as removed. Solana finalizes a block 32 slots later.
const TOLD_MAX: usize = 64;

/// What happens to the chain from a moment on, in order. A client that is further behind than the feed reaches gets what it
/// missed from the store.
pub(crate) struct Follower {
    store: Arc<dyn Store>,
    events: Receiver<ChainEvent>,
    /// The number of the next block.
    next: u64,
    /// The blocks before that, as far as they were told and are remembered.
    told: VecDeque<Arc<Block>>,
    is_behind: bool,
}

impl Follower {
    /// Follows from the block behind the store's newest on.
    pub(crate) async fn new(store: Arc<dyn Store>, events: Receiver<ChainEvent>) -> Result<Self, StoreError> {
        let next = store.latest().await?.saturating_add(1);
        Ok(Self { store, events, next, told: VecDeque::new(), is_behind: false })
    }

    /// Waits for what happens next; `None` when nothing will happen any more. May be cancelled.
    pub(crate) async fn next(&mut self) -> Result<Option<ChainEvent>, StoreError> {
        loop {
            if let Some(event) = self.try_next().await? {
                return Ok(Some(event));
            }
            let event = match self.events.recv().await {
                Ok(event) => self.take(event),
                Err(RecvError::Lagged(_)) => {
                    self.is_behind = true;
                    None
                }
                Err(RecvError::Closed) => return Ok(None),
            };
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    /// What happened next, if something did. An error takes nothing away.
    pub(crate) async fn try_next(&mut self) -> Result<Option<ChainEvent>, StoreError> {
        loop {
            while self.is_behind {
                if let Some(event) = self.try_store().await? {
                    return Ok(Some(event));
                }
            }
            match self.events.try_recv() {
                Ok(event) => {
                    if let Some(event) = self.take(event) {
                        return Ok(Some(event));
                    }
                }
                Err(TryRecvError::Lagged(_)) => self.is_behind = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return Ok(None),
            }
        }
    }

    /// What happened next according to the store.
    async fn try_store(&mut self) -> Result<Option<ChainEvent>, StoreError> {
        if let Some(last) = self.told.back() {
            let found = self.store.block(BlockId::Number(last.header.number)).await?;
            if found.is_none_or(|found| found.hash != last.hash) {
                self.next = last.header.number;
                return Ok(self.told.pop_back().map(ChainEvent::Removed));
            }
        }
        let Some(block) = self.store.block(BlockId::Number(self.next)).await? else {
            // The one before was the newest: what is in the feed and older is known now.
            self.is_behind = false;
            return Ok(None);
        };
        // If it does not follow, the one before was taken off between the two questions.
        Ok(self.follows(&block).then(|| self.tell(block)))
    }

    /// An event of the feed, unless it is known already. One that does not follow tells that some are missing.
    fn take(&mut self, event: ChainEvent) -> Option<ChainEvent> {
        match event {
            ChainEvent::Added(block) if block.header.number < self.next => None,
            ChainEvent::Added(block) if block.header.number > self.next || !self.follows(&block) => {
                self.is_behind = true;
                None
            }
            ChainEvent::Added(block) => Some(self.tell(block)),
            ChainEvent::Removed(block) => {
                let is_last = match self.told.back() {
                    Some(last) => last.hash == block.hash,
                    None => block.header.number.checked_add(1) == Some(self.next),
                };
                if !is_last {
                    return None;
                }
                self.told.pop_back();
                self.next = block.header.number;
                Some(ChainEvent::Removed(block))
            }
        }
    }

    /// Whether a block with the next number is behind the one that was told last, as far as that is known.
    fn follows(&self, block: &Block) -> bool {
        self.told.back().is_none_or(|last| last.hash == block.header.parent_hash)
    }

    fn tell(&mut self, block: Arc<Block>) -> ChainEvent {
        self.next = block.header.number.saturating_add(1);
        self.told.push_back(Arc::clone(&block));
        if self.told.len() > TOLD_MAX {
            self.told.pop_front();
        }
        ChainEvent::Added(block)
    }
}
