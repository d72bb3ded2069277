//! `ots_*`: what the block explorer Otterscan asks for beside Ethereum's methods, and the method of Erigon by which it sees
//! that a node may have them.
//!
//! Otterscan sends numbers as JSON has them. Those in hex are taken as well.

mod blocks;
mod creator;
mod number;
mod receipt;
mod search;
mod traces;

use crate::arguments::Arguments;
use crate::block_id::state_at;
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_primitives::{Address, B256};
use jsonrpsee::Methods;
use jsonrpsee::server::RegisterMethodError;
use number::{Block, Number};
use parhelion_core::clue::{Clue, Lookup};
use std::sync::Arc;

/// The version of these methods.
const API_LEVEL: u64 = 8;
/// Transactions on a page at most.
const PAGE_MAX: usize = 100;

pub(crate) fn methods(context: &Arc<Context>) -> Result<Methods, RegisterMethodError> {
    let mut module = Module::new(context.clone());
    module.method("ots_getApiLevel", 0, api_level)?;
    module.method("ots_hasCode", 2, has_code)?;
    module.method("ots_getTransactionBySenderAndNonce", 2, transaction_by_sender_and_nonce)?;
    blocks::register(&mut module)?;
    creator::register(&mut module)?;
    search::register(&mut module)?;
    traces::register(&mut module)?;
    Ok(module.into_methods())
}

async fn api_level(_: Arguments, _: Arc<Context>) -> Result<u64, RpcError> {
    Ok(API_LEVEL)
}

async fn has_code(arguments: Arguments, context: Arc<Context>) -> Result<bool, RpcError> {
    let address: Address = arguments.hex(0)?;
    let block: Option<Block> = arguments.optional(1)?;
    let state = state_at(&context, block.map(Block::id)).await?;
    Ok(!state.code(address).await?.is_empty())
}

async fn transaction_by_sender_and_nonce(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<Option<B256>, RpcError> {
    let (sender, nonce): (Address, Number) = (arguments.hex(0)?, arguments.require(1)?);
    let clue = Clue::Sent { sender, nonce: nonce.number()? };
    let found = context.store.lookup(&Lookup::all(clue)).await?;
    Ok(found.first().map(|executed| executed.transaction.hash()))
}

/// How many transactions a page has.
fn page_size(arguments: &Arguments, index: usize) -> Result<usize, RpcError> {
    let size = arguments.require::<Number>(index)?.number()?;
    let in_bounds = usize::try_from(size).ok().filter(|size| (1..=PAGE_MAX).contains(size));
    in_bounds.ok_or_else(|| {
        RpcError::InvalidParams(format!("a page of {size} transactions: it has 1 to {PAGE_MAX}"))
    })
}
