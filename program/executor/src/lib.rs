//! Runs one Ethereum transaction over accounts.
//!
//! ```text
//! execute ─▶ validate ─▶ buy gas ─▶ authorizations (EIP-7702) ─▶ frames ─▶ refund, rent ─▶ commit ─▶ Report
//!    │                                                             │                         │
//!    └────────────── World: accounts, storage, journal, logs ◀─────┴── evm::interpreter      │
//!                      │ load                                                                │ write
//!                      ▼                                                                     ▼
//!                   Ledger: the instruction's accounts on chain, fetched accounts in the emulator
//! ```
//!
//! The same source runs on chain and in the emulator. What differs is behind two traits: [`Ledger`] and
//! [`parhelion_evm::crypto::Crypto`]. So the account list that the emulator's ledger records is the one that the
//! program will ask for.
//!
//! # Failures
//! * A transaction that Ethereum would not put into a block (nonce, funds, intrinsic gas, ...) is a
//!   [`ProgramError`]: the Solana transaction fails and nothing changes.
//! * An account that the ledger does not have ([`ProgramError::AccountMissing`]) is fatal in the same way, wherever
//!   it happens: no contract can catch it (invariant 3).
//! * A revert or an exceptional halt is a result: nonce and fee changes stay, everything else is undone.
//!
//! # Value
//! The sum of all balances changes in three ways only: value is withdrawn, a self-destructing contract burns it, or
//! the rent of a closed Cell comes back. `commit` checks that sum before it writes anything (invariant 8).
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::arithmetic_side_effects)]

extern crate alloc;

mod address;
mod amount;
mod authorization;
mod commit;
mod execute;
mod frames;
mod ledger;
mod limits;
mod mark;
pub mod observe;
mod rent;
mod run;
pub mod steps;
mod validate;
mod withdraw;
mod world;

pub use execute::{BlockValues, Call, Options, Report, call, execute};
pub use ledger::{Brief, Ledger, Watched};
pub use limits::Limits;
pub use mark::Mark;
pub use withdraw::{WITHDRAW_ADDRESS, WITHDRAW_SELECTOR};

pub use parhelion_evm as evm;
pub use parhelion_wire as wire;
use parhelion_wire::ProgramError;

/// What the executor's functions give back.
pub type Result<T> = core::result::Result<T, ProgramError>;
