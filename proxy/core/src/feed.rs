//! News for those who follow the chain or the pool, so that nobody has to ask again and again.
//!
//! A feed keeps its newest items for readers that are behind. One that is further behind is told so
//! ([`broadcast::error::RecvError::Lagged`]) and can ask the store for what it missed: nobody's slowness holds anybody up.

use crate::store::Block;
use std::sync::Arc;
use tokio::sync::broadcast;

/// How far behind a reader may be, in items.
pub const BEHIND_MAX: usize = 4_096;

/// How the chain that the store has changed.
#[derive(Clone, Debug)]
pub enum ChainEvent {
    /// It has a further block.
    Added(Arc<Block>),
    /// Its newest block is no part of it any more: the cluster settled on another fork.
    Removed(Arc<Block>),
}

/// News of one kind. Clones are the same feed.
#[derive(Clone, Debug)]
pub struct Feed<T>(broadcast::Sender<T>);

impl<T: Clone> Feed<T> {
    /// Nothing new yet.
    #[must_use]
    pub fn new() -> Self {
        Self(broadcast::Sender::new(BEHIND_MAX))
    }

    /// Tells everybody who listens now.
    pub fn publish(&self, item: T) {
        // An error means that nobody listens.
        let _ = self.0.send(item);
    }

    /// Hears everything that is published from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<T> {
        self.0.subscribe()
    }
}

impl<T: Clone> Default for Feed<T> {
    fn default() -> Self {
        Self::new()
    }
}
