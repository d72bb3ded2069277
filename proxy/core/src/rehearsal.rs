//! The port to a Solana VM of the proxy's own, in which it tries out what it is going to send.
//!
//! A cluster's simulation ends with the compute units of one Solana transaction, and starts from the cluster's state.
//! Here a transaction has as many as it takes, and the next one goes on from what it left.

use crate::cluster::{Account, ClusterError};
use async_trait::async_trait;
use solana_address::Address;
use solana_transaction::versioned::VersionedTransaction;

/// What a transaction did on a stage.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Compute units that it used.
    pub compute_units: u64,
    /// The accounts as it leaves them, or why it fails.
    pub outcome: Result<Vec<(Address, Account)>, ClusterError>,
}

/// A VM with accounts in it. Blocking.
pub trait Stage: Send {
    /// Puts an account there.
    ///
    /// # Errors
    /// [`ClusterError::Unsupported`] for a sysvar whose data makes no sense.
    fn set(&mut self, address: Address, account: Account) -> Result<(), ClusterError>;

    /// Runs a transaction with as many compute units as it takes; nothing is kept, and no signature is checked.
    fn run(&self, transaction: VersionedTransaction) -> Tried;
}

/// Makes stages.
#[async_trait]
pub trait Rehearsal: Send + Sync {
    /// A stage with the cluster's program, its sysvars, and these of its accounts as they are now.
    ///
    /// # Errors
    /// Those of the cluster, and [`ClusterError::Unsupported`] when the program does not load.
    async fn stage(&self, addresses: &[Address]) -> Result<Box<dyn Stage>, ClusterError>;
}
