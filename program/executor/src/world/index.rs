//! A hash index over a table: open addressing, fixed size.

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

    /// An index for a table of up to `rows_max` rows.
    pub(super) fn new(rows_max: usize) -> Self {
        let places = rows_max.saturating_mul(2).next_power_of_two().min(Self::PLACES_MAX);
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
        let mut place = (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize & mask;
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

    /// Notes a new row at a place that [`Self::find`] gave.
    pub(super) fn insert(&mut self, place: usize, row: usize) {
        if let Some(target) = self.places.get_mut(place) {
            *target = row.wrapping_add(1) as u32;
        }
    }
}

/// What [`Index::find`] found.
pub(super) enum Found {
    /// The row.
    Row(usize),
    /// No row; a new one's number goes here.
    Place(usize),
}
