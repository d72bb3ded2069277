//! Cryptography by native libraries.

use parhelion_evm::crypto::Crypto;
use parhelion_sdk::address::{keccak256, sha256};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, SECP256K1};
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
        let recovery_id = RecoveryId::try_from(i32::from(recovery_id)).ok()?;
        let signature = RecoverableSignature::from_compact(r_s, recovery_id).ok()?;
        let key = SECP256K1.recover_ecdsa(&Message::from_digest(*hash), &signature).ok()?;
        key.serialize_uncompressed().get(1..)?.try_into().ok()
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::array::uniform32;
    use proptest::prelude::*;

    /// The order of the group, and the prime of the field: big-endian.
    const ORDER: [u8; 32] =
        alloy_primitives::hex!("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    const PRIME: [u8; 32] =
        alloy_primitives::hex!("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f");

    /// What the syscall of agave 4.2.2 does.
    fn by_syscall(hash: &[u8; 32], recovery_id: u8, r_s: &[u8; 64]) -> Option<[u8; 64]> {
        let message = libsecp256k1::Message::parse_slice(hash).ok()?;
        let recovery_id = libsecp256k1::RecoveryId::parse(recovery_id).ok()?;
        let signature = libsecp256k1::Signature::parse_standard_slice(r_s).ok()?;
        let key = libsecp256k1::recover(&message, &signature, &recovery_id).ok()?;
        key.serialize().get(1..)?.try_into().ok()
    }

    /// Numbers of 256 bits, many of them at bounds.
    fn number() -> impl Strategy<Value = [u8; 32]> {
        let near = |number: [u8; 32], offset: i8| {
            let number = alloy_primitives::U256::from_be_bytes(number);
            let offset = alloy_primitives::I256::try_from(i64::from(offset)).expect("small").into_raw();
            number.wrapping_add(offset).to_be_bytes()
        };
        prop_oneof![
            3 => uniform32(any::<u8>()),
            1 => (-3..=3_i8).prop_map(move |offset| near(ORDER, offset)),
            1 => (-3..=3_i8).prop_map(move |offset| near(PRIME, offset)),
            1 => (-3..=127_i8).prop_map(move |offset| near([0; 32], offset)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_key_is_recovered_as_by_the_syscall(hash in number(), id in 0..=5_u8, r in number(), s in number()) {
            let r_s: [u8; 64] = [r, s].concat().try_into().expect("64 bytes");
            prop_assert_eq!(Native.secp256k1_recover(&hash, id, &r_s), by_syscall(&hash, id, &r_s));
        }
    }
}
