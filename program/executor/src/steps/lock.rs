//! Locks what a run has read and its last step has no room for.
//!
//! A step compares the revisions of the accounts that it lists. Others may be changed meanwhile, and nobody knows; so
//! before anything is written, all that the run has read must be listed, or be locked since it was compared. Unlike the
//! locks of an attempt, which keep an unlucky run from beginning anew for ever, these are for nobody to write through, not
//! even for the run itself: so they can be shared, and runs that have read the same do not wait for one another. What the attempt has locked at its
//! beginning becomes such a lock.

use crate::ledger::Ledger;
use crate::mark::{Front, Mark, Marks};
use crate::{ProgramError, Result};
use parhelion_wire::account::{Lock, Run};

/// Slots for which accounts are locked: long enough for the Solana transactions that lock and the last step.
const LOCKED_SLOTS: u64 = 48;

/// Locks those of the accounts that the run has read which may be written, or gives the attempt up when one was changed.
///
/// # Errors
/// [`ProgramError::RunNotAtEnd`] when the run has more to do than to write, [`ProgramError::AccountLocked`] when an account
/// is locked for the attempt of another run, or was locked a short time ago.
pub fn lock<'c, L: Ledger<'c>>(
    ledger: &mut L,
    slot: u64,
    run: &mut Run,
    checkpoint: &mut [u8],
) -> Result<()> {
    let is_at_end = run.checkpoint_version == Run::CHECKPOINT_VERSION && run.checkpoint_length != 0;
    if !is_at_end || run.paused_at != 0 {
        return Err(ProgramError::RunNotAtEnd);
    }
    run.progressed = slot;
    let mut marks = Marks::of(checkpoint)?;
    let mut is_changed = false;
    marks.each(|_, mark| {
        is_changed |= ledger.lockable(&mark.address).is_some_and(|header| !mark.is_of(Some(header)));
        Ok(())
    })?;
    if is_changed {
        run.checkpoint_length = 0;
        run.restarts = run.restarts.saturating_add(1);
        return Ok(());
    }
    let begins = marks.front.locked_until <= slot;
    if begins {
        marks.front.locked_until = slot.saturating_add(LOCKED_SLOTS);
    }
    let own = Lock::of_locked_at(run.locked_at);
    marks.each(|front, mark| {
        mark.is_locked &= !begins;
        lock_one(ledger, slot, own, front, mark)
    })
}

/// Locks one account, if it is listed as writable.
fn lock_one<'c, L: Ledger<'c>>(
    ledger: &mut L,
    slot: u64,
    own: Option<Lock>,
    front: &mut Front,
    mark: &mut Mark,
) -> Result<()> {
    if mark.is_locked {
        return Ok(());
    }
    let Some(header) = ledger.lockable(&mark.address) else { return Ok(()) };
    match header.lock_in(slot) {
        None => header.lock(slot, Lock::of_ends(front.locked_until))?,
        lock if lock == own => header.share_lock(slot),
        // Somebody else's is as good, if it is one for the end of runs.
        Some(_) => {}
    }
    let end =
        header.lock_in(slot).and_then(|lock| lock.end_after(slot)).ok_or(ProgramError::AccountLocked)?;
    front.locked_until = front.locked_until.min(end);
    (mark.revision, mark.is_locked) = (header.revision(), true);
    Ok(())
}
