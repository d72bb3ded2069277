//! Listens for HTTP and WebSocket on one port, with limits, and stops gracefully.

use crate::calls::{Calls, Shared};
use crate::client::{ClientLayer, TrustedProxy};
use crate::cross_origin::CrossOriginLayer;
use crate::filters::Filters;
use crate::framing::FramingLayer;
use crate::health::{HealthLayer, Readiness};
use crate::ids::HexIds;
use crate::listener::accept;
use crate::metrics::Metrics;
use crate::pages::{Pages, PagesLayer};
use crate::rate_limit::{RateLimit, RateLimiter};
use crate::services::{Context, Services};
use crate::{debug, eth, net, ots, parhelion, txpool, web3};
use jsonrpsee::Methods;
use jsonrpsee::core::middleware::RpcServiceBuilder;
use jsonrpsee::server::{
    BatchRequestConfig, PingConfig, RegisterMethodError, Server, ServerConfig, ServerHandle, stop_channel,
};
use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::net::TcpListener;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

/// The largest request body in bytes: geth's limit, 40 times the largest transaction.
const REQUEST_BYTES_MAX: u32 = 5 * 1024 * 1024;
/// The largest answer in bytes, batch answers included: geth's limit.
const RESPONSE_BYTES_MAX: u32 = 25 * 1024 * 1024;
/// The most requests of a batch: geth's limit.
const BATCH_REQUESTS_MAX: u32 = 1000;
/// The most reads of a batch that run at a time.
const BATCH_CONCURRENCY_MAX: usize = 16;
/// The most HTTP requests and WebSocket connections at a time. An HTTP connection counts while it has a request.
const CONNECTIONS_MAX: u32 = 1000;
/// How long a request may take to arrive, and how long to answer, each in seconds.
const REQUEST_SECONDS_MAX: u64 = 60;
/// The most blocks of one `eth_getLogs`.
const LOG_RANGE_BLOCKS_MAX: u64 = 100_000;
/// How long `eth_sendRawTransactionSync` waits: EIP-7966's recommendation.
const SYNC_MILLISECONDS: u64 = 2_000;
/// How long it waits at most.
const SYNC_MILLISECONDS_MAX: u64 = 30_000;
/// The most filters that are open at a time, of all clients together.
const FILTERS_MAX: usize = 10_000;
/// The most subscriptions of a WebSocket connection.
const SUBSCRIPTIONS_MAX: u32 = 1024;
/// How long [`Running::stop`] waits for requests in progress, in seconds.
const STOP_SECONDS_MAX: u64 = 10;

/// Limits of the server; [`Limits::default`] has the constants of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest request body in bytes; 5 MiB by default, geth's limit.
    pub request_bytes_max: u32,
    /// The largest answer in bytes, batch answers included; 25 MiB by default, geth's limit.
    pub response_bytes_max: u32,
    /// The most requests of a batch; 1000 by default, geth's limit.
    pub batch_requests_max: u32,
    /// The most reads of a batch that run at a time; 16 by default.
    pub batch_concurrency_max: usize,
    /// The most HTTP requests and WebSocket connections at a time; 1000 by default. jsonrpsee counts an HTTP
    /// connection only while it has a request, and answers 429 beyond the limit.
    pub connections_max: u32,
    /// How long a request may take to arrive, and how long to answer, each in seconds; 60 by default.
    pub request_seconds_max: u64,
    /// The most blocks of one `eth_getLogs`; 100,000 by default.
    pub log_range_blocks_max: u64,
    /// How long `eth_sendRawTransactionSync` waits for a receipt, in milliseconds; 2,000 by default (EIP-7966).
    pub sync_milliseconds: u64,
    /// How long it waits at most, whatever the client asks for; 30,000 by default.
    pub sync_milliseconds_max: u64,
    /// The most filters that are open at a time, of all clients together; 10,000 by default.
    pub filters_max: usize,
    /// The most subscriptions of a WebSocket connection; 1,024 by default.
    pub subscriptions_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes_max: REQUEST_BYTES_MAX,
            response_bytes_max: RESPONSE_BYTES_MAX,
            batch_requests_max: BATCH_REQUESTS_MAX,
            batch_concurrency_max: BATCH_CONCURRENCY_MAX,
            connections_max: CONNECTIONS_MAX,
            request_seconds_max: REQUEST_SECONDS_MAX,
            log_range_blocks_max: LOG_RANGE_BLOCKS_MAX,
            sync_milliseconds: SYNC_MILLISECONDS,
            sync_milliseconds_max: SYNC_MILLISECONDS_MAX,
            filters_max: FILTERS_MAX,
            subscriptions_max: SUBSCRIPTIONS_MAX,
        }
    }
}

/// Which web pages may use the server from a browser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CorsOrigins {
    /// All: wallets and development tools run on pages of any origin.
    #[default]
    Any,
    /// These, for example `https://app.example`; an empty list means none.
    List(Vec<String>),
}

impl CorsOrigins {
    fn layer(&self) -> Result<CrossOriginLayer, ServeError> {
        let cors = match self {
            // Who asks makes no difference.
            Self::Any => CorsLayer::permissive().vary([]),
            Self::List(origins) => {
                let values = origins
                    .iter()
                    .map(|origin| origin.parse().map_err(|_| ServeError::Origin(origin.clone())))
                    .collect::<Result<Vec<_>, _>>()?;
                CorsLayer::new().allow_origin(AllowOrigin::list(values)).allow_headers(Any).allow_methods(Any)
            }
        };
        Ok(CrossOriginLayer(cors))
    }
}

/// How to listen.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// Limits.
    pub limits: Limits,
    /// Which web pages may use the server.
    pub cors_origins: CorsOrigins,
    /// Web pages on the same port; none by default.
    pub pages: Option<Pages>,
    /// How many requests an address may make; as many as it likes by default.
    pub rate_limit: Option<RateLimit>,
    /// Proxies in front of the server, which name the clients in `X-Forwarded-For`; none by default.
    pub trusted_proxies: Vec<TrustedProxy>,
    /// What is counted; nobody reads it by default.
    pub metrics: Metrics,
    /// What `/ready` tells; without it, that the process is alive.
    pub readiness: Option<Readiness>,
}

impl Config {
    /// Listens at `address` with default limits, for all origins, without pages.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            limits: Limits::default(),
            cors_origins: CorsOrigins::default(),
            pages: None,
            rate_limit: None,
            trusted_proxies: Vec::new(),
            metrics: Metrics::default(),
            readiness: None,
        }
    }
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}; is another node running there?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Two methods have the same name.
    #[error("an extension cannot be added: {0}")]
    Method(#[from] RegisterMethodError),
    /// An origin that no HTTP header can carry.
    #[error("{0:?} is no origin: write it like https://app.example")]
    Origin(String),
}

/// A running server. Dropping it stops the server without waiting.
#[derive(Debug)]
pub struct Running {
    local_addr: SocketAddr,
    methods: Vec<&'static str>,
    handle: ServerHandle,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The names of all methods.
    #[must_use]
    pub fn methods(&self) -> &[&'static str] {
        &self.methods
    }

    /// Takes no more requests, and waits for those in progress for a few seconds.
    pub async fn stop(self) {
        // An error means that it stopped already.
        if self.handle.stop().is_ok() {
            let stopped = tokio::time::timeout(Duration::from_secs(STOP_SECONDS_MAX), self.handle.stopped());
            if stopped.await.is_err() {
                tracing::warn!("requests were still in progress after {STOP_SECONDS_MAX} s");
            }
        }
    }
}

/// Starts the server on the current tokio runtime.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(config: Config, services: Services) -> Result<Running, ServeError> {
    let limits = config.limits;
    let cors = config.cors_origins.layer()?;
    let shared = Arc::new(shared(&config, services)?);
    let methods = shared.methods.clone();
    let listen_error = |source| ServeError::Listen { address: config.address, source };
    let listener = TcpListener::bind(config.address).await.map_err(listen_error)?;
    let local_addr = listener.local_addr().map_err(listen_error)?;

    let framing = FramingLayer::new(Arc::clone(&shared));
    let (stop, handle) = stop_channel();
    let json_rpc = Server::builder()
        .set_config(server_config(&limits))
        .set_rpc_middleware(
            RpcServiceBuilder::new().layer_fn(move |service| Calls::new(service, shared.clone())),
        )
        .to_service_builder();
    let names = methods.method_names().collect();
    let (stop_serving, proxies) = (stop.clone(), Arc::from(config.trusted_proxies));
    let (health, pages) = (HealthLayer(config.readiness), PagesLayer(config.pages));
    let service = move |peer| {
        tower::ServiceBuilder::new()
            .layer(ClientLayer::new(peer, Arc::clone(&proxies)))
            .layer(health.clone())
            .layer(pages.clone())
            .layer(cors.clone())
            .layer(framing.clone())
            .service(json_rpc.clone().build(methods.clone(), stop_serving.clone()))
    };
    tokio::spawn(accept(listener, stop, config.metrics.connections, service));
    tracing::info!(address = %local_addr, "JSON-RPC over HTTP and WebSocket");
    Ok(Running { local_addr, methods: names, handle })
}

/// Collects the methods.
fn shared(config: &Config, services: Services) -> Result<Shared, RegisterMethodError> {
    let (limits, metrics) = (config.limits, config.metrics.clone());
    let Services { emulator, pool, store, chain_events, finalized, wallet, extensions } = services;
    let filters = Filters::new(limits.filters_max);
    let context = Arc::new(Context {
        emulator,
        pool,
        store,
        chain_events,
        finalized,
        wallet,
        filters,
        limits,
        metrics: metrics.clone(),
    });
    let mut methods = Methods::new();
    methods.merge(eth::methods(&context)?)?;
    methods.merge(net::methods(&context)?)?;
    methods.merge(web3::methods(&context)?)?;
    methods.merge(txpool::methods(&context)?)?;
    methods.merge(debug::methods(&context)?)?;
    methods.merge(ots::methods(&context)?)?;
    methods.merge(parhelion::methods(&context)?)?;
    let reads: HashSet<_> = methods.method_names().filter(|name| !eth::WRITES.contains(name)).collect();
    methods.merge(extensions)?;
    let rate = config.rate_limit.map(RateLimiter::new);
    Ok(Shared { methods, reads, limits, rate, metrics, next_call: AtomicU64::new(1) })
}

fn server_config(limits: &Limits) -> ServerConfig {
    ServerConfig::builder()
        .max_request_body_size(limits.request_bytes_max)
        .max_response_body_size(limits.response_bytes_max)
        .max_connections(limits.connections_max)
        .max_subscriptions_per_connection(limits.subscriptions_max)
        .set_id_provider(HexIds)
        .set_batch_request_config(BatchRequestConfig::Limit(limits.batch_requests_max))
        // Closes WebSocket connections whose client is gone.
        .enable_ws_ping(PingConfig::default())
        .build()
}
