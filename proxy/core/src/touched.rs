//! What a run touches of the state, before it and behind it.

use crate::emulator::AccountState;
use alloy_primitives::{Address, B256, Bytes};
use std::collections::BTreeMap;

/// The addresses that a run touches: sender, recipient, coinbase, those that authorize (EIP-7702), those that are called
/// or created, and those that code asks about.
pub type TouchedAccounts = BTreeMap<Address, TouchedAccount>;

/// An address that a run touches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TouchedAccount {
    /// As the run finds it.
    pub before: Image,
    /// As the run leaves it.
    pub after: Image,
}

/// An address at a moment, as far as a run touches it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// Nonce and balance.
    pub state: AccountState,
    /// The code; of a delegation (EIP-7702) its designator.
    pub code: Bytes,
    /// The storage values that are read or written, those that are 0 included.
    pub storage: BTreeMap<B256, B256>,
}

impl Image {
    /// Whether there is nothing at the address (EIP-161).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.state == AccountState::default() && self.code.is_empty()
    }
}
