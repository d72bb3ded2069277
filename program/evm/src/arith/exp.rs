//! Exponentiation.

use super::{ONE, ZERO, limb::leading_zeros, mul::mul, shift::shl};
use primitive_types::U256;

/// EXP (0x0a): `base` to the power of `exponent` modulo 2^256, with 0^0 = 1. 140 CU for 10^18, 690 for 3^200,
/// 56 for 2^96; 127,000 for the worst operands, which EIP-160 charges 1,610 gas for.
///
/// By squaring from the top bit of the exponent, so that the other factor of every product is the base
/// itself, which is a small number as a rule.
#[inline(never)]
pub fn exp(base: &U256, exponent: &U256) -> U256 {
    let (b, e) = (&base.0, &exponent.0);
    if b[1] | b[2] | b[3] | e[1] | e[2] | e[3] == 0 {
        return exp_limb(b[0], e[0]);
    }
    let mut limbs = e.iter().rev().skip_while(|&&limb| limb == 0);
    let Some(&top) = limbs.next() else { return ONE };
    let mut power = raise(*base, base, Bits::below_top(top));
    for &limb in limbs {
        power = raise(power, base, Bits { rest: limb, count: 64 });
    }
    power
}

/// EXP of one limb to the power of one limb. As long as power and base have at most 32 bits, the products are
/// single instructions: long enough for 10^18 and its like.
#[inline(always)]
fn exp_limb(base: u64, exponent: u64) -> U256 {
    if exponent == 0 {
        return ONE;
    }
    if base & base.wrapping_sub(1) == 0 {
        return exp_power_of_two(base, exponent);
    }
    let wide_base = U256([base, 0, 0, 0]);
    let mut bits = Bits::below_top(exponent);
    let mut power = base;
    while power >> 32 == 0 {
        let Some(bit) = bits.next() else { break };
        power *= power;
        if bit {
            if power >> 32 != 0 {
                return raise(product(&U256([power, 0, 0, 0]), &wide_base), &wide_base, bits);
            }
            power *= base;
        }
    }
    raise(U256([power, 0, 0, 0]), &wide_base, bits)
}

/// EXP for a base that is 0 or a power of two and an exponent that is not 0.
#[inline(always)]
fn exp_power_of_two(base: u64, exponent: u64) -> U256 {
    if base < 2 {
        return U256([base, 0, 0, 0]);
    }
    if exponent > 255 {
        return ZERO;
    }
    let log = if base == 2 { 1 } else { 63 - leading_zeros(base) };
    shl(&U256([log * exponent, 0, 0, 0]), &ONE)
}

/// Squares `power` for each bit, and multiplies by `base` where it is set.
#[inline(never)]
fn raise(mut power: U256, base: &U256, bits: Bits) -> U256 {
    for bit in bits {
        power = product(&power, &power);
        if bit {
            power = product(&power, base);
        }
    }
    power
}

/// MUL, not inlined once more.
#[inline(never)]
fn product(a: &U256, b: &U256) -> U256 {
    mul(a, b)
}

/// Bits of a limb from the top.
struct Bits {
    rest: u64,
    count: u64,
}

impl Bits {
    /// The bits below the top one of a limb that is not 0.
    #[inline(always)]
    fn below_top(limb: u64) -> Self {
        let zeros = leading_zeros(limb);
        Self { rest: (limb << zeros) << 1, count: 63 - zeros }
    }
}

impl Iterator for Bits {
    type Item = bool;

    #[inline(always)]
    fn next(&mut self) -> Option<bool> {
        self.count = self.count.checked_sub(1)?;
        let bit = (self.rest as i64) < 0;
        self.rest <<= 1;
        Some(bit)
    }
}
