//! MODEXP (0x05): a power modulo a number, all of any length (EIP-198; gas by EIP-2565, from Osaka on by EIP-7883).
//!
//! ```text
//! input   base length (32) | exponent length (32) | modulus length (32) | base | exponent | modulus
//! output  base ^ exponent mod modulus, as long as the modulus; zeros if the modulus is 0
//! ```
//!
//! Beyond the input's end there are zeros, as everywhere; lengths may promise more than there is, and nothing is
//! ever allocated for such a promise but the output.
//!
//! An odd modulus of up to 256 bits is what contracts mostly use (inverses in a field): `small` has unrolled
//! Montgomery multiplication for it. `wide` takes any modulus.

mod number;
mod power;
mod small;
mod wide;

use super::{Cost, bytes::padded};
use crate::fork::Fork;
use crate::gas;
use alloc::vec;
use alloc::vec::Vec;
use number::Number;

/// EIP-7823: the longest base, exponent or modulus, in bytes.
const LENGTH_MAX: u64 = 1024;
/// Bytes of the three lengths.
const HEAD: u64 = 96;

/// The parts of the input.
struct Operands<'a> {
    base: Number<'a>,
    exponent: Number<'a>,
    modulus: Number<'a>,
    /// The first 32 bytes of the exponent, or all if it is shorter.
    exponent_head: Number<'a>,
}

impl<'a> Operands<'a> {
    /// Takes the input apart. Lengths above 2^64 count as 2^64 - 1.
    fn parse(input: &'a [u8]) -> Self {
        let [base, exponent, modulus] = [0, 32, 64].map(|start| saturating(&padded(input, start)));
        let exponent_start = HEAD.saturating_add(base);
        Self {
            base: Number::read(input, HEAD, base),
            exponent: Number::read(input, exponent_start, exponent),
            modulus: Number::read(input, exponent_start.saturating_add(exponent), modulus),
            exponent_head: Number::read(input, exponent_start, exponent.min(32)),
        }
    }

    /// Whether the modulus is one for [`small`].
    fn is_small(&self) -> bool {
        self.modulus.bit_length() <= small::BITS_MAX && self.modulus.is_odd()
    }
}

/// A length of 32 bytes.
fn saturating(length: &[u8; 32]) -> u64 {
    let (front, last) = length.split_at(24);
    if front.iter().any(|&byte| byte != 0) { u64::MAX } else { u64::from_be_bytes(padded(last, 0)) }
}

/// Gas and compute units; `None` for operands that EIP-7823 forbids.
pub(super) fn cost(input: &[u8], fork: Fork) -> Option<Cost> {
    let operands = Operands::parse(input);
    let Operands { base, exponent, modulus, .. } = &operands;
    if fork >= Fork::Osaka && base.length.max(exponent.length).max(modulus.length) > LENGTH_MAX {
        return None;
    }
    let gas = match fork {
        Fork::Cancun | Fork::Prague => gas_eip_2565(&operands),
        Fork::Osaka => gas_eip_7883(&operands),
    };
    // Operands that gas cannot pay for are not looked at.
    let compute_units = if gas == gas::UNPAYABLE { u64::MAX } else { compute_units(&operands) };
    Some(Cost { gas, compute_units })
}

/// EIP-2565: max(200, words(longest of base and modulus)^2 * iterations / 3), with words of 8 bytes.
fn gas_eip_2565(operands: &Operands<'_>) -> i64 {
    let words = operands.base.length.max(operands.modulus.length).div_ceil(8);
    let product = saturating_product(saturating_product(words, words), iterations(operands, 8));
    payable(product / 3).max(200)
}

/// EIP-7883: max(500, complexity * iterations), where the complexity is 16 up to 32 bytes and 2 * words^2 above.
fn gas_eip_7883(operands: &Operands<'_>) -> i64 {
    let length = operands.base.length.max(operands.modulus.length);
    let words = length.div_ceil(8);
    let complexity = if length <= 32 { 16 } else { saturating_product(2 * words, words) };
    payable(saturating_product(complexity, iterations(operands, 16))).max(500)
}

/// How often the exponentiation loop counts as running: the exponent's bits, less one for its first 32 bytes, and
/// `per_byte` for each byte after those.
fn iterations(operands: &Operands<'_>, per_byte: u64) -> u64 {
    let rest = operands.exponent.length.saturating_sub(32);
    let head = operands.exponent_head.bit_length().saturating_sub(1);
    saturating_product(per_byte, rest).saturating_add(head).max(1)
}

/// The product, or the largest number. (A checked multiplication of the language takes a library call on sBPF.)
fn saturating_product(a: u64, b: u64) -> u64 {
    if b != 0 && a > u64::MAX / b { u64::MAX } else { a * b }
}

/// As a cost.
fn payable(gas: u64) -> i64 {
    if gas > gas::LIMIT_MAX { gas::UNPAYABLE } else { gas as i64 }
}

/// What [`run`] takes on chain: reading the operands, and the exponentiation.
fn compute_units(operands: &Operands<'_>) -> u64 {
    let Operands { base, exponent, modulus, .. } = operands;
    let bytes = base.length.saturating_add(exponent.length).saturating_add(modulus.length);
    let power = if modulus.bit_length() == 0 {
        0
    } else if operands.is_small() {
        small::compute_units(base, exponent)
    } else {
        wide::compute_units(base, exponent, modulus)
    };
    (2000 + 15 * bytes.min(1 << 40)).saturating_add(power)
}

/// The power.
#[inline(never)]
pub(super) fn run(input: &[u8]) -> Vec<u8> {
    let operands = Operands::parse(input);
    let mut output = vec![0; operands.modulus.length as usize];
    if operands.modulus.bit_length() == 0 {
        return output;
    }
    if operands.is_small() {
        small::power(&operands.base, &operands.exponent, &operands.modulus, &mut output);
    } else {
        wide::power(&operands.base, &operands.exponent, &operands.modulus, &mut output);
    }
    output
}

#[cfg(test)]
mod tests;
