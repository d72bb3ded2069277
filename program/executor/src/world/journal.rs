//! What it takes to undo a frame.
//!
//! A *checkpoint* is taken before each frame. Undoing to it walks the entries made since then, newest first. A row
//! is saved at most once for a checkpoint: it remembers the latest checkpoint that saved it, so a loop that writes
//! one storage key a thousand times makes one entry.
//!
//! Checkpoint numbers grow and are never used again. After a callee succeeded, its entries belong to the caller: a
//! row that the callee saved holds, in that entry, the value from before the callee, and the caller's own entry,
//! if it wrote before, the one from before the caller. So the caller need not save the row again, and undoing both
//! entries in reverse order gives the right value.

use super::World;
use super::accounts::{Account, Id, State};
use super::table;
use crate::Result;
use crate::ledger::Ledger;
use alloc::vec::Vec;
use parhelion_evm::U256;
use parhelion_evm::crypto::Crypto;
use parhelion_wire::stored;
use parhelion_wire::stored::{Reader, Writer};

/// An account's state to undo to.
#[derive(Clone, Debug)]
struct SavedAccount {
    id: Id,
    state: State,
    /// Whether nonce and balance were loaded when the state was saved; else they had not changed.
    has_balance: bool,
    /// Whether the code was loaded when the state was saved; else it had not changed.
    has_code: bool,
    saved_at: u32,
}

stored!(SavedAccount { id, state, has_balance, has_code, saved_at });

/// A storage value to undo to.
#[derive(Clone, Debug)]
struct SavedSlot {
    row: u16,
    saved_at: u32,
    value: U256,
}
stored!(SavedSlot { row, saved_at, value });

/// A transient storage value to undo to.
#[derive(Clone, Debug)]
struct SavedTransient {
    row: u32,
    value: U256,
}
stored!(SavedTransient { row, value });

/// The entries.
#[derive(Debug)]
pub(super) struct Journal {
    /// The number of the newest checkpoint; 0 is before the first.
    checkpoint: u32,
    accounts: Vec<SavedAccount>,
    slots: Vec<SavedSlot>,
    transient: Vec<SavedTransient>,
    warmed_accounts: Vec<Id>,
    warmed_slots: Vec<u16>,
    maximum: usize,
}

/// Where to undo to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checkpoint {
    accounts: u32,
    slots: u32,
    transient: u32,
    warmed_accounts: u32,
    warmed_slots: u32,
    report: u32,
    logs: u32,
    withdrawals: u32,
    refund: i64,
    burned: U256,
}
stored!(Checkpoint {
    accounts,
    slots,
    transient,
    warmed_accounts,
    warmed_slots,
    report,
    logs,
    withdrawals,
    refund,
    burned,
});

impl Journal {
    #[inline(always)] // or it is moved
    pub(super) fn new(maximum: usize) -> Self {
        Self {
            checkpoint: 0,
            accounts: table::new(maximum.min(128)),
            slots: table::new(maximum),
            transient: Vec::new(),
            warmed_accounts: table::new(maximum.min(128)),
            warmed_slots: table::new(maximum.min(256)),
            maximum,
        }
    }

    pub(super) const fn checkpoint(&self) -> u32 {
        self.checkpoint
    }

    pub(super) fn save_account<A>(&mut self, id: Id, account: &Account<A>) -> Result<()> {
        let saved = SavedAccount {
            id,
            state: account.state,
            has_balance: account.balance_account.is_some(),
            has_code: account.is_code_known,
            saved_at: account.saved_at,
        };
        table::push(&mut self.accounts, saved, self.maximum).map(drop)
    }

    pub(super) fn save_slot(&mut self, row: usize, value: U256, saved_at: u32) -> Result<()> {
        table::push(&mut self.slots, SavedSlot { row: row as u16, saved_at, value }, self.maximum).map(drop)
    }

    pub(super) fn save_transient(&mut self, row: usize, value: U256) -> Result<()> {
        let saved = SavedTransient { row: row as u32, value };
        table::push(&mut self.transient, saved, self.maximum).map(drop)
    }

    pub(super) fn warmed_account(&mut self, id: Id) -> Result<()> {
        table::push(&mut self.warmed_accounts, id, self.maximum).map(drop)
    }

    pub(super) fn warmed_slot(&mut self, row: usize) -> Result<()> {
        table::push(&mut self.warmed_slots, row as u16, self.maximum).map(drop)
    }

    /// Writes the entries into a checkpoint of a run in steps.
    pub(super) fn put(&self, out: &mut Writer<'_>) -> Result<()> {
        out.put(&self.checkpoint)?;
        out.list(&self.accounts)?;
        out.list(&self.slots)?;
        out.list(&self.transient)?;
        out.list(&self.warmed_accounts)?;
        out.list(&self.warmed_slots)
    }

    /// Reads the entries of a checkpoint into the empty journal.
    #[inline(never)] // a stack frame has 4 KiB on sBPF
    pub(super) fn take(&mut self, input: &mut Reader<'_>) -> Result<()> {
        let maximum = self.maximum;
        self.checkpoint = input.take()?;
        input.list(|saved| table::push(&mut self.accounts, saved, maximum).map(drop))?;
        input.list(|saved| table::push(&mut self.slots, saved, maximum).map(drop))?;
        input.list(|saved| table::push(&mut self.transient, saved, maximum).map(drop))?;
        input.list(|id| table::push(&mut self.warmed_accounts, id, maximum).map(drop))?;
        input.list(|row| table::push(&mut self.warmed_slots, row, maximum).map(drop))
    }
}

impl<'c, L: Ledger<'c>, C: Crypto> World<'c, L, C> {
    /// Takes a checkpoint.
    pub(crate) fn checkpoint(&mut self) -> Checkpoint {
        self.journal.checkpoint = self.journal.checkpoint.saturating_add(1);
        Checkpoint {
            accounts: self.journal.accounts.len() as u32,
            slots: self.journal.slots.len() as u32,
            transient: self.journal.transient.len() as u32,
            warmed_accounts: self.journal.warmed_accounts.len() as u32,
            warmed_slots: self.journal.warmed_slots.len() as u32,
            report: self.report.len() as u32,
            logs: self.logs,
            withdrawals: self.withdrawals.len() as u32,
            refund: self.refund,
            burned: self.burned,
        }
    }

    /// Undoes everything since a checkpoint.
    pub(crate) fn undo_to(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        while self.journal.accounts.len() > checkpoint.accounts as usize {
            let Some(saved) = self.journal.accounts.pop() else { break };
            let row = self.accounts.get_mut(saved.id)?;
            // What was loaded in the meantime stays loaded, with the value from before the transaction.
            let original = row.original;
            (row.state, row.saved_at) = (saved.state, saved.saved_at);
            if !saved.has_balance {
                (row.state.nonce, row.state.balance) = (original.nonce, original.balance);
            }
            if !saved.has_code {
                row.state.code = original.code;
            }
        }
        while self.journal.slots.len() > checkpoint.slots as usize {
            let Some(saved) = self.journal.slots.pop() else { break };
            let slot = self.storage.get_mut(usize::from(saved.row))?;
            (slot.value, slot.saved_at) = (saved.value, saved.saved_at);
        }
        while self.journal.transient.len() > checkpoint.transient as usize {
            let Some(SavedTransient { row, value }) = self.journal.transient.pop() else { break };
            self.transient.restore(row as usize, value);
        }
        while self.journal.warmed_accounts.len() > checkpoint.warmed_accounts as usize {
            let Some(id) = self.journal.warmed_accounts.pop() else { break };
            self.accounts.get_mut(id)?.is_warm = false;
        }
        while self.journal.warmed_slots.len() > checkpoint.warmed_slots as usize {
            let Some(row) = self.journal.warmed_slots.pop() else { break };
            self.storage.get_mut(usize::from(row))?.is_warm = false;
        }
        self.report.truncate(checkpoint.report as usize);
        self.logs = checkpoint.logs;
        self.withdrawals.truncate(checkpoint.withdrawals as usize);
        self.refund = checkpoint.refund;
        self.burned = checkpoint.burned;
        Ok(())
    }
}
