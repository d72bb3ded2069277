//! Nonce and balance of an Ethereum address.

use super::header::{Header, layout};
use super::{read_u256, write_u256};
use bytemuck::{Pod, Zeroable};
use primitive_types::U256;

/// Nonce and balance of an Ethereum address: 48 bytes.
///
/// ```text
///  0        8       16             48
///  ├ header ┼ nonce ┼ balance, wei ┤
/// ```
///
/// An address without this account has balance 0, and nonce 0 if it has no [`super::Contract`] either; a contract
/// without it has nonce 1 (EIP-161). The account is never closed, because the nonce must not be forgotten.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Balance {
    header: Header,
    nonce: [u8; 8],
    balance: [u8; 32],
}

layout!(Balance, Balance, 48);

impl Balance {
    /// Flag: the address has a [`super::Contract`], so that a sender can be checked (EIP-3607) without loading it.
    pub const HAS_CONTRACT: u16 = 1;

    /// Flag: a transaction of the address runs in steps ([`super::Run`]); until it ends there is no other one.
    pub const HAS_RUN: u16 = 2;

    /// The address's nonce.
    #[must_use]
    #[inline(always)]
    pub const fn nonce(&self) -> u64 {
        u64::from_le_bytes(self.nonce)
    }

    /// Replaces the nonce.
    pub const fn set_nonce(&mut self, nonce: u64) {
        self.nonce = nonce.to_le_bytes();
    }

    /// The address's balance in wei.
    #[must_use]
    #[inline(always)]
    pub fn balance(&self) -> U256 {
        read_u256(&self.balance)
    }

    /// Replaces the balance (wei).
    pub fn set_balance(&mut self, balance: &U256) {
        write_u256(&mut self.balance, balance);
    }

    /// Whether the address has a [`super::Contract`].
    #[must_use]
    pub const fn has_contract(&self) -> bool {
        self.header.flags() & Self::HAS_CONTRACT != 0
    }

    /// Notes whether the address has a [`super::Contract`].
    pub const fn set_has_contract(&mut self, has_contract: bool) {
        self.set_flag(Self::HAS_CONTRACT, has_contract);
    }

    /// Whether a transaction of the address runs in steps.
    #[must_use]
    pub const fn has_run(&self) -> bool {
        self.header.flags() & Self::HAS_RUN != 0
    }

    /// Notes whether a transaction of the address runs in steps.
    pub const fn set_has_run(&mut self, has_run: bool) {
        self.set_flag(Self::HAS_RUN, has_run);
    }

    const fn set_flag(&mut self, flag: u16, is_set: bool) {
        let flags = self.header.flags();
        self.header.set_flags(if is_set { flags | flag } else { flags & !flag });
    }
}
