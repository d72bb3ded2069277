//! The field of BLS12-381: 13 digits of 30 bits with signs, in Montgomery's form.
//!
//! A digit lies in [-2^29, 2^29), so that a column of a product and of its reduction, 26 products of two digits, stays
//! below 2^63. That is all there is: the digits of a sum must be carried before they are multiplied, and every
//! function here returns carried digits. The highest digit takes what is left, so that values may exceed the field's
//! characteristic p, and be negative. A product lies between -p and p as long as its factors lie between -16 p and
//! 16 p.
//!
//! Digits are in cells for the reason that [`super::super::digits`] gives: a product takes 1,370 CU, a square 1,040.

use super::super::digits::unroll;
use super::super::inverse::Prime;
use core::cell::Cell;

/// How many digits there are.
const DIGITS: usize = 13;
/// Bits of a digit.
const WIDTH: u32 = 30;
/// Bits of a register above a digit.
const ABOVE: u32 = 64 - WIDTH;
/// Bytes of an element in [`Fp::to_bytes`].
pub(super) const BYTES: usize = 48;

/// p, the least significant limb first.
pub(super) const P_LIMBS: [u64; 6] = [
    0xb9fe_ffff_ffff_aaab,
    0x1eab_fffe_b153_ffff,
    0x6730_d2a0_f6b0_f624,
    0x6477_4b84_f385_12bf,
    0x4b1b_a7b6_434b_acd7,
    0x1a01_11ea_397f_e69a,
];
/// p.
const P: [i64; DIGITS] = digits(&P_LIMBS);
/// -1 / p modulo 2^30.
const NEGATED_INVERSE: i64 = negated_inverse();

/// A constant of the field, in Montgomery's form.
pub(super) type Constant = [i32; DIGITS];

/// 1.
pub(super) const ONE: Constant = constant("1");
/// 2^390, which brings a number into Montgomery's form.
const R: Constant = times_power_of_two([1, 0, 0, 0, 0, 0], 2 * WIDTH as usize * DIGITS);
/// 2^1170, which does so to the inverse of an element.
const R_CUBED: Constant = times_power_of_two([1, 0, 0, 0, 0, 0], 3 * WIDTH as usize * DIGITS);

/// A number below p, in hexadecimal digits, as an element.
pub(super) const fn constant(hex: &str) -> Constant {
    let hex = hex.as_bytes();
    let mut limbs = [0u64; 6];
    let mut index = 0;
    while index < hex.len() {
        let digit = match hex[hex.len() - 1 - index] {
            digit @ b'0'..=b'9' => digit - b'0',
            digit => digit - b'a' + 10,
        };
        limbs[index / 16] |= (digit as u64) << (4 * (index % 16));
        index += 1;
    }
    times_power_of_two(limbs, WIDTH as usize * DIGITS)
}

/// The digits of a number times 2^exponent modulo p.
const fn times_power_of_two(mut limbs: [u64; 6], exponent: usize) -> Constant {
    let mut doublings = 0;
    while doublings < exponent {
        limbs = double(&limbs);
        doublings += 1;
    }
    let wide = digits(&limbs);
    let mut constant = [0; DIGITS];
    let mut index = 0;
    while index < DIGITS {
        constant[index] = wide[index] as i32;
        index += 1;
    }
    constant
}

/// Twice a number, modulo p.
const fn double(limbs: &[u64; 6]) -> [u64; 6] {
    let mut sum = [0; 6];
    let mut difference = [0; 6];
    let mut borrow = false;
    let mut index = 0;
    while index < 6 {
        sum[index] = limbs[index] << 1 | if index > 0 { limbs[index - 1] >> 63 } else { 0 };
        let (less, first) = sum[index].overflowing_sub(P_LIMBS[index]);
        let (less, second) = less.overflowing_sub(borrow as u64);
        difference[index] = less;
        borrow = first || second;
        index += 1;
    }
    if borrow { sum } else { difference }
}

/// The digits of a number below 2^384.
const fn digits(limbs: &[u64; 6]) -> [i64; DIGITS] {
    let mut digits = [0; DIGITS];
    let mut carry = 0;
    let mut index = 0;
    while index < DIGITS {
        let (limb, shift) = (WIDTH as usize * index / 64, WIDTH as usize * index % 64);
        let above = if shift > 64 - WIDTH as usize && limb < 5 { limbs[limb + 1] << (64 - shift) } else { 0 };
        let digit = ((limbs[limb] >> shift | above) & ((1 << WIDTH) - 1)) as i64 + carry;
        digits[index] = if index < DIGITS - 1 { lowest(digit) } else { digit };
        carry = (digit - digits[index]) >> WIDTH;
        index += 1;
    }
    digits
}

/// The lowest digit of a number, with its sign.
#[inline(always)]
const fn lowest(number: i64) -> i64 {
    number << ABOVE >> ABOVE
}

/// Newton's iteration.
const fn negated_inverse() -> i64 {
    let mut inverse = P_LIMBS[0];
    let mut round = 0;
    while round < 4 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(P_LIMBS[0].wrapping_mul(inverse)));
        round += 1;
    }
    lowest(inverse.wrapping_neg() as i64)
}

/// An element.
#[derive(Clone, Debug)]
pub(super) struct Fp(pub(super) [Cell<i64>; DIGITS]);

impl Fp {
    /// 0.
    pub(super) fn zero() -> Self {
        Self([const { Cell::new(0) }; DIGITS])
    }

    /// A constant.
    #[inline(never)]
    pub(super) fn of(constant: &Constant) -> Self {
        Self(core::array::from_fn(|index| Cell::new(constant[index].into())))
    }

    /// Carries what `digit` gives for each index.
    #[inline(always)]
    fn carried(digit: impl Fn(usize) -> i64) -> Self {
        let result = Self::zero();
        let mut carry = 0;
        for (index, target) in result.0[..DIGITS - 1].iter().enumerate() {
            let sum = digit(index) + carry;
            target.set(lowest(sum));
            carry = (sum - target.get()) >> WIDTH;
        }
        result.0[DIGITS - 1].set(digit(DIGITS - 1) + carry);
        result
    }

    /// The same number with carried digits.
    fn carry(&self) -> Self {
        Self::carried(|index| self.0[index].get())
    }

    /// The sum.
    #[inline(never)]
    pub(super) fn add(&self, other: &Self) -> Self {
        Self::carried(|index| self.0[index].get() + other.0[index].get())
    }

    /// The difference.
    #[inline(never)]
    pub(super) fn sub(&self, other: &Self) -> Self {
        Self::carried(|index| self.0[index].get() - other.0[index].get())
    }

    /// -x.
    #[inline(never)]
    pub(super) fn neg(&self) -> Self {
        Self::zero().sub(self)
    }

    /// Whether it is 0; it must lie between -5 p and 5 p.
    #[inline(never)]
    pub(super) fn is_zero(&self) -> bool {
        // A multiple of p shows in its lowest digit.
        let lowest = self.0[0].get();
        (-4..=4).any(|factor| {
            factor * P[0] == lowest
                && Self::carried(|index| self.0[index].get() - factor * P[index])
                    .0
                    .iter()
                    .all(|digit| digit.get() == 0)
        })
    }

    /// A number given as 48 bytes big-endian, as digits: *not* in Montgomery's form.
    #[inline(never)]
    pub(super) fn read(bytes: &[u8; BYTES]) -> Self {
        let (words, _) = bytes.as_chunks::<8>();
        let limbs = core::array::from_fn(|index| u64::from_be_bytes(words[5 - index]));
        Self(digits(&limbs).map(Cell::new))
    }

    /// The digits as a number from 0 to p - 1, as 48 bytes big-endian. The number must lie between -p and p, which
    /// it does after a multiplication.
    #[inline(never)]
    pub(super) fn write(&self) -> [u8; BYTES] {
        let mut limbs = [0u64; 6];
        let is_negative =
            self.0.iter().rev().find(|digit| digit.get() != 0).is_some_and(|digit| digit.get() < 0);
        let mut carry = 0;
        for (index, digit) in self.0.iter().enumerate() {
            let sum = digit.get() + carry + if is_negative { P[index] } else { 0 };
            let digit = (sum & ((1 << WIDTH) - 1)) as u64;
            carry = sum >> WIDTH;
            let (limb, shift) = (WIDTH as usize * index / 64, WIDTH as usize * index % 64);
            limbs[limb] |= digit << shift;
            if shift > 64 - WIDTH as usize && limb < 5 {
                limbs[limb + 1] |= digit >> (64 - shift);
            }
        }
        let mut bytes = [0; BYTES];
        for (target, limb) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(limbs.iter().rev()) {
            *target = limb.to_be_bytes();
        }
        bytes
    }
}

/// Multiplication, and the room that it needs.
#[derive(Debug)]
pub(super) struct Field {
    /// The multiples of p that a reduction adds.
    multiples: Fp,
    /// Written between columns, so that the compiler keeps them apart.
    border: Cell<i64>,
}

/// Montgomery's reduction of a product given by its columns. A column is complete before the digit of the result that
/// is 13 places lower is written, so that the result may replace a factor.
macro_rules! reduce {
    ($result:ident, $multiples:ident, $border:ident, |$k:ident| $column:expr) => {{
        let mut sum = 0;
        unroll!(K in [0 1 2 3 4 5 6 7 8 9 10 11 12] {
            let $k = K;
            sum += $column;
            $border.set(sum);
            sum += multiple_column($multiples, K);
            let multiple = lowest(sum.wrapping_mul(NEGATED_INVERSE));
            $multiples.0[K].set(multiple);
            sum = (sum + multiple * P[0]) >> WIDTH;
        });
        unroll!(K in [13 14 15 16 17 18 19 20 21 22 23 24] {
            let $k = K;
            sum += $column;
            $border.set(sum);
            sum += multiple_column($multiples, K);
            $result.0[K - DIGITS].set(lowest(sum));
            sum = (sum - lowest(sum)) >> WIDTH;
        });
        $result.0[DIGITS - 1].set(sum);
    }};
}

/// Writes `a * b / 2^390`. `border` is another cell than those of `multiples`, which the compiler must not know.
#[inline(never)]
fn multiply(result: &Fp, a: &Fp, b: &Fp, multiples: &Fp, border: &Cell<i64>) {
    reduce!(result, multiples, border, |k| column(a, b, k));
}

/// Writes `a * a / 2^390`, as [`multiply`].
#[inline(never)]
fn square(result: &Fp, a: &Fp, multiples: &Fp, border: &Cell<i64>) {
    reduce!(result, multiples, border, |k| square_column(a, k));
}

/// Column `k` of `multiples * p`, but for `multiples[k]`, which is not known when this is needed.
#[inline(always)]
fn multiple_column(multiples: &Fp, k: usize) -> i64 {
    let mut sum = 0;
    let mut i = k.saturating_sub(DIGITS - 1);
    while i < DIGITS && i < k {
        sum += multiples.0[i].get() * P[k - i];
        i += 1;
    }
    sum
}

/// Column `k` of `a * b`.
#[inline(always)]
fn column(a: &Fp, b: &Fp, k: usize) -> i64 {
    let mut sum = 0;
    let mut i = k.saturating_sub(DIGITS - 1);
    while i < DIGITS && i <= k {
        sum += a.0[i].get() * b.0[k - i].get();
        i += 1;
    }
    sum
}

/// Column `k` of `a * a`.
#[inline(always)]
fn square_column(a: &Fp, k: usize) -> i64 {
    let mut sum = 0;
    let mut i = k.saturating_sub(DIGITS - 1);
    while 2 * i < k {
        sum += a.0[i].get() * a.0[k - i].get();
        i += 1;
    }
    sum *= 2;
    if k.is_multiple_of(2) { sum + a.0[k / 2].get() * a.0[k / 2].get() } else { sum }
}

impl Field {
    /// Room for multiplications.
    pub(super) fn new() -> Self {
        Self { multiples: Fp::zero(), border: Cell::new(0) }
    }

    /// Writes `a * b / 2^390` to `result`, which may be a factor.
    pub(super) fn mul_to(&self, result: &Fp, a: &Fp, b: &Fp) {
        multiply(result, a, b, &self.multiples, &self.border);
    }

    /// Writes `a * a / 2^390` to `result`, which may be `a`.
    pub(super) fn square_to(&self, result: &Fp, a: &Fp) {
        square(result, a, &self.multiples, &self.border);
    }

    /// The product, if both are in Montgomery's form. If one of them is not, neither is the product.
    #[inline(never)]
    pub(super) fn mul(&self, a: &Fp, b: &Fp) -> Fp {
        let result = Fp::zero();
        self.mul_to(&result, a, b);
        result
    }

    /// The product with a constant.
    #[inline(never)]
    pub(super) fn mul_constant(&self, a: &Fp, constant: &Constant) -> Fp {
        let result = Fp::of(constant);
        self.mul_to(&result, &result, a);
        result
    }

    /// The square.
    #[inline(never)]
    pub(super) fn square(&self, a: &Fp) -> Fp {
        let result = Fp::zero();
        self.square_to(&result, a);
        result
    }

    /// A number below p, 48 bytes big-endian, as an element.
    #[inline(never)]
    pub(super) fn element(&self, bytes: &[u8; BYTES]) -> Fp {
        self.mul_constant(&Fp::read(bytes), &R)
    }

    /// An element as a number below p, 48 bytes big-endian.
    #[inline(never)]
    pub(super) fn to_bytes(&self, a: &Fp) -> [u8; BYTES] {
        let one = Fp::zero();
        one.0[0].set(1);
        self.mul(a, &one).write()
    }

    /// 1 / x, or 0 for 0.
    #[inline(never)]
    pub(super) fn invert(&self, a: &Fp) -> Fp {
        let prime = Prime { digits: P, negated_inverse: NEGATED_INVERSE, rounds_max: 37 };
        let inverse = prime.invert(&a.0.each_ref().map(Cell::get));
        // That was the inverse of 2^390 times the element.
        self.mul_constant(&Fp(inverse.map(Cell::new)).carry(), &R_CUBED)
    }

    /// Whether the number from 0 to p - 1 is odd (sgn0 of RFC 9380, section 4.1).
    pub(super) fn is_odd(&self, a: &Fp) -> bool {
        self.to_bytes(a)[BYTES - 1] & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use proptest::prelude::*;

    fn p() -> BigUint {
        P_LIMBS.iter().rev().fold(BigUint::ZERO, |sum, &limb| (sum << 64) + limb)
    }

    fn bytes(number: &BigUint) -> [u8; BYTES] {
        let number = (number % p()).to_bytes_be();
        let mut bytes = [0; BYTES];
        bytes[BYTES - number.len()..].copy_from_slice(&number);
        bytes
    }

    fn number(field: &Field, a: &Fp) -> BigUint {
        BigUint::from_bytes_be(&field.to_bytes(a))
    }

    /// Numbers of 48 bytes, many of them at the borders of digits.
    fn any_number() -> impl Strategy<Value = BigUint> {
        let byte = prop_oneof![3 => any::<u8>(), 1 => Just(0), 1 => Just(0xff)];
        let random = proptest::collection::vec(byte, BYTES).prop_map(|bytes| BigUint::from_bytes_be(&bytes));
        let extreme = (0u32..3).prop_map(|less| p() - less - 1u32);
        prop_oneof![8 => random, 1 => extreme, 1 => (0u32..3).prop_map(BigUint::from)]
            .prop_map(|number| number % p())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn arithmetic(a in any_number(), b in any_number()) {
            let field = Field::new();
            let (x, y) = (field.element(&bytes(&a)), field.element(&bytes(&b)));
            prop_assert_eq!(&number(&field, &x), &a);
            prop_assert_eq!(number(&field, &x.add(&y)), (&a + &b) % p());
            prop_assert_eq!(number(&field, &x.sub(&y)), (&a + p() - &b) % p());
            prop_assert_eq!(number(&field, &x.neg()), (p() - &a) % p());
            prop_assert_eq!(number(&field, &field.mul(&x, &y)), (&a * &b) % p());
            prop_assert_eq!(number(&field, &field.square(&x)), (&a * &a) % p());
            prop_assert_eq!(x.sub(&y).is_zero(), a == b);
            prop_assert_eq!(field.is_odd(&x), a.bit(0));
        }

        #[test]
        fn factors_may_be_in_place_and_beyond_p(a in any_number(), b in any_number()) {
            let field = Field::new();
            let (x, y) = (field.element(&bytes(&a)), field.element(&bytes(&b)));
            let (mut x, mut y) = (x.add(&x).neg(), y);
            for _ in 0..3 {
                (x, y) = (x.add(&x), y.add(&y));
            }
            // -16 a and 8 b.
            let expected = (p() - &a) * &b * 128u32 % p();
            field.mul_to(&x, &x, &y);
            prop_assert_eq!(number(&field, &x), expected.clone());
            field.square_to(&x, &x);
            prop_assert_eq!(number(&field, &x), &expected * &expected % p());
        }

        #[test]
        fn inverses(a in any_number()) {
            let field = Field::new();
            let x = field.element(&bytes(&a));
            let product = number(&field, &field.mul(&x, &field.invert(&x)));
            prop_assert_eq!(product, BigUint::from(u8::from(a != BigUint::ZERO)));
        }

        #[test]
        fn numbers_times_elements_are_numbers(a in any_number(), b in any_number()) {
            let field = Field::new();
            let product = field.mul(&Fp::read(&bytes(&a)), &field.element(&bytes(&b)));
            prop_assert_eq!(product.write(), bytes(&(a * b)));
        }
    }

    #[test]
    fn multiples_of_p_are_zero() {
        let multiple = |factor: i64| Fp(P.map(|digit| Cell::new(factor * digit))).carry();
        for factor in -4..=4 {
            assert!(multiple(factor).is_zero());
            assert!(!multiple(factor).add(&Fp::of(&ONE)).is_zero());
        }
    }
}
