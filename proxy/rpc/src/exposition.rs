//! Serves metrics to Prometheus, at an address of their own: they are not for everybody.

use crate::listener::accept;
use crate::server::ServeError;
use futures::future::ready;
use http::header::CONTENT_TYPE;
use http::{Method, Response, StatusCode};
use hyper::body::Incoming;
use jsonrpsee::core::BoxError;
use jsonrpsee::server::{HttpBody, HttpResponse, ServerHandle, stop_channel};
use prometheus_client::encoding::text;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Where Prometheus asks.
const PATH: &str = "/metrics";
/// OpenMetrics as text.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A server of metrics. Dropping it stops it.
#[derive(Debug)]
pub struct Exposition {
    local_addr: SocketAddr,
    _handle: ServerHandle,
}

impl Exposition {
    /// Serves what is in `registry` at `/metrics`; port 0 takes a free one.
    ///
    /// # Errors
    /// [`ServeError::Listen`].
    pub async fn start(address: SocketAddr, registry: Registry) -> Result<Self, ServeError> {
        let listen_error = |source| ServeError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen_error)?;
        let local_addr = listener.local_addr().map_err(listen_error)?;
        let (stop, handle) = stop_channel();
        let registry = Arc::new(registry);
        tokio::spawn(accept(listener, stop, Gauge::default(), move |_| {
            let registry = Arc::clone(&registry);
            tower::service_fn(move |request| ready(answer(&request, &registry)))
        }));
        tracing::info!(address = %local_addr, "metrics for Prometheus at {PATH}");
        Ok(Self { local_addr, _handle: handle })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }
}

fn answer(request: &http::Request<Incoming>, registry: &Registry) -> Result<HttpResponse, BoxError> {
    let answer = Response::builder();
    let answer = if request.uri().path() != PATH {
        answer.status(StatusCode::NOT_FOUND).body(HttpBody::from(format!("metrics are at {PATH}\n")))
    } else if request.method() != Method::GET {
        answer.status(StatusCode::METHOD_NOT_ALLOWED).body(HttpBody::empty())
    } else {
        let mut body = String::new();
        text::encode(&mut body, registry)?;
        answer.header(CONTENT_TYPE, OPEN_METRICS).body(HttpBody::from(body))
    };
    Ok(answer?)
}
