//! What transactions are found by, beside their hashes.

use crate::store::Executed;
use alloy_consensus::Transaction as _;
use alloy_primitives::Address;
use solana_signature::Signature;
use std::collections::BTreeSet;

/// The most transactions that a [`Lookup`] gives: as many as a block can have.
pub const LOOKUP_MAX: usize = 1 << 14;

/// What transactions are found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clue {
    /// The address is its sender, its recipient, the contract that it created as a creating transaction, or one whose logs
    /// it wrote. An address that was only called by other contracts and wrote no log leaves no clue.
    Appears(Address),
    /// The sender and the nonce.
    Sent {
        /// The sender.
        sender: Address,
        /// The nonce.
        nonce: u64,
    },
    /// The contract that it created as a creating transaction.
    Created(Address),
    /// One of the Solana transactions that it landed with, as far as they are listed.
    Landed(Signature),
}

impl Clue {
    /// All that a transaction is found by, each once.
    #[must_use]
    pub fn of(executed: &Executed) -> BTreeSet<Self> {
        let envelope = executed.transaction.inner();
        let (sender, nonce) = (executed.transaction.sender(), envelope.nonce());
        let mut clues = BTreeSet::from([Self::Appears(sender), Self::Sent { sender, nonce }]);
        clues.extend(envelope.to().map(Self::Appears));
        if envelope.is_create() && executed.outcome.is_success() {
            let created = sender.create(nonce);
            clues.extend([Self::Appears(created), Self::Created(created)]);
        }
        clues.extend(executed.logs.iter().map(|log| Self::Appears(log.address)));
        clues.extend(executed.signatures.iter().chain([&executed.signature]).copied().map(Self::Landed));
        clues
    }
}

/// Which transactions are looked up.
#[derive(Clone, Copy, Debug)]
pub struct Lookup {
    /// By what.
    pub clue: Clue,
    /// First block.
    pub from_block: u64,
    /// Last block, included.
    pub to_block: u64,
    /// Whether those of the newest blocks come first.
    pub newest_first: bool,
    /// How many at most; no more than [`LOOKUP_MAX`] count.
    pub max: usize,
}

impl Lookup {
    /// All transactions of a clue, the oldest first.
    #[must_use]
    pub const fn all(clue: Clue) -> Self {
        Self { clue, from_block: 0, to_block: u64::MAX, newest_first: false, max: LOOKUP_MAX }
    }
}
