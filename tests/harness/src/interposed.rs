//! A cluster on which something happens around the landing of transactions.

use async_trait::async_trait;
use parhelion_core::cluster::{Clock, Cluster, ClusterError, LandedBlock, Simulation, Snapshot};
use parhelion_wire::address::Deployment;
use solana_address::Address;
use solana_hash::Hash;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use std::sync::Arc;
use tokio::sync::watch;

/// What happens instead of sending a transaction, or of reading accounts.
#[async_trait]
pub trait Meddler: Send + Sync {
    /// Sends a transaction, or does not, and does what else it likes.
    async fn send(
        &self,
        cluster: &dyn Cluster,
        transaction: &VersionedTransaction,
    ) -> Result<Signature, ClusterError>;

    /// Tells the clock.
    async fn clock(&self, cluster: &dyn Cluster) -> Result<Clock, ClusterError> {
        cluster.clock().await
    }

    /// Reads accounts, or does not.
    async fn accounts(&self, cluster: &dyn Cluster, addresses: &[Address]) -> Result<Snapshot, ClusterError> {
        cluster.accounts(addresses).await
    }
}

/// A cluster as it is, but for what somebody does who stands in between.
pub struct Interposed<M> {
    inner: Arc<dyn Cluster>,
    /// Who stands in between.
    pub meddler: M,
}

impl<M> Interposed<M> {
    /// Puts somebody between a cluster and its users.
    #[must_use]
    pub fn new(inner: Arc<dyn Cluster>, meddler: M) -> Self {
        Self { inner, meddler }
    }
}

#[async_trait]
impl<M: Meddler> Cluster for Interposed<M> {
    fn deployment(&self) -> Deployment {
        self.inner.deployment()
    }

    async fn accounts(&self, addresses: &[Address]) -> Result<Snapshot, ClusterError> {
        self.meddler.accounts(&*self.inner, addresses).await
    }

    async fn accounts_beginning(&self, prefix: &[u8]) -> Result<Vec<Address>, ClusterError> {
        self.inner.accounts_beginning(prefix).await
    }

    async fn clock(&self) -> Result<Clock, ClusterError> {
        self.meddler.clock(&*self.inner).await
    }

    async fn slot_hashes(&self) -> Result<Vec<(u64, [u8; 32])>, ClusterError> {
        self.inner.slot_hashes().await
    }

    async fn rent_exemption(&self, data_length: usize) -> Result<u64, ClusterError> {
        self.inner.rent_exemption(data_length).await
    }

    async fn latest_blockhash(&self) -> Result<Hash, ClusterError> {
        self.inner.latest_blockhash().await
    }

    async fn send(&self, transaction: &VersionedTransaction) -> Result<Signature, ClusterError> {
        self.meddler.send(&*self.inner, transaction).await
    }

    async fn simulate(&self, transaction: &VersionedTransaction) -> Result<Simulation, ClusterError> {
        self.inner.simulate(transaction).await
    }

    fn newest_slot(&self) -> watch::Receiver<u64> {
        self.inner.newest_slot()
    }

    async fn busy_slots(&self, first: u64, last: u64) -> Result<Vec<u64>, ClusterError> {
        self.inner.busy_slots(first, last).await
    }

    async fn blocks(&self, first: u64, last: u64) -> Result<Vec<LandedBlock>, ClusterError> {
        self.inner.blocks(first, last).await
    }
}

impl<M> std::fmt::Debug for Interposed<M> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Interposed").finish_non_exhaustive()
    }
}
