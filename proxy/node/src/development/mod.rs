//! `evm_*`, `anvil_*`, `hardhat_*`: what tests do to a development chain, under the names that Ethereum's tools use.
//!
//! | file | what |
//! |---|---|
//! | `mining` | when blocks are made |
//! | `time` | which time they have |
//! | `snapshots` | back to what was |
//! | `state` | balances, code, nonces and storage out of nowhere |
//! | `unsigned` | transactions of impersonated senders |
//! | `about` | what the tools ask to find out whom they talk to |
//!
//! The chain is changed by one of these at a time ([`Development::work`]), in a task of its own: a client that hangs up
//! leaves nothing half done.

mod about;
mod mining;
mod number;
mod snapshots;
mod state;
mod time;
mod unsigned;

use crate::automine::Automine;
use alloy_primitives::{Address, B256};
use mining::Mining;
use parhelion_core::cluster::Cluster;
use parhelion_core::pool::Pool;
use parhelion_core::store::Store;
use parhelion_emulator::Shell;
use parhelion_pool::MemoryPool;
use parhelion_rpc::{Arguments, Methods, Module, RegisterMethodError, RpcError, Wallet};
use parhelion_solana::SvmCluster;
use serde::Serialize;
use snapshots::Snapshots;
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard, watch};
use tokio::time::timeout;

/// How long is waited for transactions that are being landed, and for blocks to be indexed.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a development chain is made of.
pub(crate) struct Parts {
    pub(crate) cluster: Arc<SvmCluster>,
    pub(crate) emulator: Arc<Shell>,
    pub(crate) pool: Arc<MemoryPool>,
    pub(crate) store: Arc<dyn Store>,
    /// The number of the newest block in the store.
    pub(crate) blocks: watch::Receiver<u64>,
    pub(crate) wallet: Arc<Wallet>,
    /// Who gets fees.
    pub(crate) coinbase: Address,
}

/// A development chain, and how it is to go on.
pub(crate) struct Development {
    parts: Parts,
    /// Another one in each process.
    id: B256,
    turn: Mutex<Turn>,
}

/// What one change at a time has.
struct Turn {
    mining: Mining,
    snapshots: Snapshots,
}

impl Development {
    /// A chain as it is, which can be gone back to. Its blocks are in the store then: the first to ask sees them.
    pub(crate) async fn new(parts: Parts) -> Result<Self, RpcError> {
        let snapshots = Snapshots::new(parts.cluster.snapshot().await?);
        let development = Self {
            parts,
            id: B256::from(Keypair::new().pubkey().to_bytes()),
            turn: Mutex::new(Turn { mining: Mining::default(), snapshots }),
        };
        development.indexed().await?;
        Ok(development)
    }

    /// The pool as its users see it.
    pub(crate) fn pool(self: &Arc<Self>) -> Arc<dyn Pool> {
        let Parts { pool, store, blocks, .. } = &self.parts;
        let (pool, store, blocks) = (Arc::clone(pool), Arc::clone(store), blocks.clone());
        Arc::new(Automine { pool, store, blocks, development: Arc::clone(self) })
    }

    /// All methods.
    pub(crate) fn methods(self: &Arc<Self>) -> Result<Methods, RegisterMethodError> {
        let mut module = Module::new(Arc::clone(self));
        mining::register(&mut module)?;
        time::register(&mut module)?;
        snapshots::register(&mut module)?;
        state::register(&mut module)?;
        about::register(&mut module)?;
        Ok(module.into_methods())
    }

    /// Waits until the store has every block.
    async fn indexed(&self) -> Result<(), RpcError> {
        let newest = self.parts.cluster.clock().await?.slot;
        self.patiently(
            "the blocks are not indexed",
            self.parts.blocks.clone().wait_for(|block| *block == newest),
        )
        .await?
        .map_err(|_| RpcError::Internal("the indexer stopped: restart the node".into()))?;
        Ok(())
    }

    /// Waits, but not for ever.
    async fn patiently<T>(&self, trouble: &str, what: impl Future<Output = T>) -> Result<T, RpcError> {
        let late = |_| RpcError::Internal(format!("{trouble} after {} s: try again", PATIENCE.as_secs()));
        timeout(PATIENCE, what).await.map_err(late)
    }

    /// Does `work` when it is its turn, whether or not anybody waits for the result.
    async fn work<T, F>(
        self: Arc<Self>,
        work: impl FnOnce(Arc<Self>) -> F + Send + 'static,
    ) -> Result<T, RpcError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, RpcError>> + Send,
    {
        let task = tokio::spawn(async move { work(self).await });
        task.await.map_err(|error| RpcError::Internal(format!("the development chain failed: {error}")))?
    }

    async fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().await
    }
}

/// Adds a method under several names.
fn alias<H, F, R>(
    module: &mut Module<Development>,
    names: &[&'static str],
    arguments_max: usize,
    handler: H,
) -> Result<(), RegisterMethodError>
where
    H: Fn(Arguments, Arc<Development>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<R, RpcError>> + Send,
    R: Serialize + Clone + Send + 'static,
{
    for name in names {
        module.method(name, arguments_max, handler.clone())?;
    }
    Ok(())
}
