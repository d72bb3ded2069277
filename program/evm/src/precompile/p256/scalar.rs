//! Numbers modulo a prime of 256 bits, and their windows.

use super::super::inverse::Prime;
use crate::{U256, arith};

/// n, the order of the curve.
pub(super) const ORDER: U256 =
    U256([0xf3b9_cac2_fc63_2551, 0xbce6_faad_a717_9e84, u64::MAX, 0xffff_ffff_0000_0000]);

/// Bits of a digit of [`Prime`], and a digit's bits.
const WIDTH: usize = 30;
const MASK: i64 = (1 << WIDTH) - 1;
/// Digits of a number.
const DIGITS: usize = 9;

/// 1 / x modulo a prime, or 0 for 0. `negated_inverse` is -1 / prime modulo 2^30.
#[inline(never)]
pub(super) fn invert(x: &U256, prime: &U256, negated_inverse: i64) -> U256 {
    let modulus = Prime { digits: digits(prime), negated_inverse, rounds_max: 25 };
    let mut inverse = modulus.invert(&digits(x));
    // Between -20 and 20 times the prime: above 0, and up to 52 times.
    for (digit, prime) in inverse.iter_mut().zip(&modulus.digits) {
        *digit += 32 * prime;
    }
    reduced(&inverse, prime)
}

/// The digits of a number.
fn digits(number: &U256) -> [i64; DIGITS] {
    core::array::from_fn(|index| bits(number, WIDTH * index) as i64 & MASK)
}

/// The 64 bits from bit `start` on.
fn bits(number: &U256, start: usize) -> u64 {
    let (limb, shift) = (start / 64, start % 64);
    let limb_at = |index: usize| number.0.get(index).copied().unwrap_or_default();
    let above = if shift > 0 { limb_at(limb + 1) << (64 - shift) } else { 0 };
    limb_at(limb) >> shift | above
}

/// A number below 2^262, given by digits that are not carried, modulo a prime above 2^255.
fn reduced(digits: &[i64; DIGITS], prime: &U256) -> U256 {
    let mut limbs = [0; 5];
    let mut carry = 0;
    for (index, digit) in digits.iter().enumerate() {
        let sum = digit + carry;
        carry = sum >> WIDTH;
        let digit = (sum & MASK) as u64;
        let (limb, shift) = (WIDTH * index / 64, WIDTH * index % 64);
        limbs[limb] |= digit << shift;
        if shift > 64 - WIDTH {
            limbs[limb + 1] |= digit >> (64 - shift);
        }
    }
    let [l0, l1, l2, l3, high] = limbs;
    // 2^256 is 2^256 - prime.
    let above = arith::mul(&U256([high, 0, 0, 0]), &arith::sub(&U256([0; 4]), prime));
    arith::addmod(&U256([l0, l1, l2, l3]), &above, prime)
}

/// Bits of a number, and one more for what its windows carry.
pub(super) const POSITIONS: usize = 257;

/// What to multiply by at each bit: 0, or an odd number between -2^(width - 1) and 2^(width - 1), at most once in `width`
/// bits (width-w non-adjacent form).
pub(super) fn windows(number: &U256, width: usize) -> [i16; POSITIONS] {
    let mut windows = [0; POSITIONS];
    let mut carry = 0;
    let mut position = 0;
    while position < POSITIONS {
        let bit = number.0.get(position / 64).map_or(0, |limb| limb >> (position % 64) & 1);
        if bit as i16 == carry {
            position += 1;
            continue;
        }
        let window = (bits(number, position) & ((1 << width) - 1)) as i16 + carry;
        carry = window >> (width - 1) & 1;
        windows[position] = window - (carry << width);
        position += width;
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The sum of what windows multiply by, modulo 2^256; two's complement makes negative numbers right.
    fn value(windows: &[i16; POSITIONS]) -> U256 {
        windows.iter().rev().fold(U256::zero(), |sum, &window| {
            let window = i64::from(window);
            let sign = if window < 0 { u64::MAX } else { 0 };
            arith::add(&arith::add(&sum, &sum), &U256([window as u64, sign, sign, sign]))
        })
    }

    fn check_windows(number: &U256) {
        for width in [5, 11] {
            let windows = windows(number, width);
            assert_eq!(value(&windows), *number);
            let mut last = None;
            for (position, &window) in windows.iter().enumerate().filter(|(_, window)| **window != 0) {
                assert!(window % 2 != 0 && window.unsigned_abs() < 1 << (width - 1));
                assert!(last.is_none_or(|last| position - last >= width));
                last = Some(position);
            }
        }
    }

    proptest! {
        #[test]
        fn windows_add_up(limbs: [u64; 4]) {
            check_windows(&U256(limbs));
        }

        #[test]
        fn inverses(limbs: [u64; 4]) {
            let x = arith::rem(&U256(limbs), &ORDER);
            let inverse = invert(&x, &ORDER, super::super::ORDER_NEGATED_INVERSE);
            prop_assert!(arith::lt(&inverse, &ORDER));
            prop_assert_eq!(arith::mulmod(&x, &inverse, &ORDER), U256::from(u8::from(!x.is_zero())));
        }
    }

    #[test]
    fn windows_of_extreme_numbers() {
        for number in [U256::zero(), U256::one(), U256::MAX, ORDER, U256::one() << 255, U256::MAX >> 1] {
            check_windows(&number);
        }
    }
}
