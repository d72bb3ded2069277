//! The chain as it was.

use super::SvmCluster;
use async_trait::async_trait;
use parhelion_core::cluster::{Clock, Cluster, ClusterError, LandedBlock, Snapshot};
use parhelion_wire::address::Deployment;
use solana_address::Address;
use solana_hash::Hash;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use tokio::sync::watch;

/// How many blocks BLOCKHASH looks back.
const BLOCKHASH_SLOTS: u64 = 256;

/// A chain as it was before a change of an account.
pub(super) struct Past {
    pub(super) cluster: SvmCluster,
    /// What it shows.
    pub(super) clock: Clock,
    pub(super) change: u64,
}

#[async_trait]
impl Cluster for Past {
    fn deployment(&self) -> Deployment {
        self.cluster.deployment()
    }

    async fn accounts(&self, addresses: &[Address]) -> Result<Snapshot, ClusterError> {
        let (addresses, change) = (addresses.to_vec(), self.change);
        let accounts = self.cluster.run(move |chain| Ok(chain.accounts_before(change, &addresses))).await?;
        Ok(Snapshot { clock: self.clock, accounts })
    }

    async fn clock(&self) -> Result<Clock, ClusterError> {
        Ok(self.clock)
    }

    async fn slot_hashes(&self) -> Result<Vec<(u64, [u8; 32])>, ClusterError> {
        let slot = self.clock.slot;
        let hashes = self.cluster.run(move |chain| Ok(chain.slot_hashes(slot))).await?;
        // Less would make BLOCKHASH zero where it was not.
        if hashes.len() < BLOCKHASH_SLOTS.min(slot) as usize {
            let text = format!("the slot hashes at block {slot} are not kept any more");
            return Err(ClusterError::Unsupported(text));
        }
        Ok(hashes)
    }

    async fn rent_exemption(&self, data_length: usize) -> Result<u64, ClusterError> {
        self.cluster.rent_exemption(data_length).await
    }

    async fn latest_blockhash(&self) -> Result<Hash, ClusterError> {
        Err(over())
    }

    async fn send(&self, _: &VersionedTransaction) -> Result<Signature, ClusterError> {
        Err(over())
    }

    fn newest_slot(&self) -> watch::Receiver<u64> {
        watch::Sender::new(self.clock.slot).subscribe()
    }

    async fn blocks(&self, _: u64, _: u64) -> Result<Vec<LandedBlock>, ClusterError> {
        Err(over())
    }
}

fn over() -> ClusterError {
    ClusterError::Unsupported("this is the past: nothing is sent there".to_owned())
}
