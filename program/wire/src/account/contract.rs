//! The code that an Ethereum address runs.

use super::header::{Header, layout};
use bytemuck::{Pod, Zeroable};
use primitive_types::{H160, H256};

/// Which code an address runs: 68 bytes.
///
/// ```text
///  0        8               16          48         68
///  ├ header ┼ creation slot ┼ code hash ┼ delegate ┤
/// ```
///
/// The account exists from the creation of a contract on and is written by nothing else than an EIP-7702
/// authorization. It stays read-only in calls, so calls of one contract do not contend.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Contract {
    header: Header,
    creation_slot: [u8; 8],
    code_hash: [u8; 32],
    delegate: [u8; 20],
}

layout!(Contract, Contract, 68);

impl Contract {
    /// Flag: the code is an EIP-7702 delegation, and [`Self::delegate`] says to whom.
    pub const DELEGATED: u16 = 1;

    /// The Solana slot in which the contract was created.
    #[must_use]
    pub const fn creation_slot(&self) -> u64 {
        u64::from_le_bytes(self.creation_slot)
    }

    /// Sets the creation slot.
    pub const fn set_creation_slot(&mut self, slot: u64) {
        self.creation_slot = slot.to_le_bytes();
    }

    /// Keccak-256 of the code. The code is in the [`super::Code`] account of this hash, unless it is empty or a
    /// delegation.
    #[must_use]
    pub const fn code_hash(&self) -> H256 {
        H256(self.code_hash)
    }

    /// Sets the code hash.
    pub const fn set_code_hash(&mut self, hash: H256) {
        self.code_hash = hash.0;
    }

    /// The EIP-7702 delegate, if the code is a delegation.
    #[must_use]
    pub const fn delegate(&self) -> Option<H160> {
        if self.header.flags() & Self::DELEGATED != 0 { Some(H160(self.delegate)) } else { None }
    }

    /// Makes the code a delegation, or no longer.
    pub fn set_delegate(&mut self, delegate: Option<H160>) {
        self.header.set_flags(if delegate.is_some() { Self::DELEGATED } else { 0 });
        self.delegate = delegate.unwrap_or_default().0;
    }
}
