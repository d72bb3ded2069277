//! What the methods stand on.

use crate::error::RpcError;
use crate::filters::Filters;
use crate::follower::Follower;
use crate::metrics::Metrics;
use crate::server::Limits;
use crate::wallet::Wallet;
use jsonrpsee::Methods;
use parhelion_core::emulator::Emulator;
use parhelion_core::feed::{ChainEvent, Feed};
use parhelion_core::pool::Pool;
use parhelion_core::store::Store;
use std::sync::Arc;
use tokio::sync::watch;

/// The services behind the server.
#[derive(Clone)]
pub struct Services {
    /// State, calls and estimates.
    pub emulator: Arc<dyn Emulator>,
    /// Takes signed transactions.
    pub pool: Arc<dyn Pool>,
    /// Blocks, transactions, receipts and logs.
    pub store: Arc<dyn Store>,
    /// What happens to the chain, for filters and subscriptions.
    pub chain_events: Feed<ChainEvent>,
    /// The newest slot that the cluster has finalized: the tag `finalized`.
    pub finalized: watch::Receiver<u64>,
    /// The accounts that the node signs for.
    pub wallet: Arc<Wallet>,
    /// Further methods, see [`crate::Module`]; none may have the name of a method of this crate.
    pub extensions: Methods,
}

/// What a method of this crate gets.
pub(crate) struct Context {
    pub(crate) emulator: Arc<dyn Emulator>,
    pub(crate) pool: Arc<dyn Pool>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) chain_events: Feed<ChainEvent>,
    pub(crate) finalized: watch::Receiver<u64>,
    pub(crate) wallet: Arc<Wallet>,
    pub(crate) filters: Filters,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
}

impl Context {
    /// Follows the chain from now on.
    pub(crate) async fn follow(&self) -> Result<Follower, RpcError> {
        Ok(Follower::new(Arc::clone(&self.store), self.chain_events.subscribe()).await?)
    }
}
