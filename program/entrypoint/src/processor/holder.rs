//! holder_create, holder_write, holder_close: the bytes of a large transaction.

use crate::account::Account;
use crate::crypto::sha256;
use crate::input::Input;
use crate::sysvar::Clock;
use parhelion_wire::ProgramError;
use parhelion_wire::account::Holder;
use parhelion_wire::address::{Seed, with_seed};
use parhelion_wire::instruction::{HolderClose, HolderCreate, HolderWrite};

/// Takes over a fresh account as a holder.
pub(super) fn create(input: &Input<'_>, data: &[u8]) -> Result<(), ProgramError> {
    let [operator, holder] = input.first()?;
    operator.require_signer()?;
    holder.require_writable()?;
    holder.require_owner(input.program_id)?;
    let HolderCreate { index } = HolderCreate::decode(data)?;
    let seed = Seed::of_holder(index);
    holder.require_key(&with_seed(operator.key(), seed.as_bytes(), input.program_id, sha256))?;
    if holder.len() > Holder::LENGTH_MAX {
        return Err(ProgramError::WrongLength);
    }
    // A fresh account is all zeros; a holder, or anything else, has a kind.
    if holder.data().first() != Some(&0) {
        return Err(ProgramError::WrongKind);
    }
    let slot = Clock::get()?.slot;
    // SAFETY: no other view of the holder's data is alive.
    Holder::create(unsafe { holder.data_mut() }, slot, operator.key())
}

/// Writes a piece of an envelope.
pub(super) fn write(input: &Input<'_>, data: &[u8]) -> Result<(), ProgramError> {
    let [operator, holder] = input.first()?;
    check(input, &operator, &holder)?;
    let HolderWrite { length, offset, bytes } = HolderWrite::decode(data)?;
    let slot = Clock::get()?.slot;
    // SAFETY: no other view of the holder's data is alive.
    Holder::write(unsafe { holder.data_mut() }, slot, length, offset, bytes)
}

/// Closes a holder.
pub(super) fn close(input: &Input<'_>, data: &[u8]) -> Result<(), ProgramError> {
    let [operator, holder] = input.first()?;
    check(input, &operator, &holder)?;
    operator.require_writable()?;
    HolderClose::decode(data)?;
    let lamports = operator.lamports().checked_add(holder.lamports()).ok_or(ProgramError::InvalidArgument)?;
    holder.close();
    operator.set_lamports(lamports);
    Ok(())
}

/// Checks that the holder is the operator's, and that no run in steps is in it.
fn check(input: &Input<'_>, operator: &Account<'_>, holder: &Account<'_>) -> Result<(), ProgramError> {
    operator.require_signer()?;
    holder.require_writable()?;
    holder.require_owner(input.program_id)?;
    let view = Holder::view(holder.data())?;
    if view.operator() != operator.key() {
        return Err(ProgramError::ForeignHolder);
    }
    if view.has_run() { Err(ProgramError::RunActive) } else { Ok(()) }
}
