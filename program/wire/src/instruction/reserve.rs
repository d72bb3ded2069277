//! `code_reserve`, `code_release`: room for code beyond what an account may grow in one instruction.

use super::take;
use crate::error::ProgramError;
use primitive_types::H256;

/// Creates the reservation for a code, or grows it by up to 10,240 bytes, towards `account_length`.
///
/// ```text
///  0     1           33               37
///  ├ tag ┼ code hash ┼ account length ┤
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeReserve {
    /// Keccak-256 of the code to come.
    pub code_hash: H256,
    /// The length that the account is to have in the end, see [`crate::account::Code::account_length`].
    pub account_length: u32,
}

impl CodeReserve {
    /// Decodes the data behind the tag.
    ///
    /// # Errors
    /// [`ProgramError::MalformedInstruction`].
    pub fn decode(mut data: &[u8]) -> Result<Self, ProgramError> {
        let code_hash = H256(*take(&mut data)?);
        let account_length = u32::from_le_bytes(*take(&mut data)?);
        super::end(data)?;
        Ok(Self { code_hash, account_length })
    }

    /// The instruction's data.
    #[must_use]
    pub fn encode(&self) -> [u8; 37] {
        let mut data = [super::tag::CODE_RESERVE; 37];
        data[1..33].copy_from_slice(&self.code_hash.0);
        data[33..].copy_from_slice(&self.account_length.to_le_bytes());
        data
    }
}

/// Closes a reservation that never became code; its lamports go back to its payer. No data behind the tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeRelease;

impl CodeRelease {
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
        [super::tag::CODE_RELEASE]
    }
}
