//! The port to the part that lands Ethereum transactions on Solana.

use crate::cluster::ClusterError;
use crate::emulator::EmulatorError;
use crate::transaction::Transaction;
use alloy_primitives::{Address, B256};
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
    /// Its gas limit does not cover the rent of the new state: it would use its nonce for nothing.
    #[error(
        "out of rent gas: the gas limit {gas_limit} does not cover the rent of new state; raise it (eth_estimateGas tells)"
    )]
    OutOfRentGas {
        /// Its gas limit.
        gas_limit: u64,
    },
    /// The cluster did not take it.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

/// What a run in steps took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SteppedRun {
    /// Steps that landed or were sent.
    pub steps: u32,
    /// How often it began anew because an account that it had read was changed.
    pub restarts: u8,
    /// Compute units that it would have taken at once, had a Solana transaction so many; none for a run that another node
    /// began.
    pub compute_units_at_once: Option<u64>,
}

/// Lands Ethereum transactions.
#[async_trait]
pub trait Relay: Send + Sync {
    /// The Ethereum address that receives the fees of transactions landed here.
    fn coinbase(&self) -> Address;

    /// Checks, without sending anything, that the transaction can land.
    async fn check(&self, transaction: &Transaction) -> Result<(), RelayError>;

    /// What a transaction took that was run in steps here, if it is one of the last ones.
    fn run(&self, transaction: B256) -> Option<SteppedRun> {
        let _ = transaction;
        None
    }

    /// Lands a transaction and gives the signatures of all Solana transactions that it took, in order.
    async fn land(&self, transaction: &Transaction) -> Result<Vec<Signature>, RelayError>;

    /// Lands as many as it can of a sender's consecutive transactions in one Solana transaction, from the first one on, and
    /// gives how many: at least one, if there is one. Which is safe: none of them can come before another, and all of them
    /// land or none does.
    ///
    /// # Errors
    /// Those of the first one. Nothing is known of the others then: they may have landed with it without an answer.
    async fn land_together(&self, transactions: &[Transaction]) -> Result<usize, RelayError> {
        match transactions.first() {
            Some(first) => self.land(first).await.map(|_| 1),
            None => Ok(0),
        }
    }
}
