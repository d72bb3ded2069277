//! Which time blocks have.

use super::number::Number;
use super::{Development, alias};
use parhelion_core::cluster::ClusterError;
use parhelion_rpc::{Arguments, Module, RegisterMethodError, RpcError};
use std::sync::Arc;

pub(super) fn register(module: &mut Module<Development>) -> Result<(), RegisterMethodError> {
    alias(module, &["evm_increaseTime", "anvil_increaseTime"], 1, increase_time)?;
    alias(module, &["evm_setNextBlockTimestamp", "anvil_setNextBlockTimestamp"], 1, set_next_block_timestamp)
}

/// `evm_increaseTime(seconds)`: moves the time of blocks on. Gives how many seconds it is ahead of the real time then.
async fn increase_time(arguments: Arguments, chain: Arc<Development>) -> Result<i64, RpcError> {
    let seconds = arguments.require::<Number>(0)?.to_u64("time")?;
    Ok(chain.parts.cluster.increase_time(seconds).await?)
}

/// `evm_setNextBlockTimestamp(seconds since 1970)`: the time of the next block; it goes on from there.
async fn set_next_block_timestamp(arguments: Arguments, chain: Arc<Development>) -> Result<(), RpcError> {
    chain.set_next_timestamp(arguments.require::<Number>(0)?.to_u64("timestamp")?).await
}

impl Development {
    pub(super) async fn set_next_timestamp(&self, timestamp: u64) -> Result<(), RpcError> {
        match self.parts.cluster.set_next_timestamp(timestamp).await {
            Err(ClusterError::Unsupported(why)) => Err(RpcError::InvalidParams(why)),
            other => Ok(other?),
        }
    }
}
