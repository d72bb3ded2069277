//! What happens around every call: unknown methods, the time limit, batches and tracing.
//!
//! jsonrpsee runs the calls of a batch one after another, and leaves layers like this one out of batches. Here reads
//! of a batch run concurrently; any other call waits for the calls in front of it and runs alone, so that a client
//! that sends transactions in one batch has them submitted in its order.

use crate::error::{METHOD_CHARS_MAX, RpcError};
use crate::eth::{SUBSCRIBE, UNSUBSCRIBE};
use crate::server::Limits;
use futures::future::BoxFuture;
use futures::stream::{FuturesOrdered, StreamExt};
use futures::{FutureExt, TryFutureExt};
use jsonrpsee::Methods;
use jsonrpsee::core::middleware::{Batch, BatchEntry, Notification, Request, RpcServiceT};
use jsonrpsee::server::{BatchResponseBuilder, MethodResponse};
use jsonrpsee::types::error::INTERNAL_ERROR_CODE;
use jsonrpsee::types::{ErrorObjectOwned, Id};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;

/// Marks, in the extensions of a response, that there is nothing to answer: over HTTP jsonrpsee would send `null`.
#[derive(Clone, Copy)]
pub(crate) struct NoAnswer;

/// Marks, in the extensions of a request, that it came over HTTP, where nothing can be pushed.
#[derive(Clone, Copy)]
pub(crate) struct OverHttp;

/// What all connections share.
pub(crate) struct Shared {
    /// Every method.
    pub(crate) methods: Methods,
    /// The methods that only read.
    pub(crate) reads: HashSet<&'static str>,
    pub(crate) limits: Limits,
}

/// The layer around jsonrpsee's service.
#[derive(Clone)]
pub(crate) struct Calls<S> {
    service: S,
    shared: Arc<Shared>,
}

impl<S> Calls<S> {
    pub(crate) const fn new(service: S, shared: Arc<Shared>) -> Self {
        Self { service, shared }
    }
}

impl<S> RpcServiceT for Calls<S>
where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            NotificationResponse = MethodResponse,
            BatchResponse = MethodResponse,
        > + Clone
        + Send
        + Sync
        + 'static,
{
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let seconds = self.shared.limits.request_seconds_max;
        let method: String = request.method.chars().take(METHOD_CHARS_MAX).collect();
        let span = tracing::info_span!("rpc", ?method);
        let id = request.id();
        let answer = if self.shared.methods.method(&request.method).is_none() {
            futures::future::ready(Err(RpcError::MethodNotFound(method))).left_future()
        } else if needs_push(&request) && request.extensions().get::<OverHttp>().is_some() {
            futures::future::ready(Err(RpcError::no_notifications())).left_future()
        } else {
            tokio::time::timeout(Duration::from_secs(seconds), self.service.call(request))
                .map_err(move |_| RpcError::Timeout { seconds })
                .right_future()
        };
        async move {
            let response = answer.await.unwrap_or_else(|error| refuse(id, error));
            report(&response);
            response
        }
        .instrument(span)
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let calls = self.clone();
        async move {
            let limits = &calls.shared.limits;
            let mut answers = BatchResponseBuilder::new_with_limit(limits.response_bytes_max as usize);
            let mut running: FuturesOrdered<BoxFuture<'_, MethodResponse>> = FuturesOrdered::new();
            let mut has_notification = false;
            for entry in batch {
                let (answer, is_read) = match entry {
                    Ok(BatchEntry::Call(request)) => {
                        let is_read = calls.shared.reads.contains(&*request.method);
                        (calls.call(request).boxed(), is_read)
                    }
                    Ok(BatchEntry::Notification(_)) => {
                        has_notification = true;
                        continue;
                    }
                    Err(error) => {
                        let (error, id) = error.into_parts();
                        (futures::future::ready(MethodResponse::error(id, error)).boxed(), true)
                    }
                };
                let running_max = if is_read { limits.batch_concurrency_max.saturating_sub(1) } else { 0 };
                while running.len() > running_max {
                    let Some(response) = running.next().await else { break };
                    if let Err(too_large) = answers.append(response) {
                        return too_large;
                    }
                }
                if is_read {
                    running.push_back(answer);
                } else if let Err(too_large) = answers.append(answer.await) {
                    return too_large;
                }
            }
            while let Some(response) = running.next().await {
                if let Err(too_large) = answers.append(response) {
                    return too_large;
                }
            }
            if answers.is_empty() && has_notification {
                return no_answer();
            }
            // Without any entry this is the error for an empty batch.
            MethodResponse::from_batch(answers.finish())
        }
    }

    /// Notifications are ignored: no method is meant for a client that does not want to know how it ended.
    fn notification<'a>(&self, _: Notification<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        futures::future::ready(no_answer())
    }
}

fn needs_push(request: &Request<'_>) -> bool {
    [SUBSCRIBE, UNSUBSCRIBE].contains(&&*request.method)
}

fn no_answer() -> MethodResponse {
    let mut response = MethodResponse::notification();
    response.extensions_mut().insert(NoAnswer);
    response
}

fn refuse(id: Id<'_>, error: RpcError) -> MethodResponse {
    MethodResponse::error(id, ErrorObjectOwned::from(error))
}

/// One line about how a call ended; failures behind the server are louder than what clients do wrong.
fn report(response: &MethodResponse) {
    match response.as_error_code() {
        Some(INTERNAL_ERROR_CODE) => tracing::warn!(answer = response.as_json().get(), "failed"),
        Some(code) => tracing::debug!(code, "refused"),
        None => tracing::debug!("answered"),
    }
}
