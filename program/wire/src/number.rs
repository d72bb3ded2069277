//! 256-bit integers and their big-endian bytes, a limb at a time.
//!
//! [`U256`]'s own conversions go byte by byte, which costs several times as many compute units; they are on the way
//! of every transaction.

use primitive_types::U256;

/// The integer of 32 big-endian bytes.
#[inline(always)]
#[must_use]
pub const fn from_be_bytes(bytes: &[u8; 32]) -> U256 {
    let (limbs, _) = bytes.as_chunks::<8>();
    U256([
        u64::from_be_bytes(limbs[3]),
        u64::from_be_bytes(limbs[2]),
        u64::from_be_bytes(limbs[1]),
        u64::from_be_bytes(limbs[0]),
    ])
}

/// An integer's 32 big-endian bytes.
#[inline(always)]
#[must_use]
pub fn to_be_bytes(value: &U256) -> [u8; 32] {
    let mut bytes = [0; 32];
    let (chunks, _) = bytes.as_chunks_mut::<8>();
    for (chunk, limb) in chunks.iter_mut().rev().zip(value.0) {
        *chunk = limb.to_be_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_the_librarys_conversions(limbs: [u64; 4]) {
            let value = U256(limbs);
            prop_assert_eq!(to_be_bytes(&value), value.to_big_endian());
            prop_assert_eq!(from_be_bytes(&value.to_big_endian()), value);
        }
    }
}
