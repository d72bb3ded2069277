//! Precompiled contracts 0x01 to 0x04 (Yellow Paper, appendix E).

use crate::H160;
use crate::crypto::Crypto;
use crate::fork::Fork;
use crate::gas;
use alloc::vec::Vec;
use ripemd::{Digest, Ripemd160};

/// What a precompile did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It returned, and cost this much gas.
    Return {
        /// Gas that it cost.
        gas: i64,
        /// What it returned.
        output: Vec<u8>,
    },
    /// Gas did not suffice.
    OutOfGas,
}

/// The number of the precompile at `address`, if a fork has one there.
#[must_use]
pub fn number_of(address: &H160, _fork: Fork) -> Option<u16> {
    let (front, last) = address.0.split_at(18);
    if front.iter().any(|&byte| byte != 0) {
        return None;
    }
    match last {
        [0, number @ 1..=4] => Some(u16::from(*number)),
        _ => None,
    }
}

/// Runs the precompile `number`, which [`number_of`] gave, with at most `gas_limit` gas.
#[must_use]
pub fn run(number: u16, input: &[u8], gas_limit: i64, crypto: &impl Crypto) -> Outcome {
    let length = input.len() as u64;
    let cost = match number {
        1 => 3000,
        2 => 60 + gas::per_word(12, length),
        3 => 600 + gas::per_word(120, length),
        _ => 15 + gas::per_word(3, length),
    };
    if cost > gas_limit {
        return Outcome::OutOfGas;
    }
    let output = match number {
        1 => ecrecover(input, crypto),
        2 => crypto.sha256(&[input]).to_vec(),
        3 => left_pad(&Ripemd160::digest(input)).to_vec(),
        _ => input.to_vec(),
    };
    Outcome::Return { gas: cost, output }
}

/// ECREC: the address that signed, or nothing.
fn ecrecover(input: &[u8], crypto: &impl Crypto) -> Vec<u8> {
    let mut padded = [0; 128];
    for (target, &byte) in padded.iter_mut().zip(input) {
        *target = byte;
    }
    let (hash, rest) = padded.split_at(32);
    let (v, r_s) = rest.split_at(32);
    let (front, last) = v.split_at(31);
    let recovery_id = match last {
        [v @ (27 | 28)] if front.iter().all(|&byte| byte == 0) => v - 27,
        _ => return Vec::new(),
    };
    let (Ok(hash), Ok(r_s)) = (hash.try_into(), r_s.try_into()) else { return Vec::new() };
    if !in_range(&r_s) {
        return Vec::new();
    }
    match crypto.secp256k1_recover(hash, recovery_id, &r_s) {
        Some(key) => left_pad(&crypto.keccak256(&[&key])[12..]).to_vec(),
        None => Vec::new(),
    }
}

/// Whether r and s lie in [1, n).
fn in_range(r_s: &[u8; 64]) -> bool {
    const N: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba,
        0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
    ];
    let (r, s) = r_s.split_at(32);
    [r, s].iter().all(|number| *number < &N[..] && number.iter().any(|&byte| byte != 0))
}

/// Twenty bytes as a word.
fn left_pad(bytes: &[u8]) -> [u8; 32] {
    let mut word = [0; 32];
    for (target, &byte) in word[12..].iter_mut().zip(bytes) {
        *target = byte;
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_one_to_four_are_precompiles() {
        let low = |number: u16| {
            let mut address = H160::zero();
            address.0[18..].copy_from_slice(&number.to_be_bytes());
            address
        };
        let number_of = |address: &H160| super::number_of(address, Fork::Osaka);
        assert_eq!((number_of(&low(1)), number_of(&low(4))), (Some(1), Some(4)));
        for address in [H160::zero(), low(5), low(0x101), H160::repeat_byte(1)] {
            assert_eq!(number_of(&address), None);
        }
    }
}
