//! BN254_ADD (0x06), BN254_MUL (0x07), BN254_PAIRING (0x08) (EIP-196, 197, with the gas of EIP-1108).
//!
//! Points go to the runtime as Ethereum encodes them: 32-byte big-endian coordinates, the imaginary part of an
//! extension field element first, zeros for the point at infinity.

use super::{
    Cost,
    bytes::{padded, word},
};
use crate::crypto::Crypto;
use alloc::vec::Vec;

/// 334 CU are the runtime's price.
pub(super) const ADD_COST: Cost = Cost { gas: 150, compute_units: 1000 };
/// 3,840 CU are the runtime's price.
pub(super) const MUL_COST: Cost = Cost { gas: 6000, compute_units: 4500 };

/// Bytes of a coordinate.
const COORDINATE: usize = 32;
/// Bytes of a pair: a point of G1 and one of G2.
const PAIR: usize = 6 * COORDINATE;

/// Gas and compute units of a pairing check: 36,364 CU, which pay for the first pair, 12,121 for each other, and one a
/// byte are the runtime's price. `None` for a length that is no number of pairs.
pub(super) fn pairing_cost(input: &[u8]) -> Option<Cost> {
    let length = input.len() as u64;
    let pairs = length / PAIR as u64;
    input.len().is_multiple_of(PAIR).then_some(Cost {
        gas: 45_000 + 34_000 * pairs as i64,
        compute_units: 37_000 + 12_121 * pairs.saturating_sub(1) + length + 50 * pairs,
    })
}

/// The sum of two points.
pub(super) fn add(input: &[u8], crypto: &impl Crypto) -> Option<Vec<u8>> {
    let points: [u8; 4 * COORDINATE] = padded(input, 0);
    let sum = is_below_2_254(&points).then(|| crypto.bn254_add(&points))??;
    Some(sum.to_vec())
}

/// A point times a number, which may exceed the order of the group.
pub(super) fn mul(input: &[u8], crypto: &impl Crypto) -> Option<Vec<u8>> {
    let factors: [u8; 3 * COORDINATE] = padded(input, 0);
    let product = is_below_2_254(&factors[..2 * COORDINATE]).then(|| crypto.bn254_mul(&factors))??;
    Some(product.to_vec())
}

/// Whether the product of the pairings is 1.
pub(super) fn pairing(input: &[u8], crypto: &impl Crypto) -> Option<Vec<u8>> {
    let is_one = is_below_2_254(input).then(|| crypto.bn254_pairing(input))??;
    Some(word(is_one))
}

/// Whether every coordinate is below 2^254. Coordinates from there on are invalid because the field ends before, but
/// the runtime takes the two bits above for flags. What lies between the field's end and 2^254 it rejects itself.
fn is_below_2_254(coordinates: &[u8]) -> bool {
    coordinates.as_chunks::<COORDINATE>().0.iter().all(|coordinate| coordinate[0] < 0x40)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_bits_are_no_coordinates() {
        let mut coordinates = [0; 128];
        coordinates[96] = 0x3f;
        assert!(is_below_2_254(&coordinates));
        for first in [0x40, 0x80, 0xff] {
            coordinates[96] = first;
            assert!(!is_below_2_254(&coordinates));
        }
    }

    #[test]
    fn pairs_come_whole() {
        assert_eq!(pairing_cost(&[0; 191]), None);
        assert_eq!(pairing_cost(&[]).map(|cost| cost.gas), Some(45_000));
        assert_eq!(pairing_cost(&[0; 384]).map(|cost| cost.gas), Some(113_000));
    }
}
