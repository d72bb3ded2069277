//! What the program stores: one file per kind of account.
//!
//! Every account of the program begins with a [`Header`]. The structures here are views onto account data: all
//! fields are byte arrays, so that alignment is 1, there is no padding, and a view is a checked cast. Integers are
//! little-endian; 256-bit integers too, because the interpreter's stack holds little-endian limbs.

mod balance;
mod cell;
mod code;
mod config;
mod contract;
mod header;
mod holder;
mod lock;
mod run;
mod translation;
mod vault;

pub use balance::Balance;
pub use cell::{Cell, CellMut};
pub use code::{Code, CodePrefix, CodeReservation};
pub use config::Config;
pub use contract::Contract;
pub use header::{Header, Kind, Layout};
pub use holder::{Holder, HolderPrefix};
pub use lock::Lock;
pub use run::{Run, RunParts};
pub use translation::{Translation, TranslationPrefix, TranslationStage};
pub use vault::Vault;

use crate::error::ProgramError;
use primitive_types::U256;

/// Bytes that Solana adds to an account's data when it computes the rent exemption.
pub const ACCOUNT_STORAGE_OVERHEAD: u64 = 128;

/// Bytes by which an account may grow in one instruction.
pub const GROWTH_MAX: usize = 10_240;

/// Reads a 256-bit integer of 32 little-endian bytes.
#[inline(always)]
#[must_use]
pub fn read_u256(bytes: &[u8; 32]) -> U256 {
    let limb = |index: usize| {
        let mut limb = [0; 8];
        limb.copy_from_slice(&bytes[index * 8..index * 8 + 8]);
        u64::from_le_bytes(limb)
    };
    U256([limb(0), limb(1), limb(2), limb(3)])
}

/// Writes a 256-bit integer as 32 little-endian bytes.
#[inline(always)]
pub fn write_u256(bytes: &mut [u8; 32], value: &U256) {
    for (chunk, limb) in bytes.chunks_exact_mut(8).zip(value.0) {
        chunk.copy_from_slice(&limb.to_le_bytes());
    }
}

/// Splits `data` into a fixed prefix and the rest, after checking the prefix's kind and version.
fn split_prefix<T: Layout>(data: &[u8]) -> Result<(&T, &[u8]), ProgramError> {
    let (prefix, rest) = data.split_at_checked(size_of::<T>()).ok_or(ProgramError::WrongLength)?;
    Ok((T::view(prefix)?, rest))
}

/// [`split_prefix`] for writing.
fn split_prefix_mut<T: Layout>(data: &mut [u8]) -> Result<(&mut T, &mut [u8]), ProgramError> {
    let (prefix, rest) = data.split_at_mut_checked(size_of::<T>()).ok_or(ProgramError::WrongLength)?;
    Ok((T::view_mut(prefix)?, rest))
}
