//! `holder_create`, `holder_write`, `holder_close`: the bytes of a large transaction.

use super::take;
use crate::error::ProgramError;

/// Takes over a fresh account, created by the System program at the operator's holder address in the same Solana
/// transaction (that way it is not bound to 10,240 bytes), as a holder.
///
/// ```text
///  0     1       5
///  ├ tag ┼ index ┤
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HolderCreate {
    /// Which of the operator's holders.
    pub index: u32,
}

impl HolderCreate {
    /// Decodes the data behind the tag.
    ///
    /// # Errors
    /// [`ProgramError::MalformedInstruction`].
    pub fn decode(mut data: &[u8]) -> Result<Self, ProgramError> {
        let index = u32::from_le_bytes(*take(&mut data)?);
        super::end(data)?;
        Ok(Self { index })
    }

    /// The instruction's data.
    #[must_use]
    pub fn encode(&self) -> [u8; 5] {
        let mut data = [super::tag::HOLDER_CREATE; 5];
        data[1..].copy_from_slice(&self.index.to_le_bytes());
        data
    }
}

/// Writes a piece of an envelope. The envelope's whole length comes with each piece, so pieces may land in any
/// order.
///
/// ```text
///  0     1        5        9
///  ├ tag ┼ length ┼ offset ┼ bytes … ┤
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HolderWrite<'a> {
    /// Length of the whole envelope.
    pub length: u32,
    /// Where the piece goes.
    pub offset: u32,
    /// The piece.
    pub bytes: &'a [u8],
}

impl<'a> HolderWrite<'a> {
    /// Bytes in front of the piece.
    pub const OVERHEAD: usize = 9;

    /// Decodes the data behind the tag.
    ///
    /// # Errors
    /// [`ProgramError::MalformedInstruction`].
    pub fn decode(mut data: &'a [u8]) -> Result<Self, ProgramError> {
        let length = u32::from_le_bytes(*take(&mut data)?);
        let offset = u32::from_le_bytes(*take(&mut data)?);
        Ok(Self { length, offset, bytes: data })
    }

    /// The bytes in front of the piece.
    #[must_use]
    pub fn prefix(&self) -> [u8; HolderWrite::OVERHEAD] {
        let mut data = [super::tag::HOLDER_WRITE; Self::OVERHEAD];
        data[1..5].copy_from_slice(&self.length.to_le_bytes());
        data[5..].copy_from_slice(&self.offset.to_le_bytes());
        data
    }
}

/// Closes a holder; its lamports go back to the operator. No data behind the tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HolderClose;

impl HolderClose {
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
        [super::tag::HOLDER_CLOSE]
    }
}
