//! What clients reach: options of the commands that start a node.

use clap::Args;
use clap::builder::BoolishValueParser;
use parhelion_rpc::{Config, CorsOrigins, Metrics, Pages, RateLimit, Readiness, TrustedProxy};
use std::net::SocketAddr;
use std::num::NonZeroU32;

/// Requests a second that an address may make of a node that is not for development.
pub(crate) const RATE_LIMIT: u32 = 100;
/// An address may make the requests of so many seconds at once: with the rate above the largest batch.
const BURST_SECONDS: NonZeroU32 = NonZeroU32::new(10).unwrap();

// No doc comment: clap would take it for what the command is about.
#[derive(Clone, Debug, Args)]
pub(crate) struct Front {
    /// Where to listen for JSON-RPC over HTTP and WebSocket
    #[arg(long, default_value = "127.0.0.1:8545", env = "PARHELION_LISTEN")]
    pub(crate) listen: SocketAddr,
    /// Serve no explorer: browsers get nothing at the address of JSON-RPC
    #[arg(long, env = "PARHELION_NO_EXPLORER", value_parser = BoolishValueParser::new())]
    no_explorer: bool,
    /// A web page that may use the node from a browser: scheme and host; may be given more than once [default:
    /// all may]
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',', env = "PARHELION_CORS_ORIGIN")]
    cors_origin: Vec<String>,
    /// Requests a second that an address may make, 0 for no limit; this machine itself has none [default: 100 for `run`, 0
    /// for `dev`]
    #[arg(long, value_name = "NUMBER", env = "PARHELION_RATE_LIMIT")]
    pub(crate) rate_limit: Option<u32>,
    /// Requests that an address may make at once; a batch of more is refused [default: ten times the rate limit]
    #[arg(long, value_name = "NUMBER", env = "PARHELION_RATE_LIMIT_BURST")]
    rate_limit_burst: Option<NonZeroU32>,
    /// A reverse proxy in front of the node, or a network of them, whose X-Forwarded-For tells the client's address; may be
    /// given more than once
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',', env = "PARHELION_TRUSTED_PROXY")]
    trusted_proxy: Vec<TrustedProxy>,
    /// Where to listen for Prometheus, which reads /metrics there; keep it from the public [default: nowhere]
    #[arg(long, value_name = "ADDRESS", env = "PARHELION_METRICS_LISTEN")]
    pub(crate) metrics_listen: Option<SocketAddr>,
}

impl Front {
    /// Whether browsers get the explorer.
    pub(crate) const fn has_explorer(&self) -> bool {
        !self.no_explorer
    }

    /// The same for development, where nobody is limited unless it is asked for.
    pub(crate) fn for_development(&self) -> Self {
        Self { rate_limit: self.rate_limit.or(Some(0)), ..self.clone() }
    }

    /// How the server listens.
    pub(crate) fn config(&self, metrics: Metrics, readiness: Readiness) -> Config {
        let cors_origins = match &*self.cors_origin {
            [] => CorsOrigins::Any,
            origins => CorsOrigins::List(origins.to_vec()),
        };
        Config {
            pages: self.has_explorer().then_some(parhelion_explorer::page as Pages),
            cors_origins,
            rate_limit: self.rate_limit(),
            trusted_proxies: self.trusted_proxy.clone(),
            metrics,
            readiness: Some(readiness),
            ..Config::new(self.listen)
        }
    }

    fn rate_limit(&self) -> Option<RateLimit> {
        let per_second = NonZeroU32::new(self.rate_limit.unwrap_or(RATE_LIMIT))?;
        let burst = self.rate_limit_burst.unwrap_or_else(|| per_second.saturating_mul(BURST_SECONDS));
        Some(RateLimit { per_second, burst })
    }
}

#[cfg(test)]
mod tests {
    use super::Front;
    use clap::{Args, FromArgMatches};

    fn front(arguments: &[&str]) -> Front {
        let command = Front::augment_args(clap::Command::new("parhelion").no_binary_name(true));
        Front::from_arg_matches(&command.try_get_matches_from(arguments).expect("valid")).expect("valid")
    }

    #[test]
    fn a_rate_limit_is_the_default_but_for_development() {
        let rates =
            |front: Front| front.rate_limit().map(|limit| (limit.per_second.get(), limit.burst.get()));
        assert_eq!(rates(front(&[])), Some((100, 1000)));
        assert_eq!(rates(front(&[]).for_development()), None);
        assert_eq!(rates(front(&["--rate-limit", "7"]).for_development()), Some((7, 70)));
        assert_eq!(rates(front(&["--rate-limit", "0"])), None);
        assert_eq!(rates(front(&["--rate-limit-burst", "5"])), Some((100, 5)));
        assert_eq!(rates(front(&["--rate-limit", "4294967295"])), Some((u32::MAX, u32::MAX)));
    }
}
