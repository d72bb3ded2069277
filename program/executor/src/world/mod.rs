//! Everything that a transaction reads and changes while it runs.
//!
//! State is loaded from the [`Ledger`] on first use into tables (found by hash, never by scanning), changed there, and
//! written back by [`crate::commit`] at the end. Rows are never removed; a [`journal`] holds what undoing needs.

mod accounts;
mod checkpoint;
mod codes;
mod host;
mod index;
mod journal;
mod storage;
mod table;
mod transient;

#[cfg(test)]
mod tests;

pub(crate) use accounts::{CodeOf, EMPTY_CODE_HASH, Id, State, is_precompile};
pub(crate) use journal::Checkpoint;
pub(crate) use storage::LoadedCell;

use crate::ledger::Ledger;
use crate::limits::Limits;
use accounts::Accounts;
use alloc::vec::Vec;
use codes::Codes;
use journal::Journal;
use parhelion_evm::U256;
use parhelion_evm::crypto::Crypto;
use parhelion_evm::host::Env;
use parhelion_wire::event::Withdrawal;
use storage::Storage;
use transient::Transient;

/// The world of one transaction.
pub(crate) struct World<'c, L: Ledger<'c>, C: Crypto> {
    pub(crate) ledger: L,
    pub(crate) crypto: C,
    pub(crate) env: Env,
    pub(crate) accounts: Accounts<L::Account>,
    pub(crate) storage: Storage<L::Account>,
    transient: Transient,
    journal: Journal,
    codes: Codes<'c>,
    /// Records in the event format, of logs and withdrawals, in order.
    pub(crate) report: Vec<u8>,
    /// How many of the records are logs.
    logs: u32,
    pub(crate) withdrawals: Vec<Withdrawal>,
    /// The refund counter.
    pub(crate) refund: i64,
    /// Wei that self-destructing contracts burned.
    pub(crate) burned: U256,
    /// Wei that the sender of a run in steps paid for gas, which are in no balance.
    pub(crate) escrow: U256,
    /// Whether all that earlier steps have read is known to be unchanged.
    pub(crate) is_proven: bool,
    /// PREVRANDAO, once asked for.
    prevrandao: Option<[u8; 32]>,
    pub(crate) limits: Limits,
}

impl<'c, L: Ledger<'c>, C: Crypto> World<'c, L, C> {
    /// An empty world.
    #[inline(always)] // or it is moved
    pub(crate) fn new(ledger: L, crypto: C, env: Env, limits: Limits) -> Self {
        Self {
            ledger,
            crypto,
            env,
            accounts: Accounts::new(limits.accounts),
            storage: Storage::new(limits.storage_keys, limits.cells),
            transient: Transient::new(limits.transient_keys),
            journal: Journal::new(limits.undo_entries),
            codes: Codes::new(),
            report: Vec::with_capacity(limits.report_bytes.min(16 * 1024)),
            logs: 0,
            withdrawals: Vec::new(),
            refund: 0,
            burned: U256([0; 4]),
            escrow: U256([0; 4]),
            is_proven: true,
            prevrandao: None,
            limits,
        }
    }

    /// [`Self::new`], out of line: a run in steps has no such hurry.
    #[inline(never)]
    pub(crate) fn new_apart(ledger: L, crypto: C, env: Env, limits: Limits) -> Self {
        Self::new(ledger, crypto, env, limits)
    }
}
