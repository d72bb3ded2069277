//! A bounded table.

use crate::limits::Limits;
use crate::{ProgramError, Result};
use alloc::vec::Vec;

/// Rows at the start of a table that may grow: most runs need no more, and a large piece takes the allocator long.
const ROWS_FIRST: usize = 32;

/// A vector with a named maximum, allocated in full at the start when it is small.
pub(super) fn new<T>(maximum: usize) -> Vec<T> {
    Vec::with_capacity(if maximum <= Limits::PREALLOCATED_MAX { maximum } else { ROWS_FIRST })
}

/// Adds a row, unless the table is full.
pub(super) fn push<T>(table: &mut Vec<T>, row: T, maximum: usize) -> Result<usize> {
    let number = table.len();
    if number >= maximum {
        return Err(ProgramError::TableLimit);
    }
    table.push(row);
    Ok(number)
}
