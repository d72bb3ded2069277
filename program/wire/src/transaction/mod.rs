//! Signed Ethereum transactions, decoded in place.
//!
//! A signed transaction travels in an [`Envelope`]: sender, signature and *signing payload*, the bytes whose hash
//! was signed. The payload, and not the raw signed transaction, because Solana's secp256k1 precompile verifies a
//! signature over contiguous bytes; the transaction hash is found from both without copying ([`Transaction::hash`]).
//!
//! ```text
//! legacy            rlp([nonce, gas price, gas limit, to, value, data])
//! legacy, EIP-155   rlp([nonce, gas price, gas limit, to, value, data, chain id, 0, 0])
//! EIP-2930     01 ‖ rlp([chain id, nonce, gas price, gas limit, to, value, data, access list])
//! EIP-1559     02 ‖ rlp([chain id, nonce, priority fee, max fee, gas limit, to, value, data, access list])
//! EIP-7702     04 ‖ rlp([… as EIP-1559 …, authorization list])
//! ```
//!
//! EIP-4844 (type 3) and unknown types are refused by name.

mod envelope;
mod lists;
mod signature;
mod signed;

pub use envelope::Envelope;
pub use lists::{AccessList, AccessListItem, Authorization, AuthorizationList, StorageKeys};
pub use signature::{SECP256K1_N, Signature};
pub use signed::SignedTransaction;

use crate::Hash;
use crate::error::ProgramError;
use crate::rlp::{Encoded, Reader, RlpError};
use primitive_types::{H160, H256, U256};

/// The EIP-2718 type of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TransactionType {
    /// Before EIP-2718.
    Legacy = 0,
    /// EIP-2930: with an access list.
    AccessList = 1,
    /// EIP-1559: with a fee cap and a priority fee.
    DynamicFee = 2,
    /// EIP-7702: with authorizations that set code.
    SetCode = 4,
}

impl TransactionType {
    /// The type that a payload or a raw transaction begins with, and the list behind it.
    fn split(bytes: &[u8]) -> Result<(Self, &[u8]), ProgramError> {
        let (&first, rest) = bytes.split_first().ok_or(ProgramError::MalformedTransaction)?;
        match first {
            0xc0..=0xff => Ok((Self::Legacy, bytes)),
            1 => Ok((Self::AccessList, rest)),
            2 => Ok((Self::DynamicFee, rest)),
            3 => Err(ProgramError::BlobTransaction),
            4 => Ok((Self::SetCode, rest)),
            0 | 5..=0x7f => Err(ProgramError::UnsupportedTransactionType),
            0x80..=0xbf => Err(ProgramError::MalformedTransaction),
        }
    }

    /// The byte in front of the list, none for legacy transactions.
    const fn prefix(self) -> &'static [u8] {
        match self {
            Self::Legacy => &[],
            Self::AccessList => &[1],
            Self::DynamicFee => &[2],
            Self::SetCode => &[4],
        }
    }
}

impl From<RlpError> for ProgramError {
    fn from(_: RlpError) -> Self {
        Self::MalformedTransaction
    }
}

/// An Ethereum transaction without its signature, borrowed from its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Transaction<'a> {
    /// The EIP-2718 type.
    pub kind: TransactionType,
    /// The chain it was signed for; `None` for a legacy transaction without EIP-155.
    pub chain_id: Option<u64>,
    /// The sender's nonce.
    pub nonce: u64,
    /// Wei per gas for the operator at most (EIP-1559); the gas price in types 0 and 1.
    pub max_priority_fee_per_gas: U256,
    /// Wei per gas in all at most (EIP-1559); the gas price in types 0 and 1.
    pub max_fee_per_gas: U256,
    /// The gas limit; on this chain it bounds rent gas too.
    pub gas_limit: u64,
    /// The callee, or `None` to create a contract.
    pub to: Option<H160>,
    /// Wei to transfer.
    pub value: U256,
    /// Call data, or init code.
    pub data: &'a [u8],
    /// EIP-2930 access list, empty in type 0.
    pub access_list: AccessList<'a>,
    /// EIP-7702 authorization list, empty in other types.
    pub authorizations: AuthorizationList<'a>,
    /// The list items that both the signing payload and the signed transaction begin with.
    fields: &'a [u8],
}

impl<'a> Transaction<'a> {
    /// Decodes a signing payload.
    ///
    /// # Errors
    /// [`ProgramError::MalformedTransaction`], [`ProgramError::BlobTransaction`],
    /// [`ProgramError::UnsupportedTransactionType`] or [`ProgramError::WrongChainId`] (an id above 64 bits).
    pub fn decode_payload(payload: &'a [u8]) -> Result<Self, ProgramError> {
        let (kind, list) = TransactionType::split(payload)?;
        let mut reader = Reader::whole_list(list)?;
        let mut transaction = Self::decode_fields(kind, &mut reader)?;
        if kind == TransactionType::Legacy && !reader.is_empty() {
            transaction.chain_id = Some(chain_id(&mut reader)?);
            if reader.u64()? != 0 || reader.u64()? != 0 {
                return Err(ProgramError::MalformedTransaction);
            }
        }
        reader.end()?;
        Ok(transaction)
    }

    /// Decodes the items in front of the signature (and in front of the EIP-155 items), leaving `reader` behind them.
    fn decode_fields(kind: TransactionType, reader: &mut Reader<'a>) -> Result<Self, ProgramError> {
        let start = reader.rest();
        let chain_id = if kind == TransactionType::Legacy { None } else { Some(chain_id(reader)?) };
        let nonce = reader.u64()?;
        let max_priority_fee_per_gas = reader.u256()?;
        let max_fee_per_gas = match kind {
            TransactionType::Legacy | TransactionType::AccessList => max_priority_fee_per_gas,
            TransactionType::DynamicFee | TransactionType::SetCode => reader.u256()?,
        };
        let gas_limit = reader.u64()?;
        let to = match reader.bytes()? {
            [] => None,
            bytes => Some(H160(bytes.try_into().map_err(|_| ProgramError::MalformedTransaction)?)),
        };
        let value = reader.u256()?;
        let data = reader.bytes()?;
        let access_list = match kind {
            TransactionType::Legacy => AccessList::default(),
            _ => AccessList::decode(reader)?,
        };
        let authorizations = match kind {
            TransactionType::SetCode => AuthorizationList::decode(reader)?,
            _ => AuthorizationList::default(),
        };
        let length = start.len() - reader.rest().len();
        let fields = start.get(..length).unwrap_or_default();
        Ok(Self {
            kind,
            chain_id,
            nonce,
            max_priority_fee_per_gas,
            max_fee_per_gas,
            gas_limit,
            to,
            value,
            data,
            access_list,
            authorizations,
            fields,
        })
    }

    /// Wei per gas that the transaction pays at a base fee (EIP-1559), or `None` when its cap lies below it.
    #[must_use]
    pub fn effective_gas_price(&self, base_fee: u64) -> Option<U256> {
        let base_fee = U256::from(base_fee);
        if self.max_fee_per_gas < base_fee {
            return None;
        }
        Some(match base_fee.checked_add(self.max_priority_fee_per_gas) {
            Some(price) if price < self.max_fee_per_gas => price,
            _ => self.max_fee_per_gas,
        })
    }

    /// The transaction hash: Keccak-256 of the raw signed transaction, assembled from the pieces at hand.
    #[must_use]
    #[inline(never)] // its buffers would crowd the caller's stack frame, which has 4 KiB on sBPF
    pub fn hash(&self, signature: &Signature, keccak256: impl Hash) -> H256 {
        let v = self.v(signature);
        let r = Encoded::integer(&signature.r);
        let s = Encoded::integer(&signature.s);
        let tail = [v.as_slice(), r.as_slice(), s.as_slice()];
        let length = self.fields.len() + tail.iter().map(|part| part.len()).sum::<usize>();
        let list = Encoded::list_prefix(length);
        H256(keccak256(&[self.kind.prefix(), list.as_slice(), self.fields, tail[0], tail[1], tail[2]]))
    }

    /// The first item of the signature: the parity, or v as of EIP-155.
    fn v(&self, signature: &Signature) -> Encoded {
        let parity = u128::from(signature.y_parity);
        let v = match (self.kind, self.chain_id) {
            (TransactionType::Legacy, None) => parity + 27,
            (TransactionType::Legacy, Some(id)) => (u128::from(id) << 1) + 35 + parity,
            _ => return Encoded::integer(&[signature.y_parity]),
        };
        Encoded::integer(&v.to_be_bytes())
    }
}

/// Reads a chain id. Ids above 64 bits are valid RLP, but no chain of this program has one.
fn chain_id(reader: &mut Reader<'_>) -> Result<u64, ProgramError> {
    let id = reader.u256()?;
    if id.bits() > 64 { Err(ProgramError::WrongChainId) } else { Ok(id.low_u64()) }
}
