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
        let flags = self.header.flags();
        self.header.set_flags(if has_contract {
            flags | Self::HAS_CONTRACT
        } else {
            flags & !Self::HAS_CONTRACT
        });
    }
}
