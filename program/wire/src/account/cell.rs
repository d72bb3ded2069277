//! Neighbouring storage values of a contract.

use super::header::{Header, Layout, layout};
use super::{read_u256, split_prefix, split_prefix_mut, write_u256};
use crate::error::ProgramError;
use bytemuck::{Pod, Zeroable};
use primitive_types::U256;

/// Bytes of one entry: a value and its index.
const ENTRY: usize = 33;

/// The fixed part of a [`Cell`] account.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct CellPrefix {
    header: Header,
}

layout!(CellPrefix, Cell, 8);

/// A view of a Cell: up to 256 storage values whose storage keys differ in the last byte only.
///
/// ```text
///  0        8                    8+32n          8+33n
///  ├ header ┼ n values, ascending ┼ n indices, ascending ┤
/// ```
///
/// An index is the last byte of a storage key; the other 31 bytes and the contract are in the account's address.
/// Solidity lays state variables out from key 0 on, so they share one Cell, while each entry of a mapping or a
/// dynamic array begins at a hash and so in a Cell of its own. A value that becomes zero keeps its entry; when all
/// are zero, the account is closed.
#[derive(Clone, Copy, Debug)]
pub struct Cell<'a> {
    header: &'a Header,
    values: &'a [u8],
    indices: &'a [u8],
}

impl<'a> Cell<'a> {
    /// The account's length with `entries` values.
    #[must_use]
    pub const fn account_length(entries: usize) -> usize {
        size_of::<CellPrefix>() + ENTRY * entries
    }

    /// A checked view.
    ///
    /// # Errors
    /// [`ProgramError::WrongLength`], [`ProgramError::WrongKind`] or [`ProgramError::WrongVersion`].
    pub fn view(data: &'a [u8]) -> Result<Self, ProgramError> {
        let (prefix, tail) = split_prefix::<CellPrefix>(data)?;
        let entries = entries_of(tail)?;
        let (values, indices) = tail.split_at(entries * 32);
        Ok(Self { header: &prefix.header, values, indices })
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &'a Header {
        self.header
    }

    /// How many values have an entry.
    #[must_use]
    pub const fn entries(&self) -> usize {
        self.indices.len()
    }

    /// The value at `index`, zero when there is no entry.
    #[must_use]
    pub fn get(&self, index: u8) -> U256 {
        match self.indices.binary_search(&index) {
            Ok(position) => self.value(position),
            Err(_) => U256::zero(),
        }
    }

    /// Whether `index` has an entry (its value may be zero).
    #[must_use]
    pub fn has_entry(&self, index: u8) -> bool {
        self.indices.binary_search(&index).is_ok()
    }

    /// Index and value of every entry, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u8, U256)> + 'a {
        let this = *self;
        this.indices.iter().enumerate().map(move |(position, &index)| (index, this.value(position)))
    }

    /// Whether every value is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.values.iter().all(|&byte| byte == 0)
    }

    fn value(&self, position: usize) -> U256 {
        let mut bytes = [0; 32];
        if let Some(value) = self.values.get(position * 32..position * 32 + 32) {
            bytes.copy_from_slice(value);
        }
        read_u256(&bytes)
    }
}

/// Writes to a Cell whose account has its final length already.
#[derive(Debug)]
pub struct CellMut<'a> {
    header: &'a mut Header,
    tail: &'a mut [u8],
    entries: usize,
}

impl<'a> CellMut<'a> {
    /// Begins a new Cell in zeroed bytes; all of `data`'s room is for entries to come.
    ///
    /// # Errors
    /// [`ProgramError::WrongLength`].
    pub fn create(data: &'a mut [u8], slot: u64) -> Result<Self, ProgramError> {
        CellPrefix::create(data, slot)?;
        let (prefix, tail) = split_prefix_mut::<CellPrefix>(data)?;
        entries_of(tail)?;
        Ok(Self { header: &mut prefix.header, tail, entries: 0 })
    }

    /// Goes on with a Cell that has `entries` entries and whose account has grown for more.
    ///
    /// # Errors
    /// [`ProgramError::WrongLength`], [`ProgramError::WrongKind`] or [`ProgramError::WrongVersion`].
    pub fn grown(data: &'a mut [u8], entries: usize, slot: u64) -> Result<Self, ProgramError> {
        let (prefix, tail) = split_prefix_mut::<CellPrefix>(data)?;
        if entries > entries_of(tail)? {
            return Err(ProgramError::WrongLength);
        }
        prefix.header.touch(slot);
        Ok(Self { header: &mut prefix.header, tail, entries })
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        self.header
    }

    /// Whether `index` has an entry.
    #[must_use]
    pub fn has_entry(&self, index: u8) -> bool {
        self.tail[self.entries * 32..self.entries * ENTRY].binary_search(&index).is_ok()
    }

    /// Sets the value at `index`, with a new entry if it has none.
    ///
    /// While entries are fewer than the account has room for, the indices stand directly behind the values, and
    /// the free bytes behind the indices.
    ///
    /// # Errors
    /// [`ProgramError::WrongLength`] when a new entry is needed and there is no room.
    pub fn set(&mut self, index: u8, value: &U256) -> Result<(), ProgramError> {
        let indices = &self.tail[self.entries * 32..self.entries * ENTRY];
        let position = match indices.binary_search(&index) {
            Ok(position) => position,
            Err(position) => {
                self.insert(position, index)?;
                position
            }
        };
        let target = self.tail.get_mut(position * 32..position * 32 + 32).ok_or(ProgramError::WrongLength)?;
        let target: &mut [u8; 32] = target.try_into().map_err(|_| ProgramError::WrongLength)?;
        write_u256(target, value);
        Ok(())
    }

    /// Makes room for a value and an index at `position`.
    fn insert(&mut self, position: usize, index: u8) -> Result<(), ProgramError> {
        let entries = self.entries;
        if (entries + 1) * ENTRY > self.tail.len() {
            return Err(ProgramError::WrongLength);
        }
        // The indices move by a value and, behind the new one, by an index more; then the later values move.
        self.tail.copy_within(entries * 32 + position..entries * ENTRY, (entries + 1) * 32 + position + 1);
        self.tail.copy_within(entries * 32..entries * 32 + position, (entries + 1) * 32);
        self.tail[(entries + 1) * 32 + position] = index;
        self.tail.copy_within(position * 32..entries * 32, position * 32 + 32);
        self.entries = entries + 1;
        Ok(())
    }
}

/// How many entries fit exactly.
fn entries_of(tail: &[u8]) -> Result<usize, ProgramError> {
    if !tail.len().is_multiple_of(ENTRY) || tail.len() > 256 * ENTRY {
        return Err(ProgramError::WrongLength);
    }
    Ok(tail.len() / ENTRY)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::vec;

    proptest! {
        #[test]
        fn behaves_like_a_sorted_map(writes in proptest::collection::vec((any::<u8>(), any::<u64>()), 1..300)) {
            let model: BTreeMap<u8, U256> = writes.iter().map(|&(i, v)| (i, U256::from(v))).collect();
            let mut data = vec![0; Cell::account_length(model.len())];
            let mut cell = CellMut::create(&mut data, 3).expect("fits");
            for &(index, value) in &writes {
                cell.set(index, &U256::from(value)).expect("room");
            }
            let view = Cell::view(&data).expect("valid");
            prop_assert_eq!(view.iter().collect::<BTreeMap<_, _>>(), model.clone());
            for index in 0..=255 {
                prop_assert_eq!(view.get(index), model.get(&index).copied().unwrap_or_default());
                prop_assert_eq!(view.has_entry(index), model.contains_key(&index));
            }
        }
    }

    #[test]
    fn grows_in_place_and_refuses_without_room() {
        let mut data = vec![0; Cell::account_length(1)];
        CellMut::create(&mut data, 3).expect("fits").set(7, &U256::one()).expect("room");
        data.resize(Cell::account_length(2), 0);
        let mut cell = CellMut::grown(&mut data, 1, 4).expect("valid");
        cell.set(3, &U256::from(2)).expect("room");
        assert_eq!(cell.set(4, &U256::one()), Err(ProgramError::WrongLength));
        let view = Cell::view(&data).expect("valid");
        assert_eq!((view.get(3), view.get(7), view.header().revision()), (U256::from(2), U256::one(), 4));
        assert_eq!(Cell::view(&data[..40]).err(), Some(ProgramError::WrongLength));
    }
}
