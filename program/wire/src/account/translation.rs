//! The translated form of hot code: a cache.

use super::header::{Header, Layout, layout};
use super::{split_prefix, split_prefix_mut};
use crate::Pubkey;
use crate::error::ProgramError;
use bytemuck::{Pod, Zeroable};
use primitive_types::H256;

/// The fixed part of a [`Translation`] account: 84 bytes.
///
/// ```text
///  0        8       40          72       73       74           75       76         80       84
///  ├ header ┼ payer ┼ code hash ┼ format ┼ stage ┼ reachable? ┼ unused ┼ position ┼ length ┤
/// ```
///
/// `format` is the version of the records behind it. `position` (bytes of code that are done), `length` (bytes that are
/// written) and `reachable` are the translator's own, for going on where it stopped.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct TranslationPrefix {
    header: Header,
    payer: [u8; 32],
    code_hash: [u8; 32],
    format: u8,
    stage: u8,
    is_reachable: u8,
    unused: u8,
    position: [u8; 4],
    length: [u8; 4],
}

layout!(TranslationPrefix, Translation, 84);

/// How far a translation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TranslationStage {
    /// There is room for it, as far as the account has grown.
    Empty = 0,
    /// It is being written.
    Begun = 1,
    /// It can run.
    Complete = 2,
}

impl TranslationPrefix {
    /// Whose rent it is: who began the translation, and may close it.
    #[must_use]
    pub const fn payer(&self) -> &Pubkey {
        &self.payer
    }

    /// Keccak-256 of the code.
    #[must_use]
    pub const fn code_hash(&self) -> H256 {
        H256(self.code_hash)
    }

    /// The version of the records.
    #[must_use]
    pub const fn format(&self) -> u8 {
        self.format
    }

    /// How far it is.
    #[must_use]
    pub const fn stage(&self) -> TranslationStage {
        match self.stage {
            2 => TranslationStage::Complete,
            1 => TranslationStage::Begun,
            _ => TranslationStage::Empty,
        }
    }

    /// Sets how far it is.
    pub const fn set_stage(&mut self, stage: TranslationStage) {
        self.stage = stage as u8;
    }

    /// Bytes of code that are done, bytes that are written, and whether the code behind is reached.
    #[must_use]
    pub const fn progress(&self) -> (u32, u32, bool) {
        (u32::from_le_bytes(self.position), u32::from_le_bytes(self.length), self.is_reachable != 0)
    }

    /// Sets what [`Self::progress`] gives.
    pub const fn set_progress(&mut self, position: u32, length: u32, is_reachable: bool) {
        self.position = position.to_le_bytes();
        self.length = length.to_le_bytes();
        self.is_reachable = is_reachable as u8;
    }
}

/// A view of a Translation account: what it is of, and its bytes.
///
/// Nobody but the program writes such an account, from the Code account alone, so its contents need no check. It may
/// be closed at any time: whoever reads it must do without it as well.
#[derive(Clone, Copy, Debug)]
pub struct Translation<'a> {
    /// The fixed part.
    pub prefix: &'a TranslationPrefix,
    /// The translation's bytes, and the room behind them while it is being written.
    pub bytes: &'a [u8],
}

impl<'a> Translation<'a> {
    /// The account's length with `length` bytes of translation.
    #[must_use]
    pub const fn account_length(length: usize) -> usize {
        size_of::<TranslationPrefix>() + length
    }

    /// A checked view.
    ///
    /// # Errors
    /// [`ProgramError::WrongLength`], [`ProgramError::WrongKind`] or [`ProgramError::WrongVersion`].
    pub fn view(data: &'a [u8]) -> Result<Self, ProgramError> {
        let (prefix, bytes) = split_prefix(data)?;
        Ok(Self { prefix, bytes })
    }

    /// A view for writing.
    ///
    /// # Errors
    /// As [`Self::view`].
    pub fn view_mut(data: &'a mut [u8]) -> Result<(&'a mut TranslationPrefix, &'a mut [u8]), ProgramError> {
        split_prefix_mut(data)
    }

    /// Makes an empty translation out of zeroed bytes.
    ///
    /// # Errors
    /// [`ProgramError::WrongLength`].
    pub fn create(
        data: &mut [u8],
        slot: u64,
        payer: &Pubkey,
        code_hash: H256,
        format: u8,
    ) -> Result<(), ProgramError> {
        let prefix = TranslationPrefix::create(data, slot)?;
        (prefix.payer, prefix.code_hash, prefix.format) = (*payer, code_hash.0, format);
        Ok(())
    }

    /// The bytes to run, if it is complete, of this format and of this code.
    #[must_use]
    pub fn of(data: &'a [u8], code_hash: &H256, format: u8) -> Option<&'a [u8]> {
        let Self { prefix, bytes } = Self::view(data).ok()?;
        let is_it = prefix.stage() == TranslationStage::Complete
            && prefix.format == format
            && prefix.code_hash == code_hash.0;
        is_it.then_some(bytes)
    }
}
