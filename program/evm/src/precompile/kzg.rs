//! KZG_POINT_EVALUATION (0x0a): whether a polynomial, of which a commitment is given, has a value at a point
//! (EIP-4844).
//!
//! ```text
//! input   versioned hash (32) | z (32) | y (32) | commitment C (48) | proof W (48)
//! output  4096 (32) | order of the group (32)
//! ```
//!
//! The proof commits to (polynomial - y) / (X - z). With the setup's tau in G2 that is
//! e(C - y G1 + z W, -G2) * e(W, tau G2) = 1.

use super::Cost;
use super::bls12_381::ORDER;
use super::bytes::is_one;
use crate::crypto::Crypto;
use crate::{arith, from_be_bytes};
use alloc::vec::Vec;

/// The runtime's price: two decompressions (2,100 CU), two multiplications (4,627), two additions (128), a pairing of
/// two pairs (38,468), a hash.
const COST: Cost = Cost { gas: 50_000, compute_units: 55_000 };
/// Bytes of the input.
const LENGTH: usize = 192;
/// The first byte of a versioned hash (VERSIONED_HASH_VERSION_KZG).
const VERSION: u8 = 1;

/// The generator of G1, and its negative, as the runtime encodes points.
const MINUS_G1: [u8; 96] = bytes(concat!(
    "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
    "114d1d6855d545a8aa7d76c8cf2e21f267816aef1db507c96655b9d5caac42364e6f38ba0ecb751bad54dcd6b939c2ca",
));
/// The negative of the generator of G2.
const MINUS_G2: [u8; 192] = bytes(concat!(
    "13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e",
    "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8",
    "13fa4d4a0ad8b1ce186ed5061789213d993923066dddaf1040bc3ff59f825c78df74f2d75467e25e0f55f8a00fa030ed",
    "0d1b3cc2c7027888be51d9ef691d77bcb679afda66c73f17f9ee3837a55024f78c71363275a75d75d86bab79f74782aa",
));
/// tau times the generator of G2, from the trusted setup of Ethereum's mainnet (`g2_monomial[1]`).
const TAU_G2: [u8; 192] = bytes(concat!(
    "15bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72",
    "185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2",
    "1666c54b0a32529503432fcae0181b4bef79de09fc63671fda5ed1ba9bfa07899495346f3d7ac9cd23048ef30d0a154f",
    "014353bdb96b626dd7d5ee8599d1fca2131569490e28de18e82451a496a9c9794ce26d105941f383ee689bfbbb832a99",
));

/// Bytes in hexadecimal digits.
const fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    const fn value(digit: u8) -> u8 {
        if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 }
    }
    let hex = hex.as_bytes();
    let mut bytes = [0; N];
    let mut index = 0;
    while index < N {
        bytes[index] = value(hex[2 * index]) << 4 | value(hex[2 * index + 1]);
        index += 1;
    }
    bytes
}

/// Gas and compute units; `None` for a length that is not that of the input.
pub(super) fn cost(input: &[u8]) -> Option<Cost> {
    (input.len() == LENGTH).then_some(COST)
}

/// The constants, if the proof is valid.
#[inline(never)]
pub(super) fn run(input: &[u8], crypto: &impl Crypto) -> Option<Vec<u8>> {
    let (versioned_hash, rest) = input.split_first_chunk::<32>()?;
    let (z, rest) = rest.split_first_chunk::<32>()?;
    let (y, rest) = rest.split_first_chunk::<32>()?;
    let (commitment, proof) = rest.split_first_chunk::<48>()?;
    let proof = proof.as_array()?;
    let mut hash = crypto.sha256(&[commitment]);
    hash[0] = VERSION;
    if hash != *versioned_hash || !is_scalar(z) || !is_scalar(y) {
        return None;
    }
    is_valid(crypto, commitment, z, y, proof)?.then(result)
}

/// Whether a number is below the order.
fn is_scalar(number: &[u8; 32]) -> bool {
    arith::lt(&from_be_bytes(number), &ORDER)
}

/// Whether the proof is valid; `None` if it or the commitment is no point of G1.
#[inline(never)]
fn is_valid(
    crypto: &impl Crypto,
    commitment: &[u8; 48],
    z: &[u8; 32],
    y: &[u8; 32],
    proof: &[u8; 48],
) -> Option<bool> {
    let commitment = crypto.bls12_381_g1_decompress(commitment)?;
    let proof = crypto.bls12_381_g1_decompress(proof)?;
    let minus_y = crypto.bls12_381_g1_mul(&MINUS_G1, y)?;
    let z_proof = crypto.bls12_381_g1_mul(&proof, z)?;
    let difference = crypto.bls12_381_g1_add(&commitment, &minus_y)?;
    let sum = crypto.bls12_381_g1_add(&difference, &z_proof)?;
    crypto.bls12_381_pairing(&[sum, proof], &[MINUS_G2, TAU_G2]).map(|value| is_one(&value))
}

/// FIELD_ELEMENTS_PER_BLOB and BLS_MODULUS.
fn result() -> Vec<u8> {
    let mut output = alloc::vec![0; 64];
    output[30] = 0x10;
    for (target, limb) in output[32..].as_chunks_mut().0.iter_mut().zip(ORDER.0.iter().rev()) {
        *target = limb.to_be_bytes();
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_is_the_one_of_the_eip() {
        let output = result();
        assert_eq!(from_be_bytes(output[..32].as_array().unwrap_or(&[0; 32])), 4096.into());
        assert_eq!(output[32..36], [0x73, 0xed, 0xa7, 0x53]);
    }

    #[test]
    fn constants_are_compressed_as_in_the_setup() {
        // The compressed form of tau G2 begins with its x, and flags.
        assert_eq!(TAU_G2[..4], [0x15, 0xbf, 0xd7, 0xdd]);
        assert_eq!(MINUS_G2[..4], [0x13, 0xe0, 0x2b, 0x60]);
    }
}
