//! Value back to Solana: the withdraw precompile.
//!
//! A withdrawal is an ordinary Ethereum transaction: whoever holds the balance calls the precompile at
//! [`WITHDRAW_PRECOMPILE`] with the Solana account as argument and the amount as value. The program debits the
//! caller and pays the lamports out of the vault in the same Solana transaction.

use crate::address::keccak256;
use crate::convert::EthereumAddress;
use alloy_primitives::{Bytes, U256};
use parhelion_wire::WEI_PER_LAMPORT;
use solana_address::Address;

/// The address of the withdraw precompile.
pub const WITHDRAW_PRECOMPILE: EthereumAddress =
    EthereumAddress::new([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

/// The precompile's only function, as Ethereum's ABI names it.
pub const WITHDRAW_SIGNATURE: &str = "withdraw(bytes32)";

/// To whom and with which data an Ethereum transaction pays its value out to `payee`.
///
/// The value is in wei and must be a whole number of lamports, see [`lamports_to_wei`].
///
/// ```
/// use parhelion_sdk::withdraw::{WITHDRAW_PRECOMPILE, withdraw_call};
/// use solana_address::Address;
///
/// let (to, data) = withdraw_call(&Address::new_from_array([3; 32]));
/// assert_eq!(to, WITHDRAW_PRECOMPILE);
/// assert_eq!(data.len(), 4 + 32);
/// ```
#[must_use]
pub fn withdraw_call(payee: &Address) -> (EthereumAddress, Bytes) {
    let selector = &keccak256(&[WITHDRAW_SIGNATURE.as_bytes()])[..4];
    (WITHDRAW_PRECOMPILE, [selector, payee.as_ref()].concat().into())
}

/// Lamports in wei: SOL has 9 decimals, the native token of the EVM 18.
#[must_use]
pub fn lamports_to_wei(lamports: u64) -> U256 {
    U256::from(u128::from(lamports) * u128::from(WEI_PER_LAMPORT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_is_the_abi_encoding() {
        let payee = Address::new_from_array([0xab; 32]);
        let (to, data) = withdraw_call(&payee);
        assert_eq!(to.to_string().to_lowercase(), "0xff00000000000000000000000000000000000001");
        let selector = alloy_primitives::keccak256("withdraw(bytes32)");
        assert_eq!(data[..4], selector[..4]);
        assert_eq!(data[4..], [0xab; 32]);
    }

    #[test]
    fn lamports_become_wei_without_overflow() {
        assert_eq!(lamports_to_wei(1), U256::from(1_000_000_000u64));
        let most = lamports_to_wei(u64::MAX);
        assert_eq!(most / U256::from(WEI_PER_LAMPORT), U256::from(u64::MAX));
    }
}
