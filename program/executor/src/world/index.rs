//! A hash index over a table: open addressing; it doubles when half of it is taken.

use alloc::vec::Vec;

/// Positions in a table, found by a hash of the row's key.
///
/// The table keeps the keys; the index stores row numbers. A caller may choose keys that collide, which makes its
/// own transaction slower and nothing else.
#[derive(Debug)]
pub(super) struct Index {
    /// Row number + 1, or 0 for a free place; a power of two of them, at most half taken.
    places: Vec<u32>,
}

impl Index {
    /// As many as there are bits of the hash.
    const PLACES_MAX: usize = 1 << 24;

    /// Places at the start. On chain no index has more, and off chain few runs need more: zeroing takes time.
    const PLACES_FIRST: usize = 1024;

    /// An index for a table of up to `rows_max` rows.
    pub(super) fn new(rows_max: usize) -> Self {
        let places = rows_max.saturating_mul(2).next_power_of_two().min(Self::PLACES_FIRST);
        Self { places: alloc::vec![0; places] }
    }

    /// The index of a table that is not allocated yet: it finds no row, and takes none.
    pub(super) const fn unallocated() -> Self {
        Self { places: Vec::new() }
    }

    /// Finds the row with a key, or the free place where a new row's number goes.
    #[inline(always)]
    pub(super) fn find(&self, hash: u64, is_equal: impl Fn(usize) -> bool) -> Found {
        // The number of places is a power of two, or zero.
        let mask = self.places.len().wrapping_sub(1);
        let mut place = first_place(hash) & mask;
        // Ends at a free place: at most half of them are taken.
        loop {
            match self.places.get(place).copied() {
                None | Some(0) => return Found::Place(place),
                Some(number) => {
                    let row = (number as usize).wrapping_sub(1);
                    if is_equal(row) {
                        return Found::Row(row);
                    }
                }
            }
            place = place.wrapping_add(1) & mask;
        }
    }

    /// Notes a new row, the table's last, at a place that [`Self::find`] gave.
    #[inline(always)]
    pub(super) fn insert(&mut self, place: usize, row: usize, hash_of: impl Fn(usize) -> u64) {
        if row.wrapping_mul(2) >= self.places.len() && self.places.len() < Self::PLACES_MAX {
            return self.grow(row, hash_of);
        }
        if let Some(target) = self.places.get_mut(place) {
            *target = row.wrapping_add(1) as u32;
        }
    }

    /// Doubles the places, for the rows up to `last`.
    #[cold]
    fn grow(&mut self, last: usize, hash_of: impl Fn(usize) -> u64) {
        let places = self.places.len().saturating_mul(2).max(2);
        let mask = places.wrapping_sub(1);
        self.places = alloc::vec![0; places];
        for row in 0..=last {
            let mut place = first_place(hash_of(row)) & mask;
            // Ends at a free place: fewer than half of them are taken.
            while self.places.get(place).is_some_and(|taken| *taken != 0) {
                place = place.wrapping_add(1) & mask;
            }
            if let Some(target) = self.places.get_mut(place) {
                *target = row.wrapping_add(1) as u32;
            }
        }
    }
}

/// Where a hash's places begin, before the mask: 24 bits.
#[inline(always)]
const fn first_place(hash: u64) -> usize {
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize
}

/// What [`Index::find`] found.
pub(super) enum Found {
    /// The row.
    Row(usize),
    /// No row; a new one's number goes here.
    Place(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_while_the_index_grows() {
        let key = |row: usize| (row as u64).wrapping_mul(0x1_0001) << 20;
        let mut index = Index::new(1 << 20);
        for row in 0..20_000 {
            let Found::Place(place) = index.find(key(row), |other| key(other) == key(row)) else {
                panic!("row {row} is not there yet");
            };
            index.insert(place, row, key);
        }
        for row in 0..20_000 {
            assert!(
                matches!(index.find(key(row), |other| key(other) == key(row)), Found::Row(found) if found == row)
            );
        }
        assert!(matches!(index.find(7, |_| false), Found::Place(_)));
    }
}
