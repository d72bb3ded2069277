//! Storage that a run touches: storage keys, and the Cells they are in.

use super::World;
use super::accounts::Id;
use super::index::{Found, Index};
use super::table;
use crate::ledger::Ledger;
use crate::{ProgramError, Result};
use alloc::vec::Vec;
use parhelion_evm::crypto::Crypto;
use parhelion_evm::{U256, arith};
use parhelion_wire::account::Cell;
use parhelion_wire::address::{AccountKey, CellKey, split_storage_key};
use parhelion_wire::stored::{Reader, Writer};

/// A storage key and its value.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) account: Id,
    pub(crate) key: U256,
    pub(crate) original: U256,
    pub(crate) value: U256,
    /// The number of its Cell, once loaded.
    pub(crate) cell: Option<u16>,
    /// EIP-2929.
    pub(super) is_warm: bool,
    /// The latest checkpoint that has the value to undo to.
    pub(super) saved_at: u32,
    /// The next changed one of its Cell, see [`Storage::chain_changes`].
    next: u16,
}

/// The end of a chain.
const NONE: u16 = u16::MAX;

/// A Cell.
#[derive(Clone, Debug)]
pub(crate) struct LoadedCell<A> {
    pub(crate) account: Id,
    pub(crate) key: CellKey,
    pub(crate) ledger_account: A,
    /// The first changed storage key, see [`Storage::chain_changes`].
    first: u16,
}

impl<A> LoadedCell<A> {
    /// Whether [`Storage::chain_changes`] has found changes.
    pub(crate) const fn has_changes(&self) -> bool {
        self.first != NONE
    }
}

/// The tables of storage keys and Cells.
#[derive(Debug)]
pub(crate) struct Storage<A> {
    slots: Vec<Slot>,
    slot_index: Index,
    slots_max: usize,
    /// The row that was asked for last: one operation asks for its key up to three times.
    last: usize,
    cells: Vec<LoadedCell<A>>,
    cell_index: Index,
    cells_max: usize,
}

impl<A: Copy> Storage<A> {
    #[inline(always)] // or it is moved
    pub(super) fn new(slots_max: usize, cells_max: usize) -> Self {
        Self {
            slots: table::new(slots_max),
            slot_index: Index::new(slots_max),
            slots_max,
            last: 0,
            cells: table::new(cells_max),
            cell_index: Index::new(cells_max),
            cells_max,
        }
    }

    /// The number of a storage key; a new row when it was not seen yet. Loads nothing.
    pub(super) fn slot(&mut self, account: Id, key: &U256) -> Result<usize> {
        let slots = &self.slots;
        let is_equal = |row: usize| {
            slots.get(row).is_some_and(|slot| slot.account == account && arith::eq(&slot.key, key))
        };
        if is_equal(self.last) {
            return Ok(self.last);
        }
        self.last = match self.slot_index.find(hash(account, key), is_equal) {
            Found::Row(row) => row,
            Found::Place(place) => {
                let row = table::push(&mut self.slots, Slot::new(account, key), self.slots_max)?;
                let slots = &self.slots;
                let hash_of = |row: usize| slots.get(row).map_or(0, |slot| hash(slot.account, &slot.key));
                self.slot_index.insert(place, row, hash_of);
                row
            }
        };
        Ok(self.last)
    }

    /// Writes storage keys and Cells into a checkpoint, but for the accounts of the ledger.
    pub(super) fn put(&self, out: &mut Writer<'_>) -> Result<()> {
        out.put(&(self.cells.len() as u16))?;
        for cell in &self.cells {
            out.put(&cell.account)?;
            out.put(&cell.key)?;
        }
        out.put(&(self.slots.len() as u16))?;
        for slot in &self.slots {
            out.put(&slot.account)?;
            out.put(&slot.key)?;
            out.put(&slot.original)?;
            out.put(&(!arith::eq(&slot.value, &slot.original)).then_some(slot.value))?;
            out.put(&slot.cell.unwrap_or(NONE))?;
            out.put(&slot.is_warm)?;
            out.put(&slot.saved_at)?;
        }
        Ok(())
    }

    /// Reads storage keys and Cells of a checkpoint into the empty tables. `next` gives the accounts of the ledger, in the order of the Cells.
    #[inline(never)] // a stack frame has 4 KiB on sBPF
    pub(super) fn take(
        &mut self,
        input: &mut Reader<'_>,
        next: &mut impl FnMut() -> Result<A>,
    ) -> Result<()> {
        let cells: u16 = input.take()?;
        for _ in 0..cells {
            let (account, key) = (input.take()?, input.take()?);
            let ledger_account = next()?;
            self.add_cell(LoadedCell { account, key, ledger_account, first: NONE })?;
        }
        let slots: u16 = input.take()?;
        for _ in 0..slots {
            let (account, key) = (input.take()?, input.take()?);
            let row = self.slot(account, &key)?;
            let original = input.take()?;
            let value = input.take::<Option<U256>>()?.unwrap_or(original);
            let cell = Some(input.take()?).filter(|cell| *cell != NONE);
            let (is_warm, saved_at) = (input.take()?, input.take()?);
            *self.get_mut(row)? = Slot { account, key, original, value, cell, is_warm, saved_at, next: NONE };
        }
        Ok(())
    }

    /// Adds a Cell that is not there yet.
    fn add_cell(&mut self, cell: LoadedCell<A>) -> Result<usize> {
        let Found::Place(place) = self.cell_index.find(hash_of_cell(cell.account, &cell.key), |_| false)
        else {
            return Err(ProgramError::CheckpointMalformed);
        };
        self.insert_cell(place, cell)
    }

    /// Adds a Cell at a place that the index gave.
    fn insert_cell(&mut self, place: usize, cell: LoadedCell<A>) -> Result<usize> {
        let row = table::push(&mut self.cells, cell, self.cells_max)?;
        let cells = &self.cells;
        let hash_of = |row: usize| cells.get(row).map_or(0, |cell| hash_of_cell(cell.account, &cell.key));
        self.cell_index.insert(place, row, hash_of);
        Ok(row)
    }

    pub(super) fn get(&self, row: usize) -> Result<&Slot> {
        self.slots.get(row).ok_or(ProgramError::TableLimit)
    }

    pub(super) fn get_mut(&mut self, row: usize) -> Result<&mut Slot> {
        self.slots.get_mut(row).ok_or(ProgramError::TableLimit)
    }

    /// All storage keys.
    #[cfg(test)]
    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// All Cells.
    pub(crate) fn cells(&self) -> &[LoadedCell<A>] {
        &self.cells
    }

    /// A Cell.
    pub(crate) fn cell(&self, number: u16) -> Result<&LoadedCell<A>> {
        self.cells.get(usize::from(number)).ok_or(ProgramError::TableLimit)
    }

    /// Finds the storage keys of each Cell whose value is another one than before the transaction, but for those of
    /// accounts that are gone.
    pub(crate) fn chain_changes(&mut self, is_gone: impl Fn(Id) -> bool) {
        for cell in &mut self.cells {
            cell.first = NONE;
        }
        for (number, slot) in self.slots.iter_mut().enumerate() {
            let Some(cell) = slot.cell.and_then(|cell| self.cells.get_mut(usize::from(cell))) else {
                continue;
            };
            if !arith::eq(&slot.value, &slot.original) && !is_gone(slot.account) {
                slot.next = core::mem::replace(&mut cell.first, number as u16);
            }
        }
    }

    /// The storage keys that [`Self::chain_changes`] has found in a Cell.
    pub(crate) fn changes(&self, cell: u16) -> impl Iterator<Item = &Slot> {
        let mut number = self.cells.get(usize::from(cell)).map_or(NONE, |cell| cell.first);
        core::iter::from_fn(move || {
            let slot = self.slots.get(usize::from(number))?;
            number = slot.next;
            Some(slot)
        })
    }
}

impl Slot {
    /// A storage key of which nothing is known yet.
    const fn new(account: Id, key: &U256) -> Self {
        let zero = U256([0; 4]);
        Self {
            account,
            key: *key,
            original: zero,
            value: zero,
            cell: None,
            is_warm: false,
            saved_at: 0,
            next: NONE,
        }
    }
}

/// Keys of mappings are hashes, those of variables small numbers.
fn hash(account: Id, key: &U256) -> u64 {
    key.0[0] ^ key.0[3].rotate_left(17) ^ u64::from(account) << 48
}

/// As [`hash`], for a Cell: the last bytes of its key.
fn hash_of_cell(account: Id, key: &CellKey) -> u64 {
    let mut low = [0; 8];
    low.copy_from_slice(&key[23..]);
    u64::from_be_bytes(low) ^ u64::from(account) << 48
}

impl<'c, L: Ledger<'c>, C: Crypto> World<'c, L, C> {
    /// EIP-2929: notes an access of a storage key; whether it was the first.
    pub(super) fn touch_slot(&mut self, row: usize) -> Result<bool> {
        let slot = self.storage.get_mut(row)?;
        if slot.is_warm {
            return Ok(false);
        }
        slot.is_warm = true;
        self.journal.warmed_slot(row)?;
        Ok(true)
    }

    /// A storage key, its value loaded.
    pub(super) fn load_slot(&mut self, row: usize) -> Result<&Slot> {
        if self.storage.get(row)?.cell.is_none() {
            self.fetch_slot(row)?;
        }
        self.storage.get(row)
    }

    /// Loads the value of a storage key.
    fn fetch_slot(&mut self, row: usize) -> Result<()> {
        let slot = self.storage.get(row)?;
        let (account, (cell_key, index)) = (slot.account, split_storage_key(&slot.key));
        let cell = self.load_cell(account, &cell_key)?;
        let ledger_account = self.storage.cells.get(cell).ok_or(ProgramError::TableLimit)?.ledger_account;
        let data = self.ledger.data(ledger_account)?;
        let value = if data.is_empty() { U256([0; 4]) } else { Cell::view(data)?.get(index) };
        let slot = self.storage.get_mut(row)?;
        slot.cell = Some(cell as u16);
        slot.original = value;
        slot.value = value;
        Ok(())
    }

    /// The number of a Cell, loaded.
    fn load_cell(&mut self, account: Id, key: &CellKey) -> Result<usize> {
        let cells = &self.storage.cells;
        let is_equal =
            |row: usize| cells.get(row).is_some_and(|cell| cell.key == *key && cell.account == account);
        match self.storage.cell_index.find(hash_of_cell(account, key), is_equal) {
            Found::Row(row) => Ok(row),
            Found::Place(place) => {
                let address = self.accounts.get(account)?.address;
                let ledger_account = self.ledger.load(&AccountKey::Cell(address, *key))?;
                let cell = LoadedCell { account, key: *key, ledger_account, first: NONE };
                self.storage.insert_cell(place, cell)
            }
        }
    }

    /// Changes a loaded storage value; the journal keeps what it was.
    pub(super) fn change_slot(&mut self, row: usize, value: &U256) -> Result<()> {
        let checkpoint = self.journal.checkpoint();
        let slot = self.storage.get_mut(row)?;
        if slot.saved_at < checkpoint {
            self.journal.save_slot(row, slot.value, slot.saved_at)?;
            slot.saved_at = checkpoint;
        }
        slot.value = *value;
        Ok(())
    }
}
