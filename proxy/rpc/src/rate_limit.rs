//! How many requests an address may make.
//!
//! Each address has a bucket of [`RateLimit::burst`] requests that fills up with [`RateLimit::per_second`]; a batch takes
//! as many as it has entries, all or none, and what is no request over HTTP takes one. An IPv6 client has a network of 2^64
//! addresses, which share a bucket. What comes from this machine itself is not limited, unless a trusted proxy names whom
//! it asks for.

use crate::error::RpcError;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{NotUntil, Quota};
use lru::LruCache;
use std::net::{IpAddr, Ipv6Addr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Mutex, PoisonError};

/// The most addresses that are remembered; beyond, the one that asked longest ago is forgotten. Some 10 MB.
const ADDRESSES_MAX: NonZeroUsize = NonZeroUsize::new(65_536).unwrap();

/// How many requests an address may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests a second, on the average.
    pub per_second: NonZeroU32,
    /// Requests at once, and so also the most of a batch.
    pub burst: NonZeroU32,
}

type Bucket<C> = governor::RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// The buckets of all addresses.
pub(crate) struct RateLimiter<C: Clock = DefaultClock> {
    limit: RateLimit,
    clock: C,
    buckets: Mutex<LruCache<IpAddr, Bucket<C>>>,
}

impl RateLimiter {
    /// Nobody has asked yet.
    pub(crate) fn new(limit: RateLimit) -> Self {
        Self::with(limit, DefaultClock::default(), ADDRESSES_MAX)
    }
}

impl<C: Clock + Clone> RateLimiter<C> {
    fn with(limit: RateLimit, clock: C, addresses_max: NonZeroUsize) -> Self {
        // Grows with use: `LruCache::new` would take the room for all addresses at once.
        let mut buckets = LruCache::unbounded();
        buckets.resize(addresses_max);
        Self { limit, clock, buckets: Mutex::new(buckets) }
    }

    /// Whether an address may make so many requests now.
    pub(crate) fn check(&self, client: IpAddr, requests: usize) -> Result<(), RpcError> {
        let requests = u32::try_from(requests).unwrap_or(u32::MAX);
        let Some(requests) = NonZeroU32::new(requests).filter(|_| !client.is_loopback()) else {
            return Ok(());
        };
        let RateLimit { per_second, burst } = self.limit;
        let new = || {
            Bucket::direct_with_clock(Quota::per_second(per_second).allow_burst(burst), self.clock.clone())
        };
        // Nothing that holds them can fail halfway.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let checked = buckets.get_or_insert(network(client), new).check_n(requests);
        drop(buckets);
        checked.map_err(|_| RpcError::batch_exceeds_burst(burst))?.map_err(|wait| self.refuse(&wait))
    }

    fn refuse(&self, wait: &NotUntil<C::Instant>) -> RpcError {
        let wait = wait.wait_time_from(self.clock.now());
        // Whole seconds, rounded up: that is how `Retry-After` counts.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        RpcError::RateLimited { per_second: self.limit.per_second, retry_after_seconds: seconds.max(1) }
    }
}

/// What shares a bucket: an IPv4 address, or the first 64 bits of an IPv6 address.
fn network(client: IpAddr) -> IpAddr {
    match client {
        IpAddr::V4(_) => client,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{RateLimit, RateLimiter};
    use crate::error::RpcError;
    use governor::clock::FakeRelativeClock;
    use std::net::IpAddr;
    use std::num::{NonZeroU32, NonZeroUsize};
    use std::time::Duration;

    /// Two requests a second, five at once, and two addresses in memory.
    fn limiter() -> (RateLimiter<FakeRelativeClock>, FakeRelativeClock) {
        let number = |number| NonZeroU32::new(number).unwrap();
        let limit = RateLimit { per_second: number(2), burst: number(5) };
        let clock = FakeRelativeClock::default();
        (RateLimiter::with(limit, clock.clone(), NonZeroUsize::new(2).unwrap()), clock)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn wait_of(error: &RpcError) -> u64 {
        match error {
            RpcError::RateLimited { retry_after_seconds, .. } => *retry_after_seconds,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_bucket_empties_and_fills_up_again() {
        let (limiter, clock) = limiter();
        let client = address("1.1.1.1");
        for _ in 0..5 {
            limiter.check(client, 1).unwrap();
        }
        assert_eq!(wait_of(&limiter.check(client, 1).unwrap_err()), 1);
        clock.advance(Duration::from_millis(499));
        assert!(limiter.check(client, 1).is_err());
        clock.advance(Duration::from_millis(1));
        limiter.check(client, 1).unwrap();
        assert!(limiter.check(client, 1).is_err());
        clock.advance(Duration::from_secs(3600));
        limiter.check(client, 5).unwrap();
        assert!(limiter.check(client, 1).is_err());
    }

    #[test]
    fn a_batch_takes_all_its_requests_or_none() {
        let (limiter, clock) = limiter();
        let client = address("1.1.1.1");
        limiter.check(client, 3).unwrap();
        // Three of five are used: one is missing, which comes in half a second; three are, for the larger batch.
        assert_eq!(wait_of(&limiter.check(client, 3).unwrap_err()), 1);
        assert_eq!(wait_of(&limiter.check(client, 5).unwrap_err()), 2);
        limiter.check(client, 2).unwrap();
        clock.advance(Duration::from_secs(3600));
        let error = limiter.check(client, 6).unwrap_err();
        assert!(error.to_string().contains("at most 5 requests"), "{error}");
        limiter.check(client, 5).unwrap();
        assert!(limiter.check(client, usize::MAX).is_err());
        limiter.check(client, 0).unwrap();
    }

    #[test]
    fn addresses_have_buckets_of_their_own_and_ipv6_networks_share_one() {
        let (limiter, _) = limiter();
        limiter.check(address("1.1.1.1"), 5).unwrap();
        limiter.check(address("2001:db8::1"), 5).unwrap();
        assert!(limiter.check(address("1.1.1.1"), 1).is_err());
        assert!(limiter.check(address("2001:db8::ffff:1"), 1).is_err());
        limiter.check(address("2001:db8:0:1::1"), 1).unwrap();
    }

    #[test]
    fn the_address_that_asked_longest_ago_is_forgotten() {
        let (limiter, _) = limiter();
        for client in ["1.1.1.1", "2.2.2.2"] {
            limiter.check(address(client), 5).unwrap();
        }
        assert!(limiter.check(address("1.1.1.1"), 1).is_err());
        limiter.check(address("3.3.3.3"), 5).unwrap();
        assert!(limiter.check(address("1.1.1.1"), 1).is_err());
        limiter.check(address("2.2.2.2"), 5).unwrap();
    }

    #[test]
    fn this_machine_is_not_limited() {
        let (limiter, _) = limiter();
        for _ in 0..100 {
            limiter.check(address("127.0.0.1"), 5).unwrap();
            limiter.check(address("::1"), 5).unwrap();
        }
    }
}
