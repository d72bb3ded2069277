//! `execute` and `execute_from_holder`: run a signed Ethereum transaction.

use super::take;
use crate::error::ProgramError;
use crate::transaction::Envelope;
use primitive_types::H160;

/// [`Execute::signature_instruction`]: recover the signer on chain, with the syscall (25,000 CU).
pub const RECOVER_ON_CHAIN: u8 = 0xff;

/// Runs the Ethereum transaction in the instruction's data.
///
/// ```text
///  0     1                       2          22
///  ├ tag ┼ signature instruction ┼ coinbase ┼ envelope … ┤
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execute<'a> {
    /// Index of the secp256k1 instruction in the Solana transaction that proves the signature, or
    /// [`RECOVER_ON_CHAIN`].
    pub signature_instruction: u8,
    /// The operator's Ethereum address: COINBASE, and where all fees go.
    pub coinbase: H160,
    /// The signed transaction.
    pub envelope: Envelope<'a>,
}

impl<'a> Execute<'a> {
    /// Where the envelope begins in the instruction's data.
    pub const ENVELOPE_OFFSET: usize = 22;

    /// Decodes the data behind the tag.
    ///
    /// # Errors
    /// [`ProgramError::MalformedInstruction`], or an error of [`Envelope::decode`].
    #[inline]
    pub fn decode(mut data: &'a [u8]) -> Result<Self, ProgramError> {
        let [signature_instruction] = *take::<1>(&mut data)?;
        let coinbase = H160(*take(&mut data)?);
        Ok(Self { signature_instruction, coinbase, envelope: Envelope::decode(data)? })
    }
}

/// Runs the Ethereum transaction in a holder. Its signer is always recovered on chain.
///
/// ```text
///  0     1          21
///  ├ tag ┼ coinbase ┤
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecuteFromHolder {
    /// The operator's Ethereum address: COINBASE, and where all fees go.
    pub coinbase: H160,
}

impl ExecuteFromHolder {
    /// Decodes the data behind the tag.
    ///
    /// # Errors
    /// [`ProgramError::MalformedInstruction`].
    pub fn decode(mut data: &[u8]) -> Result<Self, ProgramError> {
        let coinbase = H160(*take(&mut data)?);
        super::end(data)?;
        Ok(Self { coinbase })
    }

    /// The instruction's data.
    #[must_use]
    pub fn encode(&self) -> [u8; 21] {
        let mut data = [super::tag::EXECUTE_FROM_HOLDER; 21];
        data[1..].copy_from_slice(&self.coinbase.0);
        data
    }
}
