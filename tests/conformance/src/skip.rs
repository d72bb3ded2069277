//! What a chain inside Solana cannot have, by condition.
//!
//! A rule never names a test: it holds for vectors that nobody has seen yet as well.

/// Why a case is not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A blob transaction that Ethereum accepts.
    BlobTransaction,
    /// The pre-state has storage at an address without code and nonce.
    StorageOnly,
    /// The pre-state has an empty account.
    EmptyAccount,
    /// Refused for its gas limit by EIP-7825.
    GasLimitAboveCap,
    /// The gas limit is above what any run has.
    GasLimitAboveAll,
    /// A fork that the executor has no rules for.
    OtherFork,
    /// The bytes are no transaction of this chain.
    NotDecoded,
    /// The run does not fit one Solana transaction.
    TooLargeForSolana,
    /// The precompile runs out of gas instead, as it must: its call does not fit one Solana transaction.
    PrecompileTooLarge,
    /// A format that the program does not read.
    NotOfTheProgram,
}

impl Rule {
    /// The reason, in a line.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::BlobTransaction => {
                "blob transactions (EIP-4844) do not exist here: no consensus layer carries blobs"
            }
            Self::StorageOnly => {
                "the pre-state has storage at an address without code and nonce (EIP-7610): cannot come about here"
            }
            Self::EmptyAccount => {
                "the pre-state has an empty account (before EIP-161): cannot come about here"
            }
            Self::GasLimitAboveCap => {
                "gas limits above 2^24 are accepted here, because they pay for rent as well; the EVM's part is capped"
            }
            Self::GasLimitAboveAll => {
                "the gas limit is above 2^61: more than all lamports there are pay for; a run gets less"
            }
            Self::OtherFork => "the fork is none that the executor has rules for",
            Self::NotDecoded => "in the VM: no transaction can be made of it; rejected natively",
            Self::TooLargeForSolana => {
                "in the VM: needs more than one Solana transaction has (1.4M compute units, 64 accounts, 256 KiB)"
            }
            Self::PrecompileTooLarge => {
                "in the VM: a precompile's call that takes more compute units than there are runs out of gas, and did"
            }
            Self::NotOfTheProgram => "tests tries, ABI or key files, which the program does not have",
        }
    }
}
