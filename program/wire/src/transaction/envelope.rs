//! How a signed transaction travels inside a Solana instruction or a holder.

use super::{Signature, Transaction};
use crate::error::ProgramError;
use primitive_types::H160;

/// A signed transaction as the program receives it.
///
/// ```text
///  0        20  52  84         85
///  ├ sender ┼ r ┼ s ┼ y parity ┼ signing payload … ┤
/// ```
///
/// The order is that of Solana's secp256k1 precompile, which reads address, signature with recovery id, and message
/// straight out of these bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Who claims to have signed; proven by the precompile or by recovery.
    pub sender: H160,
    /// The signature, ranges checked.
    pub signature: Signature,
    /// The bytes that were signed.
    pub payload: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Where the sender's address begins.
    pub const SENDER_OFFSET: usize = 0;
    /// Where r begins; s and the parity follow.
    pub const SIGNATURE_OFFSET: usize = 20;
    /// Where the payload begins.
    pub const PAYLOAD_OFFSET: usize = 85;

    /// Splits the bytes and checks the signature's ranges.
    ///
    /// # Errors
    /// [`ProgramError::MalformedInstruction`] or [`ProgramError::InvalidSignature`].
    #[inline]
    pub fn decode(bytes: &'a [u8]) -> Result<Self, ProgramError> {
        let (sender, rest) = bytes.split_first_chunk().ok_or(ProgramError::MalformedInstruction)?;
        let (r, rest) = rest.split_first_chunk().ok_or(ProgramError::MalformedInstruction)?;
        let (s, rest) = rest.split_first_chunk().ok_or(ProgramError::MalformedInstruction)?;
        let (&y_parity, payload) = rest.split_first().ok_or(ProgramError::MalformedInstruction)?;
        let signature = Signature { r: *r, s: *s, y_parity };
        signature.check()?;
        Ok(Self { sender: H160(*sender), signature, payload })
    }

    /// The fixed part, in front of the payload.
    #[must_use]
    pub fn prefix(&self) -> [u8; Envelope::PAYLOAD_OFFSET] {
        let mut bytes = [0; Self::PAYLOAD_OFFSET];
        bytes[..20].copy_from_slice(&self.sender.0);
        bytes[20..84].copy_from_slice(&self.signature.r_s());
        bytes[84] = self.signature.y_parity;
        bytes
    }

    /// The transaction in the payload.
    ///
    /// # Errors
    /// As [`Transaction::decode_payload`].
    pub fn transaction(&self) -> Result<Transaction<'a>, ProgramError> {
        Transaction::decode_payload(self.payload)
    }

    /// The raw signed transaction.
    ///
    /// # Errors
    /// As [`Transaction::decode_payload`].
    #[cfg(feature = "alloc")]
    pub fn raw(&self) -> Result<alloc::vec::Vec<u8>, ProgramError> {
        let mut raw = alloc::vec::Vec::new();
        let cell = core::cell::RefCell::new(&mut raw);
        let _hash = self.transaction()?.hash(&self.signature, |parts: &[&[u8]]| {
            for part in parts {
                cell.borrow_mut().extend_from_slice(part);
            }
            [0; 32]
        });
        Ok(raw)
    }
}
