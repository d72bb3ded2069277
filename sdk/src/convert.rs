//! Conversions between the program's types and those that clients use.
//!
//! The program speaks `primitive_types` (they compile for sBPF), Ethereum tools speak `alloy_primitives`. Every
//! conversion between the two is here.

use alloy_primitives::{B256, U256};
use parhelion_wire as wire;

/// An Ethereum address.
pub type EthereumAddress = alloy_primitives::Address;

/// An Ethereum address as the program has it.
#[must_use]
pub const fn to_h160(address: EthereumAddress) -> wire::H160 {
    wire::H160(address.into_array())
}

/// An Ethereum address as clients have it.
#[must_use]
pub const fn from_h160(address: wire::H160) -> EthereumAddress {
    EthereumAddress::new(address.0)
}

/// A hash as the program has it.
#[must_use]
pub const fn to_h256(hash: B256) -> wire::H256 {
    wire::H256(hash.0)
}

/// A hash as clients have it.
#[must_use]
pub const fn from_h256(hash: wire::H256) -> B256 {
    B256::new(hash.0)
}

/// A 256-bit integer as the program has it.
#[must_use]
pub const fn to_wire_u256(value: U256) -> wire::U256 {
    // Both are four 64-bit limbs, the least significant first.
    wire::U256(value.into_limbs())
}

/// A 256-bit integer as clients have it.
#[must_use]
pub const fn from_wire_u256(value: wire::U256) -> U256 {
    U256::from_limbs(value.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_ways_give_the_same_value(bytes: [u8; 32]) {
            let value = U256::from_be_bytes(bytes);
            let on_chain = to_wire_u256(value);
            prop_assert_eq!(on_chain.to_big_endian(), bytes);
            prop_assert_eq!(from_wire_u256(on_chain), value);
            prop_assert_eq!(from_h256(to_h256(B256::new(bytes))), B256::new(bytes));
            let address = EthereumAddress::from_slice(&bytes[12..]);
            prop_assert_eq!(&to_h160(address).0[..], &bytes[12..]);
            prop_assert_eq!(from_h160(to_h160(address)), address);
        }
    }
}

/// Lamports as people read them: in SOL, all nine digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sol(pub u64);

impl std::fmt::Display for Sol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const LAMPORTS: u64 = 1_000_000_000;
        write!(f, "{}.{:09} SOL", self.0 / LAMPORTS, self.0 % LAMPORTS)
    }
}
