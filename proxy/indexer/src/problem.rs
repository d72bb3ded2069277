//! What of a Solana block could not become part of an Ethereum block.

use alloy_primitives::B256;
use parhelion_core::transaction::TransactionError;
use solana_address::Address;
use solana_signature::Signature;

/// Something in a landed Solana transaction that the decoder could not use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Solana transaction {signature}: {kind}")]
pub struct Problem {
    /// The Solana transaction.
    pub signature: Signature,
    /// What about it.
    pub kind: ProblemKind,
}

/// See [`Problem`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// Another program was invoked with data that looks like an event.
    #[error("an event of {program}, which is not this program: ignored")]
    ForeignEvent {
        /// The invoked program.
        program: Address,
    },
    /// An event instruction of the program in a version that this indexer does not know. When it belongs to the end of a
    /// run, [`Self::ReportMissing`] comes with it.
    #[error("an event in a format version that this proxy does not know: ignored; update the proxy")]
    UnknownEvent,
    /// The instruction's data ends before the transaction begins.
    #[error("the instruction is too short to carry a transaction")]
    ShortInstruction,
    /// The transaction in the instruction or the holder does not decode.
    #[error("its Ethereum transaction does not decode: {0}")]
    Undecodable(TransactionError),
    /// The transaction was in a holder whose writes were not seen, or were forgotten.
    #[error("the contents of its holder are not known")]
    HolderUnknown {
        /// The holder; `None` when the instruction names none, which the program does not let land.
        holder: Option<Address>,
    },
    /// The run reported nothing, or nothing in a version that this indexer knows.
    #[error("its run reported nothing that can be read")]
    ReportMissing,
    /// The last share of the report is missing.
    #[error("the end of its report is missing")]
    ReportIncomplete,
    /// The report does not decode, or is not of the form that [`parhelion_wire::event`] describes.
    #[error("its report is malformed")]
    ReportMalformed,
    /// An instruction that runs no transaction reported a receipt.
    #[error("an instruction that runs no transaction reported a receipt")]
    UnexpectedReceipt,
    /// The receipt is that of another transaction.
    #[error("its transaction is {transaction}, but its receipt is for {receipt}")]
    HashMismatch {
        /// The hash in the receipt.
        receipt: B256,
        /// The hash of the transaction.
        transaction: B256,
    },
}

impl ProblemKind {
    /// Whether an executed transaction is missing from the block because of it.
    #[must_use]
    pub const fn loses_transaction(&self) -> bool {
        !matches!(self, Self::ForeignEvent { .. } | Self::UnknownEvent)
    }
}
