//! Submits transactions.

use crate::arguments::Arguments;
use crate::convert::{self, Receipt};
use crate::error::RpcError;
use crate::follower::Follower;
use crate::module::Module;
use crate::server::Limits;
use crate::services::Context;
use alloy_primitives::{B256, U64};
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::feed::ChainEvent;
use parhelion_core::transaction::Transaction;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;

/// Submits a transaction.
pub(super) const SEND_RAW_TRANSACTION: &str = "eth_sendRawTransaction";
/// Submits a transaction and waits for its receipt (EIP-7966).
pub(super) const SEND_RAW_TRANSACTION_SYNC: &str = "eth_sendRawTransactionSync";

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method(SEND_RAW_TRANSACTION, 1, send_raw_transaction)?;
    module.method(SEND_RAW_TRANSACTION_SYNC, 2, send_raw_transaction_sync)?;
    Ok(())
}

async fn send_raw_transaction(arguments: Arguments, context: Arc<Context>) -> Result<B256, RpcError> {
    submit(Transaction::decode(arguments.hex(0)?)?, context).await
}

pub(super) async fn submit(transaction: Transaction, context: Arc<Context>) -> Result<B256, RpcError> {
    // A task of its own: a client that hangs up does not interrupt the pool halfway.
    let span = tracing::info_span!("submit", transaction = %transaction.hash());
    let submission = tokio::spawn(async move { context.pool.submit(transaction).await }.instrument(span));
    let result = submission.await.map_err(|error| RpcError::Internal(format!("the pool failed: {error}")))?;
    Ok(result?)
}

async fn send_raw_transaction_sync(arguments: Arguments, context: Arc<Context>) -> Result<Receipt, RpcError> {
    let (raw, milliseconds) = (arguments.hex(0)?, arguments.optional(1)?);
    let transaction = Transaction::decode(raw)?;
    let time_max = sync_time(milliseconds, &context.limits);
    let (hash, sender) = (transaction.hash(), transaction.sender());
    // From before the submission on, so that no block is missed.
    let follower = context.follow().await?;
    submit(transaction, Arc::clone(&context)).await?;
    let waiting = context.pool.waiting(Some(sender));
    if waiting.iter().any(|waiting| waiting.is_gapped && waiting.transaction.hash() == hash) {
        return Err(RpcError::NotReady { hash });
    }
    match tokio::time::timeout(time_max, landed(&context, follower, hash)).await {
        Ok(receipt) => receipt,
        Err(_) => Err(RpcError::NotLanded { hash, after: time_max }),
    }
}

/// How long a client waits for a receipt: EIP-7966 has a number of milliseconds, and the default for an unreasonable one.
fn sync_time(milliseconds: Option<U64>, limits: &Limits) -> Duration {
    let asked = milliseconds.map_or(0, |number| number.to());
    let is_valid = (1..=limits.sync_milliseconds_max).contains(&asked);
    Duration::from_millis(if is_valid { asked } else { limits.sync_milliseconds })
}

/// Waits for the receipt of a transaction.
async fn landed(context: &Context, mut follower: Follower, hash: B256) -> Result<Receipt, RpcError> {
    if let Some(executed) = context.store.executed(hash).await? {
        return Ok(convert::receipt(&executed));
    }
    while let Some(event) = follower.next().await? {
        let ChainEvent::Added(block) = event else { continue };
        let mut transactions = block.transactions.iter();
        if let Some(executed) = transactions.find(|executed| executed.transaction.hash() == hash) {
            return Ok(convert::receipt(executed));
        }
    }
    Err(RpcError::Internal("the node stops".into()))
}
