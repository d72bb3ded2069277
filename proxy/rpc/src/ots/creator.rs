//! Who created a contract.
//!
//! The store knows those that a creating transaction created. Of another one the block is looked for in which it came to be,
//! and what happened there is made out again: that takes a node that keeps the past.

use super::traces::calls;
use crate::arguments::Arguments;
use crate::block_id::state_at;
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_eips::BlockId;
use alloy_primitives::Address;
use alloy_rpc_types_trace::otterscan::ContractCreator;
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::clue::{Clue, Lookup};
use parhelion_core::store;
use std::sync::Arc;

/// What the code of an EIP-7702 delegation begins with: nobody has created it.
const DELEGATION_PREFIX: [u8; 3] = [0xef, 0x01, 0x00];

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method("ots_getContractCreator", 1, contract_creator)?;
    Ok(())
}

async fn contract_creator(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<Option<ContractCreator>, RpcError> {
    let contract: Address = arguments.hex(0)?;
    let latest = context.store.latest().await?;
    if !is_contract(&context, contract, latest).await? {
        return Ok(None);
    }
    let created = context.store.lookup(&Lookup::all(Clue::Created(contract))).await?;
    if let Some(executed) = created.first() {
        let (hash, creator) = (executed.transaction.hash(), executed.transaction.sender());
        return Ok(Some(ContractCreator { hash, creator }));
    }
    let number = first_block(&context, contract, latest).await?;
    created_in(&context, contract, number).await
}

async fn is_contract(context: &Context, contract: Address, number: u64) -> Result<bool, RpcError> {
    let code = state_at(context, Some(BlockId::number(number))).await?.code(contract).await?;
    Ok(!code.is_empty() && !code.starts_with(&DELEGATION_PREFIX))
}

/// The first block behind which there is a contract that there is now: none goes again (EIP-6780).
async fn first_block(context: &Context, contract: Address, latest: u64) -> Result<u64, RpcError> {
    let first = context.store.block(store::BlockId::Earliest).await?;
    let mut low = first.map_or(0, |block| block.header.number);
    let mut high = latest;
    // Ends because the range is halved each time.
    while low < high {
        let middle = low + (high - low) / 2;
        if is_contract(context, contract, middle).await? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(high)
}

/// Who created it in a block; nobody where it was there from the beginning, or was put there.
async fn created_in(
    context: &Context,
    contract: Address,
    number: u64,
) -> Result<Option<ContractCreator>, RpcError> {
    let Some(block) = context.store.block(store::BlockId::Number(number)).await? else { return Ok(None) };
    for executed in block.transactions.iter().filter(|executed| executed.outcome.is_success()) {
        let (_, nodes) = calls(context, executed).await?;
        let created = nodes
            .iter()
            .find(|node| node.kind().is_any_create() && node.trace.success && node.trace.address == contract);
        if let Some(node) = created {
            let hash = executed.transaction.hash();
            return Ok(Some(ContractCreator { hash, creator: node.trace.caller }));
        }
    }
    Ok(None)
}
