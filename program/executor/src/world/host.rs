//! The world as the interpreter sees it.

use super::World;
use super::accounts::{CodeOf, EMPTY_CODE_HASH, Id};
use super::codes::designator;
use crate::ProgramError;
use crate::ledger::Ledger;
use crate::observe::Observation;
use parhelion_evm::crypto::Crypto;
use parhelion_evm::gas::StorageChange;
use parhelion_evm::host::{Env, Host};
use parhelion_evm::{H160, H256, U256, precompile};
use parhelion_wire::event::Log;
use parhelion_wire::number;

impl<'c, L: Ledger<'c>, C: Crypto> Host for World<'c, L, C> {
    type Error = ProgramError;
    type Account = Id;
    type Slot = usize;

    fn env(&self) -> &Env {
        &self.env
    }

    fn prevrandao(&mut self) -> Result<U256, ProgramError> {
        let hash = match self.prevrandao {
            Some(hash) => hash,
            None => self.ledger.newest_slot_hash()?,
        };
        // A run in steps sees the same one to its end.
        self.prevrandao = Some(hash);
        Ok(number::from_be_bytes(&hash))
    }

    fn block_hash(&mut self, number: u64) -> Result<U256, ProgramError> {
        Ok(self.ledger.slot_hash(number)?.map_or(U256([0; 4]), |hash| number::from_be_bytes(&hash)))
    }

    fn keccak256(&self, bytes: &[u8]) -> [u8; 32] {
        self.crypto.keccak256(&[bytes])
    }

    fn access_account(&mut self, address: &H160) -> Result<bool, ProgramError> {
        self.warm(address)
    }

    fn slot(&mut self, account: Id, key: &U256) -> Result<usize, ProgramError> {
        self.storage.slot(account, key)
    }

    fn access_slot(&mut self, slot: usize) -> Result<bool, ProgramError> {
        self.touch_slot(slot)
    }

    fn balance(&mut self, address: &H160) -> Result<U256, ProgramError> {
        let id = self.load_balance(address)?;
        Ok(self.account(id)?.state.balance)
    }

    fn self_balance(&mut self, account: Id) -> Result<U256, ProgramError> {
        let address = self.account(account)?.address;
        self.balance(&address)
    }

    fn is_empty(&mut self, address: &H160) -> Result<bool, ProgramError> {
        let (_, code) = self.load_contract(address)?;
        if !code.is_empty() {
            return Ok(false);
        }
        let id = self.load_balance(address)?;
        let state = &self.account(id)?.state;
        Ok(state.nonce == 0 && state.balance.is_zero())
    }

    fn code_hash(&mut self, address: &H160) -> Result<H256, ProgramError> {
        match self.load_contract(address)?.1 {
            CodeOf::Hash(hash) => Ok(hash),
            CodeOf::Delegate(delegate) => Ok(H256(self.crypto.keccak256(&[&designator(&delegate)]))),
            CodeOf::None => Ok(if self.is_empty(address)? { H256::zero() } else { EMPTY_CODE_HASH }),
        }
    }

    fn code(&mut self, address: &H160) -> Result<&[u8], ProgramError> {
        self.visible_code(address)
    }

    fn delegate(&mut self, address: &H160) -> Result<Option<H160>, ProgramError> {
        match self.load_contract(address)?.1 {
            CodeOf::Delegate(delegate) => Ok(Some(delegate)),
            CodeOf::None | CodeOf::Hash(_) => Ok(None),
        }
    }

    fn storage(&mut self, slot: usize) -> Result<U256, ProgramError> {
        Ok(self.load_slot(slot)?.value)
    }

    fn storage_change(&mut self, slot: usize) -> Result<StorageChange, ProgramError> {
        let slot = self.load_slot(slot)?;
        Ok(StorageChange { original: slot.original, current: slot.value })
    }

    fn set_storage(&mut self, slot: usize, value: &U256) -> Result<(), ProgramError> {
        self.load_slot(slot)?;
        self.change_slot(slot, value)
    }

    fn refund(&mut self, gas: i64) {
        self.refund = self.refund.saturating_add(gas);
    }

    fn transient_storage(&mut self, account: Id, key: &U256) -> U256 {
        self.transient.get(account, key)
    }

    fn set_transient_storage(&mut self, account: Id, key: &U256, value: &U256) -> Result<(), ProgramError> {
        let (row, previous) = self.transient.set(account, key, value)?;
        self.journal.save_transient(row, previous)
    }

    fn log(&mut self, address: &H160, topics: &[U256], data: &[u8]) -> Result<(), ProgramError> {
        // The prefix, 32 bytes a topic, 4 bytes of length, the data.
        let length = topics.len().saturating_mul(32).saturating_add(Log::PREFIX).saturating_add(4);
        self.reserve_report(length.saturating_add(data.len()))?;
        self.report.extend_from_slice(&Log::prefix(address, topics.len() as u8));
        for topic in topics {
            self.report.extend_from_slice(&number::to_be_bytes(topic));
        }
        self.report.extend_from_slice(&(data.len() as u32).to_le_bytes());
        self.report.extend_from_slice(data);
        self.logs = self.logs.saturating_add(1);
        Ok(())
    }

    fn self_destruct(&mut self, account: Id, beneficiary: &H160) -> Result<(), ProgramError> {
        let address = self.account(account)?.address;
        let account = self.load_balance(&address)?;
        let beneficiary = self.load_balance(beneficiary)?;
        let balance = self.account(account)?.state.balance;
        let is_created = self.account(account)?.state.is_created;
        if L::OBSERVES {
            let beneficiary = self.account(beneficiary)?.address;
            self.ledger.observe(&Observation::SelfDestruct { address, beneficiary, balance });
        }
        if account != beneficiary {
            self.transfer(account, beneficiary, &balance)?;
        } else if is_created {
            // Nobody gets it.
            self.burned = self.burned.checked_add(balance).ok_or(ProgramError::InvalidArgument)?;
            self.change(account)?.balance = U256([0; 4]);
        }
        if is_created {
            self.change(account)?.is_destroyed = true;
        }
        Ok(())
    }
}

impl<'c, L: Ledger<'c>, C: Crypto> World<'c, L, C> {
    /// EIP-2929: notes an access of an address; whether it was the first. Precompiles are warm from the start.
    pub(crate) fn warm(&mut self, address: &H160) -> Result<bool, ProgramError> {
        if precompile::number_of(address, self.env.fork).is_some() {
            return Ok(false);
        }
        let id = self.accounts.id(address)?;
        self.warm_row(id)
    }

    /// Notes an access of an account that is no precompile; whether it was the first.
    pub(crate) fn warm_row(&mut self, id: Id) -> Result<bool, ProgramError> {
        let row = self.accounts.get_mut(id)?;
        if row.is_warm {
            return Ok(false);
        }
        row.is_warm = true;
        self.journal.warmed_account(id)?;
        Ok(true)
    }

    /// EIP-2930: notes a storage key of an access list.
    pub(crate) fn warm_storage(&mut self, address: &H160, key: &U256) -> Result<(), ProgramError> {
        let id = self.accounts.id(address)?;
        let slot = self.storage.slot(id, key)?;
        self.touch_slot(slot).map(drop)
    }

    /// Makes sure that `length` bytes more fit the report.
    pub(crate) fn reserve_report(&self, length: usize) -> Result<(), ProgramError> {
        if self.report.len().saturating_add(length) > self.limits.report_bytes {
            return Err(ProgramError::TableLimit);
        }
        Ok(())
    }
}
