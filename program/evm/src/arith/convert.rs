//! Words as machine numbers, for offsets, lengths and gas.

use super::limb::leading_zeros;
use primitive_types::U256;

/// The number if it fits into 64 bits. 8 CU.
#[inline(always)]
pub fn as_u64(x: &U256) -> Option<u64> {
    let x = &x.0;
    if x[1] | x[2] | x[3] == 0 { Some(x[0]) } else { None }
}

/// The number, or `u64::MAX` if it is larger: no memory offset or length that large is ever paid for. 8 CU.
#[inline(always)]
pub fn as_u64_saturating(x: &U256) -> u64 {
    let x = &x.0;
    if x[1] | x[2] | x[3] == 0 { x[0] } else { u64::MAX }
}

/// Bits up to the highest one that is set; 0 for 0.
#[inline(always)]
pub fn bit_len(x: &U256) -> u64 {
    let x = &x.0;
    let (bits, limb) = if x[3] != 0 {
        (256, x[3])
    } else if x[2] != 0 {
        (192, x[2])
    } else if x[1] != 0 {
        (128, x[1])
    } else if x[0] != 0 {
        (64, x[0])
    } else {
        return 0;
    };
    bits - leading_zeros(limb)
}

/// Bytes up to the highest one that is not 0, by which EXP pays for its exponent (EIP-160); 0 for 0.
#[inline(always)]
pub fn byte_len(x: &U256) -> u64 {
    (bit_len(x) + 7) >> 3
}
