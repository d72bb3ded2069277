//! The field of P-256, in nine digits of 29 bits and Montgomery's form.
//!
//! # Reduction
//! p = 2^256 - 2^224 + 2^192 + 2^96 - 1 is -1 modulo 2^87, so that the lowest digit of a product is the multiple of p to
//! add, and p + 1 has four terms: adding it takes four shifts and no multiplication.
//!
//! # Bounds
//! An element has *normal* digits: from 0 to 2^29 - 1, but for the highest, which is small and has the sign. A sum of
//! nine products of normal digits is below 2^61.2. Operations take normal digits or differences of such, which are no
//! larger; where one adds products, it adds up to three. So no column exceeds 2^63. Results lie between -2 p and 6 p,
//! whatever such operands are.

use super::super::digits::{
    DIGITS, Digits, MASK, WIDTH, add_columns, add_cross_columns, from_limbs, load, subtract_columns,
    subtract_cross_columns, to_limbs, unroll, zero,
};
use crate::{U256, arith};
use core::cell::Cell;

/// p.
pub(super) const P: U256 = U256([u64::MAX, 0xffff_ffff, 0, 0xffff_ffff_0000_0001]);
/// 2^522 modulo p, which brings a number into Montgomery's form.
const R: [i64; DIGITS] =
    [3072, 0, 536_805_376, 534_773_759, 532_676_607, 536_870_911, 536_870_911, 536_870_910, 19];
/// 1.
const ONE: [i64; DIGITS] = [32, 0, 0, 536_854_528, 536_870_911, 536_870_911, 528_482_303, 67_108_863, 0];

/// Column `k` of `multiples * (p + 1)`, as far as it is not the multiple of column `k` itself.
#[inline(always)]
fn folded(multiples: &Digits, k: usize) -> i64 {
    let term = |offset: usize, shift: u32| {
        if k >= offset && k < offset + DIGITS { load(&multiples[k - offset]) << shift } else { 0 }
    };
    // 2^96, 2^192, 2^224, 2^256.
    term(3, 9) + term(6, 18) - term(7, 21) + term(8, 24)
}

/// Montgomery's reduction of a sum of products times a factor, plus an addend for each digit. `$columns` gives two
/// columns of the sum at a time, from `$k` on. They are complete before the digit of the result that is nine places
/// lower is written, so that the result may replace a factor of a product. `$write` writes digits of the result.
macro_rules! reduce {
    ($factor:literal * |$k:ident| $columns:expr, |$digit:ident| $addend:expr, $write:expr) => {{
        let multiples: Digits = zero();
        let mut carry = 0;
        unroll!(K in [0 2 4 6 8 10 12 14 16] {
            let $k = K;
            let columns: [i64; 2] = $columns;
            unroll!(NEXT in [0 1] {
                let k = K + NEXT;
                let sum = columns[NEXT] + folded(&multiples, k);
                if k < DIGITS {
                    let sum = carry + sum;
                    multiples[k].set(sum & MASK);
                    carry = if k == DIGITS - 1 { $factor * (sum >> WIDTH) } else { sum >> WIDTH };
                } else {
                    let $digit = k - DIGITS;
                    let sum = carry + $factor * sum + $addend;
                    // The highest digit takes what is left.
                    $write($digit, if $digit == DIGITS - 1 { sum } else { sum & MASK });
                    carry = sum >> WIDTH;
                }
            });
        });
        let _ = carry;
    }};
    ($result:expr, $factor:literal * |$k:ident| $columns:expr, |$digit:ident| $addend:expr) => {
        reduce!($factor * |$k| $columns, |$digit| $addend, |digit: usize, value| $result[digit].set(value))
    };
    ($result:expr, |$k:ident| $columns:expr) => {
        reduce!($result, 1 * |$k| $columns, |_digit| 0)
    };
}

/// Two columns of a b.
#[inline(always)]
fn product_columns(a: &Digits, b: &Digits, k: usize) -> [i64; 2] {
    let mut sums = [0; 2];
    add_columns(&mut sums, a, b, k);
    sums
}

/// Two columns of a^2.
#[inline(always)]
fn square_columns(a: &Digits, k: usize) -> [i64; 2] {
    let mut sums = [0; 2];
    add_cross_columns(&mut sums, a, k);
    let digit = load(&a[k / 2]);
    [2 * sums[0] + digit * digit, 2 * sums[1]]
}

// Each of these operations writes its result, divided by 2^261 if it is a product, to a place that may be that of a
// factor, but not of what is added or subtracted otherwise.

/// a b.
#[inline(never)]
pub(super) fn product(result: &Digits, a: &Digits, b: &Digits) {
    reduce!(result, |k| product_columns(a, b, k));
}

/// a b - c.
#[inline(never)]
pub(super) fn product_minus(result: &Digits, [a, b]: [&Digits; 2], c: &Digits) {
    reduce!(result, 1 * |k| product_columns(a, b, k), |digit| -c[digit].get());
}

/// a^2.
#[inline(never)]
pub(super) fn square(result: &Digits, a: &Digits) {
    reduce!(result, |k| square_columns(a, k));
}

// More operands than that would need more registers than there are, and even fewer are better: the following operations
// become part of functions to which one pointer gives all operands.

/// a - b^2 and a + b^2, digit by digit: factors for [`product_tripled`].
#[inline(always)]
pub(super) fn around_square([difference, sum]: [&Digits; 2], a: &Digits, b: &Digits) {
    reduce!(1 * |k| square_columns(b, k), |_digit| 0, |digit: usize, value| {
        let a = a[digit].get();
        difference[digit].set(a - value);
        sum[digit].set(a + value);
    });
}

/// 2 a b.
#[inline(always)]
pub(super) fn product_doubled(result: &Digits, a: &Digits, b: &Digits) {
    reduce!(result, 2 * |k| product_columns(a, b, k), |_digit| 0);
}

/// 2 a^2.
#[inline(always)]
pub(super) fn square_doubled(result: &Digits, a: &Digits) {
    reduce!(result, 2 * |k| square_columns(a, k), |_digit| 0);
}

/// 3 a b, of a difference x - y and a sum x + y only: then no column exceeds that of x^2 - y^2.
#[inline(always)]
pub(super) fn product_tripled(result: &Digits, difference: &Digits, sum: &Digits) {
    reduce!(result, 3 * |k| product_columns(difference, sum, k), |_digit| 0);
}

/// a^2 - 2 b, and what it leaves of b, digit by digit.
#[inline(always)]
pub(super) fn square_minus_doubled([result, rest]: [&Digits; 2], a: &Digits, b: &Digits) {
    reduce!(1 * |k| square_columns(a, k), |digit| -2 * b[digit].get(), |digit: usize, value| {
        result[digit].set(value);
        rest[digit].set(b[digit].get() - value);
    });
}

/// a^2 - b - 2 c, and what it leaves of c, digit by digit.
#[inline(always)]
pub(super) fn square_minus([result, rest]: [&Digits; 2], a: &Digits, [b, c]: [&Digits; 2]) {
    let addend = |digit: usize| -b[digit].get() - 2 * c[digit].get();
    reduce!(1 * |k| square_columns(a, k), |digit| addend(digit), |digit: usize, value| {
        result[digit].set(value);
        rest[digit].set(c[digit].get() - value);
    });
}

/// a b - 2 c^2.
#[inline(always)]
pub(super) fn product_minus_square(result: &Digits, [a, b]: [&Digits; 2], c: &Digits) {
    reduce!(result, |k| {
        let mut sums = [0; 2];
        subtract_cross_columns(&mut sums, c, k);
        let digit = load(&c[k / 2]);
        sums = [4 * sums[0] - 2 * digit * digit, 4 * sums[1]];
        add_columns(&mut sums, a, b, k);
        sums
    });
}

/// a b - c d.
#[inline(always)]
pub(super) fn product_minus_product(result: &Digits, [a, b, c, d]: [&Digits; 4]) {
    reduce!(result, |k| {
        let mut sums = product_columns(a, b, k);
        subtract_columns(&mut sums, c, d, k);
        sums
    });
}

/// A number below 2^256 as an element.
pub(super) fn element(number: &U256) -> Digits {
    let result = from_limbs(&number.0);
    product(&result, &result, &R.map(Cell::new));
    result
}

/// An element as a number below p. Digits may be differences.
pub(super) fn number(a: &Digits) -> U256 {
    let result = from_limbs(&[1, 0, 0, 0]);
    product(&result, a, &result);
    // From 0 to p.
    let number = U256(to_limbs(&result));
    if arith::lt(&number, &P) { number } else { arith::sub(&number, &P) }
}

/// Whether a difference of elements is 0.
#[inline(always)]
pub(super) fn is_zero(a: &Digits) -> bool {
    // k p ends with the digit -k, and k is small.
    let lowest = (a[0].get() + 16) & MASK;
    lowest <= 32 && number(a).is_zero()
}

/// 1.
pub(super) fn one() -> Digits {
    ONE.map(Cell::new)
}

/// The difference, digit by digit.
#[inline(always)]
pub(super) fn difference(result: &Digits, a: &Digits, b: &Digits) {
    for ((target, a), b) in result.iter().zip(a).zip(b) {
        target.set(a.get() - b.get());
    }
}

/// The difference in normal digits.
pub(super) fn normal_difference(result: &Digits, a: &Digits, b: &Digits) {
    let mut carry = 0;
    for ((target, a), b) in result.iter().zip(a).zip(b) {
        let sum = a.get() - b.get() + carry;
        target.set(sum & MASK);
        carry = sum >> WIDTH;
    }
    // The highest digit keeps what it carries.
    result[DIGITS - 1].set(result[DIGITS - 1].get() + (carry << WIDTH));
}

/// Copies digits.
#[inline(always)]
pub(super) fn copy(target: &Digits, source: &Digits) {
    for (target, digit) in target.iter().zip(source) {
        target.set(digit.get());
    }
}
