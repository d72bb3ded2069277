//! BLS12-381 (EIP-2537): 0x0b to 0x11.
//!
//! Additions, multiplications and pairings are the runtime's. What it does not have is done here: sums with two points
//! that it rejects (`addition`), points of field elements (`map_g1`, `map_g2`), for which there is a field (`fp`,
//! `fp2`, `root`), and products of more than eight pairings (`pairing`).

mod addition;
mod fp;
mod fp2;
mod map_g1;
mod map_g2;
mod multiplication;
mod pairing;
mod points;
mod root;

use super::Cost;
use crate::crypto::Crypto;
use alloc::vec::Vec;
use points::{G1, G2};

pub(super) use multiplication::ORDER;

/// BLS12_G1ADD.
pub(super) const G1_ADD: u16 = 0x0b;
/// BLS12_MAP_FP2_TO_G2.
pub(super) const MAP_G2: u16 = 0x11;

/// Gas and compute units; `None` for an invalid length.
pub(super) fn cost(number: u16, input: &[u8]) -> Option<Cost> {
    match number {
        G1_ADD => addition::g1_cost(input),
        0x0c => multiplication::cost::<G1, 96>(input, &multiplication::G1_PRICE),
        0x0d => addition::g2_cost(input),
        0x0e => multiplication::cost::<G2, 192>(input, &multiplication::G2_PRICE),
        0x0f => pairing::cost(input),
        0x10 => map_g1::cost(input),
        _ => map_g2::cost(input),
    }
}

/// What a call returns; `None` for invalid input.
#[inline(never)]
pub(super) fn run(number: u16, input: &[u8], crypto: &impl Crypto) -> Option<Vec<u8>> {
    match number {
        G1_ADD => addition::g1(input, crypto),
        0x0c => multiplication::run::<G1, 96>(input, crypto),
        0x0d => addition::g2(input, crypto),
        0x0e => multiplication::run::<G2, 192>(input, crypto),
        0x0f => pairing::run(input, crypto),
        0x10 => map_g1::run(input, crypto),
        _ => map_g2::run(input, crypto),
    }
}
