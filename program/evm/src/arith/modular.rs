//! Addition and multiplication modulo a number, with the full 257 or 512 bits in between.

use super::{
    ONE, ZERO,
    addsub::{add, sub},
    bits::clz,
    compare::{eq, is_zero, lt},
    div::{rem, rem_512, rem_by_limb},
    limb::{Halves, digits, widening_mul},
    mul::mul_512,
    shift::shl,
};
use core::num::NonZero;
use primitive_types::U256;

/// ADDMOD (0x08): `a + b` modulo `n` without the wrap at 2^256, 0 if `n` is 0. 72 CU for 256-bit `a` and `b`
/// below `n`; otherwise about that and a MOD.
#[inline(never)]
pub fn addmod(a: &U256, b: &U256, n: &U256) -> U256 {
    let mut sum = add(a, b);
    if lt(&sum, a) {
        if lt(a, n) && lt(b, n) {
            return sub(&sum, n);
        }
        if is_zero(n) {
            return ZERO;
        }
        // 2^256 + sum is below 2^257: at most three times the multiple of `n` between 2^255 and 2^256 brings
        // it back below 2^256.
        let multiple = shl(&clz(n), n);
        loop {
            let borrows = lt(&sum, &multiple);
            sum = sub(&sum, &multiple);
            if borrows {
                break;
            }
        }
    }
    if lt(&sum, n) {
        return sum;
    }
    let less = sub(&sum, n);
    if lt(&less, n) { less } else { rem(&less, n) }
}

/// MULMOD (0x09): `a * b` modulo `n` with all 512 bits of the product, 0 if `n` is 0. 142 CU for 64 bits, 424
/// for 256-bit factors and a 64-bit `n`, 788 for 128 bits, 1,501 for 256 bits; 629 for `n` = 2^256 - 1, which
/// is how contracts ask for the upper half of a product.
#[inline(never)]
pub fn mulmod(a: &U256, b: &U256, n: &U256) -> U256 {
    let (x, y, m) = (&a.0, &b.0, &n.0);
    if m[1] | m[2] | m[3] == 0 {
        let Some(d) = NonZero::new(m[0]) else { return ZERO };
        return U256([mulmod_limb(x, y, d), 0, 0, 0]);
    }
    if x[1] | x[2] | x[3] | y[1] | y[2] | y[3] == 0 {
        let (low, high) = widening_mul(Halves::load(digits(a), 0), Halves::load(digits(b), 0));
        return rem(&U256([low, high, 0, 0]), n);
    }
    let product = mul_512(a, b);
    let [p0, p1, p2, p3, p4, p5, p6, p7] = product;
    let (low, high) = (U256([p0, p1, p2, p3]), U256([p4, p5, p6, p7]));
    if is_zero(&high) {
        return rem(&low, n);
    }
    if m[0] & m[1] & m[2] & m[3] == u64::MAX {
        return fold(&low, &high);
    }
    rem_512(&product, n)
}

/// `a * b` modulo one limb.
fn mulmod_limb(a: &[u64; 4], b: &[u64; 4], d: NonZero<u64>) -> u64 {
    let reduced = |x: &[u64; 4]| if x[1] | x[2] | x[3] == 0 { x[0] } else { rem_by_limb(x, d) };
    let (low, high) = widening_mul(Halves::of(reduced(a)), Halves::of(reduced(b)));
    rem_by_limb(&[low, high], d)
}

/// `low + high * 2^256` modulo 2^256 - 1, for a product of two numbers: 2^256 is 1 there, so that the halves
/// add up and the carry counts once more.
fn fold(low: &U256, high: &U256) -> U256 {
    let mut sum = add(low, high);
    if lt(&sum, low) {
        sum = add(&sum, &ONE);
    }
    if eq(&sum, &U256([u64::MAX; 4])) { ZERO } else { sum }
}
