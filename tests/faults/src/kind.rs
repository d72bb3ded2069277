//! The kinds of Ethereum transactions that a schedule is made of.
//!
//! What a transaction costs depends on its kind alone, not on what others do: so its receipt is known beforehand.

use crate::contracts::{Contracts, GAS, RICH_GAS};
use alloy_primitives::{Address, U256, keccak256};
use alloy_sol_types::{SolCall, SolValue, sol};
use parhelion_assembler::Code;
use parhelion_core::transaction::Transaction;
use parhelion_evm::opcode as op;
use parhelion_harness::wallet::Wallet;

sol! {
    function transfer(address to, uint256 value) external returns (bool);
    function sort(uint256 count) external pure returns (uint256 smallest);
}

/// Wei, or tokens, that a transfer moves.
pub const MOVED: u64 = 5_000_000_000;
/// Numbers that are sorted: some 3 million compute units.
const SORTED: u64 = 60;
/// Bytes of large call data.
const CALL_DATA: usize = 9_000;
/// Bytes of a large contract: more than an account may grow by in one instruction.
const CODE: usize = 11_000;

/// A kind of transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Moves wei to a fresh address.
    Transfer,
    /// Moves tokens to a fresh address.
    Token,
    /// Computes for several steps.
    Sort,
    /// Is larger than a Solana transaction.
    CallData,
    /// Deploys a large contract.
    Deploy,
    /// Reads in several steps what [`Kind::Set`] changes meanwhile.
    Read,
    /// Changes what [`Kind::Read`] reads.
    Set,
    /// Reads more accounts than a Solana transaction lists, and what [`Kind::Stir`] changes meanwhile.
    Spread,
    /// Changes what [`Kind::Spread`] reads.
    Stir,
    /// Computes for several steps with a large memory.
    Memory,
    /// Reverts after several steps.
    Revert,
    /// Computes for several steps, and cannot end once [`Kind::Spring`] was there.
    Trap,
    /// Makes it impossible for [`Kind::Trap`] to end.
    Spring,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 13] = [
        Self::Transfer,
        Self::Token,
        Self::Sort,
        Self::CallData,
        Self::Deploy,
        Self::Read,
        Self::Set,
        Self::Spread,
        Self::Stir,
        Self::Memory,
        Self::Revert,
        Self::Trap,
        Self::Spring,
    ];

    /// Whether it takes several steps.
    #[must_use]
    pub const fn runs_in_steps(self) -> bool {
        matches!(self, Self::Sort | Self::Read | Self::Spread | Self::Memory | Self::Revert | Self::Trap)
    }

    /// Signs a transaction. `number` is different for each one of a schedule.
    #[must_use]
    pub fn sign(self, contracts: &Contracts, wallet: &mut Wallet, number: u64) -> Transaction {
        let recipient = recipient(number);
        let mut call = |to, data: Vec<u8>, gas| wallet.send(Some(to), U256::ZERO, data, gas);
        match self {
            Self::Transfer => wallet.send(Some(recipient), U256::from(MOVED), [], RICH_GAS),
            Self::Token => {
                let data = transferCall { to: recipient, value: U256::from(MOVED) }.abi_encode();
                call(contracts.token, data, RICH_GAS)
            }
            Self::Sort => {
                call(contracts.loops, sortCall { count: U256::from(SORTED) }.abi_encode(), RICH_GAS)
            }
            Self::CallData => call(contracts.sink, vec![7; CALL_DATA], RICH_GAS),
            Self::Deploy => {
                let code = Code::new().push(unique(number)).raw(&vec![op::JUMPDEST; CODE]);
                wallet.send(None, U256::ZERO, code.init_code(), RICH_GAS)
            }
            Self::Read => call(contracts.shared, Vec::new(), GAS),
            Self::Set => call(contracts.shared, U256::from(unique(number)).abi_encode(), GAS),
            Self::Spread => call(contracts.spread, Vec::new(), GAS),
            Self::Stir => call(contracts.spread, U256::from(unique(number)).abi_encode(), GAS),
            Self::Memory => call(contracts.memory, Vec::new(), GAS),
            Self::Revert => call(contracts.reverter, Vec::new(), GAS),
            Self::Trap => call(contracts.trap, Vec::new(), GAS),
            Self::Spring => call(contracts.trap, U256::from(unique(number)).abi_encode(), GAS),
        }
    }
}

/// The address that a transfer of this number goes to.
#[must_use]
pub fn recipient(number: u64) -> Address {
    // Bytes of call data that are zero cost less.
    let hash = keccak256(number.to_be_bytes()).0.map(|byte| byte.max(1));
    Address::from_slice(&hash[..20])
}

/// A number of eight bytes none of which is zero, different for each `number` below 2^56.
#[must_use]
pub fn unique(number: u64) -> u64 {
    // Base 255 and then each digit one more.
    let mut bytes = [1; 8];
    let mut rest = number;
    for byte in bytes.iter_mut().rev().take(7) {
        *byte = 1 + (rest % 255) as u8;
        rest /= 255;
    }
    // Not the first value of the contracts, which are all ones.
    bytes[0] = 2;
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unique_numbers_have_no_byte_of_zero() {
        let numbers: std::collections::BTreeSet<u64> = (0..100_000).map(unique).collect();
        assert_eq!(numbers.len(), 100_000);
        assert!(numbers.iter().all(|number| number.to_be_bytes().iter().all(|byte| *byte != 0)));
    }
}
