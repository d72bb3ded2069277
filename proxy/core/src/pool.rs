//! The port to the mempool.

use crate::emulator::EmulatorError;
use crate::relay::RelayError;
use crate::store::StoreError;
use crate::transaction::{Transaction, TransactionError};
use alloy_primitives::{Address, B256, U256};
use async_trait::async_trait;
use tokio::sync::broadcast;

/// Why a transaction was not accepted. The texts are those that Ethereum clients know.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PoolError {
    /// The bytes are no transaction of this chain.
    #[error(transparent)]
    Invalid(#[from] TransactionError),
    /// It is signed for another chain.
    #[error("invalid chain id for signer: have {have} want {want}")]
    WrongChainId {
        /// The transaction's chain id.
        have: u64,
        /// This chain's.
        want: u64,
    },
    /// It is in the pool already, or landed.
    #[error("already known")]
    AlreadyKnown,
    /// Its nonce was used.
    #[error("nonce too low: next nonce {next}, tx nonce {nonce}")]
    NonceTooLow {
        /// The sender's next nonce.
        next: u64,
        /// The transaction's nonce.
        nonce: u64,
    },
    /// Another transaction with this nonce waits, and this one does not pay 10 % more.
    #[error("replacement transaction underpriced")]
    Underpriced,
    /// The pool is full, and those that wait pay more.
    #[error("transaction underpriced")]
    TooCheap,
    /// The balance does not cover the most it may cost.
    #[error("insufficient funds for gas * price + value: balance {balance}, tx cost {cost}")]
    InsufficientFunds {
        /// The sender's balance in wei.
        balance: U256,
        /// Gas limit x fee cap + value, in wei.
        cost: U256,
    },
    /// The pool is full, or has too many of the sender's transactions; try again later.
    #[error("txpool is full")]
    Full,
    /// It can be seen before it is sent that it cannot land.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The state could not be read.
    #[error(transparent)]
    Emulator(#[from] EmulatorError),
    /// It could not be written down. It may land all the same.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A transaction that waits in the pool.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The transaction.
    pub transaction: Transaction,
    /// Whether a nonce before its own is missing: `queued` in the words of geth, and `pending` if not.
    pub is_gapped: bool,
}

/// The mempool.
#[async_trait]
pub trait Pool: Send + Sync {
    /// Accepts a transaction, or says why not. Accepted transactions are landed in nonce order.
    async fn submit(&self, transaction: Transaction) -> Result<B256, PoolError>;

    /// A waiting transaction.
    fn transaction(&self, hash: B256) -> Option<Transaction>;

    /// The nonce that follows the sender's waiting transactions, if some wait without a gap from `next` on.
    fn pending_nonce(&self, sender: Address, next: u64) -> u64;

    /// Every waiting transaction, or those of one sender, by sender and nonce.
    fn waiting(&self, sender: Option<Address>) -> Vec<Waiting>;

    /// Hears of each transaction that is accepted from now on.
    fn accepted(&self) -> broadcast::Receiver<Transaction>;
}

/// Where accepted transactions are written down, so that they outlive the node.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Writes a transaction down; once this returns, it stays.
    async fn put(&self, transaction: &Transaction) -> Result<(), StoreError>;

    /// Crosses transactions out.
    async fn remove(&self, hashes: &[B256]) -> Result<(), StoreError>;

    /// Everything that is written down, and what the store took out of the chain.
    async fn all(&self) -> Result<Vec<Transaction>, StoreError>;
}
