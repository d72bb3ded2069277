//! From Solana's transaction errors to [`ClusterError`].

use parhelion_core::cluster::ClusterError;
use parhelion_sdk::failure::{custom_code, describe};
use solana_address::Address;
use solana_message::VersionedMessage;
use solana_transaction_error::TransactionError;

/// What a transaction that failed with `error` means for the caller.
pub(crate) fn transaction_failed(
    error: &TransactionError,
    message: &VersionedMessage,
    program_id: &Address,
    logs: Vec<String>,
) -> ClusterError {
    match error {
        // The only reason for which the same instructions, signed anew, may land.
        TransactionError::BlockhashNotFound => ClusterError::Expired,
        _ => {
            let code = custom_code(error, message, program_id);
            ClusterError::Failed { code, reason: describe(error, code), logs }
        }
    }
}
