//! The filters that clients poll: what happened since they asked last.

use crate::convert;
use crate::error::RpcError;
use crate::follower::Follower;
use crate::ids;
use alloy_primitives::B256;
use alloy_rpc_types_eth::{self as rpc, FilterChanges};
use parhelion_core::feed::ChainEvent;
use parhelion_core::store::LogFilter;
use parhelion_core::transaction::Transaction;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::time::Instant;

/// A filter that nobody polls for so long is removed: geth's rule.
pub(crate) const UNPOLLED_MAX: Duration = Duration::from_secs(5 * 60);

/// What a filter tells.
pub(crate) enum Kind {
    /// Hashes of new blocks.
    Blocks(Follower),
    /// New logs, and logs of removed blocks. The second is what the client asked for, for `eth_getFilterLogs`.
    Logs(Box<(LogFilter, rpc::Filter)>, Follower),
    /// Accepted transactions, or their hashes.
    Transactions {
        /// Hears of them.
        accepted: Receiver<Transaction>,
        /// Whether whole transactions are told.
        are_full: bool,
    },
}

impl Kind {
    async fn changes(&mut self) -> Result<FilterChanges, RpcError> {
        match self {
            Self::Blocks(follower) => {
                let mut hashes = Vec::new();
                while let Some(event) = follower.try_next().await? {
                    if let ChainEvent::Added(block) = event {
                        hashes.push(block.hash);
                    }
                }
                Ok(FilterChanges::Hashes(hashes))
            }
            Self::Logs(filter, follower) => {
                let mut logs = Vec::new();
                while let Some(event) = follower.try_next().await? {
                    logs.extend(logs_of(&event, &filter.0));
                }
                Ok(FilterChanges::Logs(logs))
            }
            Self::Transactions { accepted, are_full } => {
                let accepted = drain(accepted);
                Ok(if *are_full {
                    FilterChanges::Transactions(accepted.iter().map(convert::pending_transaction).collect())
                } else {
                    FilterChanges::Hashes(accepted.iter().map(Transaction::hash).collect::<Vec<B256>>())
                })
            }
        }
    }
}

/// The logs that an event adds, or takes back: those have `removed` set.
pub(crate) fn logs_of(event: &ChainEvent, filter: &LogFilter) -> Vec<rpc::Log> {
    let (block, removed) = match event {
        ChainEvent::Added(block) => (block, false),
        ChainEvent::Removed(block) => (block, true),
    };
    if !(filter.from_block..=filter.to_block).contains(&block.header.number) {
        return Vec::new();
    }
    convert::block_logs(block, filter).map(|log| rpc::Log { removed, ..log }).collect()
}

/// What was accepted meanwhile, as far as it is still told.
fn drain(accepted: &mut Receiver<Transaction>) -> Vec<Transaction> {
    let mut transactions = Vec::new();
    loop {
        match accepted.try_recv() {
            Ok(transaction) => transactions.push(transaction),
            Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => return transactions,
        }
    }
}

struct Filter {
    kind: Arc<tokio::sync::Mutex<Kind>>,
    polled: Instant,
}

/// All filters, by their ids.
pub(crate) struct Filters {
    open: Mutex<HashMap<String, Filter>>,
    filters_max: usize,
}

impl Filters {
    /// None yet, and at most so many at a time.
    pub(crate) fn new(filters_max: usize) -> Self {
        Self { open: Mutex::default(), filters_max }
    }

    /// Opens a filter, and gives its id.
    pub(crate) fn open(&self, kind: Kind) -> Result<String, RpcError> {
        let mut open = self.filters();
        open.retain(|_, filter| filter.polled.elapsed() < UNPOLLED_MAX);
        if open.len() >= self.filters_max {
            let text = format!("too many filters: at most {} at a time; uninstall some", self.filters_max);
            return Err(RpcError::LimitExceeded(text));
        }
        let id = ids::random_text();
        let kind = Arc::new(tokio::sync::Mutex::new(kind));
        open.insert(id.clone(), Filter { kind, polled: Instant::now() });
        Ok(id)
    }

    /// What happened since the last time.
    pub(crate) async fn changes(&self, id: &str) -> Result<FilterChanges, RpcError> {
        let kind = self.get(id)?;
        let mut kind = kind.lock().await;
        kind.changes().await
    }

    /// What a filter of logs was asked for.
    pub(crate) async fn log_filter(&self, id: &str) -> Result<rpc::Filter, RpcError> {
        match &*self.get(id)?.lock().await {
            Kind::Logs(filter, _) => Ok(filter.1.clone()),
            Kind::Blocks(_) | Kind::Transactions { .. } => Err(RpcError::filter_not_found()),
        }
    }

    /// Closes a filter; tells whether there was one.
    pub(crate) fn close(&self, id: &str) -> bool {
        self.filters().remove(id).is_some()
    }

    fn get(&self, id: &str) -> Result<Arc<tokio::sync::Mutex<Kind>>, RpcError> {
        let mut open = self.filters();
        let filter = open.get_mut(id).ok_or_else(RpcError::filter_not_found)?;
        if filter.polled.elapsed() >= UNPOLLED_MAX {
            open.remove(id);
            return Err(RpcError::filter_not_found());
        }
        filter.polled = Instant::now();
        Ok(Arc::clone(&filter.kind))
    }

    /// The filters. Nothing that holds them can fail halfway.
    fn filters(&self) -> MutexGuard<'_, HashMap<String, Filter>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Filters, Kind, UNPOLLED_MAX};
    use std::time::Duration;
    use tokio::sync::broadcast;

    #[tokio::test(start_paused = true)]
    async fn a_filter_that_nobody_polls_is_removed() {
        let filters = Filters::new(1);
        let kind = || Kind::Transactions { accepted: broadcast::Sender::new(1).subscribe(), are_full: false };
        let id = filters.open(kind()).unwrap();
        for _ in 0..3 {
            tokio::time::advance(UNPOLLED_MAX - Duration::from_secs(1)).await;
            filters.changes(&id).await.unwrap();
        }
        assert_eq!(filters.open(kind()).unwrap_err().code(), -32005);
        tokio::time::advance(UNPOLLED_MAX).await;
        assert_eq!(filters.changes(&id).await.unwrap_err().to_string(), "filter not found");
        let id = filters.open(kind()).unwrap();
        tokio::time::advance(UNPOLLED_MAX).await;
        // It makes room for another one even if nobody asks for it any more.
        filters.open(kind()).unwrap();
        assert!(!filters.close(&id));
    }
}
