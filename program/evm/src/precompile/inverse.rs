//! Inverses modulo a prime: division steps (Bernstein and Yang, "Fast constant-time gcd computation and modular
//! inversion", 2019), 30 at a time.
//!
//! Numbers have digits of 30 bits, the least significant first; the highest has the sign and what is left. As it need
//! not take constant time, this stops as soon as it can.

use core::hint::cold_path;

/// Bits of a digit, and steps at a time.
const WIDTH: u32 = 30;
/// A digit's bits.
const MASK: i64 = (1 << WIDTH) - 1;

/// What 30 steps do: `f` becomes `(u f + v g) / 2^30`, `g` becomes `(q f + r g) / 2^30`.
struct Steps {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// A prime, and what divisions by 2^30 modulo it need.
pub(super) struct Prime<const N: usize> {
    /// The prime.
    pub(super) digits: [i64; N],
    /// -1 / prime, modulo 2^30.
    pub(super) negated_inverse: i64,
    /// How many rounds of 30 steps suffice: (49 bits + 57) / 17 steps do (theorem 11.2).
    pub(super) rounds_max: usize,
}

impl<const N: usize> Prime<N> {
    /// 1 / x, or 0 for 0. The result may be off by 20 times the prime, and negative.
    pub(super) fn invert(&self, x: &[i64; N]) -> [i64; N] {
        let (mut f, mut g) = (self.digits, *x);
        let (mut d, mut e) = ([0; N], [0; N]);
        e[0] = 1;
        let mut delta = 1;
        // How many digits of f and g there still are.
        let mut length = N;
        for _ in 0..self.rounds_max {
            if length == 1 && g[0] == 0 {
                break;
            }
            let steps;
            (delta, steps) = Steps::find(delta, f[0], g[0]);
            steps.apply(&mut f[..length], &mut g[..length]);
            steps.apply_modulo(&mut d, &mut e, self);
            length = shorten(&mut f[..length], &mut g[..length]);
        }
        // f is 1 or -1 now.
        if f[0] < 0 { d.map(|digit| -digit) } else { d }
    }
}

/// Adds the highest digits to the ones below, as long as they are only signs; gives how many are left.
fn shorten(f: &mut [i64], g: &mut [i64]) -> usize {
    let is_sign = |digit: i64| digit == 0 || digit == -1;
    let mut length = f.len().min(g.len());
    while length > 1 && is_sign(f[length - 1]) && is_sign(g[length - 1]) {
        length -= 1;
        f[length - 1] += f[length] << WIDTH;
        g[length - 1] += g[length] << WIDTH;
    }
    length
}

/// The lowest digit of a number, from -2^29 on.
#[inline(always)]
fn lowest(number: i64) -> i64 {
    number << (64 - WIDTH) >> (64 - WIDTH)
}

impl Steps {
    /// 30 steps, which the lowest digits decide.
    ///
    /// u and v are sums and differences of the same numbers, no larger than 2^30 in all: `u + v 2^32` takes half the
    /// instructions.
    #[inline(never)]
    fn find(mut delta: i64, mut f: i64, mut g: i64) -> (i64, Self) {
        let (mut uv, mut qr) = (1_i64, 1_i64 << 32);
        for _ in 0..u64::from(WIDTH) {
            if g & 1 != 0 {
                if delta > 0 {
                    cold_path();
                    delta = -delta;
                    (f, g) = (g, -f);
                    (uv, qr) = (qr, -uv);
                }
                g += f;
                qr += uv;
            }
            delta += 1;
            g >>= 1;
            uv <<= 1;
        }
        let halves = |packed: i64| {
            let low = packed << 32 >> 32;
            (low, (packed - low) >> 32)
        };
        let ((u, v), (q, r)) = (halves(uv), halves(qr));
        (delta, Self { u, v, q, r })
    }

    /// Takes the steps for a pair of numbers, whose sums 2^30 divides.
    fn apply(&self, f: &mut [i64], g: &mut [i64]) {
        let Self { u, v, q, r } = *self;
        let (mut first, mut second) = (0, 0);
        let mut targets: Option<(&mut i64, &mut i64)> = None;
        for (f, g) in f.iter_mut().zip(g) {
            first += u * *f + v * *g;
            second += q * *f + r * *g;
            if let Some((f, g)) = targets {
                *f = first & MASK;
                *g = second & MASK;
            }
            first >>= WIDTH;
            second >>= WIDTH;
            targets = Some((f, g));
        }
        if let Some((f, g)) = targets {
            *f = first;
            *g = second;
        }
    }

    /// Takes the steps for a pair of residues: adds multiples of the prime, so that 2^30 divides the sums.
    #[inline(always)]
    fn apply_modulo<const N: usize>(&self, d: &mut [i64; N], e: &mut [i64; N], prime: &Prime<N>) {
        let Self { u, v, q, r } = *self;
        let multiple = |sum: i64| lowest(sum.wrapping_mul(prime.negated_inverse));
        let (mut first, mut second) = (u * d[0] + v * e[0], q * d[0] + r * e[0]);
        let (first_multiple, second_multiple) = (multiple(first), multiple(second));
        first = (first + first_multiple * prime.digits[0]) >> WIDTH;
        second = (second + second_multiple * prime.digits[0]) >> WIDTH;
        for index in 1..N {
            first += u * d[index] + v * e[index] + first_multiple * prime.digits[index];
            second += q * d[index] + r * e[index] + second_multiple * prime.digits[index];
            d[index - 1] = first & MASK;
            e[index - 1] = second & MASK;
            first >>= WIDTH;
            second >>= WIDTH;
        }
        d[N - 1] = first;
        e[N - 1] = second;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::{BigInt, BigUint, Sign};
    use proptest::prelude::*;

    fn digits<const N: usize>(number: &BigUint) -> [i64; N] {
        let mask = BigUint::from(MASK as u64);
        core::array::from_fn(|index| {
            let digit = (number >> (30 * index)) & &mask;
            digit.iter_u64_digits().next().unwrap_or_default() as i64
        })
    }

    fn number<const N: usize>(digits: &[i64; N]) -> BigInt {
        digits.iter().rev().fold(BigInt::ZERO, |sum, &digit| (sum << 30) + digit)
    }

    /// Checks x * (1 / x) = 1 modulo the prime.
    fn check<const N: usize>(hex: &[u8], bytes: &[u8]) {
        let modulus = BigUint::parse_bytes(hex, 16).unwrap_or_default();
        let x = BigUint::from_bytes_be(bytes) % &modulus;
        let two_30 = BigUint::from(1u64 << 30);
        let inverse = modulus.modinv(&two_30).unwrap_or_default();
        let negated = (&two_30 - inverse).iter_u64_digits().next().unwrap_or_default() as i64;
        let rounds_max = (49 * modulus.bits() as usize + 57) / 17 / 30 + 1;
        let prime = Prime::<N> { digits: digits(&modulus), negated_inverse: negated, rounds_max };
        let result = number(&prime.invert(&digits(&x)));
        let modulus = BigInt::from_biguint(Sign::Plus, modulus);
        assert!(result.magnitude() < &(modulus.magnitude() * 20u32));
        let product = (result * BigInt::from(x.clone())) % &modulus;
        let product = (product + &modulus) % &modulus;
        assert_eq!(product, BigInt::from(u8::from(x != BigUint::ZERO)), "{x}");
    }

    const P256: &[u8] = b"ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
    const BLS12_381: &[u8] = b"1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f624\
                               1eabfffeb153ffffb9feffffffffaaab";

    proptest! {
        #[test]
        fn inverses(bytes: [u8; 32], more: [u8; 16]) {
            check::<9>(P256, &bytes);
            check::<13>(BLS12_381, &[&bytes[..], &more].concat());
        }
    }

    #[test]
    fn extreme_numbers() {
        for bytes in [&[][..], &[1], &[2], &[0xff; 32], &[0x40, 0, 0, 0, 0, 0, 0, 0]] {
            check::<9>(P256, bytes);
            check::<13>(BLS12_381, bytes);
        }
    }
}
