//! Odd moduli of up to 256 bits: Montgomery multiplication over nine digits of 29 bits.

use super::number::Number;
use super::power::{self, ENTRIES_MAX, Residues};
use super::saturating_product;
use crate::precompile::digits::{self, DIGITS, Digits, MASK, WIDTH, column, square_column, unroll};
use crate::{U256, arith};

/// The longest modulus, in bits.
pub(super) const BITS_MAX: u64 = 256;

/// What [`power`] takes on chain: measured, and rounded up.
pub(super) fn compute_units(base: &Number<'_>, exponent: &Number<'_>) -> u64 {
    let (squares, products) = power::operations(exponent);
    let words = base.bit_length().div_ceil(256);
    [(660, squares), (830, products), (2500, words), (4500, 1)]
        .into_iter()
        .fold(0, |sum, (price, count)| saturating_product(price, count).saturating_add(sum))
}

/// A modulus, and what Montgomery's reduction by it needs.
struct Modulus {
    digits: Digits,
    /// -1 / modulus, modulo 2^29.
    negated_inverse: i64,
    /// Room for the multiples of the modulus that a reduction adds.
    multiples: Digits,
}

/// Residues below twice the modulus, times 2^261 (Montgomery's form).
struct Small {
    modulus: Modulus,
    accumulator: Digits,
    table: [Digits; ENTRIES_MAX],
}

impl Small {
    /// An accumulator of 0, and the base in Montgomery's form as the only entry of the table.
    fn new(modulus: &U256, base: &U256) -> Self {
        let mut table: [Digits; ENTRIES_MAX] = core::array::from_fn(|_| digits::zero());
        table[0] = digits::from_limbs(&base.0);
        // Newton's iteration: an inverse modulo 8 to begin with, then twice the bits each time.
        let mut inverse = modulus.0[0];
        for _ in 0..4 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(modulus.0[0].wrapping_mul(inverse)));
        }
        let modulus = Modulus {
            digits: digits::from_limbs(&modulus.0),
            negated_inverse: inverse.wrapping_neg() as i64 & MASK,
            multiples: digits::zero(),
        };
        Self { modulus, accumulator: digits::zero(), table }
    }

    /// The accumulator's value.
    fn value(&self, modulus: &U256) -> U256 {
        let one = digits::from_limbs(&[1, 0, 0, 0]);
        self.modulus.product(&self.accumulator, &self.accumulator, &one);
        // Multiplying by 1 leaves no more than the modulus itself.
        let value = U256(digits::to_limbs(&self.accumulator));
        if arith::lt(&value, modulus) { value } else { arith::sub(&value, modulus) }
    }
}

impl Residues for Small {
    fn fill_table(&mut self, entries: usize) {
        if entries < 2 {
            return;
        }
        self.modulus.square(&self.accumulator, &self.table[0]);
        for [entry, next] in self.table[..entries.min(ENTRIES_MAX)].array_windows() {
            self.modulus.product(next, entry, &self.accumulator);
        }
    }

    fn start(&mut self, index: usize) {
        self.accumulator.clone_from(&self.table[index & (ENTRIES_MAX - 1)]);
    }

    fn square(&mut self) {
        self.modulus.square(&self.accumulator, &self.accumulator);
    }

    fn multiply(&mut self, index: usize) {
        let entry = &self.table[index & (ENTRIES_MAX - 1)];
        self.modulus.product(&self.accumulator, &self.accumulator, entry);
    }
}

/// Montgomery's reduction of a product given by its columns: adds multiples of the modulus until the nine lower
/// digits are 0, and writes the others. Column `k` is complete before digit `k - 9` of the result is written, so that
/// the result may replace a factor.
macro_rules! reduce {
    ($self:ident, $result:ident, |$k:ident| $column:expr) => {{
        let Modulus { digits: modulus, negated_inverse, multiples } = $self;
        let mut sum = 0;
        unroll!(K in [0 1 2 3 4 5 6 7 8] {
            let $k = K;
            sum += $column;
            sum += column_below(multiples, modulus, K);
            let multiple = (sum & MASK) * negated_inverse & MASK;
            multiples[K].set(multiple);
            sum = (sum + multiple * modulus[0].get()) >> WIDTH;
        });
        unroll!(K in [9 10 11 12 13 14 15 16] {
            let $k = K;
            sum += $column;
            sum += column(multiples, modulus, K);
            $result[K - DIGITS].set(sum & MASK);
            sum >>= WIDTH;
        });
        $result[DIGITS - 1].set(sum);
    }};
}

/// Column `k` of the product, but for `multiples[k]`, which is not known yet.
#[inline(always)]
fn column_below(multiples: &Digits, modulus: &Digits, k: usize) -> i64 {
    let mut sum = 0;
    let mut i = 0;
    while i < k {
        sum += multiples[i].get() * modulus[k - i].get();
        i += 1;
    }
    sum
}

impl Modulus {
    /// `a * b / 2^261`, below twice the modulus if `a` and `b` are.
    #[inline(never)]
    fn product(&self, result: &Digits, a: &Digits, b: &Digits) {
        reduce!(self, result, |k| column(a, b, k));
    }

    /// `a * a / 2^261`, below twice the modulus if `a` is.
    #[inline(never)]
    fn square(&self, result: &Digits, a: &Digits) {
        reduce!(self, result, |k| square_column(a, k));
    }
}

/// Writes the power to the end of `output`, which is zero and has room for the modulus.
#[inline(never)]
pub(super) fn power(base: &Number<'_>, exponent: &Number<'_>, modulus: &Number<'_>, output: &mut [u8]) {
    let word = |number: &Number<'_>, index: u64| {
        U256(core::array::from_fn(|limb| number.bits_64(256 * index as i64 + 64 * limb as i64)))
    };
    let n = word(modulus, 0);
    let result = if exponent.bit_length() == 0 {
        arith::rem(&U256([1, 0, 0, 0]), &n)
    } else {
        // 2^256 and 2^261 modulo the modulus.
        let two_256 = arith::rem(&arith::sub(&U256([0; 4]), &n), &n);
        let two_261 = arith::mulmod(&two_256, &U256([32, 0, 0, 0]), &n);
        let mut reduced = U256([0; 4]);
        for index in (0..base.bit_length().div_ceil(256)).rev() {
            reduced = arith::mulmod(&reduced, &two_256, &n);
            reduced = arith::addmod(&reduced, &word(base, index), &n);
        }
        let mut residues = Small::new(&n, &arith::mulmod(&reduced, &two_261, &n));
        power::power(&mut residues, exponent);
        residues.value(&n)
    };
    for (target, index) in output.iter_mut().rev().zip(0..32) {
        *target = (result.0[index / 8] >> (8 * (index % 8))) as u8;
    }
}
