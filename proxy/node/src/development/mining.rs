//! When blocks are made: one for each transaction, when somebody says so, or from time to time.

use super::number::Number;
use super::{Development, alias};
use parhelion_core::cluster::Cluster;
use parhelion_rpc::{Arguments, Module, RegisterMethodError, RpcError};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval};

/// The most blocks that one request makes.
const BLOCKS_MAX: u64 = 100_000;

/// How blocks come to be.
#[derive(Default)]
pub(super) struct Mining {
    /// Whether transactions wait for a block, instead of having one each.
    is_manual: bool,
    /// Makes blocks from time to time.
    interval: Option<Interval>,
}

impl Mining {
    /// Whether transactions wait for a block, instead of having one each.
    pub(super) const fn is_manual(&self) -> bool {
        self.is_manual
    }
}

/// Ends with its owner.
struct Interval(AbortHandle);

impl Drop for Interval {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What `evm_mine` is told: a time, or options.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "a time is wanted, or an object with timestamp and blocks")]
enum MineOptions {
    Timestamp(Number),
    Options { timestamp: Option<Number>, blocks: Option<Number> },
}

pub(super) fn register(module: &mut Module<Development>) -> Result<(), RegisterMethodError> {
    module.method("evm_mine", 1, evm_mine)?;
    module.method("anvil_mine", 2, anvil_mine)?;
    module.method("hardhat_mine", 2, hardhat_mine)?;
    alias(module, &["evm_setAutomine", "anvil_setAutomine"], 1, set_automine)?;
    alias(module, &["hardhat_getAutomine", "anvil_getAutomine"], 0, automine)?;
    module.method("evm_setIntervalMining", 1, set_interval_milliseconds)?;
    module.method("anvil_setIntervalMining", 1, set_interval_seconds)?;
    Ok(())
}

/// `evm_mine(timestamp or options)`: a block with all transactions that wait. The answer is anvil's.
async fn evm_mine(arguments: Arguments, chain: Arc<Development>) -> Result<&'static str, RpcError> {
    let (timestamp, blocks) = match arguments.optional(0)? {
        None => (None, None),
        Some(MineOptions::Timestamp(timestamp)) => (Some(timestamp), None),
        Some(MineOptions::Options { timestamp, blocks }) => (timestamp, blocks),
    };
    let count = blocks.map_or(Ok(1), |blocks| blocks.to_u64("number of blocks"))?;
    let timestamp = timestamp.map(|timestamp| timestamp.to_u64("timestamp")).transpose()?;
    chain.work(move |chain| async move { chain.mine(count, timestamp, None).await }).await?;
    Ok("0x0")
}

/// `anvil_mine(blocks, interval)`: so many blocks; `interval` is seconds between them.
async fn anvil_mine(arguments: Arguments, chain: Arc<Development>) -> Result<(), RpcError> {
    let interval: Option<Number> = arguments.optional(1)?;
    mine_blocks(arguments, chain, interval).await
}

/// `hardhat_mine(blocks, interval)`: as `anvil_mine`, one second between the blocks if nothing is said.
async fn hardhat_mine(arguments: Arguments, chain: Arc<Development>) -> Result<bool, RpcError> {
    let interval = arguments.optional(1)?.unwrap_or(Number::ONE);
    mine_blocks(arguments, chain, Some(interval)).await.map(|()| true)
}

async fn mine_blocks(
    arguments: Arguments,
    chain: Arc<Development>,
    interval: Option<Number>,
) -> Result<(), RpcError> {
    let count = arguments.optional(0)?.unwrap_or(Number::ONE).to_u64("number of blocks")?;
    let interval = interval.map(|interval| interval.to_u64("interval")).transpose()?;
    chain.work(move |chain| async move { chain.mine(count, None, interval).await }).await
}

/// `evm_setAutomine(bool)`: whether each transaction has a block at once, or all wait until a block is made.
async fn set_automine(arguments: Arguments, chain: Arc<Development>) -> Result<(), RpcError> {
    let is_on: bool = arguments.require(0)?;
    chain
        .work(move |chain| async move {
            let mut turn = chain.turn().await;
            turn.mining.is_manual = !is_on;
            chain.parts.pool.hold(!is_on);
            Ok(())
        })
        .await
}

async fn automine(_: Arguments, chain: Arc<Development>) -> Result<bool, RpcError> {
    Ok(!chain.turn().await.mining.is_manual)
}

/// `evm_setIntervalMining(milliseconds)`, as in Hardhat; 0 ends it.
async fn set_interval_milliseconds(arguments: Arguments, chain: Arc<Development>) -> Result<(), RpcError> {
    let milliseconds = arguments.require::<Number>(0)?.to_u64("interval")?;
    chain.set_interval(Duration::from_millis(milliseconds)).await;
    Ok(())
}

/// `anvil_setIntervalMining(seconds)`, as in anvil; 0 ends it.
async fn set_interval_seconds(arguments: Arguments, chain: Arc<Development>) -> Result<(), RpcError> {
    let seconds = arguments.require::<Number>(0)?.to_u64("interval")?;
    chain.set_interval(Duration::from_secs(seconds)).await;
    Ok(())
}

impl Development {
    /// Makes `count` blocks, the first with all transactions that wait. It has the time `timestamp`, if one is given; the
    /// others come `interval` seconds behind each other.
    async fn mine(&self, count: u64, timestamp: Option<u64>, interval: Option<u64>) -> Result<(), RpcError> {
        if count > BLOCKS_MAX {
            let text = format!("{count} blocks at once, at most {BLOCKS_MAX}: make them in several requests");
            return Err(RpcError::LimitExceeded(text));
        }
        let turn = self.turn().await;
        let cluster = &self.parts.cluster;
        if let Some(timestamp) = timestamp {
            self.set_next_timestamp(timestamp).await?;
        }
        if count > 0 {
            self.mine_waiting(turn.mining.is_manual).await?;
        }
        for _ in 1..count {
            if let Some(interval) = interval {
                let newest = cluster.clock().await?.unix_timestamp.max(0).unsigned_abs();
                self.set_next_timestamp(newest.saturating_add(interval)).await?;
            }
            cluster.open_block().await?;
            cluster.close_block().await?;
        }
        self.indexed().await
    }

    /// Makes a block with all transactions that wait.
    async fn mine_waiting(&self, is_manual: bool) -> Result<(), RpcError> {
        let (cluster, pool) = (&self.parts.cluster, &self.parts.pool);
        cluster.open_block().await?;
        pool.hold(false);
        let landed = self.patiently("transactions are still being landed", pool.idle()).await;
        pool.hold(is_manual);
        // What is not ready by now has a later block.
        cluster.close_block().await?;
        landed
    }

    /// Makes a block each time so much time is over; never any more if it is zero.
    async fn set_interval(self: Arc<Self>, period: Duration) {
        let mut turn = self.turn().await;
        turn.mining.interval = None;
        if period.is_zero() {
            return;
        }
        // The task does not keep the chain alive that ends it.
        let chain = Arc::downgrade(&self);
        let task = tokio::spawn(async move {
            let mut ticks = interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks.tick().await;
            loop {
                ticks.tick().await;
                let Some(chain) = chain.upgrade() else { return };
                let mined = chain.work(|chain| async move { chain.mine(1, None, None).await }).await;
                if let Err(error) = mined {
                    tracing::warn!("no block was made: {error}");
                }
            }
        });
        turn.mining.interval = Some(Interval(task.abort_handle()));
    }
}
