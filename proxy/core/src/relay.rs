//! The port to the part that lands Ethereum transactions on Solana.

use crate::cluster::ClusterError;
use crate::emulator::EmulatorError;
use crate::transaction::Transaction;
use alloy_primitives::Address;
use async_trait::async_trait;
use solana_signature::Signature;

/// Why a transaction did not land.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RelayError {
    /// The emulation refused it; nothing was sent.
    #[error(transparent)]
    Emulator(#[from] EmulatorError),
    /// It does not fit one Solana transaction, or, when a run in steps was tried, not even several; nothing was sent.
    #[error("the transaction is too large for Solana: it needs {needs}, the most is {limit}")]
    DoesNotFit {
        /// What it needs, with a unit.
        needs: String,
        /// The limit, with the same unit.
        limit: String,
    },
    /// The cluster did not take it.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

/// Lands Ethereum transactions.
#[async_trait]
pub trait Relay: Send + Sync {
    /// The Ethereum address that receives the fees of transactions landed here.
    fn coinbase(&self) -> Address;

    /// Checks, without sending anything, that the transaction can land.
    async fn check(&self, transaction: &Transaction) -> Result<(), RelayError>;

    /// Lands a transaction and gives the signatures of all Solana transactions that it took, in order.
    async fn land(&self, transaction: &Transaction) -> Result<Vec<Signature>, RelayError>;
}
