//! `eth_subscribe`: over WebSocket, what happens is pushed.

use super::logs::live_filter;
use crate::arguments::Arguments;
use crate::convert;
use crate::error::RpcError;
use crate::filters::logs_of;
use crate::follower::Follower;
use crate::module::Module;
use crate::services::Context;
use alloy_rpc_types_eth::Filter;
use jsonrpsee::core::{SubscriptionError, to_json_raw_value};
use jsonrpsee::server::{PendingSubscriptionSink, RegisterMethodError, SubscriptionSink};
use jsonrpsee::types::{ErrorObjectOwned, Params};
use parhelion_core::feed::ChainEvent;
use parhelion_core::store::LogFilter;
use parhelion_core::transaction::Transaction;
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Opens a subscription.
pub(crate) const SUBSCRIBE: &str = "eth_subscribe";
/// Ends one.
pub(crate) const UNSUBSCRIBE: &str = "eth_unsubscribe";

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.subscription(SUBSCRIBE, "eth_subscription", UNSUBSCRIBE, subscribe)
}

/// What a subscription tells.
enum Kind {
    Heads(Follower),
    Logs(LogFilter, Follower),
    Transactions { accepted: Receiver<Transaction>, are_full: bool },
    Syncing,
}

async fn subscribe(
    params: Params<'static>,
    pending: PendingSubscriptionSink,
    context: Arc<Context>,
) -> Result<(), SubscriptionError> {
    let kind = match kind(&params, &context).await {
        Ok(kind) => kind,
        Err(error) => {
            pending.reject(ErrorObjectOwned::from(error)).await;
            return Ok(());
        }
    };
    let sink = pending.accept().await?;
    let _open = context.metrics.subscription();
    tokio::select! {
        () = sink.closed() => Ok(()),
        ended = tell(&sink, kind) => ended,
    }
}

async fn kind(params: &Params<'_>, context: &Context) -> Result<Kind, RpcError> {
    let arguments = Arguments::parse(params.as_str(), 2)?;
    let name: String = arguments.require(0)?;
    Ok(match &*name {
        "newHeads" => Kind::Heads(context.follow().await?),
        "logs" => {
            let filter: Filter = arguments.optional(1)?.unwrap_or_default();
            Kind::Logs(live_filter(&filter)?, context.follow().await?)
        }
        "newPendingTransactions" => {
            let are_full = arguments.optional(1)?.unwrap_or(false);
            Kind::Transactions { accepted: context.pool.accepted(), are_full }
        }
        "syncing" => Kind::Syncing,
        _ => return Err(RpcError::subscription_not_found(&name)),
    })
}

/// Tells what happens, until nothing happens any more or the client is gone.
async fn tell(sink: &SubscriptionSink, kind: Kind) -> Result<(), SubscriptionError> {
    match kind {
        Kind::Heads(mut follower) => {
            while let Some(event) = follower.next().await? {
                if let ChainEvent::Added(block) = event {
                    send(sink, &convert::header(&block)).await?;
                }
            }
        }
        Kind::Logs(filter, mut follower) => {
            while let Some(event) = follower.next().await? {
                for log in logs_of(&event, &filter) {
                    send(sink, &log).await?;
                }
            }
        }
        Kind::Transactions { mut accepted, are_full } => loop {
            match accepted.recv().await {
                Ok(transaction) if are_full => {
                    send(sink, &convert::pending_transaction(&transaction)).await?;
                }
                Ok(transaction) => send(sink, &transaction.hash()).await?,
                // What waits in the pool is told as far as the client keeps up; nobody can rely on it anyhow.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => break,
            }
        },
        // The proxy answers from what it has, and never only catches up: said once, as other nodes do.
        Kind::Syncing => {
            send(sink, &false).await?;
            std::future::pending::<()>().await;
        }
    }
    Ok(())
}

/// Sends one item; waits while the client reads too slowly.
async fn send(sink: &SubscriptionSink, item: &impl Serialize) -> Result<(), SubscriptionError> {
    Ok(sink.send(to_json_raw_value(item)?).await?)
}
