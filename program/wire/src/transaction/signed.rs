//! Raw signed transactions, as wallets send them.

use super::{Signature, Transaction, TransactionType};
use crate::error::ProgramError;
use crate::rlp::Reader;
use primitive_types::U256;

/// A raw signed transaction, decoded in place.
#[derive(Clone, Copy, Debug)]
pub struct SignedTransaction<'a> {
    /// The transaction.
    pub transaction: Transaction<'a>,
    /// Its signature, ranges checked.
    pub signature: Signature,
}

impl<'a> SignedTransaction<'a> {
    /// Decodes a raw transaction as in `eth_sendRawTransaction`.
    ///
    /// # Errors
    /// The errors of [`Transaction::decode_payload`] and [`ProgramError::InvalidSignature`].
    pub fn decode(raw: &'a [u8]) -> Result<Self, ProgramError> {
        let (kind, list) = TransactionType::split(raw)?;
        let mut reader = Reader::whole_list(list)?;
        let mut transaction = Transaction::decode_fields(kind, &mut reader)?;
        let v = reader.u256()?;
        let r = reader.u256()?.to_big_endian();
        let s = reader.u256()?.to_big_endian();
        reader.end()?;
        let y_parity = match kind {
            TransactionType::Legacy => {
                let (chain_id, y_parity) = split_v(v)?;
                transaction.chain_id = chain_id;
                y_parity
            }
            _ if v <= U256::one() => v.low_u32() as u8,
            _ => return Err(ProgramError::InvalidSignature),
        };
        let signature = Signature { r, s, y_parity };
        signature.check()?;
        Ok(Self { transaction, signature })
    }

    /// The bytes that were signed.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn payload(&self) -> alloc::vec::Vec<u8> {
        use crate::rlp::Encoded;
        let transaction = &self.transaction;
        let mut items = transaction.fields.to_vec();
        if let (TransactionType::Legacy, Some(chain_id)) = (transaction.kind, transaction.chain_id) {
            items.extend_from_slice(Encoded::integer(&chain_id.to_be_bytes()).as_slice());
            items.extend_from_slice(&[0x80, 0x80]);
        }
        let prefix = Encoded::list_prefix(items.len());
        [transaction.kind.prefix(), prefix.as_slice(), &items].concat()
    }
}

/// Splits a legacy v into chain id and parity: 27 + parity, or 35 + 2 x chain id + parity (EIP-155).
fn split_v(v: U256) -> Result<(Option<u64>, u8), ProgramError> {
    if v == U256::from(27) || v == U256::from(28) {
        return Ok((None, (v.low_u32() - 27) as u8));
    }
    let rest = v.checked_sub(U256::from(35)).ok_or(ProgramError::InvalidSignature)?;
    let chain_id: U256 = rest >> 1;
    if chain_id.bits() > 64 {
        return Err(ProgramError::WrongChainId);
    }
    Ok((Some(chain_id.low_u64()), (rest.low_u32() & 1) as u8))
}
