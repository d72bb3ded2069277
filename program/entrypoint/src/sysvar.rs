//! Sysvars, read by syscall: no account needs to be listed for them.

use parhelion_wire::ProgramError;
use parhelion_wire::Pubkey;
use solana_define_syscall::definitions::sol_get_sysvar;
use solana_program::sysvar::{clock, rent, slot_hashes};

/// The clock's fields that the EVM needs.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    pub(crate) slot: u64,
    pub(crate) unix_timestamp: i64,
}

/// Reads bytes of a sysvar: 100 CU and the length.
fn read<const N: usize>(sysvar: &Pubkey, offset: u64) -> Result<[u8; N], ProgramError> {
    let mut bytes = [0; N];
    // SAFETY: the syscall reads 32 bytes of address and writes N bytes.
    let status = unsafe { sol_get_sysvar(sysvar.as_ptr(), bytes.as_mut_ptr(), offset, N as u64) };
    if status == 0 { Ok(bytes) } else { Err(ProgramError::InvalidArgument) }
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    let mut value = [0; 8];
    value.copy_from_slice(&bytes[offset..offset + 8]);
    u64::from_le_bytes(value)
}

impl Clock {
    /// Reads the Clock sysvar.
    pub(crate) fn get() -> Result<Self, ProgramError> {
        // slot, epoch start, epoch, leader schedule epoch, unix timestamp
        let bytes: [u8; 40] = read(&clock::ID.to_bytes(), 0)?;
        Ok(Self { slot: u64_at(&bytes, 0), unix_timestamp: u64_at(&bytes, 32) as i64 })
    }
}

/// Lamports of rent exemption for a byte: the Rent sysvar's price times its exemption threshold.
pub(crate) fn rent_per_byte() -> Result<u64, ProgramError> {
    // lamports per byte and year, exemption threshold in years (a 64-bit float)
    let bytes: [u8; 16] = read(&rent::ID.to_bytes(), 0)?;
    scale(u64_at(&bytes, 0), u64_at(&bytes, 8)).ok_or(ProgramError::InvalidArgument)
}

/// `value` times a positive float given by its bits, rounded down. There is no floating point on chain.
fn scale(value: u64, float: u64) -> Option<u64> {
    let exponent = (float >> 52) as i32 - 1023;
    let mantissa = float & ((1 << 52) - 1) | 1 << 52;
    if !(0..=11).contains(&exponent) {
        return None;
    }
    let product = u128::from(value).checked_mul(u128::from(mantissa >> (52 - exponent) as u32))?;
    u64::try_from(product).ok()
}

/// Entries in the SlotHashes sysvar at most.
const SLOT_HASHES_MAX: u64 = 512;
/// Bytes of an entry: slot and hash. In front of them stands their number.
const ENTRY: u64 = 40;

/// The newest entry of the SlotHashes sysvar.
pub(crate) fn newest_slot_hash() -> Result<[u8; 32], ProgramError> {
    read(&slot_hashes::ID.to_bytes(), 8 + 8)
}

/// The hash of a slot, if it is in the SlotHashes sysvar. Entries are sorted, newest first; slots without a block
/// have none.
pub(crate) fn slot_hash(slot: u64) -> Result<Option<[u8; 32]>, ProgramError> {
    let id = slot_hashes::ID.to_bytes();
    let count = u64::from_le_bytes(read(&id, 0)?).min(SLOT_HASHES_MAX);
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = (low + high) / 2;
        let found = u64::from_le_bytes(read(&id, 8 + middle * ENTRY)?);
        if found == slot {
            return read(&id, 8 + middle * ENTRY + 8).map(Some);
        }
        if found > slot {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::scale;

    #[test]
    fn a_threshold_scales_without_floats() {
        assert_eq!(scale(3480, 2f64.to_bits()), Some(6960));
        assert_eq!(scale(5080, 1f64.to_bits()), Some(5080));
        assert_eq!(scale(5080, 0f64.to_bits()), None);
        assert_eq!(scale(5080, (-2f64).to_bits()), None);
        assert_eq!(scale(u64::MAX, 2f64.to_bits()), None);
    }
}
