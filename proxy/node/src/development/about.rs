//! What tools ask to find out whom they talk to.

use super::Development;
use alloy_primitives::{B256, U256, keccak256};
use parhelion_core::emulator::Emulator;
use parhelion_core::store::{Block, BlockId};
use parhelion_rpc::{Arguments, Module, RegisterMethodError, RpcError};
use serde_json::{Value, json};
use std::sync::Arc;

/// The rules that the chain follows.
const HARD_FORK: &str = "osaka";

pub(super) fn register(module: &mut Module<Development>) -> Result<(), RegisterMethodError> {
    module.method("hardhat_metadata", 0, metadata)?;
    module.method("anvil_metadata", 0, metadata)?;
    module.method("anvil_nodeInfo", 0, node_info)?;
    Ok(())
}

/// Which chain this is, how far it is, and which of its lives it has: it goes on with another one when it is reset.
async fn metadata(_: Arguments, chain: Arc<Development>) -> Result<Value, RpcError> {
    let newest = chain.newest().await?;
    let settings = chain.parts.emulator.settings().await?;
    let life = chain.turn().await.snapshots.life();
    Ok(json!({
        "clientVersion": concat!("Parhelion/v", env!("CARGO_PKG_VERSION")),
        "chainId": settings.chain_id,
        "instanceId": instance_id(&chain.id, life),
        "latestBlockNumber": newest.header.number,
        "latestBlockHash": newest.hash,
        "snapshots": {},
    }))
}

async fn node_info(_: Arguments, chain: Arc<Development>) -> Result<Value, RpcError> {
    let newest = chain.newest().await?;
    let settings = chain.parts.emulator.settings().await?;
    Ok(json!({
        "currentBlockNumber": U256::from(newest.header.number),
        "currentBlockTimestamp": newest.header.timestamp,
        "currentBlockHash": newest.hash,
        "hardFork": HARD_FORK,
        "transactionOrder": "fifo",
        "environment": {
            "baseFee": U256::from(settings.base_fee),
            "chainId": settings.chain_id,
            "gasLimit": U256::from(settings.block_gas_limit),
            "gasPrice": U256::from(settings.base_fee),
        },
        "forkConfig": { "forkUrl": null, "forkBlockNumber": null, "forkRetryBackoff": null },
    }))
}

/// Differs from process to process and from life to life.
fn instance_id(id: &B256, life: u64) -> B256 {
    keccak256([&id[..], &life.to_be_bytes()].concat())
}

impl Development {
    async fn newest(&self) -> Result<Arc<Block>, RpcError> {
        let newest = self.parts.store.block(BlockId::Latest).await?;
        newest.ok_or_else(|| RpcError::Internal("there is no block: restart the node".into()))
    }
}
