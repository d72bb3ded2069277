//! The ports to the state of the past: what changed it, and what accounts were.
//!
//! ```text
//! indexer ── a block's landings ─▶ Replay ── changes ──▶ Store ── versions ──▶ Archive ──▶ the state at any point
//!                                    ▲                                           │
//!                                    └────────────── accounts before ────────────┘
//! ```
//!
//! A Solana cluster tells accounts as they are, not as they were. But the executor is a function of accounts, so who has the
//! accounts from before a block and runs again what the block did has the accounts from behind it. That is done once for
//! each block, when it is indexed, and what changed is kept with it.

use crate::cluster::Held;
use crate::emulator::EmulatorError;
use crate::store::{Block, StoreError};
use crate::transaction::Transaction;
use async_trait::async_trait;
use parhelion_wire::instruction::{Configure, Initialize, TransactionId};
use parhelion_wire::{H160, Pubkey};

/// A point in the history of the chain: between two of its changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// The block.
    pub block: u64,
    /// Its place among the points of the block.
    pub place: u64,
}

impl Point {
    /// The largest place in a block: behind everything in it.
    pub const PLACE_MAX: u64 = u16::MAX as u64;

    /// Right before a transaction of a block, behind what was not one and came before it (a deposit, say).
    #[must_use]
    pub const fn before(block: u64, index: u64) -> Self {
        Self::at(block, index.saturating_mul(2))
    }

    /// Right behind a transaction of a block.
    #[must_use]
    pub const fn behind(block: u64, index: u64) -> Self {
        Self::at(block, index.saturating_mul(2).saturating_add(1))
    }

    /// Behind everything in a block.
    #[must_use]
    pub const fn end(block: u64) -> Self {
        Self { block, place: Self::PLACE_MAX }
    }

    const fn at(block: u64, place: u64) -> Self {
        Self { block, place: if place < Self::PLACE_MAX { place } else { Self::PLACE_MAX } }
    }
}

/// What is known of an account of the program from a point on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// Nothing: whatever wrote it could not be run again.
    Unknown,
    /// It does not exist.
    Absent,
    /// It is there.
    Present {
        /// Lamports.
        lamports: u64,
        /// Its data.
        data: Vec<u8>,
    },
}

/// A change of an account: what it is from a point on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The point behind the change.
    pub point: Point,
    /// The account's Solana address. What belongs to a point and is no account has an address, too.
    pub address: Pubkey,
    /// What it is.
    pub version: Version,
}

/// A Solana transaction of a block, as far as it is part of the history.
#[derive(Clone, Debug, Default)]
pub struct Landing {
    /// What the program did, in order.
    pub effects: Vec<Effect>,
    /// What the accounts of the effects held. Anybody can give lamports to an account of the program; nothing but this tells.
    pub lamports: Vec<Held>,
}

/// Something that the program did in a block.
#[derive(Clone, Debug)]
pub struct Effect {
    /// What it did.
    pub kind: EffectKind,
    /// Addresses of the accounts that the instruction lists: no other can have changed.
    pub accounts: Vec<Pubkey>,
}

/// What the program did.
#[derive(Clone, Debug)]
pub enum EffectKind {
    /// It made the chain.
    Initialized(Initialize),
    /// It changed settings.
    Configured(Configure),
    /// It credited value that came in from Solana.
    Deposited {
        /// Whom.
        address: H160,
        /// How much.
        lamports: u64,
    },
    /// It began a run in steps.
    Began {
        /// Of this transaction.
        transaction: Transaction,
        /// COINBASE.
        coinbase: H160,
    },
    /// It took a step of a run that was not the last one.
    Stepped(TransactionId),
    /// It ended the next transaction of the block.
    Ended(Ending),
    /// It ran something that is not in the block, because it cannot be decoded.
    Lost,
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It ran at once.
    AtOnce,
    /// Its run in steps came to its end.
    InSteps,
    /// Its run in steps was cancelled.
    Cancelled,
}

/// Runs again what blocks did.
#[async_trait]
pub trait Replay: Send + Sync {
    /// What a block changed: in the order in which it happened. `unstored` are the changes of the blocks before it that are
    /// not in the archive yet.
    ///
    /// What cannot be run again is no error: the accounts that it may have changed are unknown from there on.
    ///
    /// # Errors
    /// When the archive cannot be read, or the cluster does not answer: trying again may help.
    async fn replay(
        &self,
        block: &Block,
        landings: &[Landing],
        unstored: &[Change],
    ) -> Result<Vec<Change>, EmulatorError>;
}

/// Accounts as they were.
#[async_trait]
pub trait Archive: Send + Sync {
    /// The newest version of each of these accounts at a point, in this order; `None` where there was no change before it.
    async fn versions(&self, point: Point, addresses: &[Pubkey]) -> Result<Vec<Option<Version>>, StoreError>;

    /// Forgets what was before a change of the account `mark`: the newest one up to a point, or one before that if there is
    /// much to forget. From that change on everything is as it was; before it, `mark` has no version any more, and others may
    /// have none. Gives how many versions are gone: none if there is nothing left to forget.
    async fn forget(&self, mark: &Pubkey, point: Point) -> Result<u64, StoreError>;
}
