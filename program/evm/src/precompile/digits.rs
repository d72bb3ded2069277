//! Numbers of up to 261 bits in nine digits of 29 bits, and the columns of their products.
//!
//! sBPF multiplies 64-bit registers, keeps the low half of the product and has no carry flag. Digits of 29 bits leave
//! the sum of nine products below 2^62, so that nothing can overflow and carries wait until a column is complete.
//!
//! # Why cells
//! A product takes 4 CU at best: load, load, multiply, add. The compiler would rather load every digit once, for all
//! columns, and then has nowhere to keep them but the stack, which costs 25 % more. Digits in cells may change
//! whenever another cell is written, as far as it knows: so it works column by column, and loads them again.

use core::cell::Cell;

/// How many digits there are.
pub(super) const DIGITS: usize = 9;
/// Bits of a digit.
pub(super) const WIDTH: u32 = 29;
/// A digit's bits.
pub(super) const MASK: i64 = (1 << WIDTH) - 1;

/// Digits, the least significant first.
pub(super) type Digits = [Cell<i64>; DIGITS];

/// Zero, and room for digits.
pub(super) fn zero() -> Digits {
    [const { Cell::new(0) }; DIGITS]
}

/// Repeats a block with a constant index. (Loops over a product's columns must be unrolled to be fast, and the
/// compiler does not unroll them by itself.)
macro_rules! unroll {
    ($index:ident in [$($value:literal)*] $body:block) => { $({ const $index: usize = $value; $body })* };
}
pub(super) use unroll;

/// Column `k` of the product: the sum of `a[i] * b[k - i]`.
#[inline(always)]
pub(super) fn column(a: &Digits, b: &Digits, k: usize) -> i64 {
    let mut sum = 0;
    let mut i = k.saturating_sub(DIGITS - 1);
    while i < DIGITS && i <= k {
        sum += a[i].get() * b[k - i].get();
        i += 1;
    }
    sum
}

/// Column `k` of the square.
#[inline(always)]
pub(super) fn square_column(a: &Digits, k: usize) -> i64 {
    let mut sum = 0;
    let mut i = k.saturating_sub(DIGITS - 1);
    while 2 * i < k {
        sum += a[i].get() * a[k - i].get();
        i += 1;
    }
    sum *= 2;
    if k.is_multiple_of(2) { sum + a[k / 2].get() * a[k / 2].get() } else { sum }
}

/// A digit, loaded here and now.
#[inline(always)]
pub(super) fn load(digit: &Cell<i64>) -> i64 {
    // SAFETY: a cell of an integer may be read through its pointer while nobody writes to it, and no other thread
    // may refer to it.
    unsafe { digit.as_ptr().read_volatile() }
}

/// Adds the columns `k` and `k + 1` of the product to the sums.
#[inline(always)]
pub(super) fn add_columns(sums: &mut [i64; 2], a: &Digits, b: &Digits, k: usize) {
    let mut i = k.saturating_sub(DIGITS - 1);
    while i < DIGITS && i <= k + 1 {
        let digit = load(&a[i]);
        if i <= k {
            sums[0] += load(&b[k - i]) * digit;
        }
        if k + 1 < i + DIGITS {
            sums[1] += load(&b[k + 1 - i]) * digit;
        }
        i += 1;
    }
}

/// Subtracts them.
#[inline(always)]
pub(super) fn subtract_columns(sums: &mut [i64; 2], a: &Digits, b: &Digits, k: usize) {
    let mut i = k.saturating_sub(DIGITS - 1);
    while i < DIGITS && i <= k + 1 {
        let digit = load(&a[i]);
        if i <= k {
            sums[0] -= load(&b[k - i]) * digit;
        }
        if k + 1 < i + DIGITS {
            sums[1] -= load(&b[k + 1 - i]) * digit;
        }
        i += 1;
    }
}

/// Adds half of what the columns `k` and `k + 1` of the square are without the squares of digits.
#[inline(always)]
pub(super) fn add_cross_columns(sums: &mut [i64; 2], a: &Digits, k: usize) {
    let mut i = k.saturating_sub(DIGITS - 1);
    while 2 * i <= k {
        let digit = load(&a[i]);
        if 2 * i < k {
            sums[0] += load(&a[k - i]) * digit;
        }
        if k + 1 < i + DIGITS {
            sums[1] += load(&a[k + 1 - i]) * digit;
        }
        i += 1;
    }
}

/// Subtracts it.
#[inline(always)]
pub(super) fn subtract_cross_columns(sums: &mut [i64; 2], a: &Digits, k: usize) {
    let mut i = k.saturating_sub(DIGITS - 1);
    while 2 * i <= k {
        let digit = load(&a[i]);
        if 2 * i < k {
            sums[0] -= load(&a[k - i]) * digit;
        }
        if k + 1 < i + DIGITS {
            sums[1] -= load(&a[k + 1 - i]) * digit;
        }
        i += 1;
    }
}

/// The digits of a number of 256 bits.
pub(super) fn from_limbs(limbs: &[u64; 4]) -> Digits {
    let bits = |start: usize| {
        let (limb, shift) = (start / 64, start % 64);
        let above = if shift > 0 && limb < 3 { limbs[limb + 1] << (64 - shift) } else { 0 };
        Cell::new((limbs[limb] >> shift | above) as i64 & MASK)
    };
    core::array::from_fn(|index| bits(WIDTH as usize * index))
}

/// The number, which has 256 bits, from normal digits.
pub(super) fn to_limbs(digits: &Digits) -> [u64; 4] {
    let mut limbs = [0; 4];
    for (index, digit) in digits.iter().enumerate() {
        let digit = digit.get();
        let (limb, shift) = (WIDTH as usize * index / 64, WIDTH as usize * index % 64);
        limbs[limb] |= (digit as u64) << shift;
        if shift > 64 - WIDTH as usize && limb < 3 {
            limbs[limb + 1] |= digit as u64 >> (64 - shift);
        }
    }
    limbs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn limbs_survive(limbs: [u64; 4]) {
            prop_assert_eq!(to_limbs(&from_limbs(&limbs)), limbs);
        }
    }
}
