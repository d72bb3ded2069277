//! The program's instructions: one file each, one tag byte each.
//!
//! | tag | instruction | accounts, in order | does |
//! |---|---|---|---|
//! | 0 | [`Initialize`] | payer (signer, writable), config (w), vault (w), program data, system program | creates the chain |
//! | 1 | [`Configure`] | authority (s), config (w) | changes settings |
//! | 2 | [`Deposit`] | payer (s, w), config, vault (w), balance (w), contract, program, system program | lamports into an EVM balance |
//! | 3 | [`Execute`] | operator (s, w), config, program, then the run's accounts in any order | runs an Ethereum transaction |
//! | 4 | [`HolderCreate`] | operator (s), holder (w) | takes over a fresh account as a holder |
//! | 5 | [`HolderWrite`] | operator (s), holder (w) | writes a piece of an envelope |
//! | 6 | [`HolderClose`] | operator (s, w), holder (w) | gives the rent back |
//! | 7 | [`ExecuteFromHolder`] | operator (s, w), config, program, holder, then as 3 | runs the transaction in a holder |
//! | 8 | [`CodeReserve`] | payer (s, w), config, code (w), system program | grows the room for a large code |
//! | 9 | [`CodeRelease`] | payer (s, w), code (w) | closes a reservation |
//! | 10 | [`Translate`] | payer (s, w), config, code, translation (w), system program | translates a code, piece by piece |
//! | 11 | [`TranslationClose`] | payer (s, w), translation (w) | gives the rent back |
//! | 12 | [`Begin`] | as 7, holder (w) | begins a run in steps |
//! | 13 | [`Step`] | as 7, holder (w) | runs it on, and in the end writes what it changed |
//! | 14 | [`Cancel`] | as 7, holder (w) | ends a run that nobody continues |
//! | 15 | [`Lock`] | as 13, the others writable | locks what a run at its end has read |
//! | 238 | event | config (s) | carries an event; accepted from the program itself only |
//!
//! The run's accounts of `execute` are the Ethereum state it touches, and, where needed, the System program (when
//! accounts are created), the Instructions sysvar (when a secp256k1 instruction proves the signature), the Vault
//! and the payee (when value is withdrawn).

mod execute;
mod holder;
mod manage;
mod reserve;
mod steps;
mod translate;

pub use execute::{Execute, ExecuteFromHolder, RECOVER_ON_CHAIN};
pub use holder::{HolderClose, HolderCreate, HolderWrite};
pub use manage::{Configure, Deposit, Initialize};
pub use reserve::{CodeRelease, CodeReserve};
pub use steps::{Begin, Cancel, Lock, Step, TransactionId, transaction_id};
pub use translate::{Translate, TranslationClose};

use crate::error::ProgramError;

/// The first byte of each instruction's data.
pub mod tag {
    /// [`super::Initialize`]
    pub const INITIALIZE: u8 = 0;
    /// [`super::Configure`]
    pub const CONFIGURE: u8 = 1;
    /// [`super::Deposit`]
    pub const DEPOSIT: u8 = 2;
    /// [`super::Execute`]
    pub const EXECUTE: u8 = 3;
    /// [`super::HolderCreate`]
    pub const HOLDER_CREATE: u8 = 4;
    /// [`super::HolderWrite`]
    pub const HOLDER_WRITE: u8 = 5;
    /// [`super::HolderClose`]
    pub const HOLDER_CLOSE: u8 = 6;
    /// [`super::ExecuteFromHolder`]
    pub const EXECUTE_FROM_HOLDER: u8 = 7;
    /// [`super::CodeReserve`]
    pub const CODE_RESERVE: u8 = 8;
    /// [`super::CodeRelease`]
    pub const CODE_RELEASE: u8 = 9;
    /// [`super::Translate`]
    pub const TRANSLATE: u8 = 10;
    /// [`super::TranslationClose`]
    pub const TRANSLATION_CLOSE: u8 = 11;
    /// [`super::Begin`]
    pub const BEGIN: u8 = 12;
    /// [`super::Step`]
    pub const STEP: u8 = 13;
    /// [`super::Cancel`]
    pub const CANCEL: u8 = 14;
    /// [`super::Lock`]
    pub const LOCK: u8 = 15;
    /// [`crate::event`]
    pub const EVENT: u8 = 0xee;
}

/// Takes `N` bytes from the front of instruction data.
fn take<'a, const N: usize>(data: &mut &'a [u8]) -> Result<&'a [u8; N], ProgramError> {
    let (front, rest) = data.split_first_chunk().ok_or(ProgramError::MalformedInstruction)?;
    *data = rest;
    Ok(front)
}

/// Asserts that all instruction data was read.
const fn end(data: &[u8]) -> Result<(), ProgramError> {
    if data.is_empty() { Ok(()) } else { Err(ProgramError::MalformedInstruction) }
}
