//! Cryptography by syscalls.

use core::mem::MaybeUninit;
use parhelion_evm::crypto::Crypto;
use solana_define_syscall::definitions::{
    sol_alt_bn128_group_op, sol_curve_decompress, sol_curve_group_op, sol_curve_pairing_map, sol_keccak256,
    sol_secp256k1_recover, sol_sha256,
};

/// Operations of `sol_alt_bn128_group_op` over big-endian numbers (solana-bn254).
mod bn254_operation {
    pub(super) const G1_ADD: u64 = 0;
    pub(super) const G1_MUL: u64 = 2;
    pub(super) const PAIRING: u64 = 3;
}

/// Curves of `sol_curve_*` with big-endian numbers, and the operations on them (SIMD-0388).
mod curve {
    pub(super) const BLS12_381: u64 = 4 | 0x80;
    pub(super) const BLS12_381_G1: u64 = 5 | 0x80;
    pub(super) const BLS12_381_G2: u64 = 6 | 0x80;
    pub(super) const ADD: u64 = 0;
    pub(super) const MUL: u64 = 2;
}

/// The runtime's cryptography.
#[derive(Clone, Copy)]
pub(crate) struct Syscalls;

/// SHA-256 over the concatenation of `parts`: 85 CU and max(10, n/2) a part.
#[inline(always)]
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = MaybeUninit::<[u8; 32]>::uninit();
    // SAFETY: the syscall reads an array of (address, length) pairs, which is how slices are laid out, and writes 32
    // bytes. It cannot fail for valid memory.
    unsafe {
        sol_sha256(parts.as_ptr().cast(), parts.len() as u64, hash.as_mut_ptr().cast());
        hash.assume_init()
    }
}

/// Keccak-256 over the concatenation of `parts`: as [`sha256`].
#[inline(always)]
pub(crate) fn keccak256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = MaybeUninit::<[u8; 32]>::uninit();
    // SAFETY: as in `sha256`.
    unsafe {
        sol_keccak256(parts.as_ptr().cast(), parts.len() as u64, hash.as_mut_ptr().cast());
        hash.assume_init()
    }
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

    fn bls12_381_g1_add(&self, a: &[u8; 96], b: &[u8; 96]) -> Option<[u8; 96]> {
        // SAFETY: addition in G1 reads two points of 96 bytes.
        unsafe { group_operation(curve::BLS12_381_G1, curve::ADD, a, b) }
    }

    fn bls12_381_g1_mul(&self, point: &[u8; 96], scalar: &[u8; 32]) -> Option<[u8; 96]> {
        // SAFETY: multiplication in G1 reads a number of 32 bytes and a point of 96.
        unsafe { group_operation(curve::BLS12_381_G1, curve::MUL, scalar, point) }
    }

    fn bls12_381_g2_add(&self, a: &[u8; 192], b: &[u8; 192]) -> Option<[u8; 192]> {
        // SAFETY: addition in G2 reads two points of 192 bytes.
        unsafe { group_operation(curve::BLS12_381_G2, curve::ADD, a, b) }
    }

    fn bls12_381_g2_mul(&self, point: &[u8; 192], scalar: &[u8; 32]) -> Option<[u8; 192]> {
        // SAFETY: multiplication in G2 reads a number of 32 bytes and a point of 192.
        unsafe { group_operation(curve::BLS12_381_G2, curve::MUL, scalar, point) }
    }

    fn bls12_381_g1_decompress(&self, point: &[u8; 48]) -> Option<[u8; 96]> {
        let mut output = [0; 96];
        // SAFETY: the syscall reads 48 bytes and writes 96.
        let status =
            unsafe { sol_curve_decompress(curve::BLS12_381_G1, point.as_ptr(), output.as_mut_ptr()) };
        (status == 0).then_some(output)
    }

    fn bls12_381_pairing(&self, g1: &[[u8; 96]], g2: &[[u8; 192]]) -> Option<[u8; 576]> {
        let mut output = [0; 576];
        let pairs = g1.len().min(g2.len()) as u64;
        // SAFETY: the syscall reads as many points of 96 and of 192 bytes as it is told, and writes 576 bytes.
        let status = unsafe {
            sol_curve_pairing_map(
                curve::BLS12_381,
                pairs,
                g1.as_ptr().cast(),
                g2.as_ptr().cast(),
                output.as_mut_ptr(),
            )
        };
        (status == 0).then_some(output)
    }
}

/// An operation in the group of `curve` whose points have `N` bytes.
///
/// # Safety
/// `L` and `R` are at least what `operation` reads, and `N` is what it writes.
unsafe fn group_operation<const L: usize, const R: usize, const N: usize>(
    curve: u64,
    operation: u64,
    left: &[u8; L],
    right: &[u8; R],
) -> Option<[u8; N]> {
    let mut output = [0; N];
    // SAFETY: this function's contract.
    let status =
        unsafe { sol_curve_group_op(curve, operation, left.as_ptr(), right.as_ptr(), output.as_mut_ptr()) };
    (status == 0).then_some(output)
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
