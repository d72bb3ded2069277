//! What the 256-bit operations are made of: 64-bit limbs, their 32-bit halves and the products of those.

use core::hint::cold_path;
use primitive_types::U256;

const _: () = assert!(cfg!(target_endian = "little"), "the views below expect the low half of a limb first");

/// The number as eight 32-bit digits, least significant first.
///
/// Loading a half costs 1 CU, cutting it out of a loaded limb 3: the view makes products 8 to 15 % cheaper.
/// Where the same function loaded whole limbs before, LLVM takes the halves from there after all, so do not
/// mix the two.
#[inline(always)]
pub(super) fn digits(x: &U256) -> &[u32; 8] {
    // SAFETY: the limbs are 32 initialised bytes without padding at an address that suits a `u32`, every bit
    // pattern is a valid `[u32; 8]`, and the view borrows `x`, so that nobody writes to it meanwhile.
    unsafe { &*core::ptr::from_ref(&x.0).cast() }
}

/// The number as bytes, least significant first.
#[inline(always)]
pub(super) fn bytes(x: &U256) -> &[u8; 32] {
    // SAFETY: as in `digits`; every address suits a `u8`.
    unsafe { &*core::ptr::from_ref(&x.0).cast() }
}

/// A limb as two 32-bit halves, `high * 2^32 + low`.
#[derive(Clone, Copy)]
pub(super) struct Halves {
    low: u64,
    high: u64,
}

impl Halves {
    /// Limb `index` of the number with these digits.
    #[inline(always)]
    pub(super) fn load(digits: &[u32; 8], index: usize) -> Self {
        Self { low: u64::from(digits[2 * index]), high: u64::from(digits[2 * index + 1]) }
    }

    /// The halves of a limb in a register.
    #[inline(always)]
    pub(super) fn of(limb: u64) -> Self {
        Self { low: limb & 0xffff_ffff, high: limb >> 32 }
    }

    /// The limb.
    #[inline(always)]
    pub(super) fn limb(self) -> u64 {
        (self.high << 32) | self.low
    }

    /// Whether the limb is 0.
    #[inline(always)]
    pub(super) fn is_zero(self) -> bool {
        self.low | self.high == 0
    }
}

/// `a * b` as low and high limb. 16 CU and the loads.
#[inline(always)]
pub(super) fn widening_mul(a: Halves, b: Halves) -> (u64, u64) {
    mul_add_add(a, b, 0, 0)
}

/// `a * b + c` as low and high limb.
#[inline(always)]
pub(super) fn mul_add(a: Halves, b: Halves, c: u64) -> (u64, u64) {
    mul_add_add(a, b, c, 0)
}

/// `a * b + c + d` as low and high limb; at most 2^128 - 1, so it never overflows.
///
/// ```text
///           high high        a.high * b.high
///      +         low  high   a.low * b.high + a.high * b.low   = middle, may carry
///      +              low    a.low * b.low
/// ```
///
/// The first test asks whether `middle` overflows in a form that LLVM does not merge with its addition; the
/// branch then separates the other additions from their tests (see the module documentation). Tests of a
/// constant 0 vanish.
#[inline(always)]
pub(super) fn mul_add_add(a: Halves, b: Halves, c: u64, d: u64) -> (u64, u64) {
    let (low_high, high_low) = (a.low * b.high, a.high * b.low);
    let mut high = a.high * b.high;
    let middle = high_low.wrapping_add(low_high);
    let shifted = middle << 32;
    let low = (a.low * b.low).wrapping_add(shifted);
    let low_c = low.wrapping_add(c);
    let low_cd = low_c.wrapping_add(d);
    if high_low > !low_high {
        cold_path();
        high += 1 << 32;
    }
    if low < shifted {
        cold_path();
        high += 1;
    }
    if low_c < c {
        cold_path();
        high += 1;
    }
    if low_cd < d {
        cold_path();
        high += 1;
    }
    (low_cd, high + (middle >> 32))
}

/// Leading zero bits of a limb that is not 0 (for 0 the answer would be 63). 14 CU on average.
#[inline(always)]
pub(super) fn leading_zeros(mut limb: u64) -> u64 {
    let mut zeros = 63;
    if limb >> 32 != 0 {
        cold_path();
        limb >>= 32;
        zeros -= 32;
    }
    if limb > 0xffff {
        cold_path();
        limb >>= 16;
        zeros -= 16;
    }
    if limb > 0xff {
        cold_path();
        limb >>= 8;
        zeros -= 8;
    }
    if limb > 0xf {
        cold_path();
        limb >>= 4;
        zeros -= 4;
    }
    if limb > 3 {
        cold_path();
        limb >>= 2;
        zeros -= 2;
    }
    if limb > 1 {
        cold_path();
        zeros -= 1;
    }
    zeros
}
