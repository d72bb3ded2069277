//! `txpool_*`: what waits in the pool, in geth's words: *pending* can be executed, *queued* waits for a missing nonce.

use crate::arguments::Arguments;
use crate::convert;
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_consensus::Transaction as _;
use alloy_primitives::Address;
use alloy_rpc_types_txpool::{
    TxpoolContent, TxpoolContentFrom, TxpoolInspect, TxpoolInspectSummary, TxpoolStatus,
};
use jsonrpsee::Methods;
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::pool::Waiting;
use parhelion_core::transaction::Transaction;
use std::sync::Arc;

pub(crate) fn methods(context: &Arc<Context>) -> Result<Methods, RegisterMethodError> {
    let mut module = Module::new(context.clone());
    module.method("txpool_status", 0, status)?;
    module.method("txpool_content", 0, content)?;
    module.method("txpool_contentFrom", 1, content_from)?;
    module.method("txpool_inspect", 0, inspect)?;
    Ok(module.into_methods())
}

async fn status(_: Arguments, context: Arc<Context>) -> Result<TxpoolStatus, RpcError> {
    let waiting = context.pool.waiting(None);
    let queued = waiting.iter().filter(|waiting| waiting.is_gapped).count();
    Ok(TxpoolStatus { pending: (waiting.len() - queued) as u64, queued: queued as u64 })
}

async fn content(_: Arguments, context: Arc<Context>) -> Result<TxpoolContent, RpcError> {
    Ok(by_sender(context.pool.waiting(None), convert::pending_transaction))
}

async fn content_from(arguments: Arguments, context: Arc<Context>) -> Result<TxpoolContentFrom, RpcError> {
    let sender: Address = arguments.hex(0)?;
    let mut content = by_sender(context.pool.waiting(Some(sender)), convert::pending_transaction);
    Ok(content.remove_from(&sender))
}

async fn inspect(_: Arguments, context: Arc<Context>) -> Result<TxpoolInspect, RpcError> {
    let TxpoolContent { pending, queued } = by_sender(context.pool.waiting(None), summary);
    Ok(TxpoolInspect { pending, queued })
}

fn summary(transaction: &Transaction) -> TxpoolInspectSummary {
    let inner = transaction.inner();
    TxpoolInspectSummary {
        to: inner.to(),
        value: inner.value(),
        gas: inner.gas_limit(),
        gas_price: inner.max_fee_per_gas(),
    }
}

fn by_sender<T>(waiting: Vec<Waiting>, show: impl Fn(&Transaction) -> T) -> TxpoolContent<T> {
    let mut content = TxpoolContent::default();
    for Waiting { transaction, is_gapped } in waiting {
        let group = if is_gapped { &mut content.queued } else { &mut content.pending };
        let nonces = group.entry(transaction.sender()).or_default();
        nonces.insert(transaction.inner().nonce().to_string(), show(&transaction));
    }
    content
}
