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
    DIGITS, Digits, MASK, WIDTH, column, from_limbs, square_column, to_limbs, unroll, zero,
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
        if k >= offset && k < offset + DIGITS { multiples[k - offset].get() << shift } else { 0 }
    };
    // 2^96, 2^192, 2^224, 2^256.
    term(3, 9) + term(6, 18) - term(7, 21) + term(8, 24)
}

/// Montgomery's reduction of a sum of products given by its columns, plus `$addend` of each digit. A column is complete
/// before the digit of the result that is nine places lower is written, so that the result may replace a factor.
macro_rules! reduce {
    ($multiples:expr, $result:expr, |$k:ident| $column:expr, |$digit:ident| $addend:expr) => {{
        let (multiples, result): (&Digits, &Digits) = ($multiples, $result);
        let mut sum = 0;
        unroll!(K in [0 1 2 3 4 5 6 7 8] {
            let $k = K;
            sum += $column;
            sum += folded(multiples, K);
            multiples[K].set(sum & MASK);
            sum >>= WIDTH;
        });
        unroll!(K in [9 10 11 12 13 14 15 16] {
            let $k = K;
            let $digit = K - DIGITS;
            sum += $column;
            sum += folded(multiples, K) + $addend;
            result[K - DIGITS].set(sum & MASK);
            sum >>= WIDTH;
        });
        let $digit = DIGITS - 1;
        result[DIGITS - 1].set(sum + $addend);
    }};
}

/// The operations, and the room that they need. Each writes its result, divided by 2^261 if it is a product, to a place
/// that may be that of a factor, but not of what is added or subtracted otherwise.
pub(super) struct Field {
    /// The multiples of p that a reduction adds.
    multiples: Digits,
}

impl Field {
    /// Room for operations.
    pub(super) fn new() -> Self {
        Self { multiples: zero() }
    }

    /// a b.
    #[inline(never)]
    pub(super) fn product(&self, result: &Digits, a: &Digits, b: &Digits) {
        reduce!(&self.multiples, result, |k| column(a, b, k), |_digit| 0);
    }

    /// 2 a b.
    #[inline(never)]
    pub(super) fn product_doubled(&self, result: &Digits, a: &Digits, b: &Digits) {
        reduce!(&self.multiples, result, |k| 2 * column(a, b, k), |_digit| 0);
    }

    /// a^2.
    #[inline(never)]
    pub(super) fn square(&self, result: &Digits, a: &Digits) {
        reduce!(&self.multiples, result, |k| square_column(a, k), |_digit| 0);
    }

    /// 2 a^2.
    #[inline(never)]
    pub(super) fn square_doubled(&self, result: &Digits, a: &Digits) {
        reduce!(&self.multiples, result, |k| 2 * square_column(a, k), |_digit| 0);
    }

    /// a^2 - b - 2 c.
    #[inline(never)]
    pub(super) fn square_minus(&self, result: &Digits, a: &Digits, b: &Digits, c: &Digits) {
        reduce!(&self.multiples, result, |k| square_column(a, k), |digit| {
            -b[digit].get() - 2 * c[digit].get()
        });
    }

    /// a^2 - 2 b.
    #[inline(never)]
    pub(super) fn square_minus_doubled(&self, result: &Digits, a: &Digits, b: &Digits) {
        reduce!(&self.multiples, result, |k| square_column(a, k), |digit| -2 * b[digit].get());
    }

    /// 3 a^2 - 3 b^2.
    #[inline(never)]
    pub(super) fn squares_tripled(&self, result: &Digits, a: &Digits, b: &Digits) {
        let columns = |k: usize| 3 * (square_column(a, k) - square_column(b, k));
        reduce!(&self.multiples, result, |k| columns(k), |_digit| 0);
    }

    /// a b - 2 c^2.
    #[inline(never)]
    pub(super) fn product_minus_square(&self, result: &Digits, [a, b]: [&Digits; 2], c: &Digits) {
        let columns = |k: usize| column(a, b, k) - 2 * square_column(c, k);
        reduce!(&self.multiples, result, |k| columns(k), |_digit| 0);
    }

    /// a b - c d.
    #[inline(never)]
    pub(super) fn product_minus_product(&self, result: &Digits, [a, b, c, d]: [&Digits; 4]) {
        let columns = |k: usize| column(a, b, k) - column(c, d, k);
        reduce!(&self.multiples, result, |k| columns(k), |_digit| 0);
    }

    /// A number below 2^256 as an element.
    pub(super) fn element(&self, number: &U256) -> Digits {
        let result = from_limbs(&number.0);
        self.product(&result, &result, &R.map(Cell::new));
        result
    }

    /// An element as a number below p. Digits may be differences.
    pub(super) fn number(&self, a: &Digits) -> U256 {
        let result = from_limbs(&[1, 0, 0, 0]);
        self.product(&result, a, &result);
        // From 0 to p.
        let number = U256(to_limbs(&result));
        if arith::lt(&number, &P) { number } else { arith::sub(&number, &P) }
    }

    /// Whether a difference of elements is 0.
    #[inline(always)]
    pub(super) fn is_zero(&self, a: &Digits) -> bool {
        // k p ends with the digit -k, and k is small.
        let lowest = (a[0].get() + 16) & MASK;
        lowest <= 32 && self.number(a).is_zero()
    }
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
