//! Where accounts live.
//!
//! Two addresses are program-derived with a bump seed, Config and Vault: the program signs as Config, and Config
//! stores both bumps. Everything else is derived *with a seed* (the System program's `create_account_with_seed`):
//!
//! ```text
//! address = SHA-256(base ‖ seed ‖ program id)
//! ```
//!
//! `base` is the Config address (only the program can sign for it, so only the program can create these accounts),
//! for holders the operator's key. Unlike a program-derived address this needs no search for a bump: a key has one
//! address, found with one hash (133 CU), so a second account for the same key cannot exist.
//!
//! A seed is at most 32 bytes of UTF-8, so keys are packed into 7-bit bytes. The kinds cannot collide, because
//! their seeds differ in length or in the first byte:
//!
//! | account | seed | bytes |
//! |---|---|---|
//! | Balance | `b` and the address, packed | 24 |
//! | Contract | `c` and the address, packed | 24 |
//! | Code | `k` and the first 30 bytes of the code hash, top bits cleared | 31 |
//! | Translation | `t`, the format's version, and the first 29 bytes of the code hash, top bits cleared | 31 |
//! | Cell | SHA-256(contract address ‖ first 31 bytes of the storage key), top bits cleared | 32 |
//! | Holder | `holder` and the index in decimal | 7 to 16 |
//!
//! Clearing the top bits leaves 224 bits of a Cell's hash: finding two keys with one Cell takes 2^112 hashes. A
//! Code account repeats the whole code hash and is compared with it.

use crate::{Hash, Pubkey};
use primitive_types::{H160, H256, U256};

/// Seed of the Config address.
pub const CONFIG_SEED: &[u8] = b"config";
/// Seed of the Vault address.
pub const VAULT_SEED: &[u8] = b"vault";
/// The longest seed that Solana allows.
pub const SEED_MAX: usize = 32;

/// The top bit of each of eight bytes.
const TOP_BITS: u64 = 0x8080_8080_8080_8080;

/// The upper 31 bytes of a storage key, shared by the values of a Cell.
pub type CellKey = [u8; 31];

/// Splits a storage key into its Cell's key and the index in the Cell.
#[inline(always)]
#[must_use]
pub fn split_storage_key(key: &U256) -> (CellKey, u8) {
    let bytes = crate::number::to_be_bytes(key);
    let mut cell = [0; 31];
    cell.copy_from_slice(&bytes[..31]);
    (cell, bytes[31])
}

/// An account, named by what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountKey {
    /// The [`crate::account::Balance`] of an address.
    Balance(H160),
    /// The [`crate::account::Contract`] of an address.
    Contract(H160),
    /// The [`crate::account::Code`] with a hash.
    Code(H256),
    /// The [`crate::account::Translation`] of the code with a hash, in a version of the format below 128.
    Translation(H256, u8),
    /// The [`crate::account::Cell`] of a contract with these upper 31 bytes of the storage key.
    Cell(H160, CellKey),
    /// The [`crate::account::Vault`].
    Vault,
    /// Any Solana account, as the payee of a withdrawal.
    External(Pubkey),
}

/// The addresses of one deployment of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The program's own address.
    pub program_id: Pubkey,
    /// The Config address.
    pub config: Pubkey,
    /// The Vault address.
    pub vault: Pubkey,
}

impl Deployment {
    /// The address of `key`'s account.
    #[must_use]
    #[inline]
    pub fn address(&self, key: &AccountKey, sha256: impl Hash) -> Pubkey {
        match key {
            AccountKey::Vault => self.vault,
            AccountKey::External(address) => *address,
            _ => {
                let seed = Seed::of(key, &sha256);
                with_seed(&self.config, seed.as_bytes(), &self.program_id, sha256)
            }
        }
    }
}

/// The address derived from `base` with `seed`, for accounts owned by `owner`.
#[must_use]
#[inline]
pub fn with_seed(base: &Pubkey, seed: &[u8], owner: &Pubkey, sha256: impl Hash) -> Pubkey {
    sha256(&[base, seed, owner])
}

/// A seed, in a buffer of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed {
    bytes: [u8; SEED_MAX],
    length: u8,
}

impl Seed {
    /// The seed of `key`'s account; empty for accounts that are not derived from Config.
    #[must_use]
    #[inline]
    pub fn of(key: &AccountKey, sha256: impl Hash) -> Self {
        match key {
            AccountKey::Balance(address) => Self::of_address(b'b', address),
            AccountKey::Contract(address) => Self::of_address(b'c', address),
            AccountKey::Code(hash) => {
                let mut bytes = clear_top_bits(&hash.0);
                bytes.copy_within(0..30, 1);
                bytes[0] = b'k';
                bytes[31] = 0;
                Self { bytes, length: 31 }
            }
            AccountKey::Translation(hash, format) => {
                let mut bytes = clear_top_bits(&hash.0);
                bytes.copy_within(0..29, 2);
                (bytes[0], bytes[1], bytes[31]) = (b't', format & 0x7f, 0);
                Self { bytes, length: 31 }
            }
            AccountKey::Cell(address, cell) => {
                Self { bytes: clear_top_bits(&sha256(&[&address.0, cell])), length: 32 }
            }
            AccountKey::Vault | AccountKey::External(_) => Self { bytes: [0; SEED_MAX], length: 0 },
        }
    }

    /// The seed of an operator's holder.
    #[must_use]
    pub fn of_holder(index: u32) -> Self {
        let mut digits = [0u8; 10];
        let mut rest = index;
        let mut count = 0;
        loop {
            digits[count] = b'0' + (rest % 10) as u8;
            count += 1;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        let mut bytes = [0; SEED_MAX];
        bytes[..6].copy_from_slice(b"holder");
        for (target, &digit) in bytes[6..].iter_mut().zip(digits[..count].iter().rev()) {
            *target = digit;
        }
        Self { bytes, length: 6 + count as u8 }
    }

    /// `tag`, the address's bytes without their top bits, and the twenty top bits in three bytes more.
    #[inline(always)]
    fn of_address(tag: u8, address: &H160) -> Self {
        let mut bytes = [0; SEED_MAX];
        bytes[0] = tag;
        let mut top_bits = 0u64;
        for (index, range) in [(0, 0..8), (1, 8..16), (2, 16..20)] {
            let length = range.end - range.start;
            let mut low = [0; 8];
            low[..length].copy_from_slice(&address.0[range.clone()]);
            let word = u64::from_le_bytes(low);
            bytes[1 + range.start..1 + range.end]
                .copy_from_slice(&(word & !TOP_BITS).to_le_bytes()[..length]);
            // Gathers the eight top bits into one byte: each partial product lands in a bit position of its own.
            let gathered = ((word & TOP_BITS) >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            top_bits |= gathered << (8 * index);
        }
        bytes[21] = (top_bits & 0x7f) as u8;
        bytes[22] = (top_bits >> 7 & 0x7f) as u8;
        bytes[23] = (top_bits >> 14 & 0x7f) as u8;
        Self { bytes, length: 24 }
    }

    /// The seed's bytes: ASCII, at most 32.
    #[must_use]
    #[inline(always)]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length.min(SEED_MAX as u8))]
    }

    /// The seed as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

/// Makes 32 ASCII bytes out of a hash, eight at a time.
#[inline(always)]
fn clear_top_bits(hash: &[u8; 32]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (target, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(hash.as_chunks::<8>().0) {
        *target = (u64::from_le_bytes(*word) & !TOP_BITS).to_le_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use sha2::Digest;
    use std::collections::BTreeSet;

    fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = sha2::Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        hasher.finalize().into()
    }

    proptest! {
        #[test]
        fn every_seed_is_ascii_and_of_its_length(address: [u8; 20], hash: [u8; 32], cell: [u8; 31]) {
            let address = H160(address);
            for (key, length) in [
                (AccountKey::Balance(address), 24),
                (AccountKey::Contract(address), 24),
                (AccountKey::Code(H256(hash)), 31),
                (AccountKey::Translation(H256(hash), 1), 31),
                (AccountKey::Cell(address, cell), 32),
            ] {
                let seed = Seed::of(&key, sha256);
                prop_assert!(seed.as_bytes().is_ascii());
                prop_assert_eq!(seed.as_str().len(), length);
            }
        }

        #[test]
        fn an_address_packs_without_loss(address: [u8; 20]) {
            let seed = Seed::of(&AccountKey::Balance(H160(address)), sha256);
            let bytes = seed.as_bytes();
            let top = u32::from(bytes[21]) | u32::from(bytes[22]) << 7 | u32::from(bytes[23]) << 14;
            let unpacked: [u8; 20] =
                core::array::from_fn(|i| bytes[1 + i] | ((top >> top_bit_position(i) & 1) as u8) << 7);
            prop_assert_eq!(unpacked, address);
        }
    }

    /// Where the gathering multiplication puts the top bit of byte `i`.
    fn top_bit_position(i: usize) -> usize {
        let lone = Seed::of(
            &AccountKey::Balance(H160(core::array::from_fn(|j| if i == j { 0x80 } else { 0 }))),
            sha256,
        );
        let bytes = lone.as_bytes();
        let top = u32::from(bytes[21]) | u32::from(bytes[22]) << 7 | u32::from(bytes[23]) << 14;
        assert_eq!(top.count_ones(), 1, "byte {i}");
        top.trailing_zeros() as usize
    }

    #[test]
    fn top_bits_have_distinct_places() {
        let places: BTreeSet<_> = (0..20).map(top_bit_position).collect();
        assert_eq!(places.len(), 20);
    }

    #[test]
    fn addresses_agree_with_the_solana_sdk() {
        let deployment = Deployment { program_id: [1; 32], config: [2; 32], vault: [3; 32] };
        let key = AccountKey::Balance(H160([0x41; 20]));
        let expected = sha256(&[&[2; 32], b"bAAAAAAAAAAAAAAAAAAAA\0\0\0", &[1; 32]]);
        assert_eq!(deployment.address(&key, sha256), expected);
        assert_eq!(deployment.address(&AccountKey::Vault, sha256), [3; 32]);
        assert_eq!(Seed::of_holder(0).as_str(), "holder0");
        assert_eq!(Seed::of_holder(u32::MAX).as_str(), "holder4294967295");
    }
}
