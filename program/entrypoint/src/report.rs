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
        let share = left.min(event::CHUNK_MAX);
        left -= share;
        data.extend_from_slice(&event::instruction_prefix(left == 0));
        let mut missing = share;
        while missing > 0 {
            if pending.is_empty() {
                pending = bytes.next().unwrap_or_default();
            }
            let (now, later) = pending.split_at(missing.min(pending.len()));
            data.extend_from_slice(now);
            pending = later;
            missing -= now.len();
        }
        let argument = Argument { account: config, is_writable: false, is_signer: true };
        cpi::invoke(program.key(), &[argument], &data, &[&seeds])?;
        if left == 0 {
            return Ok(());
        }
    }
}
