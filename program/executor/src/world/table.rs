//! A bounded table.

use crate::limits::Limits;
use crate::{ProgramError, Result};
use alloc::vec::Vec;

/// A vector with a named maximum, allocated in full at the start when it is small.
pub(super) fn new<T>(maximum: usize) -> Vec<T> {
    Vec::with_capacity(maximum.min(Limits::PREALLOCATED_MAX))
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
