//! Transient storage (EIP-1153): gone at the end of the transaction.

use super::accounts::Id;
use super::index::{Found, Index};
use super::table;
use crate::{ProgramError, Result};
use alloc::vec::Vec;
use parhelion_evm::{U256, arith};
use parhelion_wire::stored;
use parhelion_wire::stored::{Reader, Writer};

/// A transient storage key and its value.
#[derive(Clone, Debug)]
struct Slot {
    account: Id,
    key: U256,
    value: U256,
}
stored!(Slot { account, key, value });

/// The table of transient storage keys.
#[derive(Debug)]
pub(super) struct Transient {
    slots: Vec<Slot>,
    index: Index,
    maximum: usize,
}

fn hash(account: Id, key: &U256) -> u64 {
    key.0[0] ^ key.0[3] ^ u64::from(account) << 48
}

impl Transient {
    /// The table of a run, which may not need it.
    pub(super) const fn new(maximum: usize) -> Self {
        Self { slots: Vec::new(), index: Index::unallocated(), maximum }
    }

    fn find(&self, account: Id, key: &U256) -> Found {
        let is_equal = |row: usize| {
            self.slots.get(row).is_some_and(|slot| slot.account == account && arith::eq(&slot.key, key))
        };
        self.index.find(hash(account, key), is_equal)
    }

    /// A value.
    pub(super) fn get(&self, account: Id, key: &U256) -> U256 {
        match self.find(account, key) {
            Found::Row(row) => self.slots.get(row).map_or(U256([0; 4]), |slot| slot.value),
            Found::Place(_) => U256([0; 4]),
        }
    }

    /// Sets a value; gives its row and what it was.
    pub(super) fn set(&mut self, account: Id, key: &U256, value: &U256) -> Result<(usize, U256)> {
        if self.slots.capacity() == 0 {
            self.slots = table::new(self.maximum);
            self.index = Index::new(self.maximum);
        }
        match self.find(account, key) {
            Found::Row(row) => {
                let slot = self.slots.get_mut(row).ok_or(ProgramError::TableLimit)?;
                Ok((row, core::mem::replace(&mut slot.value, *value)))
            }
            Found::Place(place) => {
                let row =
                    table::push(&mut self.slots, Slot { account, key: *key, value: *value }, self.maximum)?;
                let slots = &self.slots;
                let hash_of = |row: usize| slots.get(row).map_or(0, |slot| hash(slot.account, &slot.key));
                self.index.insert(place, row, hash_of);
                Ok((row, U256([0; 4])))
            }
        }
    }

    /// Writes the values into a checkpoint.
    pub(super) fn put(&self, out: &mut Writer<'_>) -> Result<()> {
        out.list(&self.slots)
    }

    /// Reads the values of a checkpoint into the empty table.
    pub(super) fn take(&mut self, input: &mut Reader<'_>) -> Result<()> {
        input.list(|slot: Slot| self.set(slot.account, &slot.key, &slot.value).map(drop))
    }

    /// Sets the value of a row back.
    pub(super) fn restore(&mut self, row: usize, value: U256) {
        if let Some(slot) = self.slots.get_mut(row) {
            slot.value = value;
        }
    }
}
