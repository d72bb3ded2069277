//! P256VERIFY (0x100): whether an ECDSA signature over P-256 is valid (EIP-7951).
//!
//! ```text
//! input   hash (32) | r (32) | s (32) | x of the key (32) | y of the key (32)
//! output  1 as a word, or nothing
//! ```
//!
//! u1 G + u2 Q, with u1 = hash / s and u2 = r / s, has the x coordinate r modulo the order. Doublings serve both
//! products; the multiples of G are constants.

mod field;
mod generator;
mod point;
mod scalar;

use super::digits::{Digits, from_limbs, zero};
use super::{Cost, bytes::word};
use crate::{U256, arith, from_be_bytes};
use alloc::vec::Vec;
use core::cell::Cell;
use field::{P, copy, difference};
use generator::MULTIPLES;
use point::{ENTRIES, Sum};
use scalar::{ORDER, POSITIONS, invert, windows};

/// Gas, and compute units: 1,255,000 for a usual signature; 1,316,000 were measured where every window of both factors
/// is in use, and the inverses of unusual numbers take up to 16,000 more.
pub(super) const COST: Cost = Cost { gas: 6900, compute_units: 1_335_000 };

/// Bytes of the input.
const INPUT: usize = 160;
/// -1 / n and -1 / p modulo 2^30.
const ORDER_NEGATED_INVERSE: i64 = 771_800_143;
const P_NEGATED_INVERSE: i64 = 1;
/// Bits of a window for the key, and for the generator.
const KEY_WIDTH: usize = 5;
const GENERATOR_WIDTH: usize = 11;
/// b of the curve, in Montgomery's form.
const B: [i64; 9] = [
    412_597_243,
    484_401_705,
    25_462_468,
    24_324_129,
    497_900_000,
    180_318_738,
    436_654_352,
    393_354_528,
    8_782_019,
];

/// 1 as a word, or nothing.
#[inline(never)]
pub(super) fn run(input: &[u8]) -> Vec<u8> {
    let is_valid = input.as_array().is_some_and(is_valid);
    if is_valid { word(true) } else { Vec::new() }
}

/// Whether the signature is valid.
fn is_valid(input: &[u8; INPUT]) -> bool {
    let (words, _) = input.as_chunks();
    let [hash, r, s, x, y] = core::array::from_fn(|index| from_be_bytes(&words[index]));
    let is_scalar = |number: &U256| !arith::is_zero(number) && arith::lt(number, &ORDER);
    if !is_scalar(&r) || !is_scalar(&s) || !arith::lt(&x, &P) || !arith::lt(&y, &P) {
        return false;
    }
    let key = [field::element(&x), field::element(&y)];
    if !is_on_curve(&key) {
        return false;
    }
    let inverse = invert(&s, &ORDER, ORDER_NEGATED_INVERSE);
    let generator_factor = arith::mulmod(&hash, &inverse, &ORDER);
    let key_factor = arith::mulmod(&r, &inverse, &ORDER);
    let sum = sum(&generator_factor, &key_factor, key);
    !sum.is_infinite && has_x(&sum, &r)
}

/// y^2 = x^3 - 3 x + b. The point at infinity, which would be (0, 0), is not.
fn is_on_curve([x, y]: &[Digits; 2]) -> bool {
    let (left, right) = (zero(), zero());
    field::square(&left, y);
    difference(&left, &left, &B.map(Cell::new));
    field::square(&right, x);
    let three = field::element(&U256([3, 0, 0, 0]));
    difference(&right, &right, &three);
    field::product_minus(&right, [&right, x], &left);
    field::is_zero(&right)
}

/// Whether the point's x coordinate is r modulo the order.
fn has_x(point: &Sum, r: &U256) -> bool {
    let square = zero();
    field::square(&square, &point.z);
    let is_x = |x: &U256| {
        let scaled = field::element(x);
        field::product(&scaled, &scaled, &square);
        difference(&scaled, &scaled, &point.x);
        field::is_zero(&scaled)
    };
    // The x coordinate may lie between the order and p.
    let other = arith::add(r, &ORDER);
    is_x(r) || (arith::lt(r, &other) && arith::lt(&other, &P) && is_x(&other))
}

/// The generator and the key, each times its factor.
#[inline(never)]
fn sum(generator_factor: &U256, key_factor: &U256, key: [Digits; 2]) -> Sum {
    let table = multiples(key);
    let key_windows = windows(key_factor, KEY_WIDTH);
    let generator_windows = windows(generator_factor, GENERATOR_WIDTH);
    let mut sum = Sum::infinite();
    for position in (0..POSITIONS).rev() {
        if !sum.is_infinite {
            sum.double();
        }
        let window = key_windows[position];
        if window != 0 {
            let [x, y] = &table[usize::from(window.unsigned_abs() / 2) % ENTRIES];
            sum.add([x, &signed(y, window)]);
        }
        let window = generator_windows[position];
        if window != 0 {
            let [x, y] = generator_multiple(window.unsigned_abs());
            sum.add([&x, &signed(&y, window)]);
        }
    }
    sum
}

/// The digits, or their negatives for a negative window.
fn signed(digits: &Digits, window: i16) -> Digits {
    let sign = if window < 0 { -1 } else { 1 };
    core::array::from_fn(|index| Cell::new(sign * digits[index].get()))
}

/// An odd multiple of the generator.
fn generator_multiple(factor: u16) -> [Digits; 2] {
    MULTIPLES[usize::from(factor / 2) % MULTIPLES.len()].each_ref().map(from_limbs)
}

/// The odd multiples of a point.
#[inline(never)]
fn multiples(point: [Digits; 2]) -> [[Digits; 2]; ENTRIES] {
    let mut table = core::array::from_fn(|_| [zero(), zero()]);
    let factors = core::array::from_fn(|_| zero());
    table[0] = point;
    Sum::infinite().scaled_multiples(&table, &factors);
    // The inverse of the last z, from which those of the others follow.
    let inverse = factors[0].clone();
    for factor in &factors[1..] {
        field::product(&inverse, &inverse, factor);
    }
    let number = invert(&field::number(&inverse), &P, P_NEGATED_INVERSE);
    copy(&inverse, &field::element(&number));
    let power = zero();
    for ([x, y], factor) in table.iter().zip(&factors).skip(1).rev() {
        field::square(&power, &inverse);
        field::product(x, x, &power);
        field::product(&power, &power, &inverse);
        field::product(y, y, &power);
        field::product(&inverse, &inverse, factor);
    }
    table
}

#[cfg(test)]
mod tests;
