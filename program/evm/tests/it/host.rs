//! A world of maps.

use parhelion_evm::gas::StorageChange;
use parhelion_evm::host::{Env, Host};
use parhelion_evm::{H160, H256, U256};
use sha3::{Digest, Keccak256};
use std::collections::{BTreeMap, BTreeSet};

/// A contract's storage key, or transient storage key.
type Key = (H160, U256);

/// The world: everything that it does not mention is cold, empty and zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) env: Env,
    pub(crate) prevrandao: U256,
    pub(crate) block_hashes: BTreeMap<u64, U256>,
    pub(crate) balances: BTreeMap<H160, U256>,
    pub(crate) codes: BTreeMap<H160, Vec<u8>>,
    pub(crate) delegates: BTreeMap<H160, H160>,
    /// Before the transaction.
    pub(crate) original: BTreeMap<Key, U256>,
    /// Now, where it is not as before the transaction.
    pub(crate) storage: BTreeMap<Key, U256>,
    pub(crate) transient: BTreeMap<Key, U256>,
    pub(crate) warm_accounts: BTreeSet<H160>,
    pub(crate) warm_storage: BTreeSet<Key>,
    pub(crate) refund: i64,
    /// Address, topics, data.
    pub(crate) logs: Vec<(H160, Vec<U256>, Vec<u8>)>,
    /// Who destroyed itself, and for whom.
    pub(crate) destroyed: Vec<(H160, H160)>,
    /// Whether there is no state at hand at all.
    pub(crate) is_missing: bool,
}

/// State is not at hand: fatal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Missing;

type Result<T> = core::result::Result<T, Missing>;

impl World {
    fn at_hand<T>(&self, value: T) -> Result<T> {
        if self.is_missing { Err(Missing) } else { Ok(value) }
    }

    fn original(&self, key: &Key) -> U256 {
        self.original.get(key).copied().unwrap_or_default()
    }

    /// A storage value now.
    pub(crate) fn current(&self, key: &Key) -> U256 {
        self.storage.get(key).copied().unwrap_or_else(|| self.original(key))
    }
}

pub(crate) fn keccak(bytes: &[u8]) -> U256 {
    U256::from_big_endian(&Keccak256::digest(bytes))
}

impl Host for World {
    type Error = Missing;
    type Account = H160;
    type Slot = Key;

    fn env(&self) -> &Env {
        &self.env
    }

    fn prevrandao(&mut self) -> Result<U256> {
        self.at_hand(self.prevrandao)
    }

    fn block_hash(&mut self, number: u64) -> Result<U256> {
        self.at_hand(self.block_hashes.get(&number).copied().unwrap_or_default())
    }

    fn keccak256(&self, bytes: &[u8]) -> [u8; 32] {
        keccak(bytes).to_big_endian()
    }

    fn access_account(&mut self, address: &H160) -> Result<bool> {
        let is_first = self.warm_accounts.insert(*address);
        self.at_hand(is_first)
    }

    fn slot(&mut self, account: H160, key: &U256) -> Result<Key> {
        self.at_hand((account, *key))
    }

    fn access_slot(&mut self, slot: Key) -> Result<bool> {
        let is_first = self.warm_storage.insert(slot);
        self.at_hand(is_first)
    }

    fn balance(&mut self, address: &H160) -> Result<U256> {
        self.at_hand(self.balances.get(address).copied().unwrap_or_default())
    }

    fn self_balance(&mut self, account: H160) -> Result<U256> {
        self.balance(&account)
    }

    fn is_empty(&mut self, address: &H160) -> Result<bool> {
        self.at_hand(!self.balances.contains_key(address) && !self.codes.contains_key(address))
    }

    fn code_hash(&mut self, address: &H160) -> Result<H256> {
        let is_empty = self.is_empty(address)?;
        let code = self.codes.get(address).map_or(&[][..], Vec::as_slice);
        Ok(if is_empty { H256::zero() } else { H256(keccak(code).to_big_endian()) })
    }

    fn code(&mut self, address: &H160) -> Result<&[u8]> {
        self.at_hand(self.codes.get(address).map_or(&[][..], Vec::as_slice))
    }

    fn delegate(&mut self, address: &H160) -> Result<Option<H160>> {
        self.at_hand(self.delegates.get(address).copied())
    }

    fn storage(&mut self, slot: Key) -> Result<U256> {
        self.at_hand(self.current(&slot))
    }

    fn storage_change(&mut self, slot: Key) -> Result<StorageChange> {
        self.at_hand(StorageChange { original: self.original(&slot), current: self.current(&slot) })
    }

    fn set_storage(&mut self, slot: Key, value: &U256) -> Result<()> {
        self.storage.insert(slot, *value);
        self.at_hand(())
    }

    fn refund(&mut self, gas: i64) {
        self.refund += gas;
    }

    fn transient_storage(&mut self, account: H160, key: &U256) -> U256 {
        self.transient.get(&(account, *key)).copied().unwrap_or_default()
    }

    fn set_transient_storage(&mut self, account: H160, key: &U256, value: &U256) -> Result<()> {
        self.transient.insert((account, *key), *value);
        self.at_hand(())
    }

    fn log(&mut self, address: &H160, topics: &[U256], data: &[u8]) -> Result<()> {
        self.logs.push((*address, topics.to_vec(), data.to_vec()));
        self.at_hand(())
    }

    fn self_destruct(&mut self, account: H160, beneficiary: &H160) -> Result<()> {
        self.destroyed.push((account, *beneficiary));
        self.at_hand(())
    }
}
