//! Undoing: each kind of change, nested checkpoints, and random runs against a model that copies the whole state.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used)]

mod changes;
mod limits;
mod memory;
mod model;

use super::World;
use super::accounts::Id;
use crate::Result;
use parhelion_evm::U256;
use parhelion_evm::crypto::Crypto;
use parhelion_evm::gas::StorageChange;
use parhelion_evm::host::Host;

/// Storage by key, as an opcode goes about it.
trait StorageByKey {
    fn value(&mut self, account: Id, key: &U256) -> Result<U256>;
    fn change_of(&mut self, account: Id, key: &U256) -> Result<StorageChange>;
    fn set_value(&mut self, account: Id, key: &U256, value: &U256) -> Result<()>;
    fn access_key(&mut self, account: Id, key: &U256) -> Result<bool>;
}

impl<'c, L: crate::ledger::Ledger<'c>, C: Crypto> StorageByKey for World<'c, L, C> {
    fn value(&mut self, account: Id, key: &U256) -> Result<U256> {
        let slot = self.slot(account, key)?;
        Host::storage(self, slot)
    }

    fn change_of(&mut self, account: Id, key: &U256) -> Result<StorageChange> {
        let slot = self.slot(account, key)?;
        self.storage_change(slot)
    }

    fn set_value(&mut self, account: Id, key: &U256, value: &U256) -> Result<()> {
        let slot = self.slot(account, key)?;
        self.set_storage(slot, value)
    }

    fn access_key(&mut self, account: Id, key: &U256) -> Result<bool> {
        let slot = self.slot(account, key)?;
        self.access_slot(slot)
    }
}
