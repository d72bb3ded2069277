//! Multiplication: schoolbook over limbs, one function per shape of the operands.
//!
//! Contracts multiply numbers much smaller than their type, and every limb product costs about 25 CU, so the
//! number of limbs decides first.

use super::limb::{Halves, digits, mul_add, mul_add_add, widening_mul};
use primitive_types::U256;

/// MUL (0x02): `a * b` modulo 2^256. 32 CU for operands below 2^32, 48 below 2^64, 87 for 128 by 64 bits, 153
/// for 128 by 128, 227 for anything.
#[inline(always)]
pub fn mul(a: &U256, b: &U256) -> U256 {
    let (x, y) = (&a.0, &b.0);
    let (x_high, y_high) = (x[2] | x[3], y[2] | y[3]);
    let (x_rest, y_rest) = (x[1] | x_high, y[1] | y_high);
    if x_rest | y_rest == 0 {
        let (a, b) = (digits(a), digits(b));
        if a[1] | b[1] == 0 {
            return U256([u64::from(a[0]) * u64::from(b[0]), 0, 0, 0]);
        }
        let (low, high) = widening_mul(Halves::load(a, 0), Halves::load(b, 0));
        return U256([low, high, 0, 0]);
    }
    let U256(product) = if y_rest == 0 {
        let factor = Halves::load(digits(b), 0);
        if x_high == 0 { mul_2x1(a, factor) } else { mul_4x1(a, factor) }
    } else if x_rest == 0 {
        let factor = Halves::load(digits(a), 0);
        if y_high == 0 { mul_2x1(b, factor) } else { mul_4x1(b, factor) }
    } else if x_high | y_high == 0 {
        mul_2x2(a, b)
    } else {
        mul_4x4(a, b)
    };
    U256([product[0], product[1], product[2], product[3]])
}

/// Two limbs by one.
#[inline(never)]
fn mul_2x1(a: &U256, factor: Halves) -> U256 {
    let a = digits(a);
    let (r0, carry) = widening_mul(factor, Halves::load(a, 0));
    let (r1, r2) = mul_add(factor, Halves::load(a, 1), carry);
    U256([r0, r1, r2, 0])
}

/// Any number of limbs by one.
#[inline(never)]
fn mul_4x1(a: &U256, factor: Halves) -> U256 {
    let digits = digits(a);
    let (r0, carry) = widening_mul(factor, Halves::load(digits, 0));
    let (r1, carry) = mul_add(factor, Halves::load(digits, 1), carry);
    let (r2, carry) = mul_add(factor, Halves::load(digits, 2), carry);
    U256([r0, r1, r2, a.0[3].wrapping_mul(factor.limb()).wrapping_add(carry)])
}

/// Two limbs by two.
#[inline(never)]
fn mul_2x2(a: &U256, b: &U256) -> U256 {
    let (a, b) = (digits(a), digits(b));
    let (a0, a1, b0, b1) = (Halves::load(a, 0), Halves::load(a, 1), Halves::load(b, 0), Halves::load(b, 1));
    let (r0, carry) = widening_mul(a0, b0);
    let (r1, r2) = mul_add(a0, b1, carry);
    let (r1, carry) = mul_add(a1, b0, r1);
    let (r2, r3) = mul_add_add(a1, b1, r2, carry);
    U256([r0, r1, r2, r3])
}

/// Any number of limbs by any. The products that reach only the top limb need no high part; they come last,
/// because they read whole limbs.
#[inline(never)]
fn mul_4x4(a: &U256, b: &U256) -> U256 {
    let (da, db) = (digits(a), digits(b));
    let a0 = Halves::load(da, 0);
    let (r0, carry) = widening_mul(a0, Halves::load(db, 0));
    let (r1, carry) = mul_add(a0, Halves::load(db, 1), carry);
    let (r2, r3) = mul_add(a0, Halves::load(db, 2), carry);
    let a1 = Halves::load(da, 1);
    let (r1, carry) = mul_add(a1, Halves::load(db, 0), r1);
    let (r2, carry) = mul_add_add(a1, Halves::load(db, 1), carry, r2);
    let r3 = r3.wrapping_add(carry);
    let (r2, carry) = mul_add(Halves::load(da, 2), Halves::load(db, 0), r2);
    let r3 = r3.wrapping_add(carry);
    let (x, y) = (&a.0, &b.0);
    let r3 = r3.wrapping_add(x[0].wrapping_mul(y[3])).wrapping_add(x[1].wrapping_mul(y[2]));
    U256([r0, r1, r2, r3.wrapping_add(x[2].wrapping_mul(y[1])).wrapping_add(x[3].wrapping_mul(y[0]))])
}

/// All 512 bits of `a * b`, least significant limb first.
#[inline(never)]
pub(super) fn mul_512(a: &U256, b: &U256) -> [u64; 8] {
    let (a, b) = (digits(a), digits(b));
    let (p0, row) = add_product_row(Halves::load(a, 0), b, [0; 4]);
    let (p1, row) = add_product_row(Halves::load(a, 1), b, row);
    let (p2, row) = add_product_row(Halves::load(a, 2), b, row);
    let (p3, [p4, p5, p6, p7]) = add_product_row(Halves::load(a, 3), b, row);
    [p0, p1, p2, p3, p4, p5, p6, p7]
}

/// `factor * b + row`: the lowest limb, which is final, and the four above it.
#[inline(always)]
fn add_product_row(factor: Halves, b: &[u32; 8], [r0, r1, r2, r3]: [u64; 4]) -> (u64, [u64; 4]) {
    if factor.is_zero() {
        return (r0, [r1, r2, r3, 0]);
    }
    let (p0, carry) = mul_add(factor, Halves::load(b, 0), r0);
    let (p1, carry) = mul_add_add(factor, Halves::load(b, 1), r1, carry);
    let (p2, carry) = mul_add_add(factor, Halves::load(b, 2), r2, carry);
    let (p3, carry) = mul_add_add(factor, Halves::load(b, 3), r3, carry);
    (p0, [p1, p2, p3, carry])
}
