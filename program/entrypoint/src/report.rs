//! Reports to clients: event instructions that the program sends to itself.

use crate::account::Account;
use crate::cpi::{self, Argument};
use alloc::vec::Vec;
use parhelion_wire::address::CONFIG_SEED;
use parhelion_wire::{ProgramError, event};

/// Sends a report, in as many event instructions as its length takes. `program` is this program's own account.
///
/// # Errors
/// As [`cpi::invoke`].
pub(crate) fn send(
    config: &Account<'_>,
    config_bump: u8,
    program: &Account<'_>,
    parts: &[&[u8]],
) -> Result<(), ProgramError> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut data = Vec::with_capacity(event::PREFIX + length.min(event::CHUNK_MAX));
    let bump = [config_bump];
    let seeds: [&[u8]; 2] = [CONFIG_SEED, &bump];
    let mut left = length;
    let mut bytes = parts.iter().flat_map(|part| part.chunks(event::CHUNK_MAX));
    let mut pending: &[u8] = &[];
    // Ends: each round takes at least one byte off `left`, or is the only one of an empty report.
    loop {
        data.clear();
        let is_last = left <= event::CHUNK_MAX;
        data.extend_from_slice(&event::instruction_prefix(is_last));
        if is_last && left == length {
            // Nearly every report is so short.
            parts.iter().for_each(|part| data.extend_from_slice(part));
            left = 0;
        } else {
            fill(&mut data, &mut pending, &mut bytes, left.min(event::CHUNK_MAX));
            left = left.saturating_sub(event::CHUNK_MAX);
        }
        let argument = Argument { account: config, is_writable: false, is_signer: true };
        cpi::invoke(program.key(), &[argument], &data, &[&seeds])?;
        if is_last {
            return Ok(());
        }
    }
}

/// Moves `missing` bytes from `pending`, and from what comes behind it, to `data`.
fn fill<'p>(
    data: &mut Vec<u8>,
    pending: &mut &'p [u8],
    bytes: &mut impl Iterator<Item = &'p [u8]>,
    mut missing: usize,
) {
    while missing > 0 {
        if pending.is_empty() {
            *pending = bytes.next().unwrap_or_default();
        }
        let (now, later) = pending.split_at(missing.min(pending.len()));
        data.extend_from_slice(now);
        *pending = later;
        missing -= now.len();
    }
}
