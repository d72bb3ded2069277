//! Cryptography by native libraries.

use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use parhelion_evm::crypto::Crypto;
use parhelion_sdk::address::{keccak256, sha256};
use solana_bls12_381_syscall::{
    Endianness::BE, PodG1Compressed, PodG1Point, PodG2Point, PodScalar, Version::V0,
    bls12_381_g1_addition_unchecked, bls12_381_g1_decompress, bls12_381_g1_multiplication,
    bls12_381_g2_addition_unchecked, bls12_381_g2_multiplication, bls12_381_pairing_map,
};
use solana_bn254::prelude::{alt_bn128_g1_addition_be, alt_bn128_g1_multiplication_be, alt_bn128_pairing_be};

/// Native cryptography: the emulator's counterpart of the syscalls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native;

impl Crypto for Native {
    fn keccak256(&self, parts: &[&[u8]]) -> [u8; 32] {
        keccak256(parts)
    }

    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        sha256(parts)
    }

    fn secp256k1_recover(&self, hash: &[u8; 32], recovery_id: u8, r_s: &[u8; 64]) -> Option<[u8; 64]> {
        let mut signature = Signature::from_slice(r_s).ok()?;
        let mut recovery_id = recovery_id;
        // The library takes s in the lower half only; the other half is the same point mirrored.
        if let Some(normalized) = signature.normalize_s() {
            signature = normalized;
            recovery_id ^= 1;
        }
        let recovery_id = RecoveryId::from_byte(recovery_id)?;
        let key = VerifyingKey::recover_from_prehash(hash, &signature, recovery_id).ok()?;
        key.to_encoded_point(false).as_bytes().get(1..)?.try_into().ok()
    }

    fn bn254_add(&self, points: &[u8; 128]) -> Option<[u8; 64]> {
        alt_bn128_g1_addition_be(points).ok()?.try_into().ok()
    }

    fn bn254_mul(&self, factors: &[u8; 96]) -> Option<[u8; 64]> {
        alt_bn128_g1_multiplication_be(factors).ok()?.try_into().ok()
    }

    fn bn254_pairing(&self, pairs: &[u8]) -> Option<bool> {
        alt_bn128_pairing_be(pairs).ok().map(|word| word.last() == Some(&1))
    }

    fn bls12_381_g1_add(&self, a: &[u8; 96], b: &[u8; 96]) -> Option<[u8; 96]> {
        bls12_381_g1_addition_unchecked(V0, &PodG1Point(*a), &PodG1Point(*b), BE).map(|point| point.0)
    }

    fn bls12_381_g1_mul(&self, point: &[u8; 96], scalar: &[u8; 32]) -> Option<[u8; 96]> {
        bls12_381_g1_multiplication(V0, &PodG1Point(*point), &PodScalar(*scalar), BE).map(|point| point.0)
    }

    fn bls12_381_g2_add(&self, a: &[u8; 192], b: &[u8; 192]) -> Option<[u8; 192]> {
        bls12_381_g2_addition_unchecked(V0, &PodG2Point(*a), &PodG2Point(*b), BE).map(|point| point.0)
    }

    fn bls12_381_g2_mul(&self, point: &[u8; 192], scalar: &[u8; 32]) -> Option<[u8; 192]> {
        bls12_381_g2_multiplication(V0, &PodG2Point(*point), &PodScalar(*scalar), BE).map(|point| point.0)
    }

    fn bls12_381_g1_decompress(&self, point: &[u8; 48]) -> Option<[u8; 96]> {
        bls12_381_g1_decompress(V0, &PodG1Compressed(*point), BE).map(|point| point.0)
    }

    fn bls12_381_pairing(&self, g1: &[[u8; 96]], g2: &[[u8; 192]]) -> Option<[u8; 576]> {
        let g1: Vec<_> = g1.iter().copied().map(PodG1Point).collect();
        let g2: Vec<_> = g2.iter().copied().map(PodG2Point).collect();
        bls12_381_pairing_map(V0, &g1, &g2, BE).map(|value| value.0)
    }
}
