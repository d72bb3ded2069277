//! The port to Solana: a cluster over RPC, or the in-process SVM of the dev node.

use crate::store::StoreError;
use async_trait::async_trait;
use parhelion_wire::address::Deployment;
use solana_address::Address;
use solana_hash::Hash;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use std::sync::Arc;
use tokio::sync::watch;

/// The most accounts in one [`Cluster::accounts`] call: the limit of `getMultipleAccounts`, less the clock, which is
/// read with them.
pub const ACCOUNTS_MAX: usize = 99;

/// An account's state. The default is that of one that is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Lamports.
    pub lamports: u64,
    /// The program that owns it.
    pub owner: Address,
    /// Its data.
    pub data: Vec<u8>,
}

/// The clock and what the EVM takes from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The slot: NUMBER in the EVM.
    pub slot: u64,
    /// Seconds since 1970: TIMESTAMP in the EVM.
    pub unix_timestamp: i64,
}

/// Accounts read at one slot.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When they were read.
    pub clock: Clock,
    /// In the order asked for; `None` where there is no account.
    pub accounts: Vec<Option<Account>>,
}

/// Why the cluster did not answer, or did not take a transaction.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClusterError {
    /// The cluster cannot be reached or answers nonsense; trying again may help.
    #[error("the Solana cluster does not answer: {0}; check --solana-url and try again")]
    Unreachable(String),
    /// The cluster executed the transaction and it failed.
    #[error("the Solana transaction failed: {reason}")]
    Failed {
        /// The program's error number, if the program refused.
        code: Option<u32>,
        /// Why, for people.
        reason: String,
        /// Program logs.
        logs: Vec<String>,
    },
    /// The blockhash expired before the transaction landed; sign it again.
    #[error("the Solana transaction expired before it landed")]
    Expired,
    /// What is asked for cannot be had from this cluster.
    #[error("{0}")]
    Unsupported(String),
    /// What the cluster was cannot be read.
    #[error(transparent)]
    Archive(#[from] StoreError),
}

impl ClusterError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Expired | Self::Archive(_) => true,
            Self::Failed { .. } | Self::Unsupported(_) => false,
        }
    }
}

/// What a transaction would do.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// Compute units that it used.
    pub compute_units: u64,
    /// Why it would fail, if it would.
    pub failure: Option<ClusterError>,
}

/// A landed Solana transaction, as far as the indexer needs it.
#[derive(Clone, Debug)]
pub struct LandedTransaction {
    /// Its first signature.
    pub signature: Signature,
    /// Compute units that it used.
    pub compute_units: u64,
    /// What its accounts held.
    pub lamports: Vec<Held>,
    /// Its top-level instructions.
    pub instructions: Vec<LandedInstruction>,
}

/// Lamports of an account before and behind a Solana transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The account.
    pub address: Address,
    /// Lamports before; 0 where there is no account.
    pub before: u64,
    /// Lamports behind.
    pub after: u64,
}

/// An instruction of a landed transaction: a top-level one, or one that a program invoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LandedInstruction {
    /// The program.
    pub program_id: Address,
    /// Its accounts, in order.
    pub accounts: Vec<Address>,
    /// Its data.
    pub data: Vec<u8>,
    /// Of a top-level instruction all that were invoked below it, however deep, in the order in which they began; of an
    /// invoked one nothing.
    pub inner: Vec<LandedInstruction>,
}

/// A Solana block that holds transactions of the program.
#[derive(Clone, Debug)]
pub struct LandedBlock {
    /// The block's slot and time.
    pub clock: Clock,
    /// The hash of the Solana block before it.
    pub previous_blockhash: Hash,
    /// The program's successful transactions, in order.
    pub transactions: Vec<LandedTransaction>,
}

/// What tells one Solana block from another that might have been in its slot: what an Ethereum block is made of, but for
/// what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockOutline {
    /// The slot.
    pub slot: u64,
    /// The hash of the Solana block before it.
    pub previous_blockhash: Hash,
    /// The first signatures of the program's successful transactions, ascending: not every cluster tells their order.
    pub signatures: Vec<Signature>,
}

impl From<&LandedBlock> for BlockOutline {
    fn from(block: &LandedBlock) -> Self {
        let mut signatures: Vec<_> = block.transactions.iter().map(|one| one.signature).collect();
        signatures.sort_unstable();
        Self { slot: block.clock.slot, previous_blockhash: block.previous_blockhash, signatures }
    }
}

/// A moment of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Behind a slot.
    Behind(u64),
    /// Within a slot, before a Solana transaction.
    Before {
        /// The slot that is shown.
        slot: u64,
        /// The transaction's first signature.
        transaction: Signature,
    },
}

/// A Solana cluster.
#[async_trait]
pub trait Cluster: Send + Sync {
    /// The deployment that this proxy serves.
    fn deployment(&self) -> Deployment;

    /// Reads accounts, all at one slot; at most [`ACCOUNTS_MAX`].
    async fn accounts(&self, addresses: &[Address]) -> Result<Snapshot, ClusterError>;

    /// Addresses of the program's accounts whose data begin so. Not every cluster tells:
    /// [`ClusterError::Unsupported`].
    async fn accounts_beginning(&self, prefix: &[u8]) -> Result<Vec<Address>, ClusterError> {
        let _ = prefix;
        Err(ClusterError::Unsupported("this cluster does not search accounts".into()))
    }

    /// The clock.
    async fn clock(&self) -> Result<Clock, ClusterError>;

    /// Slots and hashes of the SlotHashes sysvar, newest first: BLOCKHASH and PREVRANDAO.
    async fn slot_hashes(&self) -> Result<Vec<(u64, [u8; 32])>, ClusterError>;

    /// Lamports that exempt an account of `data_length` bytes from rent.
    async fn rent_exemption(&self, data_length: usize) -> Result<u64, ClusterError>;

    /// The cluster as it was: accounts, clock and slot hashes. Nothing can be sent there. Not every cluster keeps the past, and
    /// none all of it: [`ClusterError::Unsupported`].
    async fn at(&self, moment: Moment) -> Result<Arc<dyn Cluster>, ClusterError> {
        let _ = moment;
        Err(ClusterError::Unsupported("only the newest state is kept here; use the tag \"latest\"".into()))
    }

    /// A recent blockhash to sign with.
    async fn latest_blockhash(&self) -> Result<Hash, ClusterError>;

    /// Sends a signed transaction and waits until it landed or cannot any more.
    async fn send(&self, transaction: &VersionedTransaction) -> Result<Signature, ClusterError>;

    /// Runs a signed transaction without landing it. Not every cluster does: [`ClusterError::Unsupported`].
    async fn simulate(&self, transaction: &VersionedTransaction) -> Result<Simulation, ClusterError> {
        let _ = transaction;
        Err(ClusterError::Unsupported("this cluster simulates nothing".into()))
    }

    /// The newest slot whose transactions can be read; changes when there is a new one.
    fn newest_slot(&self) -> watch::Receiver<u64>;

    /// Whether the newest slot can become an older one, and what came behind it did not happen: on a development chain that goes
    /// back. Of a cluster an older one would only tell that whoever was asked lags behind.
    fn goes_back(&self) -> bool {
        false
    }

    /// The newest slot that the cluster has finalized: it and those before it stay as they are. Changes when there is a
    /// new one. Of a cluster without forks it is the newest slot.
    fn finalized_slot(&self) -> watch::Receiver<u64> {
        self.newest_slot()
    }

    /// The blocks with slots from `first` to `last`, both included and finalized, that hold transactions of the program, in
    /// order.
    async fn finalized_blocks(&self, first: u64, last: u64) -> Result<Vec<BlockOutline>, ClusterError> {
        Ok(self.blocks(first, last).await?.iter().map(BlockOutline::from).collect())
    }

    /// The blocks with slots from `first` to `last`, both included, that hold transactions of the program.
    async fn blocks(&self, first: u64, last: u64) -> Result<Vec<LandedBlock>, ClusterError>;

    /// The oldest slot whose block can be read: what is older is forgotten.
    async fn oldest_slot(&self) -> Result<u64, ClusterError> {
        Ok(0)
    }

    /// The slots from `first` to `last`, both included, in which transactions named the program, in order: for long ranges,
    /// where most slots have none. Not every cluster tells: [`ClusterError::Unsupported`].
    async fn busy_slots(&self, first: u64, last: u64) -> Result<Vec<u64>, ClusterError> {
        let _ = (first, last);
        Err(ClusterError::Unsupported("this cluster does not list slots".into()))
    }

    /// The blocks with these slots, ascending, as far as they hold transactions of the program.
    async fn blocks_of(&self, slots: &[u64]) -> Result<Vec<LandedBlock>, ClusterError> {
        let mut blocks = Vec::new();
        for slot in slots {
            blocks.extend(self.blocks(*slot, *slot).await?);
        }
        Ok(blocks)
    }
}

/// Whether a cluster takes a newer format: a transaction of it would do what the same one of an older format does, be it
/// that both fail for the same reason (no lamports, for one).
///
/// # Errors
/// When the cluster does not answer.
pub async fn takes(
    cluster: &dyn Cluster,
    newer: &VersionedTransaction,
    older: &VersionedTransaction,
) -> Result<bool, ClusterError> {
    let newer = failure(cluster, newer).await?;
    Ok(newer.is_none() || newer == failure(cluster, older).await?)
}

/// Why a transaction would not land, if it would not.
async fn failure(
    cluster: &dyn Cluster,
    transaction: &VersionedTransaction,
) -> Result<Option<String>, ClusterError> {
    match cluster.simulate(transaction).await {
        Ok(simulation) => Ok(simulation.failure.map(|failure| failure.to_string())),
        Err(error) if error.is_retryable() => Err(error),
        Err(error) => Ok(Some(error.to_string())),
    }
}
