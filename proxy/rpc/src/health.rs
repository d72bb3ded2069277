//! `GET /health` and `GET /ready`, for load balancers and whoever restarts what hangs.
//!
//! | path | 200 | 503 |
//! |---|---|---|
//! | `/health` | the process answers | – |
//! | `/ready` | cluster and store answer, and the store is near the cluster's newest slot | one of these does not hold; the body names which, and why |

use futures::future::BoxFuture;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{Method, Response, StatusCode};
use jsonrpsee::core::BoxError;
use jsonrpsee::server::{HttpBody, HttpRequest, HttpResponse};
use parhelion_core::cluster::Cluster;
use parhelion_core::store::Store;
use serde::Serialize;
use std::fmt::{self, Display};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tower::{Layer, Service};

const HEALTH_PATH: &str = "/health";
const READY_PATH: &str = "/ready";
/// How many slots the store may be behind the cluster: some 12 seconds.
const LAG_SLOTS_MAX: u64 = 30;
/// How long cluster and store may each take to answer.
const ANSWER_SECONDS_MAX: u64 = 5;
/// How long a result is given again: however often is asked, the cluster is not asked more often.
const KEPT_FOR: Duration = Duration::from_secs(1);

/// How a part is.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
struct Part {
    is_ready: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Part {
    fn of<T>(result: Result<T, String>) -> Self {
        Self { is_ready: result.is_ok(), reason: result.err() }
    }
}

/// How all parts are: the body of `/ready`.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
struct Report {
    is_ready: bool,
    cluster: Part,
    store: Part,
    indexer: Part,
}

/// Finds out whether the node can do its work. Clones share what they found.
#[derive(Clone)]
pub struct Readiness {
    cluster: Arc<dyn Cluster>,
    store: Arc<dyn Store>,
    newest: Arc<Mutex<Option<(Instant, Report)>>>,
}

impl fmt::Debug for Readiness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Readiness").finish_non_exhaustive()
    }
}

impl Readiness {
    /// Of a node that indexes `cluster` into `store`.
    #[must_use]
    pub fn new(cluster: Arc<dyn Cluster>, store: Arc<dyn Store>) -> Self {
        Self { cluster, store, newest: Arc::default() }
    }

    /// The newest report, or a new one where that is old. Who asks meanwhile waits for the same.
    async fn report(&self) -> Report {
        let mut newest = self.newest.lock().await;
        match &*newest {
            Some((made, report)) if made.elapsed() < KEPT_FOR => report.clone(),
            _ => {
                let report = self.examine().await;
                *newest = Some((Instant::now(), report.clone()));
                report
            }
        }
    }

    async fn examine(&self) -> Report {
        let latest = async {
            self.store.check().await?;
            self.store.latest().await
        };
        let (clock, latest) = tokio::join!(in_time(self.cluster.clock()), in_time(latest));
        // The newest slot that was seen: of a cluster that does not answer it is an old one.
        let seen = *self.cluster.newest_slot().borrow();
        let newest = clock.as_ref().map_or(seen, |clock| clock.slot.max(seen));
        let indexer = latest.clone().map_err(|_| "the store does not tell its newest block".to_owned());
        let indexer = indexer.and_then(|block| match newest.saturating_sub(block) {
            lag if lag > LAG_SLOTS_MAX => Err(format!(
                "it is {lag} slots behind the newest slot {newest}, at most {LAG_SLOTS_MAX} are ready"
            )),
            _ => Ok(()),
        });
        let (cluster, store, indexer) = (Part::of(clock), Part::of(latest), Part::of(indexer));
        let is_ready = cluster.is_ready && store.is_ready && indexer.is_ready;
        Report { is_ready, cluster, store, indexer }
    }
}

/// The answer, or why there is none.
async fn in_time<T, E: Display>(answer: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    match timeout(Duration::from_secs(ANSWER_SECONDS_MAX), answer).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {ANSWER_SECONDS_MAX} s")),
    }
}

/// Puts [`WithHealth`] around an HTTP service. Without a [`Readiness`] `/ready` is `/health`.
#[derive(Clone)]
pub(crate) struct HealthLayer(pub(crate) Option<Readiness>);

impl<S> Layer<S> for HealthLayer {
    type Service = WithHealth<S>;

    fn layer(&self, service: S) -> WithHealth<S> {
        WithHealth { service, readiness: self.0.clone() }
    }
}

/// See the module.
#[derive(Clone)]
pub(crate) struct WithHealth<S> {
    service: S,
    readiness: Option<Readiness>,
}

impl<S> Service<HttpRequest> for WithHealth<S>
where
    S: Service<HttpRequest, Response = HttpResponse, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = HttpResponse;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<HttpResponse, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest) -> Self::Future {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        match request.uri().path() {
            HEALTH_PATH if is_read => Box::pin(async { answer(true, r#"{"isHealthy":true}"#.to_owned()) }),
            READY_PATH if is_read => {
                let readiness = self.readiness.clone();
                Box::pin(async move {
                    let Some(readiness) = readiness else {
                        return answer(true, r#"{"isReady":true}"#.to_owned());
                    };
                    let report = readiness.report().await;
                    answer(report.is_ready, serde_json::to_string(&report)?)
                })
            }
            _ => Box::pin(self.service.call(request)),
        }
    }
}

fn answer(is_good: bool, body: String) -> Result<HttpResponse, BoxError> {
    let status = if is_good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let answer = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
    Ok(answer.header(CACHE_CONTROL, "no-store").body(HttpBody::from(body))?)
}

#[cfg(test)]
mod tests;
