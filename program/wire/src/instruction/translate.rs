//! `translate`, `translation_close`: the translated form of a stored code.

use super::take;
use crate::error::ProgramError;

/// Begins the translation of a stored code, or goes on with it.
///
/// ```text
///  0     1        3
///  ├ tag ┼ blocks ┤
/// ```
///
/// Repeat it until the account's stage is [`crate::account::TranslationStage::Complete`]; each time the account grows by
/// up to 10,240 bytes, at the payer's expense. In the end it shrinks to what the translation takes, and what is left of
/// the rent goes back to who began it, if that is the payer. Anybody may go on with a translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translate {
    /// How many blocks of code to translate at most: some 1,500 CU each.
    pub blocks_max: u16,
}

impl Translate {
    /// Decodes the data behind the tag.
    ///
    /// # Errors
    /// [`ProgramError::MalformedInstruction`].
    pub fn decode(mut data: &[u8]) -> Result<Self, ProgramError> {
        let blocks_max = u16::from_le_bytes(*take(&mut data)?);
        super::end(data)?;
        Ok(Self { blocks_max })
    }

    /// The instruction's data.
    #[must_use]
    pub const fn encode(&self) -> [u8; 3] {
        let [low, high] = self.blocks_max.to_le_bytes();
        [super::tag::TRANSLATE, low, high]
    }
}

/// Closes a translation; its lamports go to its payer, who signs. No data behind the tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TranslationClose;

impl TranslationClose {
    /// Decodes the data behind the tag: there must be none.
    ///
    /// # Errors
    /// [`ProgramError::MalformedInstruction`].
    pub fn decode(data: &[u8]) -> Result<Self, ProgramError> {
        super::end(data)?;
        Ok(Self)
    }

    /// The instruction's data.
    #[must_use]
    pub const fn encode(&self) -> [u8; 1] {
        [super::tag::TRANSLATION_CLOSE]
    }
}
