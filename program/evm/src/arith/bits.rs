//! Bitwise operations, and those that look at single bytes and bits.

use super::{
    convert::as_u64_saturating,
    limb::{bytes, leading_zeros},
};
use primitive_types::U256;

/// SIGNEXTEND (0x0b): the two's complement number in the lowest `byte_index + 1` bytes of `value`, at full
/// width. 27 CU, 10 if there is nothing to extend.
#[inline(always)]
pub fn signextend(byte_index: &U256, value: &U256) -> U256 {
    let U256([index, i1, i2, i3]) = *byte_index;
    if i1 | i2 | i3 != 0 || index > 30 {
        return *value;
    }
    let x = &value.0;
    let unused_bits = ((index & 7) ^ 7) << 3;
    let extend = |limb: u64| ((limb << unused_bits) as i64 >> unused_bits) as u64;
    let sign = |limb: u64| (limb as i64 >> 63) as u64;
    match index >> 3 {
        0 => {
            let top = extend(x[0]);
            U256([top, sign(top), sign(top), sign(top)])
        }
        1 => {
            let top = extend(x[1]);
            U256([x[0], top, sign(top), sign(top)])
        }
        2 => {
            let top = extend(x[2]);
            U256([x[0], x[1], top, sign(top)])
        }
        _ => U256([x[0], x[1], x[2], extend(x[3])]),
    }
}

/// AND (0x16). 16 CU.
#[inline(always)]
pub fn and(a: &U256, b: &U256) -> U256 {
    let (a, b) = (&a.0, &b.0);
    U256([a[0] & b[0], a[1] & b[1], a[2] & b[2], a[3] & b[3]])
}

/// OR (0x17). 16 CU.
#[inline(always)]
pub fn or(a: &U256, b: &U256) -> U256 {
    let (a, b) = (&a.0, &b.0);
    U256([a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3]])
}

/// XOR (0x18). 16 CU.
#[inline(always)]
pub fn xor(a: &U256, b: &U256) -> U256 {
    let (a, b) = (&a.0, &b.0);
    U256([a[0] ^ b[0], a[1] ^ b[1], a[2] ^ b[2], a[3] ^ b[3]])
}

/// NOT (0x19). 12 CU.
#[inline(always)]
pub fn not(a: &U256) -> U256 {
    let a = &a.0;
    U256([!a[0], !a[1], !a[2], !a[3]])
}

/// BYTE (0x1a): byte `index` of `value`, counted from the most significant; 0 past the end. 18 CU.
#[inline(always)]
pub fn byte(index: &U256, value: &U256) -> U256 {
    let index = as_u64_saturating(index);
    U256([if index < 32 { u64::from(bytes(value)[31 - index as usize]) } else { 0 }, 0, 0, 0])
}

/// CLZ (0x1e, EIP-7939): the number of leading zero bits, 256 for 0. 29 CU.
#[inline(always)]
pub fn clz(value: &U256) -> U256 {
    let x = &value.0;
    let (above, limb) = if x[3] != 0 {
        (0, x[3])
    } else if x[2] != 0 {
        (64, x[2])
    } else if x[1] != 0 {
        (128, x[1])
    } else if x[0] != 0 {
        (192, x[0])
    } else {
        return U256([256, 0, 0, 0]);
    };
    U256([above + leading_zeros(limb), 0, 0, 0])
}
