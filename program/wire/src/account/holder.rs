//! Bytes of a transaction that is larger than a Solana transaction.

use super::header::{Header, Layout, layout};
use super::{split_prefix, split_prefix_mut};
use crate::Pubkey;
use crate::error::ProgramError;
use bytemuck::{Pod, Zeroable};

/// The fixed part of a [`Holder`] account: 48 bytes.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct HolderPrefix {
    header: Header,
    operator: [u8; 32],
    length: [u8; 4],
    reserved: [u8; 4],
}

layout!(HolderPrefix, Holder, 48);

impl HolderPrefix {
    /// Flag: a run in steps is in the holder, see [`super::Run`].
    pub(super) const HAS_RUN: u16 = 1;

    /// Length of the envelope.
    pub(super) const fn length(&self) -> usize {
        u32::from_le_bytes(self.length) as usize
    }

    /// Whether a run in steps is in the holder.
    pub(super) const fn has_run(&self) -> bool {
        self.header.flags() & Self::HAS_RUN != 0
    }

    /// Notes whether a run in steps is in the holder.
    pub(super) const fn set_has_run(&mut self, has_run: bool) {
        self.header.set_flags(if has_run { Self::HAS_RUN } else { 0 });
    }
}

/// A view of a Holder: the [envelope](crate::transaction::Envelope) of a large transaction, written in pieces.
///
/// ```text
///  0        8          40       44         48
///  ├ header ┼ operator ┼ length ┼ reserved ┼ envelope …
/// ```
///
/// `length` is the length of the envelope; the account may be larger, it is reused. Only its operator writes and
/// closes it, and nobody while it has a run in steps in it, which lies behind the envelope ([`super::Run`]).
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    prefix: &'a HolderPrefix,
    room: &'a [u8],
}

impl<'a> Holder<'a> {
    /// The largest envelope: the largest transaction that an Ethereum pool accepts (128 KiB) and its framing.
    pub const ENVELOPE_MAX: usize = 128 * 1024 + 1024;

    /// The largest holder, in bytes: the largest account that Solana allows.
    pub const LENGTH_MAX: usize = 10 * 1024 * 1024;

    /// The account's length for an envelope of `length` bytes.
    #[must_use]
    pub const fn account_length(length: usize) -> usize {
        size_of::<HolderPrefix>() + length
    }

    /// A checked view.
    ///
    /// # Errors
    /// [`ProgramError::WrongLength`], [`ProgramError::WrongKind`] or [`ProgramError::WrongVersion`].
    pub fn view(data: &'a [u8]) -> Result<Self, ProgramError> {
        let (prefix, room) = split_prefix::<HolderPrefix>(data)?;
        Ok(Self { prefix, room })
    }

    /// Makes a new, empty holder out of zeroed bytes.
    ///
    /// # Errors
    /// [`ProgramError::WrongLength`].
    pub fn create(data: &mut [u8], slot: u64, operator: &Pubkey) -> Result<(), ProgramError> {
        HolderPrefix::create(data, slot)?.operator = *operator;
        Ok(())
    }

    /// Writes `bytes` at `offset` of an envelope that is `length` bytes long in all.
    ///
    /// # Errors
    /// [`ProgramError::HolderRange`] when they do not fit, [`ProgramError::RunActive`], and the errors of [`Self::view`].
    pub fn write(
        data: &mut [u8],
        slot: u64,
        length: u32,
        offset: u32,
        bytes: &[u8],
    ) -> Result<(), ProgramError> {
        let (prefix, room) = split_prefix_mut::<HolderPrefix>(data)?;
        if prefix.has_run() {
            return Err(ProgramError::RunActive);
        }
        let envelope = room.get_mut(..length as usize).ok_or(ProgramError::HolderRange)?;
        let end = (offset as usize).checked_add(bytes.len()).ok_or(ProgramError::HolderRange)?;
        envelope.get_mut(offset as usize..end).ok_or(ProgramError::HolderRange)?.copy_from_slice(bytes);
        prefix.length = length.to_le_bytes();
        prefix.header.touch(slot);
        Ok(())
    }

    /// The operator that may write and close the holder.
    #[must_use]
    pub const fn operator(&self) -> &'a Pubkey {
        &self.prefix.operator
    }

    /// Whether a run in steps is in it, see [`super::Run`].
    #[must_use]
    pub const fn has_run(&self) -> bool {
        self.prefix.has_run()
    }

    /// The envelope.
    ///
    /// # Errors
    /// [`ProgramError::WrongLength`] when the stored length is larger than the account.
    pub fn envelope(&self) -> Result<&'a [u8], ProgramError> {
        self.room.get(..self.prefix.length()).ok_or(ProgramError::WrongLength)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_the_envelope_and_nothing_is_written_outside() {
        let mut data = [0u8; Holder::account_length(10)];
        Holder::create(&mut data, 1, &[7; 32]).expect("fits");
        Holder::write(&mut data, 1, 8, 4, &[5, 6, 7, 8]).expect("fits");
        Holder::write(&mut data, 1, 8, 0, &[1, 2, 3, 4]).expect("fits");
        let view = Holder::view(&data).expect("valid");
        assert_eq!((view.envelope(), view.operator()), (Ok(&[1, 2, 3, 4, 5, 6, 7, 8][..]), &[7; 32]));
        for (length, offset) in [(8, 5), (11, 0), (8, u32::MAX), (u32::MAX, 0)] {
            assert_eq!(Holder::write(&mut data, 1, length, offset, &[0; 4]), Err(ProgramError::HolderRange));
        }
    }
}
