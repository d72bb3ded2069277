//! `eth_*`, a file a family.

mod blocks;
mod call;
mod fees;
mod filters;
mod logs;
mod raw;
mod send;
mod simulate;
mod state;
mod subscriptions;
mod transactions;
mod uncles;
mod wallet;

use crate::arguments::Arguments;
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_primitives::{Address, U64};
use jsonrpsee::Methods;
use jsonrpsee::server::RegisterMethodError;
use std::sync::Arc;

pub(crate) use call::prepare_call;
pub(crate) use raw::raw_transaction;
pub(crate) use subscriptions::{SUBSCRIBE, UNSUBSCRIBE};

/// The methods of this crate that change something.
pub(crate) const WRITES: [&str; 5] = [
    send::SEND_RAW_TRANSACTION,
    send::SEND_RAW_TRANSACTION_SYNC,
    wallet::SEND_TRANSACTION,
    SUBSCRIBE,
    UNSUBSCRIBE,
];

pub(crate) fn methods(context: &Arc<Context>) -> Result<Methods, RegisterMethodError> {
    let mut module = Module::new(context.clone());
    module.method("eth_chainId", 0, chain_id)?;
    module.method("eth_syncing", 0, syncing)?;
    module.method("eth_accounts", 0, accounts)?;
    module.method("eth_mining", 0, mining)?;
    module.method("eth_hashrate", 0, hashrate)?;
    module.method("eth_getProof", 3, proof)?;
    state::register(&mut module)?;
    call::register(&mut module)?;
    simulate::register(&mut module)?;
    blocks::register(&mut module)?;
    send::register(&mut module)?;
    transactions::register(&mut module)?;
    raw::register(&mut module)?;
    uncles::register(&mut module)?;
    logs::register(&mut module)?;
    filters::register(&mut module)?;
    subscriptions::register(&mut module)?;
    fees::register(&mut module)?;
    if !context.wallet.is_empty() {
        wallet::register(&mut module)?;
    }
    Ok(module.into_methods())
}

async fn chain_id(_: Arguments, context: Arc<Context>) -> Result<U64, RpcError> {
    Ok(U64::from(context.emulator.settings().await?.chain_id))
}

/// The proxy answers from what it has; there is no mode in which it only catches up.
async fn syncing(_: Arguments, _: Arc<Context>) -> Result<bool, RpcError> {
    Ok(false)
}

/// Solana's validators make the blocks.
async fn mining(_: Arguments, _: Arc<Context>) -> Result<bool, RpcError> {
    Ok(false)
}

async fn hashrate(_: Arguments, _: Arc<Context>) -> Result<U64, RpcError> {
    Ok(U64::ZERO)
}

/// What Ethereum proves by its state trie, Solana proves in its own way.
async fn proof(_: Arguments, _: Arc<Context>) -> Result<(), RpcError> {
    let why = "the method eth_getProof is not available: the state is in Solana accounts, and there is no state trie";
    Err(RpcError::NotAvailable(why.into()))
}

/// Whom the node signs for: nobody, unless the chain is a development chain.
async fn accounts(_: Arguments, context: Arc<Context>) -> Result<Vec<Address>, RpcError> {
    Ok(context.wallet.addresses().collect())
}
