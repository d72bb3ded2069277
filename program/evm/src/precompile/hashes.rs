//! SHA256 (0x02), RIP160 (0x03) and ID (0x04) (Yellow Paper, appendix E).

use super::Cost;
use crate::crypto::Crypto;
use crate::gas;
use alloc::vec::Vec;
use ripemd::{Digest, Ripemd160};

/// Bytes that RIPEMD-160 hashes at a time.
const RIPEMD_BLOCK: u64 = 64;
/// Compute units of a RIPEMD-160 block: measured, and rounded up.
const RIPEMD_BLOCK_CU: u64 = 4100;

/// The runtime's price is 85 CU and half a CU a byte.
pub(super) fn sha256_cost(input: &[u8]) -> Cost {
    let length = input.len() as u64;
    Cost { gas: 60 + gas::per_word(12, length), compute_units: 300 + length / 2 }
}

/// A block more than the input has, for the padding.
pub(super) fn ripemd160_cost(input: &[u8]) -> Cost {
    let length = input.len() as u64;
    let blocks = length / RIPEMD_BLOCK + 2;
    Cost { gas: 600 + gas::per_word(120, length), compute_units: RIPEMD_BLOCK_CU * blocks }
}

/// The runtime copies 250 bytes a CU.
pub(super) fn identity_cost(input: &[u8]) -> Cost {
    let length = input.len() as u64;
    Cost { gas: 15 + gas::per_word(3, length), compute_units: 200 + length / 250 }
}

/// SHA-256.
pub(super) fn sha256(input: &[u8], crypto: &impl Crypto) -> Vec<u8> {
    crypto.sha256(&[input]).to_vec()
}

/// RIPEMD-160 as a word.
pub(super) fn ripemd160(input: &[u8]) -> Vec<u8> {
    let mut word = [0; 32];
    word[12..].copy_from_slice(&Ripemd160::digest(input));
    word.to_vec()
}
