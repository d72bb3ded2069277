//! Back to what was.

use super::number::Number;
use super::{Development, alias};
use alloy_primitives::U64;
use parhelion_rpc::{Arguments, Module, RegisterMethodError, RpcError};
use parhelion_solana::SvmSnapshot;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most snapshots that are kept, the newest ones: each of them is some half a megabyte, and more on a large chain.
const SNAPSHOTS_MAX: usize = 256;

/// What the chain can go back to.
pub(super) struct Snapshots {
    beginning: SvmSnapshot,
    kept: BTreeMap<u64, SvmSnapshot>,
    next: u64,
    /// How often the chain began anew.
    life: u64,
}

impl Snapshots {
    pub(super) const fn new(beginning: SvmSnapshot) -> Self {
        Self { beginning, kept: BTreeMap::new(), next: 1, life: 0 }
    }

    /// How often the chain began anew.
    pub(super) const fn life(&self) -> u64 {
        self.life
    }
}

pub(super) fn register(module: &mut Module<Development>) -> Result<(), RegisterMethodError> {
    alias(module, &["evm_snapshot", "anvil_snapshot"], 0, snapshot)?;
    alias(module, &["evm_revert", "anvil_revert"], 1, revert)?;
    module.method("anvil_reset", 1, reset)?;
    module.method("hardhat_reset", 1, |arguments, chain| async {
        reset(arguments, chain).await.map(|()| true)
    })?;
    Ok(())
}

/// `evm_snapshot()`: notes how everything is. Gives a number for [`revert`].
async fn snapshot(_: Arguments, chain: Arc<Development>) -> Result<U64, RpcError> {
    chain
        .work(|chain| async move {
            let mut turn = chain.turn().await;
            let taken = chain.parts.cluster.snapshot().await?;
            let snapshots = &mut turn.snapshots;
            if snapshots.kept.len() >= SNAPSHOTS_MAX {
                snapshots.kept.pop_first();
            }
            let id = snapshots.next;
            snapshots.kept.insert(id, taken);
            snapshots.next += 1;
            Ok(U64::from(id))
        })
        .await
}

/// `evm_revert(number)`: goes back to a snapshot, which is gone then, as are those behind it. Whether there was one.
async fn revert(arguments: Arguments, chain: Arc<Development>) -> Result<bool, RpcError> {
    let id = arguments.require::<Number>(0)?.to_u64("number of a snapshot")?;
    chain
        .work(move |chain| async move {
            let mut turn = chain.turn().await;
            let Some(snapshot) = turn.snapshots.kept.get(&id).cloned() else { return Ok(false) };
            chain.go_back(snapshot, turn.mining.is_manual()).await?;
            turn.snapshots.kept.split_off(&id);
            Ok(true)
        })
        .await
}

/// `hardhat_reset()`: goes back to the beginning, and forgets all snapshots.
async fn reset(arguments: Arguments, chain: Arc<Development>) -> Result<(), RpcError> {
    let options: Option<Value> = arguments.optional(0)?;
    if options.is_some_and(|options| options.get("forking").is_some_and(|forking| !forking.is_null())) {
        return Err(RpcError::Rejected("this chain cannot fork another one: leave 'forking' out".into()));
    }
    chain
        .work(|chain| async move {
            let mut turn = chain.turn().await;
            let beginning = turn.snapshots.beginning.clone();
            chain.go_back(beginning, false).await?;
            turn.snapshots.kept.clear();
            turn.snapshots.life += 1;
            turn.mining = Default::default();
            Ok(())
        })
        .await
}

impl Development {
    /// Goes back to what was. Transactions that wait are forgotten; whether others will wait afterwards, is to be said.
    async fn go_back(&self, snapshot: SvmSnapshot, is_manual: bool) -> Result<(), RpcError> {
        let (cluster, pool) = (&self.parts.cluster, &self.parts.pool);
        pool.hold(true);
        let gone = async {
            self.patiently("transactions are still being landed", pool.idle()).await?;
            let _pause = cluster.pause().await;
            self.indexed().await?;
            cluster.restore(snapshot).await?;
            pool.clear();
            self.indexed().await
        };
        let gone = gone.await;
        pool.hold(is_manual);
        gone
    }
}
