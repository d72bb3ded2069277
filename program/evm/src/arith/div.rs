//! Division and remainder.
//!
//! | divisor | method |
//! |---|---|
//! | and dividend of one limb | the hardware's division |
//! | below 2^32 | two hardware divisions per limb |
//! | of one limb | the divisor shifted until its top bit is set; two estimated 32-bit digits per limb |
//! | longer | Knuth's algorithm D (TAOCP volume 2, 4.3.1) in base 2^32 |
//!
//! Base 2^32 because the hardware divides 64 by 32 bits in one instruction: each quotient digit is estimated
//! from the two top digits, corrected by the third, and then the product is subtracted with 8 CU per digit.
//! Base 2^64 would take two such estimates and wide products per limb, which costs the same in more code.

use super::{
    ZERO,
    compare::lt,
    limb::{digits, leading_zeros},
};
use core::{cell::Cell, hint::cold_path, num::NonZero};
use primitive_types::U256;

/// The largest digit.
const MAX_DIGIT: u64 = 0xffff_ffff;

/// DIV (0x04): the integer part of `a / b`, 0 if `b` is 0. 28 CU for 64 by 64 bits, 63 for 128 by 32, 112 for
/// 128 by 64, 204 for 256 by 64, 418 for 256 by 128, 337 for 256 by 256, 20 if `b` is longer than 64 bits and
/// larger than `a`.
#[inline(always)]
pub fn div(a: &U256, b: &U256) -> U256 {
    let (x, y) = (&a.0, &b.0);
    let U256(q) = if y[1] | y[2] | y[3] == 0 {
        let x_high = x[2] | x[3];
        if x[1] | x_high == 0 {
            return U256([x[0].checked_div(y[0]).unwrap_or(0), 0, 0, 0]);
        }
        let Some(d) = NonZero::new(y[0]) else { return ZERO };
        if x_high == 0 { div_2_by_limb(x[0], x[1], d) } else { div_4_by_limb(a, d) }
    } else {
        if lt(a, b) {
            return ZERO;
        }
        div_long(a, b)
    };
    U256([q[0], q[1], q[2], q[3]])
}

/// MOD (0x06): `a` modulo `b`, 0 if `b` is 0. 27 CU for 64 by 64 bits, 167 for 256 by 64, 418 for 256 by 128,
/// 349 for 256 by 256.
#[inline(always)]
pub fn rem(a: &U256, b: &U256) -> U256 {
    let (x, y) = (&a.0, &b.0);
    if y[1] | y[2] | y[3] == 0 {
        if x[1] | x[2] | x[3] == 0 {
            return U256([x[0].checked_rem(y[0]).unwrap_or(0), 0, 0, 0]);
        }
        let Some(d) = NonZero::new(y[0]) else { return ZERO };
        return U256([rem_by_limb(x, d), 0, 0, 0]);
    }
    if lt(a, b) {
        return *a;
    }
    let U256(r) = rem_long(a, b);
    U256([r[0], r[1], r[2], r[3]])
}

// ---- divisors of one limb

/// The quotient of two limbs by one.
#[inline(never)]
fn div_2_by_limb(a0: u64, a1: u64, d: NonZero<u64>) -> U256 {
    let q1 = a1 / d;
    let rem = a1 - q1 * d.get();
    let q0 = if d.get() <= MAX_DIGIT {
        div_limb_by_digit(rem, a0 >> 32, a0 & MAX_DIGIT, d).0
    } else {
        let d = Divisor::new(d);
        d.div_limb(rem << d.shift, a0).0
    };
    U256([q0, q1, 0, 0])
}

/// The quotient of four limbs by one.
#[inline(never)]
fn div_4_by_limb(a: &U256, d: NonZero<u64>) -> U256 {
    let a3 = a.0[3];
    let q3 = a3 / d;
    let rem = a3 - q3 * d.get();
    if d.get() <= MAX_DIGIT {
        let digits = digits(a);
        let digit = |index: usize| u64::from(digits[index]);
        let (q2, rem) = div_limb_by_digit(rem, digit(5), digit(4), d);
        let (q1, rem) = div_limb_by_digit(rem, digit(3), digit(2), d);
        let (q0, _) = div_limb_by_digit(rem, digit(1), digit(0), d);
        return U256([q0, q1, q2, q3]);
    }
    let d = Divisor::new(d);
    let (q2, rem) = d.div_limb(rem << d.shift, a.0[2]);
    let (q1, rem) = d.div_limb(rem, a.0[1]);
    let (q0, _) = d.div_limb(rem, a.0[0]);
    U256([q0, q1, q2, q3])
}

/// The remainder of any number of limbs, least significant first, by one.
#[inline(never)]
pub(super) fn rem_by_limb<const N: usize>(a: &[u64; N], d: NonZero<u64>) -> u64 {
    let mut rem = 0;
    if d.get() <= MAX_DIGIT {
        for limb in a.iter().rev() {
            rem = ((rem << 32) | (limb >> 32)) % d;
            rem = ((rem << 32) | (limb & MAX_DIGIT)) % d;
        }
        return rem;
    }
    let divisor = Divisor::new(d);
    for &limb in a.iter().rev() {
        rem = if rem == 0 { (limb % d) << divisor.shift } else { divisor.div_limb(rem, limb).1 };
    }
    rem >> divisor.shift
}

/// Quotient and remainder of `rem * 2^64 + high * 2^32 + low` by a divisor of one digit, for `rem < d`.
#[inline(always)]
fn div_limb_by_digit(rem: u64, high: u64, low: u64, d: NonZero<u64>) -> (u64, u64) {
    let part = (rem << 32) | high;
    let q1 = part / d;
    let part = ((part - q1 * d.get()) << 32) | low;
    let q0 = part / d;
    ((q1 << 32) | q0, part - q0 * d.get())
}

/// A divisor of one limb, shifted left until its top bit is set, so that the estimate of a quotient digit by
/// the upper half alone is at most 2 too large.
struct Divisor {
    limb: u64,
    high: NonZero<u64>,
    low: u64,
    shift: u64,
}

impl Divisor {
    #[inline(always)]
    fn new(d: NonZero<u64>) -> Self {
        let shift = leading_zeros(d.get());
        let limb = d.get() << shift;
        Self {
            limb,
            high: NonZero::new(limb >> 32).unwrap_or(NonZero::<u64>::MIN),
            low: limb & MAX_DIGIT,
            shift,
        }
    }

    /// Quotient and remainder of `rem` (shifted, below the divisor) followed by `limb` (not shifted).
    #[inline(always)]
    fn div_limb(&self, rem: u64, limb: u64) -> (u64, u64) {
        let high = rem | ((limb >> 1) >> (self.shift ^ 63));
        let low = limb << self.shift;
        let (q1, rem) = self.div_digit(high, low >> 32);
        let (q0, rem) = self.div_digit(rem, low & MAX_DIGIT);
        ((q1 << 32) | q0, rem)
    }

    /// Quotient digit and remainder of `rem * 2^32 + digit`, for `rem` below the divisor. 12 CU.
    ///
    /// `q * low` cannot overflow: `rem` is below the divisor, so the estimate is at most 2^32 + 1, and `low`
    /// at most 2^32 - 1.
    #[inline(always)]
    fn div_digit(&self, rem: u64, digit: u64) -> (u64, u64) {
        let mut q = rem / self.high;
        let mut part = ((rem - q * self.high.get()) << 32) | digit;
        let product = q * self.low;
        while product > part {
            cold_path();
            q -= 1;
            part = part.wrapping_add(self.limb);
            if part < self.limb {
                break; // past 2^64, and so past the product
            }
        }
        (q, part.wrapping_sub(product))
    }
}

// ---- longer divisors

/// The digits of a dividend of up to 512 bits and of the limb that the shift may add. After the division the
/// remainder is in as many low digits as the divisor has, the quotient in those above.
///
/// Cells, here and for the divisor, so that LLVM must expect them to overlap. Where it knows that they do
/// not, it moves the stores of a subtraction behind all its loads and pays a copy for every digit (458 CU
/// instead of 418 for 256 by 128 bits).
type Dividend = [Cell<u32>; 18];

/// The quotient of `a` by a divisor of at least two limbs that is not larger.
#[inline(never)]
fn div_long(a: &U256, b: &U256) -> U256 {
    let mut u = [0; 18];
    let u = Cell::from_mut(&mut u).as_array_of_cells();
    if b.0[3] != 0 {
        divide::<4, 4, 8, 9>(u, &a.0, &b.0);
        U256([limb(u, 4), 0, 0, 0])
    } else if b.0[2] != 0 {
        divide::<4, 3, 6, 7>(u, &a.0, &b.0);
        U256([limb(u, 3), limb(u, 4), 0, 0])
    } else {
        divide::<4, 2, 4, 5>(u, &a.0, &b.0);
        U256([limb(u, 2), limb(u, 3), limb(u, 4), 0])
    }
}

/// The remainder of `a` by a divisor of at least two limbs.
#[inline(never)]
fn rem_long(a: &U256, b: &U256) -> U256 {
    remainder(&a.0, b)
}

/// The remainder of 512 bits, least significant limb first, by a divisor of at least two limbs.
#[inline(never)]
pub(super) fn rem_512(a: &[u64; 8], b: &U256) -> U256 {
    remainder(a, b)
}

#[inline(always)]
fn remainder<const M: usize>(a: &[u64; M], b: &U256) -> U256 {
    let mut u = [0; 18];
    let u = Cell::from_mut(&mut u).as_array_of_cells();
    if b.0[3] != 0 {
        let shift = divide::<M, 4, 8, 9>(u, a, &b.0);
        let (r0, r1, r2, r3) = (limb(u, 0), limb(u, 1), limb(u, 2), limb(u, 3));
        U256([funnel(r1, r0, shift), funnel(r2, r1, shift), funnel(r3, r2, shift), r3 >> shift])
    } else if b.0[2] != 0 {
        let shift = divide::<M, 3, 6, 7>(u, a, &b.0);
        let (r0, r1, r2) = (limb(u, 0), limb(u, 1), limb(u, 2));
        U256([funnel(r1, r0, shift), funnel(r2, r1, shift), r2 >> shift, 0])
    } else {
        let shift = divide::<M, 2, 4, 5>(u, a, &b.0);
        let (r0, r1) = (limb(u, 0), limb(u, 1));
        U256([funnel(r1, r0, shift), r1 >> shift, 0, 0])
    }
}

/// Limb `index` of the digits.
#[inline(always)]
fn limb(u: &Dividend, index: usize) -> u64 {
    u64::from(u[2 * index].get()) | (u64::from(u[2 * index + 1].get()) << 32)
}

/// The lower limb of `high * 2^64 + low` shifted right by less than 64.
#[inline(always)]
fn funnel(high: u64, low: u64, shift: u64) -> u64 {
    (low >> shift) | ((high << 1) << (shift ^ 63))
}

/// Divides `a` of `M` limbs by `b`, of which `L` limbs, `N` digits, count and the top one is not 0. Returns
/// how far the remainder is shifted left. `W` is `N + 1`.
#[inline(always)]
fn divide<const M: usize, const L: usize, const N: usize, const W: usize>(
    u: &Dividend,
    a: &[u64; M],
    b: &[u64; 4],
) -> u64 {
    let shift = leading_zeros(b[L - 1]);
    let back = shift ^ 63;
    let put = |index: usize, limb: u64| {
        u[2 * index].set(limb as u32);
        u[2 * index + 1].set((limb >> 32) as u32);
    };
    let shifted = |index: usize| (a[index] << shift) | ((a[index - 1] >> 1) >> back);
    put(0, a[0] << shift);
    put(1, shifted(1));
    let mut limbs = M;
    if M == 4 && L == 2 && a[2] | a[3] == 0 {
        limbs = 2;
    } else {
        for index in 2..M {
            put(index, shifted(index));
        }
    }
    put(limbs, (a[limbs - 1] >> 1) >> back);

    let v = [const { Cell::new(0) }; N];
    let mut spill = 0;
    for index in 0..L {
        let limb = !((b[index] << shift) | spill);
        v[2 * index].set(limb & MAX_DIGIT);
        v[2 * index + 1].set(limb >> 32);
        spill = (b[index] >> 1) >> back;
    }
    long_division::<N, W>(u, 2 * limbs + 2 - N, &v);
    shift
}

/// Knuth's algorithm D: `steps` digits of the quotient of the lowest `steps + N` digits of `u`.
///
/// `v` holds the complement of each digit of the divisor, because adding `q * (2^32 - 1 - v)` and, once, `q`
/// needs no borrow: the sum is what is left plus `q * 2^(32 * N)`, and the top digit shows whether the
/// estimate was too large.
#[inline(never)]
fn long_division<const N: usize, const W: usize>(u: &Dividend, steps: usize, v: &[Cell<u64>; N]) {
    let second = v[N - 2].get() ^ MAX_DIGIT;
    let first = v[N - 1].get() ^ MAX_DIGIT;
    let both = (first << 32) | second;
    let first = NonZero::new(first).unwrap_or(NonZero::<u64>::MIN);
    for step in (0..steps).rev() {
        // Always there: `step + W` is at most 18.
        let Some(w) = u.get(step..).and_then(|rest| rest.first_chunk::<W>()) else { return };
        let digit = |index: usize| u64::from(w[index].get());
        let top = (digit(N) << 32) | digit(N - 1);
        let mut q;
        if top >= both {
            cold_path();
            q = MAX_DIGIT;
        } else {
            q = top / first;
            if q == 0 {
                continue; // the top digit is 0 already, as quotient and as remainder
            }
            // As in `Divisor::div_digit`, with the third digit of the dividend.
            let mut part = ((top - q * first.get()) << 32) | digit(N - 2);
            let product = q * second;
            while product > part {
                cold_path();
                q -= 1;
                part = part.wrapping_add(both);
                if part < both {
                    break;
                }
            }
        }
        let mut carry = q;
        for (v, w) in v.iter().zip(w) {
            let sum = v.get() * q + u64::from(w.get()) + carry;
            w.set(sum as u32);
            carry = sum >> 32;
        }
        if digit(N) + carry < q {
            q -= 1;
            add_back(w, v);
        }
        w[N].set(q as u32);
    }
}

/// Undoes one subtraction too many. Happens once in 2^31 steps with random numbers; in line it would cost
/// every step the registers.
#[cold]
#[inline(never)]
fn add_back<const N: usize, const W: usize>(w: &[Cell<u32>; W], v: &[Cell<u64>; N]) {
    let mut carry = 0;
    for (v, w) in v.iter().zip(w) {
        let sum = (v.get() ^ MAX_DIGIT) + u64::from(w.get()) + carry;
        w.set(sum as u32);
        carry = sum >> 32;
    }
}
