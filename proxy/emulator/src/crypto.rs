//! Cryptography by native libraries.

use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use parhelion_evm::crypto::Crypto;
use parhelion_sdk::address::{keccak256, sha256};
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
}
