//! The names that the test vectors have for reasons of rejection.

use parhelion_wire::ProgramError::{self, *};

/// Whether a rejection is the expected one. `expected` names one reason or several (`A|B`).
///
/// Any blob transaction is refused as such, whatever else is wrong with it.
pub(crate) fn is_expected(error: ProgramError, expected: &str) -> bool {
    error == BlobTransaction || expected.split('|').any(|name| errors(name).contains(&error))
}

/// Our errors for a name.
fn errors(name: &str) -> &'static [ProgramError] {
    match name.rsplit('.').next().unwrap_or(name) {
        "INSUFFICIENT_ACCOUNT_FUNDS" | "GASLIMIT_PRICE_PRODUCT_OVERFLOW" => &[InsufficientFunds],
        "INTRINSIC_GAS_TOO_LOW" | "INTRINSIC_GAS_BELOW_FLOOR_GAS_COST" => &[IntrinsicGasTooLow],
        "GAS_ALLOWANCE_EXCEEDED" => &[GasLimitTooHigh],
        "INITCODE_SIZE_EXCEEDED" => &[InitCodeTooLarge],
        "INSUFFICIENT_MAX_FEE_PER_GAS" => &[FeeTooLow],
        "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS" | "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS_2" => {
            &[PriorityFeeTooHigh]
        }
        "PRIORITY_OVERFLOW" | "VALUE_OVERFLOW" | "GASPRICE_OVERFLOW" | "GASLIMIT_OVERFLOW"
        | "NONCE_OVERFLOW" => &[MalformedTransaction],
        "NONCE_IS_MAX" | "NONCE_TOO_BIG" => &[NonceOverflow],
        "NONCE_MISMATCH_TOO_LOW" => &[NonceTooLow],
        "NONCE_MISMATCH_TOO_HIGH" => &[NonceTooHigh],
        "SENDER_NOT_EOA" => &[SenderHasCode],
        // A v of 26 or 29 names no chain at all.
        "INVALID_CHAINID" => &[WrongChainId, InvalidSignature],
        // A part of the signature that is longer than it may be does not decode.
        "INVALID_SIGNATURE_VRS" | "EC_RECOVERY_FAIL" => &[InvalidSignature, MalformedTransaction],
        "TYPE_4_INVALID_AUTHORITY_SIGNATURE" | "TYPE_4_INVALID_AUTHORITY_SIGNATURE_S_TOO_HIGH" => {
            &[InvalidSignature, MalformedTransaction]
        }
        "TYPE_4_EMPTY_AUTHORIZATION_LIST" => &[InvalidSetCode],
        "TYPE_4_TX_CONTRACT_CREATION" => &[InvalidSetCode, MalformedTransaction],
        "TYPE_1_TX_PRE_FORK" | "TYPE_2_TX_PRE_FORK" | "TYPE_4_TX_PRE_FORK" => &[UnsupportedTransactionType],
        "TYPE_NOT_SUPPORTED" => &[UnsupportedTransactionType, MalformedTransaction],
        name if name.starts_with("TYPE_3_") || name == "INSUFFICIENT_MAX_FEE_PER_BLOB_GAS" => {
            &[BlobTransaction]
        }
        name if name.starts_with("RLP_")
            || name.starts_with("ADDRESS_TOO_")
            || name.starts_with("TYPE_4_INVALID_AUTHORIZATION") =>
        {
            &[MalformedTransaction, InvalidSignature, WrongChainId, UnsupportedTransactionType]
        }
        _ => &[],
    }
}
