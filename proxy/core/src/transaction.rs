//! A signed Ethereum transaction on its way through the proxy.

use alloy_consensus::TxEnvelope;
use alloy_consensus::transaction::SignerRecoverable;
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, B256, Bytes};
use parhelion_wire::ProgramError;
use parhelion_wire::transaction::{Envelope, SignedTransaction};
use std::sync::Arc;

/// The largest raw transaction that the proxy accepts, in bytes (the limit of Ethereum's public pools).
pub const RAW_TRANSACTION_BYTES_MAX: usize = 128 * 1024;

/// A signed Ethereum transaction whose shape and signature are valid. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Transaction(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    raw: Bytes,
    envelope: Vec<u8>,
    transaction: TxEnvelope,
    hash: B256,
    sender: Address,
}

/// Why raw bytes are no transaction of this chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// More than [`RAW_TRANSACTION_BYTES_MAX`] bytes.
    #[error("oversized data: transaction size {size}, limit {RAW_TRANSACTION_BYTES_MAX}")]
    Oversized {
        /// The raw transaction's size in bytes.
        size: usize,
    },
    /// The program would refuse to decode it.
    #[error("{}", .0.text())]
    Invalid(ProgramError),
}

impl Transaction {
    /// Decodes a raw transaction as in `eth_sendRawTransaction` and recovers its sender.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub fn decode(raw: Bytes) -> Result<Self, TransactionError> {
        Self::decode_with(raw, |transaction| {
            let sender = transaction.recover_signer();
            sender.map_err(|_| TransactionError::Invalid(ProgramError::InvalidSignature))
        })
    }

    /// [`Self::decode`] of what was decoded before, when `sender` was recovered: that takes most of the time.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub fn decode_known(raw: Bytes, sender: Address) -> Result<Self, TransactionError> {
        Self::decode_with(raw, |_| Ok(sender))
    }

    fn decode_with(
        raw: Bytes,
        sender: impl FnOnce(&TxEnvelope) -> Result<Address, TransactionError>,
    ) -> Result<Self, TransactionError> {
        if raw.len() > RAW_TRANSACTION_BYTES_MAX {
            return Err(TransactionError::Oversized { size: raw.len() });
        }
        // The program's own decoder decides what is valid; alloy's type serves the answers to clients.
        let signed = SignedTransaction::decode(&raw).map_err(TransactionError::Invalid)?;
        let malformed = TransactionError::Invalid(ProgramError::MalformedTransaction);
        let transaction = TxEnvelope::decode_2718_exact(&raw).map_err(|_| malformed)?;
        let sender = sender(&transaction)?;
        let payload = signed.payload();
        let envelope =
            Envelope { sender: sender.into_array().into(), signature: signed.signature, payload: &payload };
        let envelope = [&envelope.prefix()[..], &payload].concat();
        let hash = *transaction.tx_hash();
        Ok(Self(Arc::new(Parts { raw, envelope, transaction, hash, sender })))
    }

    /// Decodes the [`Envelope`] bytes of an instruction or a holder.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub fn from_envelope(bytes: &[u8]) -> Result<Self, TransactionError> {
        let raw =
            Envelope::decode(bytes).and_then(|envelope| envelope.raw()).map_err(TransactionError::Invalid)?;
        Self::decode(raw.into())
    }

    /// [`Self::from_envelope`] of a transaction that the program has executed: the program has proven who sent it, and a
    /// development chain also executes what nobody signed.
    ///
    /// # Errors
    /// [`TransactionError`].
    pub fn from_executed(bytes: &[u8]) -> Result<Self, TransactionError> {
        let envelope = Envelope::decode(bytes).map_err(TransactionError::Invalid)?;
        let raw = envelope.raw().map_err(TransactionError::Invalid)?;
        Self::decode_known(raw.into(), Address::from(envelope.sender.0))
    }

    /// Whether its sender signed it. On a development chain there are transactions that nobody signed.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.0.transaction.recover_signer().is_ok_and(|signer| signer == self.0.sender)
    }

    /// The raw signed transaction.
    #[must_use]
    pub fn raw(&self) -> &Bytes {
        &self.0.raw
    }

    /// The bytes that the program receives, see [`Envelope`].
    #[must_use]
    pub fn envelope(&self) -> &[u8] {
        &self.0.envelope
    }

    /// The decoded transaction.
    #[must_use]
    pub fn inner(&self) -> &TxEnvelope {
        &self.0.transaction
    }

    /// The transaction hash.
    #[must_use]
    pub fn hash(&self) -> B256 {
        self.0.hash
    }

    /// The recovered sender.
    #[must_use]
    pub fn sender(&self) -> Address {
        self.0.sender
    }
}

impl PartialEq for Transaction {
    fn eq(&self, other: &Self) -> bool {
        self.hash() == other.hash() && self.0.raw == other.0.raw
    }
}

impl Eq for Transaction {}

/// Encodes a transaction as clients send it.
#[must_use]
pub fn encode(transaction: &TxEnvelope) -> Bytes {
    transaction.encoded_2718().into()
}
