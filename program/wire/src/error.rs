//! Why the program refuses a Solana instruction.
//!
//! A refusal fails the whole Solana transaction, so nothing is spent or changed by it. What an EVM execution runs
//! into (a revert, out of gas) is no refusal: it lands with status 0, see [`crate::event`].
//!
//! The numbers are stable: they appear on chain as `Custom(n)` and clients depend on them. A retired number is
//! never given to another error.

/// Defines the error enum, its numbers, its texts and the decoding from a number, in one table.
macro_rules! errors {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal => $text:literal,)+) => {
        /// A refusal by the program, with its stable number.
        ///
        /// | number | name | what to do |
        /// |---|---|---|
        $(#[doc = concat!("| ", stringify!($code), " | `", stringify!($name), "` | ", $text, " |")])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum ProgramError { $($(#[doc = $doc])+ $name = $code,)+ }

        impl ProgramError {
            /// Every error, in the order of the numbers.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// What went wrong and what to do about it, for people.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The error's name, as in the source.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// The error with this number, if there is one.
            #[must_use]
            pub const fn from_code(code: u32) -> Option<Self> {
                match code { $($code => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

errors! {
    // 1-19: the instruction itself
    /// The first byte of the instruction names no instruction.
    UnknownInstruction = 1 => "the first byte names no instruction of this program version",
    /// The instruction's data is shorter than its fixed part or malformed.
    MalformedInstruction = 2 => "the instruction data is too short or malformed",
    /// Fewer accounts than the instruction's fixed part.
    NotEnoughAccounts = 3 => "the instruction lists fewer accounts than it needs",
    /// A signature that the instruction requires is missing.
    MissingSigner = 4 => "an account that must sign did not",
    /// The config says paused.
    Paused = 5 => "the chain is paused by its authority; try again later",
    /// Signed by somebody who is not the authority.
    NotAuthority = 6 => "the signer is not the authority of this chain",
    /// The chain is initialised already.
    AlreadyInitialized = 7 => "the chain is initialised already",
    /// An argument is out of its range.
    InvalidArgument = 8 => "an argument is out of its range",
    /// An event instruction that the program itself did not send.
    EventNotFromProgram = 9 => "only the program itself may send events",

    // 20-39: accounts
    /// The executor needs an account that the transaction does not list.
    AccountMissing = 20 => "the run needs an account that the transaction does not list; emulate again and resend",
    /// An account that must belong to the program belongs to somebody else.
    WrongOwner = 21 => "an account at one of the program's addresses is owned by somebody else",
    /// An account of another kind than its place asks for.
    WrongKind = 22 => "an account is of another kind than its place asks for",
    /// An account in a format version that this program does not know.
    WrongVersion = 23 => "an account has a format version that this program does not know",
    /// An account is not at the address that its role derives.
    WrongAddress = 24 => "an account is not at the address that its role derives",
    /// An account that must be written is listed read-only.
    ReadOnlyAccount = 25 => "an account that the run writes is listed read-only; emulate again and resend",
    /// The same account is listed twice.
    DuplicateAccount = 26 => "the same account is listed twice",
    /// The account's length does not fit its kind.
    WrongLength = 27 => "an account's length does not fit its kind",
    /// Not enough room: an account cannot grow that much in one instruction.
    GrowthLimit = 28 => "an account would grow by more than 10,240 bytes in one instruction; reserve it first",
    /// A holder of another operator.
    ForeignHolder = 29 => "the holder belongs to another operator",
    /// A write outside of the holder.
    HolderRange = 30 => "the write lies outside of the holder",
    /// The lamports of the operator, or of who deposits, do not cover the deposit and the rent of new accounts.
    OperatorFunds = 31 => "the account that pays has too few lamports for the deposit or the rent of new accounts",
    /// The fee recipient has no Balance account yet.
    CoinbaseMissing = 32 => "the fee recipient has no Balance account: deposit to it once",
    /// A reservation of somebody else.
    ForeignReservation = 33 => "the reservation was paid by somebody else",
    /// The vault would no longer cover the balances.
    VaultShort = 34 => "the vault would not cover the balances: refused (this is a bug, please report it)",
    /// The payee of a withdrawal cannot take lamports.
    InvalidPayee = 35 => "the withdrawal's Solana account cannot take lamports",

    /// The translation of a code would be too long.
    TranslationTooLong = 36 => "the code's translation would be too long: it runs as it is; close the account",
    /// A translation of somebody else.
    ForeignTranslation = 37 => "the translation was paid by somebody else",

    // 40-69: the Ethereum transaction
    /// Malformed RLP or field lengths.
    MalformedTransaction = 40 => "the Ethereum transaction is malformed",
    /// An EIP-2718 type that is not supported.
    UnsupportedTransactionType = 41 => "this transaction type is not supported (types 0, 1 and 2 are)",
    /// Blob transactions (EIP-4844) do not exist on this chain.
    BlobTransaction = 42 => "blob transactions do not exist on this chain",
    /// r, s or v out of range, s in the upper half, or the recovery failed.
    InvalidSignature = 43 => "the signature is invalid (r, s, v out of range or s in the upper half)",
    /// The signature was made by another key than the envelope's sender.
    WrongSender = 44 => "the signature belongs to another sender",
    /// Signed for another chain.
    WrongChainId = 45 => "the transaction is signed for another chain id",
    /// The nonce was used already.
    NonceTooLow = 46 => "nonce too low",
    /// The nonce lies in the future.
    NonceTooHigh = 47 => "nonce too high",
    /// EIP-2681: the nonce may not reach 2^64 - 1.
    NonceOverflow = 48 => "the nonce may not reach 2^64 - 1 (EIP-2681)",
    /// EIP-3607: the sender has code.
    SenderHasCode = 49 => "the sender is a contract (EIP-3607)",
    /// The balance does not cover gas limit x fee + value.
    InsufficientFunds = 50 => "insufficient funds for gas * price + value",
    /// The gas limit is below the intrinsic gas or the EIP-7623 floor.
    IntrinsicGasTooLow = 51 => "intrinsic gas too low",
    /// The fee cap is below the base fee.
    FeeTooLow = 52 => "max fee per gas less than block base fee",
    /// EIP-1559: the priority fee exceeds the fee cap.
    PriorityFeeTooHigh = 53 => "max priority fee per gas higher than max fee per gas",
    /// EIP-3860: the init code is larger than 49,152 bytes.
    InitCodeTooLarge = 54 => "max initcode size exceeded",
    /// The gas limit exceeds the block gas limit.
    GasLimitTooHigh = 55 => "exceeds block gas limit",
    /// The secp256k1 instruction does not prove this transaction's signature.
    SignatureProof = 56 => "the secp256k1 instruction does not cover this transaction's signature",
    /// EIP-7702: a set-code transaction without authorizations or without a target.
    InvalidSetCode = 57 => "a set-code transaction needs a target and at least one authorization",

    // 70-79: limits of one Solana transaction
    /// The call frames need more memory than the program's heap.
    HeapLimit = 70 => "the run needs more memory than a Solana transaction has",
    /// More accounts, logs or storage keys than the executor's tables hold.
    TableLimit = 71 => "the run touches more state than a Solana transaction can hold",

    // 80-99: runs in steps
    /// The holder has a run in it: it is not written, closed, or used for another run.
    RunActive = 80 => "the holder has a run in it; finish or cancel it first",
    /// The holder has no run in it, or that of another transaction: it is over, or was never begun.
    NoSuchRun = 81 => "the holder does not run this transaction: it is finished, cancelled or was never begun",
    /// The sender has a transaction that runs in steps.
    SenderBusy = 82 => "the sender has a transaction that runs in steps; wait until it ends",
    /// The run belongs to another operator until its deadline.
    ForeignRun = 83 => "the run belongs to another operator, who has not let its deadline pass",
    /// The run cannot be cancelled yet.
    TooEarlyToCancel = 84 => "the run can still be continued; it can be cancelled later",
    /// The run was begun by a program of another version.
    RunVersion = 85 => "the run was checkpointed by another version of the program; cancel it after its deadline",
    /// The holder has too little room for the checkpoint.
    CheckpointLimit = 86 => "the checkpoint does not fit the holder; use a larger one",
    /// The checkpoint cannot be read.
    CheckpointMalformed = 87 => "the checkpoint is damaged (this is a bug, please report it)",
    /// An account that the run had read was changed by another transaction.
    StateChanged = 88 => "an account that the run had read was changed; it begins anew with the next step",
    /// An account is locked by a run in steps.
    AccountLocked = 89 => "an account is locked for a moment by a transaction that runs in steps; try again",
    /// The holder leaves the run less room than every run has.
    RunTooSmall = 90 => "the holder leaves the run too little stack, checkpoint or memory; use a larger one",
    /// Only a run that has come to its end, but for writing, locks what it has read.
    RunNotAtEnd = 91 => "the run has not come to its end yet; take its steps up to the pause at 0 first",
    /// Accounts that the run has read are neither listed nor locked, so nothing may be written.
    ReadsUnproven = 92 => "the run has read accounts that are neither listed nor locked; lock them, or list them, and resend",
}

#[cfg(test)]
mod tests {
    use super::ProgramError;

    #[test]
    fn numbers_are_unique_and_decode_to_themselves() {
        for pair in ProgramError::ALL.windows(2) {
            assert!((pair[0] as u32) < pair[1] as u32, "{:?} and {:?}", pair[0], pair[1]);
        }
        for &error in ProgramError::ALL {
            assert_eq!(ProgramError::from_code(error as u32), Some(error));
        }
        assert_eq!(ProgramError::from_code(0), None);
    }
}
