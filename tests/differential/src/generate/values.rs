//! Numbers and addresses that find mistakes.

use crate::engine::precompiles;
use crate::keys;
use alloy_primitives::{Address, U256};
use fastrand::Rng;

/// How many contracts call each other.
pub(crate) const CONTRACTS: u64 = 5;

/// Contract number `index`: an address that takes two bytes of code.
pub(crate) fn contract(index: u64) -> Address {
    Address::left_padding_from(&(0x1000 + index % CONTRACTS).to_be_bytes())
}

/// An account that only has a balance.
pub(crate) const RICH: Address = Address::repeat_byte(0xe0);

/// An address where there is nothing.
pub(crate) const NOBODY: Address = Address::repeat_byte(0xab);

/// The usual coinbase.
pub(crate) const COINBASE: Address = Address::repeat_byte(0xc0);

/// True in `percent` of all cases.
pub(crate) fn chance(rng: &mut Rng, percent: u8) -> bool {
    rng.u8(0..100) < percent
}

/// One of several.
pub(crate) fn one_of<T: Copy>(rng: &mut Rng, options: &[T]) -> T {
    options[rng.usize(..options.len())]
}

/// An address that means something.
pub(crate) fn address(rng: &mut Rng) -> Address {
    match rng.u8(0..20) {
        0..11 => contract(rng.u64(..)),
        11..14 => precompiles::address(one_of(rng, precompiles::NUMBERS)),
        14 => RICH,
        15 => NOBODY,
        16 => COINBASE,
        17 => keys::address(0),
        18 => keys::address(rng.u8(..)),
        _ => contract(rng.u64(..)).create(rng.u64(0..4)),
    }
}

/// A power of two, or one less or more.
fn border(rng: &mut Rng) -> U256 {
    let bits = match rng.u8(0..4) {
        0 => rng.usize(0..256),
        _ => one_of(rng, &[8, 16, 31, 32, 63, 64, 127, 128, 160, 191, 192, 224, 254, 255]),
    };
    let power = U256::ONE << bits;
    match rng.u8(0..3) {
        0 => power,
        1 => power.wrapping_sub(U256::ONE),
        _ => power.wrapping_add(U256::ONE),
    }
}

/// A word.
pub(crate) fn word(rng: &mut Rng) -> U256 {
    match rng.u8(0..20) {
        0..7 => U256::from(rng.u8(0..40)),
        7 => U256::ZERO,
        8 => U256::ONE,
        9 => U256::MAX,
        10 => U256::MAX - U256::from(rng.u8(0..40)),
        11..14 => border(rng),
        14 => U256::from(rng.u16(..)),
        15 => U256::from(rng.u64(..)),
        16 | 17 => address(rng).into_word().into(),
        18 => U256::from_limbs([rng.u64(..), rng.u64(..), 0, 0]),
        _ => U256::from_limbs([rng.u64(..), rng.u64(..), rng.u64(..), rng.u64(..)]),
    }
}

/// Where in memory, call data or code. Rarely where nobody can pay for it: that ends most programs.
pub(crate) fn offset(rng: &mut Rng) -> U256 {
    match rng.u8(0..160) {
        0..60 => U256::from(32 * rng.u8(0..6)),
        60..110 => U256::from(one_of(rng, &[0u16, 1, 30, 31, 32, 33, 63, 64, 65, 95, 96, 255, 256])),
        110..150 => U256::from(rng.u16(0..300)),
        150..156 => {
            U256::from(one_of(rng, &[1000u32, 1023, 1024, 4095, 32_767, 65_503, 65_504, 65_535, 65_536]))
        }
        156 => U256::from(rng.u16(..)),
        157 => U256::from(rng.u32(..)),
        158 => border(rng),
        _ => word(rng),
    }
}

/// How much of it.
pub(crate) fn size(rng: &mut Rng) -> U256 {
    match rng.u8(0..160) {
        0..40 => U256::ZERO,
        40..90 => U256::from(one_of(rng, &[1u16, 4, 20, 31, 32, 33, 64, 96, 128])),
        90..150 => U256::from(rng.u16(0..200)),
        150..156 => U256::from(rng.u16(0..4000)),
        156 | 157 => U256::from(rng.u16(..)),
        158 => border(rng),
        _ => word(rng),
    }
}

/// A storage key, of a few that come up again and again.
pub(crate) fn key(rng: &mut Rng) -> U256 {
    match rng.u8(0..20) {
        0..14 => U256::from(rng.u8(0..3)),
        14 => U256::from(255),
        15 => U256::from(256),
        16 => U256::MAX,
        17 => U256::ONE << 255,
        18 => U256::from(rng.u16(0..600)),
        _ => word(rng),
    }
}

/// A storage value: often zero, or what was there.
pub(crate) fn stored(rng: &mut Rng) -> U256 {
    match rng.u8(0..10) {
        0..4 => U256::ZERO,
        4..8 => U256::from(rng.u8(1..4)),
        _ => word(rng),
    }
}

/// Wei for a call.
pub(crate) fn value(rng: &mut Rng) -> U256 {
    match rng.u8(0..20) {
        0..13 => U256::ZERO,
        13..17 => U256::from(rng.u8(1..20)),
        17 => U256::from(rng.u64(..)),
        18 => U256::from(1_000_000_000_000_000_000u64),
        _ => word(rng),
    }
}

/// Gas for a call.
pub(crate) fn call_gas(rng: &mut Rng) -> U256 {
    match rng.u8(0..20) {
        0..6 => U256::from(rng.u32(0..60_000)),
        6..9 => U256::from(rng.u16(0..3_000)),
        9 => U256::from(one_of(rng, &[0u32, 1, 99, 100, 2_300, 2_301, 2_600, 9_000, 21_000, 32_000])),
        10 => U256::MAX,
        11 => border(rng),
        _ => U256::from(rng.u32(0..400_000)),
    }
}
