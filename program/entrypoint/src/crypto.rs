//! Cryptography by syscalls.

use parhelion_evm::crypto::Crypto;
use solana_define_syscall::definitions::{
    sol_alt_bn128_group_op, sol_keccak256, sol_secp256k1_recover, sol_sha256,
};

/// Operations of `sol_alt_bn128_group_op` over big-endian numbers (solana-bn254).
mod bn254_operation {
    pub(super) const G1_ADD: u64 = 0;
    pub(super) const G1_MUL: u64 = 2;
    pub(super) const PAIRING: u64 = 3;
}

/// The runtime's cryptography.
#[derive(Clone, Copy)]
pub(crate) struct Syscalls;

/// SHA-256 over the concatenation of `parts`: 85 CU and max(10, n/2) a part.
#[inline(always)]
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = [0; 32];
    // SAFETY: the syscall reads an array of (address, length) pairs, which is how slices are laid out, and writes 32
    // bytes. It cannot fail for valid memory.
    unsafe { sol_sha256(parts.as_ptr().cast(), parts.len() as u64, hash.as_mut_ptr()) };
    hash
}

/// Keccak-256 over the concatenation of `parts`: as [`sha256`].
#[inline(always)]
pub(crate) fn keccak256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = [0; 32];
    // SAFETY: as in `sha256`.
    unsafe { sol_keccak256(parts.as_ptr().cast(), parts.len() as u64, hash.as_mut_ptr()) };
    hash
}

impl Crypto for Syscalls {
    fn keccak256(&self, parts: &[&[u8]]) -> [u8; 32] {
        keccak256(parts)
    }

    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        sha256(parts)
    }

    fn secp256k1_recover(&self, hash: &[u8; 32], recovery_id: u8, r_s: &[u8; 64]) -> Option<[u8; 64]> {
        let mut key = [0; 64];
        // SAFETY: the syscall reads 32 and 64 bytes and writes 64.
        let status = unsafe {
            sol_secp256k1_recover(hash.as_ptr(), u64::from(recovery_id), r_s.as_ptr(), key.as_mut_ptr())
        };
        (status == 0).then_some(key)
    }

    fn bn254_add(&self, points: &[u8; 128]) -> Option<[u8; 64]> {
        bn254(bn254_operation::G1_ADD, points)
    }

    fn bn254_mul(&self, factors: &[u8; 96]) -> Option<[u8; 64]> {
        bn254(bn254_operation::G1_MUL, factors)
    }

    fn bn254_pairing(&self, pairs: &[u8]) -> Option<bool> {
        bn254(bn254_operation::PAIRING, pairs).map(|word: [u8; 32]| word[31] == 1)
    }
}

/// An operation whose result has `N` bytes: 64 for a point of G1, 32 for a pairing.
fn bn254<const N: usize>(operation: u64, input: &[u8]) -> Option<[u8; N]> {
    let mut output = [0; N];
    // SAFETY: the syscall reads as many bytes as it is told, and writes a point of 64 bytes or a word of 32, which
    // `N` is for the operations above.
    let status =
        unsafe { sol_alt_bn128_group_op(operation, input.as_ptr(), input.len() as u64, output.as_mut_ptr()) };
    (status == 0).then_some(output)
}
