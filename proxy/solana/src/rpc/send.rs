//! Sending a transaction until it landed or cannot any more.
//!
//! ```text
//!          preflight refuses
//! submit ─────────────────────▶ Failed, Expired
//!   │
//!   ▼      confirmed
//! poll ───────────────────────▶ Ok, Failed
//!   │ ▲
//!   │ └─ submit again every RESEND_POLLS polls, without preflight
//!   ▼
//! the chain is BLOCKHASH_BLOCKS_MAX blocks longer, and still no trace ▶ Expired
//! ```
//!
//! `Unreachable` after the submission means that nobody knows: the transaction may have landed. Whoever sends again
//! relies on the Ethereum nonce, which lets one of the two run.

use super::{RpcCluster, nonsense, retry, told};
use crate::failure::transaction_failed;
use parhelion_core::cluster::{ClusterError, Simulation};
use solana_rpc_client_api::client_error::{Error as RequestError, ErrorKind};
use solana_rpc_client_api::config::{
    RpcSendTransactionConfig, RpcSimulateTransactionConfig, UiTransactionEncoding,
};
use solana_rpc_client_api::request::{RpcError, RpcResponseErrorData};
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Blocks for which a blockhash can be used.
const BLOCKHASH_BLOCKS_MAX: u64 = 150;
/// The time between two looks at a transaction's status.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(400);
/// The transaction is sent again, and the block height checked, after each such number of polls.
pub(super) const RESEND_POLLS: u32 = 5;
/// Polls before giving up on a cluster that makes no blocks (four minutes; 150 blocks take about one).
pub(super) const POLLS_MAX: u32 = 600;

impl RpcCluster {
    pub(super) async fn send_until_landed(
        &self,
        transaction: &VersionedTransaction,
    ) -> Result<Signature, ClusterError> {
        let signature = transaction.signatures.first().copied();
        let signature =
            signature.ok_or_else(|| ClusterError::Unsupported("an unsigned transaction".to_owned()))?;
        // The blockhash is of a block that exists, so it cannot be used beyond this height. Counting from now and not
        // from that block waits a few blocks longer in the rare case, and never declares dead what may land.
        let last_height = self.block_height().await? + BLOCKHASH_BLOCKS_MAX;
        self.submit(transaction).await?;
        for poll in 1..=POLLS_MAX {
            tokio::time::sleep(POLL_INTERVAL).await;
            if let Some(landed) = self.landed(&signature, transaction).await? {
                return landed;
            }
            if !poll.is_multiple_of(RESEND_POLLS) {
                continue;
            }
            if self.block_height().await? > last_height {
                // It may have landed between the look at its status and the one at the height.
                let landed = self.landed(&signature, transaction).await?;
                return landed.unwrap_or(Err(ClusterError::Expired));
            }
            self.submit_again(transaction).await;
        }
        Err(nonsense(&format!("no blocks for minutes; it is not known whether {signature} landed")))
    }

    /// Runs the transaction on the newest state, whatever the age of its blockhash.
    pub(super) async fn simulate_now(
        &self,
        transaction: &VersionedTransaction,
    ) -> Result<Simulation, ClusterError> {
        let config = RpcSimulateTransactionConfig {
            // Replacing the blockhash makes the signatures wrong, so they are not verified.
            sig_verify: false,
            replace_recent_blockhash: true,
            commitment: Some(self.commitment),
            encoding: Some(UiTransactionEncoding::Base64),
            min_context_slot: self.min_context_slot(),
            ..RpcSimulateTransactionConfig::default()
        };
        let simulated =
            retry(|| self.rpc.simulate_transaction_with_config(transaction, config.clone())).await?.value;
        let failure = simulated.err.map(|error| {
            let logs = simulated.logs.unwrap_or_default();
            transaction_failed(&error.into(), &transaction.message, &self.program_id, logs)
        });
        Ok(Simulation { compute_units: simulated.units_consumed.unwrap_or_default(), failure })
    }

    async fn block_height(&self) -> Result<u64, ClusterError> {
        retry(|| self.rpc.get_block_height()).await
    }

    /// The first submission, with preflight: the node simulates and refuses what would fail.
    async fn submit(&self, transaction: &VersionedTransaction) -> Result<(), ClusterError> {
        let config = RpcSendTransactionConfig {
            skip_preflight: false,
            preflight_commitment: Some(self.commitment.commitment),
            // What was built on the newest landed transaction must be simulated on it.
            min_context_slot: self.min_context_slot(),
            ..submission()
        };
        let refusal = retry(|| async {
            match self.rpc.send_transaction_with_config(transaction, config).await {
                Ok(_) => Ok(None),
                Err(error) => preflight_failure(&error).map(Some).ok_or(error),
            }
        });
        match refusal.await? {
            // An earlier submission landed; the polls will find it.
            None | Some((TransactionError::AlreadyProcessed, _)) => Ok(()),
            Some((error, logs)) => {
                Err(transaction_failed(&error, &transaction.message, &self.program_id, logs))
            }
        }
    }

    /// A further submission. What it answers does not matter: the status tells whether the transaction landed.
    async fn submit_again(&self, transaction: &VersionedTransaction) {
        let config = RpcSendTransactionConfig { skip_preflight: true, ..submission() };
        if let Err(error) = self.rpc.send_transaction_with_config(transaction, config).await {
            tracing::debug!(error = told(&error), "sending a transaction again failed");
        }
    }

    /// How the transaction ended, once that is as final as asked for.
    async fn landed(
        &self,
        signature: &Signature,
        transaction: &VersionedTransaction,
    ) -> Result<Option<Result<Signature, ClusterError>>, ClusterError> {
        let signatures = [*signature];
        let statuses = retry(|| self.rpc.get_signature_statuses(&signatures)).await?;
        let status = statuses.value.into_iter().next().flatten();
        let Some(status) = status.filter(|status| status.satisfies_commitment(self.commitment)) else {
            return Ok(None);
        };
        self.landed_slot.fetch_max(status.slot, Ordering::Relaxed);
        Ok(Some(match status.err {
            None => Ok(*signature),
            Some(error) => {
                Err(transaction_failed(&error, &transaction.message, &self.program_id, Vec::new()))
            }
        }))
    }
}

/// What all submissions have in common. The node does not repeat them on its own: this crate does, and knows when to
/// stop.
fn submission() -> RpcSendTransactionConfig {
    RpcSendTransactionConfig {
        encoding: Some(UiTransactionEncoding::Base64),
        max_retries: Some(0),
        ..RpcSendTransactionConfig::default()
    }
}

/// The error and the logs of a preflight that failed.
fn preflight_failure(error: &RequestError) -> Option<(TransactionError, Vec<String>)> {
    let ErrorKind::RpcError(RpcError::RpcResponseError {
        data: RpcResponseErrorData::SendTransactionPreflightFailure(simulation),
        ..
    }) = error.kind()
    else {
        return None;
    };
    let failure = simulation.err.clone()?;
    Some((failure.into(), simulation.logs.clone().unwrap_or_default()))
}
