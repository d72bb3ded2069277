//! Shifts (EIP-145).
//!
//! One arm per number of whole limbs, each with its own loads; the test for 256 and more comes last, in the
//! arm of the longest shifts, so that the others neither pay for it nor have its result of zeros in their
//! registers.

use super::convert::as_u64_saturating;
use primitive_types::U256;

/// SHL (0x1b): `value * 2^shift` modulo 2^256. 35 CU for 8, 32 for 96, 25 for 224, 20 for 64 and 128.
#[inline(always)]
pub fn shl(shift: &U256, value: &U256) -> U256 {
    let (shift, x) = (as_u64_saturating(shift), &value.0);
    let bits = shift & 63;
    if shift < 64 {
        if bits == 0 {
            return *value;
        }
        let join = |high: u64, low: u64| (high << bits) | (low >> (64 - bits));
        U256([x[0] << bits, join(x[1], x[0]), join(x[2], x[1]), join(x[3], x[2])])
    } else if shift < 128 {
        if bits == 0 {
            return U256([0, x[0], x[1], x[2]]);
        }
        let join = |high: u64, low: u64| (high << bits) | (low >> (64 - bits));
        U256([0, x[0] << bits, join(x[1], x[0]), join(x[2], x[1])])
    } else if shift < 192 {
        U256([0, 0, x[0] << bits, (x[1] << bits) | ((x[0] >> 1) >> (bits ^ 63))])
    } else {
        U256([0, 0, 0, if shift < 256 { x[0] << bits } else { 0 }])
    }
}

/// SHR (0x1c): `value / 2^shift`, rounded down. 36 CU for 8, 32 for 96, 25 for 224.
#[inline(always)]
pub fn shr(shift: &U256, value: &U256) -> U256 {
    shift_right::<false>(shift, value)
}

/// SAR (0x1d): `value / 2^shift` in two's complement, rounded down. 36 CU for 8, 33 for 96, 26 for 224.
#[inline(always)]
pub fn sar(shift: &U256, value: &U256) -> U256 {
    shift_right::<true>(shift, value)
}

#[inline(always)]
fn shift_right<const SIGNED: bool>(shift: &U256, value: &U256) -> U256 {
    let (shift, x) = (as_u64_saturating(shift), &value.0);
    let last = |limb: u64, bits: u64| if SIGNED { (limb as i64 >> bits) as u64 } else { limb >> bits };
    let sign = |limb: u64| if SIGNED { (limb as i64 >> 63) as u64 } else { 0 };
    let bits = shift & 63;
    if shift < 64 {
        if bits == 0 {
            return *value;
        }
        let join = |high: u64, low: u64| (high << (64 - bits)) | (low >> bits);
        U256([join(x[1], x[0]), join(x[2], x[1]), join(x[3], x[2]), last(x[3], bits)])
    } else if shift < 128 {
        if bits == 0 {
            return U256([x[1], x[2], x[3], sign(x[3])]);
        }
        let join = |high: u64, low: u64| (high << (64 - bits)) | (low >> bits);
        U256([join(x[2], x[1]), join(x[3], x[2]), last(x[3], bits), sign(x[3])])
    } else if shift < 192 {
        U256([((x[3] << 1) << (bits ^ 63)) | (x[2] >> bits), last(x[3], bits), sign(x[3]), sign(x[3])])
    } else {
        U256([if shift < 256 { last(x[3], bits) } else { sign(x[3]) }, sign(x[3]), sign(x[3]), sign(x[3])])
    }
}
