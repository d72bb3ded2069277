//! The newest slot of a commitment, by asking for it again and again.

use super::{retry, told};
use parhelion_core::cluster::ClusterError;
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

/// The time between two questions for the newest slot: the length of a slot.
pub(super) const SLOT_INTERVAL: Duration = Duration::from_millis(400);

/// Follows the newest slot until it is dropped.
pub(super) struct SlotWatch {
    newest: watch::Receiver<u64>,
    task: JoinHandle<()>,
}

impl SlotWatch {
    pub(super) async fn start(
        rpc: Arc<RpcClient>,
        commitment: CommitmentConfig,
    ) -> Result<Self, ClusterError> {
        let first = retry(|| rpc.get_slot_with_commitment(commitment)).await?;
        let (sender, newest) = watch::channel(first);
        let task = tokio::spawn(follow(rpc, commitment, sender));
        Ok(Self { newest, task })
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.newest.clone()
    }
}

impl Drop for SlotWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(rpc: Arc<RpcClient>, commitment: CommitmentConfig, newest: watch::Sender<u64>) {
    let mut ticks = tokio::time::interval(SLOT_INTERVAL);
    // After a slow answer ask once, not once for each slot missed.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut answers = true;
    loop {
        ticks.tick().await;
        match rpc.get_slot_with_commitment(commitment).await {
            Ok(slot) => {
                if !answers {
                    tracing::info!(slot, "the Solana RPC answers again");
                }
                answers = true;
                // A node that lags behind the last one asked does not turn the time back.
                newest.send_if_modified(|known| {
                    let newer = slot > *known;
                    if newer {
                        *known = slot;
                    }
                    newer
                });
            }
            Err(error) => {
                if answers {
                    tracing::warn!(error = told(&error), "the Solana RPC does not tell its slot; asking on");
                }
                answers = false;
            }
        }
    }
}
