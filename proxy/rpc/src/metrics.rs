//! What is counted and measured, for Prometheus.

use jsonrpsee::types::error::INTERNAL_ERROR_CODE;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// The label of all methods that do not exist: clients make up names, and labels have to be few.
const UNKNOWN: &str = "unknown";
/// Upper bounds of the histogram's buckets in seconds: reads take about a millisecond, transactions that are waited for
/// some seconds.
const DURATION_BUCKETS: [f64; 12] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0];

/// The method of a call.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Method {
    method: &'static str,
}

/// The code of an error.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Code {
    code: i32,
}

/// The server's metrics. [`Metrics::default`] is for a server whose metrics nobody reads.
#[derive(Clone, Debug)]
pub struct Metrics {
    requests: Family<Method, Counter>,
    durations: Family<Method, Histogram, fn() -> Histogram>,
    errors: Family<Code, Counter>,
    rate_limited: Counter,
    pub(crate) connections: Gauge,
    subscriptions: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATION_BUCKETS)),
            errors: Family::default(),
            rate_limited: Counter::default(),
            connections: Gauge::default(),
            subscriptions: Gauge::default(),
        }
    }
}

impl Metrics {
    /// Metrics that are read from `registry`, named `rpc_…` there. Each has a value from the beginning, so that rates and
    /// alerts work before the first call.
    #[must_use]
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let unknown = Method { method: UNKNOWN };
        let _ = (metrics.requests.get_or_create(&unknown), metrics.durations.get_or_create(&unknown));
        let _ = metrics.errors.get_or_create(&Code { code: INTERNAL_ERROR_CODE });
        let registry = registry.sub_registry_with_prefix("rpc");
        registry.register("requests", "Calls, by method", metrics.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "How long calls took to answer, by method",
            Unit::Seconds,
            metrics.durations.clone(),
        );
        registry.register(
            "errors",
            "Calls that were answered with an error, by code",
            metrics.errors.clone(),
        );
        registry.register(
            "rate_limited_requests",
            "Requests that the rate limit of their address refused",
            metrics.rate_limited.clone(),
        );
        registry.register("connections", "Open connections, HTTP and WebSocket", metrics.connections.clone());
        registry.register("subscriptions", "Open subscriptions", metrics.subscriptions.clone());
        metrics
    }

    /// Counts a call that was answered; `method` is the name of one that exists.
    pub(crate) fn answered(&self, method: Option<&'static str>, took: Duration, error: Option<i32>) {
        let method = Method { method: method.unwrap_or(UNKNOWN) };
        self.requests.get_or_create(&method).inc();
        self.durations.get_or_create(&method).observe(took.as_secs_f64());
        if let Some(code) = error {
            self.failed(code);
        }
    }

    /// Counts an error.
    pub(crate) fn failed(&self, code: i32) {
        self.errors.get_or_create(&Code { code }).inc();
    }

    /// Counts requests that the rate limit refused.
    pub(crate) fn rate_limited(&self, requests: usize) {
        self.rate_limited.inc_by(requests as u64);
    }

    /// Counts a subscription as open until the result is dropped.
    pub(crate) fn subscription(&self) -> OpenSubscription {
        self.subscriptions.inc();
        OpenSubscription(self.subscriptions.clone())
    }
}

/// A subscription that is counted.
pub(crate) struct OpenSubscription(Gauge);

impl Drop for OpenSubscription {
    fn drop(&mut self) {
        self.0.dec();
    }
}
