//! Precompiled contracts.
//!
//! | number | name | since | rules |
//! |---|---|---|---|
//! | 0x01 | ECREC | – | Yellow Paper, appendix E |
//! | 0x02, 0x03, 0x04 | SHA256, RIP160, ID | – | Yellow Paper, appendix E |
//! | 0x05 | MODEXP | – | EIP-198, 2565; Osaka: 7823, 7883 |
//! | 0x06, 0x07, 0x08 | BN254_ADD, BN254_MUL, BN254_PAIRING | – | EIP-196, 197, 1108 |
//! | 0x09 | BLAKE2F | – | EIP-152 |
//! | 0x0a | KZG_POINT_EVALUATION | Cancun | EIP-4844 |
//! | 0x0b to 0x11 | BLS12_G1ADD, G1MSM, G2ADD, G2MSM, PAIRING_CHECK, MAP_FP_TO_G1, MAP_FP2_TO_G2 | Prague | EIP-2537 |
//! | 0x100 | P256VERIFY | Osaka | EIP-7951 |
//!
//! Curve operations and hashes that the Solana runtime has come through [`Crypto`]; the rest is computed here.
//!
//! # Two prices
//! A call costs gas, by the rules of Ethereum, and *compute units*: what it takes on chain, where a Solana
//! transaction has 1.4 million. Each precompile estimates its compute units from its input, never less than they are,
//! before it runs. A call that would take more than its [`Budget`] ends as if gas had run out: on chain and in the
//! emulator alike, because the estimate is a function of the input alone.

mod blake2f;
mod bls12_381;
mod bn254;
mod bytes;
mod digits;
mod ecrecover;
mod hashes;
mod inverse;
mod kzg;
mod modexp;
mod p256;

use crate::H160;
use crate::crypto::Crypto;
use crate::fork::Fork;
use alloc::vec::Vec;

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
    /// Gas, or the compute units that one call may take, did not suffice.
    OutOfGas,
    /// The input is invalid: the call fails and takes all its gas.
    Failure,
}

/// What a call may cost at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Gas.
    pub gas: i64,
    /// Compute units.
    pub compute_units: u64,
}

/// What a call costs; known before it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Gas.
    pub gas: i64,
    /// Compute units that it takes on chain at most, syscalls included.
    pub compute_units: u64,
}

/// The number of the precompile at `address`, if `fork` has one there.
#[must_use]
pub fn number_of(address: &H160, fork: Fork) -> Option<u16> {
    let (front, last) = address.0.split_at(18);
    if front.iter().any(|&byte| byte != 0) {
        return None;
    }
    let number = u16::from_be_bytes(*last.as_array()?);
    let since = match number {
        0x01..=0x0a => Fork::Cancun,
        bls12_381::G1_ADD..=bls12_381::MAP_G2 => Fork::Prague,
        0x100 => Fork::Osaka,
        _ => return None,
    };
    (fork >= since).then_some(number)
}

/// Runs the precompile `number`, which [`number_of`] gave for the same fork.
#[must_use]
pub fn run(number: u16, fork: Fork, input: &[u8], budget: &Budget, crypto: &impl Crypto) -> Outcome {
    let Some(cost) = cost(number, fork, input) else { return Outcome::Failure };
    if cost.gas > budget.gas || cost.compute_units > budget.compute_units {
        return Outcome::OutOfGas;
    }
    match output(number, input, crypto) {
        Some(output) => Outcome::Return { gas: cost.gas, output },
        None => Outcome::Failure,
    }
}

/// What a call of `number`, which [`number_of`] gave for the same fork, costs if it succeeds; `None` where the input
/// is invalid at first sight.
#[must_use]
pub fn cost(number: u16, fork: Fork, input: &[u8]) -> Option<Cost> {
    Some(match number {
        0x01 => ecrecover::COST,
        0x02 => hashes::sha256_cost(input),
        0x03 => hashes::ripemd160_cost(input),
        0x04 => hashes::identity_cost(input),
        0x05 => return modexp::cost(input, fork),
        0x06 => bn254::ADD_COST,
        0x07 => bn254::MUL_COST,
        0x08 => return bn254::pairing_cost(input),
        0x09 => return blake2f::cost(input),
        0x0a => return kzg::cost(input),
        bls12_381::G1_ADD..=bls12_381::MAP_G2 => return bls12_381::cost(number, input),
        0x100 => p256::COST,
        _ => return None,
    })
}

/// What a call returns; `None` for invalid input.
fn output(number: u16, input: &[u8], crypto: &impl Crypto) -> Option<Vec<u8>> {
    match number {
        0x01 => Some(ecrecover::run(input, crypto)),
        0x02 => Some(hashes::sha256(input, crypto)),
        0x03 => Some(hashes::ripemd160(input)),
        0x04 => Some(input.to_vec()),
        0x05 => Some(modexp::run(input)),
        0x06 => bn254::add(input, crypto),
        0x07 => bn254::mul(input, crypto),
        0x08 => bn254::pairing(input, crypto),
        0x09 => blake2f::run(input),
        0x0a => kzg::run(input, crypto),
        bls12_381::G1_ADD..=bls12_381::MAP_G2 => bls12_381::run(number, input, crypto),
        0x100 => Some(p256::run(input)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_precompiles() {
        let low = |number: u16| {
            let mut address = H160::zero();
            address.0[18..].copy_from_slice(&number.to_be_bytes());
            address
        };
        let last = |fork: Fork| (0..=0x1000).rev().find_map(|number| number_of(&low(number), fork));
        assert_eq!((last(Fork::Cancun), last(Fork::Prague)), (Some(0x0a), Some(0x11)));
        assert_eq!(last(Fork::Osaka), Some(0x100));
        for number in 1..=0x11 {
            assert_eq!(number_of(&low(number), Fork::Osaka), Some(number));
        }
        for address in [H160::zero(), low(0x101), low(0x200), H160::repeat_byte(1)] {
            assert_eq!(number_of(&address, Fork::Osaka), None);
        }
    }
}
