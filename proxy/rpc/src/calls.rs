//! What happens around every call: unknown methods, the rate and the time limit, batches, metrics and tracing.
//!
//! jsonrpsee runs the calls of a batch one after another, and leaves layers like this one out of batches. Here reads
//! of a batch run concurrently; any other call waits for the calls in front of it and runs alone, so that a client
//! that sends transactions in one batch has them submitted in its order.

use crate::client::Client;
use crate::error::RpcError;
use crate::eth::{SUBSCRIBE, UNSUBSCRIBE};
use crate::metrics::Metrics;
use crate::named::Named;
use crate::rate_limit::RateLimiter;
use crate::server::Limits;
use futures::future::BoxFuture;
use futures::stream::{FuturesOrdered, StreamExt};
use futures::{FutureExt, TryFutureExt};
use http::Extensions;
use jsonrpsee::Methods;
use jsonrpsee::core::middleware::{Batch, BatchEntry, Notification, Request, RpcServiceT};
use jsonrpsee::server::{BatchResponseBuilder, MethodResponse};
use jsonrpsee::types::error::INTERNAL_ERROR_CODE;
use jsonrpsee::types::{ErrorObjectOwned, Id};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tracing::Instrument;

/// Marks, in the extensions of a response, that there is nothing to answer: over HTTP jsonrpsee would send `null`.
#[derive(Clone, Copy)]
pub(crate) struct NoAnswer;

/// Marks, in the extensions of a response, that it says no more than when to ask again.
#[derive(Clone, Copy)]
pub(crate) struct RetryAfter {
    pub(crate) seconds: u64,
}

impl RetryAfter {
    const fn of(error: &RpcError) -> Option<Self> {
        match error {
            RpcError::RateLimited { retry_after_seconds, .. } => Some(Self { seconds: *retry_after_seconds }),
            _ => None,
        }
    }
}

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
    /// None where addresses may ask as often as they like.
    pub(crate) rate: Option<RateLimiter>,
    pub(crate) metrics: Metrics,
    /// The number of the next call, for its span.
    pub(crate) next_call: AtomicU64,
}

impl Shared {
    /// Whether the rate limit of their address lets so many requests in.
    pub(crate) fn admit(&self, extensions: &Extensions, requests: usize) -> Result<(), RpcError> {
        let (Some(rate), Some(Client(client))) = (&self.rate, extensions.get()) else { return Ok(()) };
        rate.check(*client, requests).inspect_err(|_| self.metrics.rate_limited(requests))
    }
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

impl<S> Calls<S>
where
    S: RpcServiceT<MethodResponse = MethodResponse> + Clone + Send + Sync + 'static,
{
    /// Answers a call that was let in.
    fn answer<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let seconds = self.shared.limits.request_seconds_max;
        let known = self.shared.methods.method_with_name(&request.method).map(|(name, _)| name);
        let named = Named::new(&request, self.shared.next_call.fetch_add(1, Ordering::Relaxed), known);
        let is_read = known.is_some_and(|name| self.shared.reads.contains(name));
        let span = if is_read { named.span_of_read() } else { named.span() };
        let answer = if known.is_none() {
            let error = RpcError::MethodNotFound(named.method().to_owned());
            futures::future::ready(Err(error)).left_future()
        } else if needs_push(&request) && request.extensions().get::<OverHttp>().is_some() {
            futures::future::ready(Err(RpcError::no_notifications())).left_future()
        } else {
            tokio::time::timeout(Duration::from_secs(seconds), self.service.call(request))
                .map_err(move |_| RpcError::Timeout { seconds })
                .right_future()
        };
        let metrics = self.shared.metrics.clone();
        async move {
            let begin = Instant::now();
            let response = answer.await.unwrap_or_else(|error| refuse(named.id(), error));
            metrics.answered(known, begin.elapsed(), response.as_error_code());
            report(&response, &named);
            response
        }
        .instrument(span)
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
        match self.shared.admit(request.extensions(), 1) {
            Ok(()) => self.answer(request).left_future(),
            Err(error) => futures::future::ready(refuse(request.id(), error)).right_future(),
        }
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let calls = self.clone();
        async move {
            let limits = &calls.shared.limits;
            let first = batch.iter().flatten().next();
            let admitted = first.map_or(Ok(()), |entry| calls.shared.admit(entry.extensions(), batch.len()));
            if let Err(error) = admitted {
                return refuse_all(batch, &error, limits.response_bytes_max as usize);
            }
            let mut answers = BatchResponseBuilder::new_with_limit(limits.response_bytes_max as usize);
            let mut running: FuturesOrdered<BoxFuture<'_, MethodResponse>> = FuturesOrdered::new();
            let mut has_notification = false;
            for entry in batch {
                let (answer, is_read) = match entry {
                    Ok(BatchEntry::Call(request)) => {
                        let is_read = calls.shared.reads.contains(&*request.method);
                        (calls.answer(request).boxed(), is_read)
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

    /// Notifications are counted and ignored: no method is meant for a client that does not want to know how it ended.
    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = MethodResponse> + Send + 'a {
        let refused = self.shared.admit(notification.extensions(), 1).err();
        let mark = refused.as_ref().and_then(RetryAfter::of);
        futures::future::ready(with(mark, no_answer()))
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

/// The answer that is an error.
pub(crate) fn refuse(id: Id<'_>, error: RpcError) -> MethodResponse {
    let mark = RetryAfter::of(&error);
    let response = MethodResponse::error(id, ErrorObjectOwned::from(error));
    with(mark, response)
}

/// Refuses all of a batch, each entry by itself: clients look for the answers by their ids.
fn refuse_all(batch: Batch<'_>, error: &RpcError, bytes_max: usize) -> MethodResponse {
    if !matches!(error, RpcError::RateLimited { .. }) {
        return refuse(Id::Null, error.clone());
    }
    let mut answers = BatchResponseBuilder::new_with_limit(bytes_max);
    for entry in batch {
        let id = match entry {
            Ok(BatchEntry::Call(request)) => request.id(),
            Ok(BatchEntry::Notification(_)) => continue,
            Err(error) => error.into_parts().1,
        };
        if let Err(too_large) = answers.append(refuse(id, error.clone())) {
            return too_large;
        }
    }
    if answers.is_empty() {
        with(RetryAfter::of(error), no_answer())
    } else {
        MethodResponse::from_batch(answers.finish())
    }
}

fn with(mark: Option<RetryAfter>, mut response: MethodResponse) -> MethodResponse {
    if let Some(mark) = mark {
        response.extensions_mut().insert(mark);
    }
    response
}

/// One line about how a call ended; failures behind the server are louder than what clients do wrong.
fn report(response: &MethodResponse, named: &Named<'_>) {
    match response.as_error_code() {
        Some(INTERNAL_ERROR_CODE) => {
            named.tell(|| tracing::warn!(answer = response.as_json().get(), "failed"));
        }
        Some(code) => tracing::debug!(code, "refused"),
        None => tracing::debug!("answered"),
    }
}
