//! Who asks: the address that a request comes from.

use http::HeaderMap;
use hyper::body::Incoming;
use ipnet::IpNet;
use jsonrpsee::server::{HttpBody, HttpRequest};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// The header in which proxies name whom they ask for, each behind the ones before it.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address of the client, in the extensions of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client(pub(crate) IpAddr);

/// A reverse proxy, or a network of them, whose word about its clients is taken.
///
/// ```
/// use parhelion_rpc::TrustedProxy;
///
/// assert!("10.0.0.0/8".parse::<TrustedProxy>().is_ok());
/// assert!("::1".parse::<TrustedProxy>().is_ok());
/// assert!("proxy.example".parse::<TrustedProxy>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedProxy(IpNet);

/// What names no proxy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address nor a network: write it like 10.1.2.3 or 10.0.0.0/8")]
pub struct NoProxy(String);

impl FromStr for TrustedProxy {
    type Err = NoProxy;

    fn from_str(text: &str) -> Result<Self, NoProxy> {
        let address = || text.parse().map(|address: IpAddr| IpNet::from(address.to_canonical()));
        text.parse().or_else(|_| address()).map(Self).map_err(|_| NoProxy(text.to_owned()))
    }
}

/// Puts [`WithClient`] around an HTTP service, once for each connection.
#[derive(Clone)]
pub(crate) struct ClientLayer {
    peer: IpAddr,
    proxies: Arc<[TrustedProxy]>,
}

impl ClientLayer {
    /// For a connection from `peer`.
    pub(crate) const fn new(peer: IpAddr, proxies: Arc<[TrustedProxy]>) -> Self {
        Self { peer, proxies }
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = WithClient<S>;

    fn layer(&self, service: S) -> WithClient<S> {
        WithClient { service, connection: self.clone() }
    }
}

/// Notes the client of each request.
#[derive(Clone)]
pub(crate) struct WithClient<S> {
    service: S,
    connection: ClientLayer,
}

impl<S: Service<HttpRequest>> Service<http::Request<Incoming>> for WithClient<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Incoming>) -> S::Future {
        let mut request = request.map(HttpBody::new);
        let client = client(self.connection.peer, request.headers(), &self.connection.proxies);
        request.extensions_mut().insert(Client(client));
        self.service.call(request)
    }
}

/// The peer, or, if that is a trusted proxy, the last one in its chain of proxies that is none. Anybody can write what
/// stands before that.
fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[TrustedProxy]) -> IpAddr {
    let is_trusted = |address: &IpAddr| proxies.iter().any(|proxy| proxy.0.contains(address));
    let mut client = peer.to_canonical();
    let values = headers.get_all(FORWARDED_FOR).iter().rev();
    let mut named = values.flat_map(|value| value.to_str().unwrap_or_default().split(',').rev());
    while is_trusted(&client) {
        let Some(address) = named.next().and_then(address) else { break };
        client = address;
    }
    client
}

/// An address as proxies write it: some with the port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text.parse().or_else(|_| text.parse().map(|address: SocketAddr| address.ip())).ok();
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::{FORWARDED_FOR, TrustedProxy, client};
    use http::{HeaderMap, HeaderValue};
    use std::net::IpAddr;

    fn found(peer: &str, named: &[&'static str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in named {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(value));
        }
        let proxies: Vec<TrustedProxy> = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        client(peer.parse::<IpAddr>().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        for (peer, named, proxies, client) in [
            ("7.7.7.7", &["1.1.1.1"][..], &[][..], "7.7.7.7"),
            ("7.7.7.7", &["1.1.1.1"], &["8.8.8.8"], "7.7.7.7"),
            ("7.7.7.7", &["1.1.1.1"], &["7.7.7.7"], "1.1.1.1"),
            ("7.7.7.7", &[], &["7.7.7.7"], "7.7.7.7"),
            ("::ffff:7.7.7.7", &["1.1.1.1"], &["7.7.7.7"], "1.1.1.1"),
            // What the client wrote itself stands in front.
            ("10.0.0.1", &["6.6.6.6, 1.1.1.1"], &["10.0.0.0/8"], "1.1.1.1"),
            ("10.0.0.1", &["6.6.6.6", "1.1.1.1"], &["10.0.0.0/8"], "1.1.1.1"),
            ("10.0.0.1", &["6.6.6.6, 1.1.1.1, 10.9.9.9"], &["10.0.0.0/8"], "1.1.1.1"),
            ("10.0.0.1", &["nonsense, 10.9.9.9"], &["10.0.0.0/8"], "10.9.9.9"),
            ("10.0.0.1", &["1.1.1.1:4711"], &["10.0.0.0/8"], "1.1.1.1"),
            ("::1", &["[2001:db8::5]:4711"], &["::1"], "2001:db8::5"),
        ] {
            assert_eq!(found(peer, named, proxies), client, "{peer} {named:?} {proxies:?}");
        }
    }
}
