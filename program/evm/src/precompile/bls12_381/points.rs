//! Points as Ethereum and as the runtime encode them.
//!
//! ```text
//! EIP-2537   64 bytes a field element, of which the first 16 are 0; extension field c0, c1; infinity is all zeros
//! runtime    48 bytes a field element;                              extension field c1, c0; infinity has bit 0x40
//! ```

use super::fp::{self, P_LIMBS};
use crate::crypto::Crypto;
use alloc::vec::Vec;

/// Bytes of a field element of the input.
pub(super) const ELEMENT: usize = 64;
/// Set in a runtime point's first byte if it is infinity.
const INFINITY_FLAG: u8 = 0x40;

/// A group whose points have `N` bytes for the runtime.
pub(super) trait Group<const N: usize> {
    /// Exchanges the parts of an extension field element: what an element's index is xored with.
    const EXCHANGE: usize;
    /// Bytes of a point for Ethereum.
    const INPUT: usize = N / fp::BYTES * ELEMENT;

    /// The sum of two points of the curve.
    fn add(crypto: &impl Crypto, a: &[u8; N], b: &[u8; N]) -> Option<[u8; N]>;

    /// A point of the group times a number below its order.
    fn mul(crypto: &impl Crypto, point: &[u8; N], scalar: &[u8; 32]) -> Option<[u8; N]>;
}

/// The group over the field.
pub(super) struct G1;

/// The group over the extension field.
pub(super) struct G2;

impl Group<96> for G1 {
    const EXCHANGE: usize = 0;

    fn add(crypto: &impl Crypto, a: &[u8; 96], b: &[u8; 96]) -> Option<[u8; 96]> {
        crypto.bls12_381_g1_add(a, b)
    }

    fn mul(crypto: &impl Crypto, point: &[u8; 96], scalar: &[u8; 32]) -> Option<[u8; 96]> {
        crypto.bls12_381_g1_mul(point, scalar)
    }
}

impl Group<192> for G2 {
    const EXCHANGE: usize = 1;

    fn add(crypto: &impl Crypto, a: &[u8; 192], b: &[u8; 192]) -> Option<[u8; 192]> {
        crypto.bls12_381_g2_add(a, b)
    }

    fn mul(crypto: &impl Crypto, point: &[u8; 192], scalar: &[u8; 32]) -> Option<[u8; 192]> {
        crypto.bls12_381_g2_mul(point, scalar)
    }
}

/// A field element of the input, which must be below p.
pub(super) fn field_element(input: &[u8; ELEMENT]) -> Option<&[u8; fp::BYTES]> {
    let (padding, bytes) = input.split_first_chunk::<16>()?;
    let bytes: &[u8; fp::BYTES] = bytes.as_array()?;
    let (words, _) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_be_bytes(*word));
    let is_below = u128::from_ne_bytes(*padding) == 0 && words.lt(P_LIMBS.iter().rev().copied());
    is_below.then_some(bytes)
}

/// A point of the input for the runtime, which will check that it is on the curve. As long as [`Group::INPUT`].
pub(super) fn decode<G: Group<N>, const N: usize>(input: &[u8]) -> Option<[u8; N]> {
    let mut point = [0; N];
    let (elements, _) = point.as_chunks_mut();
    for (index, element) in input.as_chunks().0.iter().enumerate() {
        *elements.get_mut(index ^ G::EXCHANGE)? = *field_element(element)?;
    }
    let (words, _) = point.as_chunks::<8>();
    if words.iter().all(|word| u64::from_ne_bytes(*word) == 0) {
        point[0] = INFINITY_FLAG;
    }
    Some(point)
}

/// A point of the runtime for Ethereum.
pub(super) fn encode<G: Group<N>, const N: usize>(point: &[u8; N]) -> Vec<u8> {
    let mut output = alloc::vec![0; G::INPUT];
    if point[0] & INFINITY_FLAG == 0 {
        let (elements, _) = point.as_chunks::<{ fp::BYTES }>();
        for (index, target) in output.as_chunks_mut::<ELEMENT>().0.iter_mut().enumerate() {
            target[ELEMENT - fp::BYTES..].copy_from_slice(&elements[index ^ G::EXCHANGE]);
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_elements_are_below_p_and_padded() {
        let mut input = [0; ELEMENT];
        for (target, limb) in input[16..].as_chunks_mut().0.iter_mut().zip(P_LIMBS.iter().rev()) {
            *target = limb.to_be_bytes();
        }
        assert_eq!(field_element(&input), None);
        input[63] -= 1;
        assert!(field_element(&input).is_some());
        input[15] = 1;
        assert_eq!(field_element(&input), None);
    }

    #[test]
    fn infinity_is_zeros_for_ethereum() {
        let point = decode::<G2, 192>(&[0; 256]);
        let mut infinity = [0; 192];
        infinity[0] = INFINITY_FLAG;
        assert_eq!(point, Some(infinity));
        assert_eq!(encode::<G2, 192>(&infinity), [0; 256]);
    }

    #[test]
    fn the_runtime_wants_the_imaginary_part_first() {
        let mut input = [0; 256];
        (input[63], input[127], input[191], input[255]) = (1, 2, 3, 4);
        let point = decode::<G2, 192>(&input).unwrap_or([0; 192]);
        assert_eq!((point[47], point[95], point[143], point[191]), (2, 1, 4, 3));
        assert_eq!(encode::<G2, 192>(&point), input);
    }
}
