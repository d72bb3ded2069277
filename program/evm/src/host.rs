//! What the interpreter asks of the world around it.

use crate::fork::Fork;
use crate::gas::StorageChange;
use crate::{H160, H256, U256};

/// Values of the block and the transaction that code can see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Env {
    /// The rules that apply.
    pub fork: Fork,
    /// CHAINID.
    pub chain_id: u64,
    /// NUMBER.
    pub number: u64,
    /// TIMESTAMP, in seconds since 1970.
    pub timestamp: u64,
    /// COINBASE.
    pub coinbase: H160,
    /// GASLIMIT.
    pub gas_limit: u64,
    /// BASEFEE, in wei per gas.
    pub base_fee: U256,
    /// BLOBBASEFEE, in wei per blob gas; 1 on a chain without blobs.
    pub blob_base_fee: U256,
    /// ORIGIN.
    pub origin: H160,
    /// GASPRICE, in wei per gas.
    pub gas_price: U256,
}

/// The world of a transaction: accounts, storage, access lists, logs.
///
/// Every method that may have to load state can fail; such an error is fatal for the transaction and never becomes
/// something that code could observe.
pub trait Host {
    /// A fatal error.
    type Error;
    /// A cheap name for the account of a running frame.
    type Account: Copy;
    /// A cheap name for a storage key of an account, good until the transaction ends.
    type Slot: Copy;

    /// Block and transaction values.
    fn env(&self) -> &Env;

    /// PREVRANDAO.
    ///
    /// # Errors
    /// Fatal ones.
    fn prevrandao(&mut self) -> Result<U256, Self::Error>;

    /// BLOCKHASH of one of the last 256 blocks, zero if there is none.
    ///
    /// # Errors
    /// Fatal ones.
    fn block_hash(&mut self, number: u64) -> Result<U256, Self::Error>;

    /// Keccak-256.
    fn keccak256(&self, bytes: &[u8]) -> [u8; 32];

    /// EIP-2929: notes an access of `address` and says whether it was the first.
    ///
    /// # Errors
    /// Fatal ones.
    fn access_account(&mut self, address: &H160) -> Result<bool, Self::Error>;

    /// The name of a storage key. Loads nothing.
    ///
    /// # Errors
    /// Fatal ones.
    fn slot(&mut self, account: Self::Account, key: &U256) -> Result<Self::Slot, Self::Error>;

    /// EIP-2929: notes an access of a storage key and says whether it was the first.
    ///
    /// # Errors
    /// Fatal ones.
    fn access_slot(&mut self, slot: Self::Slot) -> Result<bool, Self::Error>;

    /// BALANCE.
    ///
    /// # Errors
    /// Fatal ones.
    fn balance(&mut self, address: &H160) -> Result<U256, Self::Error>;

    /// SELFBALANCE.
    ///
    /// # Errors
    /// Fatal ones.
    fn self_balance(&mut self, account: Self::Account) -> Result<U256, Self::Error>;

    /// Whether the account is empty: no code, nonce 0, balance 0 (EIP-161).
    ///
    /// # Errors
    /// Fatal ones.
    fn is_empty(&mut self, address: &H160) -> Result<bool, Self::Error>;

    /// EXTCODEHASH: zero for an empty account.
    ///
    /// # Errors
    /// Fatal ones.
    fn code_hash(&mut self, address: &H160) -> Result<H256, Self::Error>;

    /// The code as EXTCODESIZE and EXTCODECOPY see it.
    ///
    /// # Errors
    /// Fatal ones.
    fn code(&mut self, address: &H160) -> Result<&[u8], Self::Error>;

    /// The EIP-7702 delegate of an account, if its code is a delegation.
    ///
    /// # Errors
    /// Fatal ones.
    fn delegate(&mut self, address: &H160) -> Result<Option<H160>, Self::Error>;

    /// SLOAD.
    ///
    /// # Errors
    /// Fatal ones.
    fn storage(&mut self, slot: Self::Slot) -> Result<U256, Self::Error>;

    /// What SSTORE's gas depends on.
    ///
    /// # Errors
    /// Fatal ones.
    fn storage_change(&mut self, slot: Self::Slot) -> Result<StorageChange, Self::Error>;

    /// SSTORE, after its gas was charged.
    ///
    /// # Errors
    /// Fatal ones.
    fn set_storage(&mut self, slot: Self::Slot, value: &U256) -> Result<(), Self::Error>;

    /// Adds to the refund counter (or takes from it).
    fn refund(&mut self, gas: i64);

    /// TLOAD (EIP-1153).
    fn transient_storage(&mut self, account: Self::Account, key: &U256) -> U256;

    /// TSTORE (EIP-1153).
    ///
    /// # Errors
    /// Fatal ones.
    fn set_transient_storage(
        &mut self,
        account: Self::Account,
        key: &U256,
        value: &U256,
    ) -> Result<(), Self::Error>;

    /// LOG0 to LOG4.
    ///
    /// # Errors
    /// Fatal ones.
    fn log(&mut self, address: &H160, topics: &[U256], data: &[u8]) -> Result<(), Self::Error>;

    /// SELFDESTRUCT (EIP-6780): moves the balance to `beneficiary`, and marks the account for removal if it was
    /// created in this transaction.
    ///
    /// # Errors
    /// Fatal ones.
    fn self_destruct(&mut self, account: Self::Account, beneficiary: &H160) -> Result<(), Self::Error>;
}
