//! Signed division: two's complement around the unsigned one.

use super::{
    ZERO,
    addsub::sub,
    div::{div, rem},
};
use primitive_types::U256;

/// SDIV (0x05): `a / b` in two's complement, rounded towards 0; 0 if `b` is 0, and -2^255 for -2^255 / -1.
/// Positive operands cost 5 CU more than in DIV, negative ones about 70.
#[inline(always)]
pub fn sdiv(a: &U256, b: &U256) -> U256 {
    if is_negative(a) || is_negative(b) {
        let U256(q) = sdiv_negative(a, b);
        return U256([q[0], q[1], q[2], q[3]]);
    }
    div(a, b)
}

/// SMOD (0x07): the remainder of SDIV, with the sign of `a`; 0 if `b` is 0. Positive operands cost 6 CU more
/// than in MOD, negative ones about 70.
#[inline(always)]
pub fn smod(a: &U256, b: &U256) -> U256 {
    if is_negative(a) || is_negative(b) {
        let U256(r) = smod_negative(a, b);
        return U256([r[0], r[1], r[2], r[3]]);
    }
    rem(a, b)
}

#[inline(never)]
fn sdiv_negative(a: &U256, b: &U256) -> U256 {
    let q = div(&magnitude(a), &magnitude(b));
    if is_negative(a) != is_negative(b) { negate(&q) } else { q }
}

#[inline(never)]
fn smod_negative(a: &U256, b: &U256) -> U256 {
    let r = rem(&magnitude(a), &magnitude(b));
    if is_negative(a) { negate(&r) } else { r }
}

#[inline(always)]
fn is_negative(x: &U256) -> bool {
    (x.0[3] as i64) < 0
}

#[inline(always)]
fn negate(x: &U256) -> U256 {
    sub(&ZERO, x)
}

/// The absolute value; 2^255 for -2^255.
#[inline(always)]
fn magnitude(x: &U256) -> U256 {
    if is_negative(x) { negate(x) } else { *x }
}
