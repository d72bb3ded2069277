//! `parhelion_*`: how transactions are on Solana, and Solana's transactions on this chain. Numbers are as Ethereum's methods
//! have them. What a run in steps took is told by an extension of the node, which has the relay.

mod accounts;
mod estimate;
mod landed;

use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use jsonrpsee::Methods;
use jsonrpsee::server::RegisterMethodError;
use std::sync::Arc;

pub(crate) fn methods(context: &Arc<Context>) -> Result<Methods, RegisterMethodError> {
    let mut module = Module::new(context.clone());
    module.method("parhelion_getTransaction", 1, landed::transaction)?;
    module.method("parhelion_getTransactionsBySignature", 1, landed::transactions_by_signature)?;
    module.method("parhelion_getAccounts", 1, accounts::of_transaction)?;
    module.method("parhelion_estimateGas", 2, estimate::estimate_gas)?;
    Ok(module.into_methods())
}

/// Something about an argument that is not what it should be.
fn invalid(index: usize, what: &str) -> RpcError {
    RpcError::InvalidParams(format!("invalid argument {index}: {what}"))
}
