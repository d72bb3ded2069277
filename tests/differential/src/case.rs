//! A case: a state, a block and one transaction, as it is written to a file.

use alloy_primitives::{Address, B256, Bytes, U256};
use parhelion_executor::evm::fork::Fork;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The chain that every transaction is for.
pub(crate) const CHAIN_ID: u64 = 1;

/// The rules that a case runs by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Rules {
    /// March 2024.
    Cancun,
    /// May 2025.
    Prague,
    /// December 2025: what the program runs.
    Osaka,
}

impl Rules {
    /// Ours.
    pub(crate) const fn fork(self) -> Fork {
        match self {
            Self::Cancun => Fork::Cancun,
            Self::Prague => Fork::Prague,
            Self::Osaka => Fork::Osaka,
        }
    }
}

/// All that decides what a transaction does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Case {
    /// The fork.
    pub(crate) rules: Rules,
    /// The block.
    pub(crate) block: Block,
    /// The accounts before.
    pub(crate) accounts: BTreeMap<Address, Account>,
    /// The transaction.
    pub(crate) transaction: Transaction,
}

/// Values of the block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Block {
    /// NUMBER.
    pub(crate) number: u64,
    /// TIMESTAMP.
    pub(crate) timestamp: u64,
    /// COINBASE.
    pub(crate) coinbase: Address,
    /// GASLIMIT.
    pub(crate) gas_limit: u64,
    /// BASEFEE, not 0.
    pub(crate) base_fee: u64,
    /// PREVRANDAO.
    pub(crate) prevrandao: B256,
}

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// The nonce.
    pub(crate) nonce: u64,
    /// Wei, below 2^128 in all.
    pub(crate) balance: U256,
    /// The code; EIP-7702 delegations included.
    pub(crate) code: Bytes,
    /// Without zeros.
    pub(crate) storage: BTreeMap<U256, U256>,
}

impl Account {
    /// EIP-161.
    pub(crate) fn is_empty(&self) -> bool {
        self.nonce == 0 && self.balance.is_zero() && self.code.is_empty()
    }
}

/// A transaction. Its sender is taken for granted, so it has no signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Transaction {
    /// 0, 1, 2 or 4.
    pub(crate) kind: u8,
    /// Who signed.
    pub(crate) sender: Address,
    /// The sender's nonce.
    pub(crate) nonce: u64,
    /// The callee; without one a contract is created.
    pub(crate) to: Option<Address>,
    /// Wei.
    pub(crate) value: U256,
    /// Call data or init code.
    pub(crate) data: Bytes,
    /// The gas limit.
    pub(crate) gas_limit: u64,
    /// Wei per gas; the cap in types 2 and 4.
    pub(crate) gas_price: u64,
    /// Wei per gas for the coinbase, in types 2 and 4.
    pub(crate) priority_fee: u64,
    /// EIP-2930, in types 1, 2 and 4.
    pub(crate) access_list: Vec<(Address, Vec<B256>)>,
    /// EIP-7702, in type 4.
    pub(crate) authorizations: Vec<Authorization>,
}

impl Transaction {
    /// Wei per gas that it pays at a base fee; `None` when it offers less.
    pub(crate) fn effective_gas_price(&self, base_fee: u64) -> Option<u64> {
        match self.kind {
            _ if self.gas_price < base_fee => None,
            0 | 1 => Some(self.gas_price),
            _ => Some(self.gas_price.min(base_fee.saturating_add(self.priority_fee))),
        }
    }
}

/// An EIP-7702 authorization, which is signed when the case runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Authorization {
    /// 0 for any chain.
    pub(crate) chain_id: u64,
    /// The delegate.
    pub(crate) address: Address,
    /// The authority's nonce.
    pub(crate) nonce: u64,
    /// Which key signs: see [`crate::keys`].
    pub(crate) key: u8,
}
