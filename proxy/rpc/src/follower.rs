//! Follows the chain for one client, without a gap.

use parhelion_core::feed::ChainEvent;
use parhelion_core::store::{BlockId, Store, StoreError};
use std::sync::Arc;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

/// What happens to the chain from a moment on, in order. A client that is further behind than the feed reaches gets what it
/// missed from the store.
pub(crate) struct Follower {
    store: Arc<dyn Store>,
    events: Receiver<ChainEvent>,
    /// The number of the next block.
    next: u64,
    is_behind: bool,
}

impl Follower {
    /// Follows from the block behind the store's newest on.
    pub(crate) async fn new(store: Arc<dyn Store>, events: Receiver<ChainEvent>) -> Result<Self, StoreError> {
        let next = store.latest().await?.saturating_add(1);
        Ok(Self { store, events, next, is_behind: false })
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
            if self.is_behind {
                let block = self.store.block(BlockId::Number(self.next)).await?;
                if let Some(block) = block {
                    self.next = self.next.saturating_add(1);
                    return Ok(Some(ChainEvent::Added(block)));
                }
                // That was the newest: what is in the feed and older is known now.
                self.is_behind = false;
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

    /// An event of the feed, unless it is known already.
    fn take(&mut self, event: ChainEvent) -> Option<ChainEvent> {
        match &event {
            ChainEvent::Added(block) if block.header.number < self.next => return None,
            ChainEvent::Added(block) => self.next = block.header.number.saturating_add(1),
            ChainEvent::Removed(block) => self.next = block.header.number,
        }
        Some(event)
    }
}
