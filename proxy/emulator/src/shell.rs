//! The emulator service.

use crate::touched::Touched;
use parhelion_core::cluster::{Cluster, ClusterError};
use parhelion_wire::account::ACCOUNT_STORAGE_OVERHEAD;
use parhelion_wire::address::Deployment;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long the price of rent is believed; it changes at most once in an epoch.
const RENT_PRICE_AGE_MAX: Duration = Duration::from_secs(30);

/// The program's executor over the accounts of a cluster.
pub struct Shell {
    pub(crate) cluster: Arc<dyn Cluster>,
    pub(crate) deployment: Deployment,
    pub(crate) touched: Touched,
    rent_price: Mutex<Option<(Instant, u64)>>,
}

impl Shell {
    /// An emulator of the program that `cluster` serves.
    #[must_use]
    pub fn new(cluster: Arc<dyn Cluster>) -> Self {
        let deployment = cluster.deployment();
        Self { cluster, deployment, touched: Touched::default(), rent_price: Mutex::new(None) }
    }

    /// Lamports of rent exemption for a byte.
    pub(crate) async fn rent_per_byte(&self) -> Result<u64, ClusterError> {
        let known = *self.rent_price.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read_at, price)) = known
            && read_at.elapsed() < RENT_PRICE_AGE_MAX
        {
            return Ok(price);
        }
        // An account without data pays for its overhead only.
        let price = self.cluster.rent_exemption(0).await? / ACCOUNT_STORAGE_OVERHEAD;
        *self.rent_price.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), price));
        Ok(price)
    }
}

impl std::fmt::Debug for Shell {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shell").field("deployment", &self.deployment).finish_non_exhaustive()
    }
}
