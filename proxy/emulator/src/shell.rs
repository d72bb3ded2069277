//! The emulator service.

use crate::ledger::Use;
use crate::overrides::Replaced;
use crate::touched::Touched;
use parhelion_core::cluster::{Account, Clock, Cluster, ClusterError};
use parhelion_core::past::Archive;
use parhelion_wire::Pubkey;
use parhelion_wire::account::ACCOUNT_STORAGE_OVERHEAD;
use parhelion_wire::address::Deployment;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long the price of rent is believed; it changes at most once in an epoch.
const RENT_PRICE_AGE_MAX: Duration = Duration::from_secs(30);

/// The program's executor over the accounts of a cluster.
pub struct Shell {
    pub(crate) cluster: Arc<dyn Cluster>,
    pub(crate) deployment: Deployment,
    pub(crate) touched: Arc<Touched>,
    /// Where the past is, if not in the cluster.
    pub(crate) archive: Option<Arc<dyn Archive>>,
    /// Accounts that are seen as they are here, whatever the cluster says.
    pub(crate) left: HashMap<Pubkey, Option<Account>>,
    /// The clock where nothing has to be read that comes with one.
    pub(crate) clock: Option<Clock>,
    /// Contracts whose storage is replaced.
    pub(crate) replaced: Replaced,
    rent_price: Mutex<Option<(Instant, u64)>>,
}

impl Shell {
    /// An emulator of the program that `cluster` serves.
    #[must_use]
    pub fn new(cluster: Arc<dyn Cluster>) -> Self {
        let deployment = cluster.deployment();
        let (touched, rent_price) = (Arc::default(), Mutex::new(None));
        let (left, replaced) = (HashMap::new(), Replaced::new());
        Self { cluster, deployment, touched, archive: None, left, clock: None, replaced, rent_price }
    }

    /// The same, with the past of a cluster that does not keep its own.
    #[must_use]
    pub fn remembering(self, archive: Arc<dyn Archive>) -> Self {
        Self { archive: Some(archive), ..self }
    }

    /// The same emulator, which sees accounts as a run left them.
    pub(crate) fn behind(&self, uses: Vec<Use>) -> Self {
        let written = uses.into_iter().filter(|used| used.is_written);
        let mut left = self.left.clone();
        left.extend(written.map(|used| (used.address, used.after)));
        let rent_price = *self.rent_price.lock().unwrap_or_else(PoisonError::into_inner);
        Self {
            cluster: Arc::clone(&self.cluster),
            deployment: self.deployment,
            touched: Arc::clone(&self.touched),
            archive: self.archive.clone(),
            left,
            clock: self.clock,
            replaced: self.replaced.clone(),
            rent_price: Mutex::new(rent_price),
        }
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
