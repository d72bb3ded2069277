//! Every error code and the errors of the ports as errors of JSON-RPC: nowhere else is a code chosen.
//!
//! | code | when |
//! |---|---|
//! | -32700 | the body is no JSON |
//! | -32600 | it is JSON, but no request |
//! | -32601 | unknown method or subscription; a subscription over HTTP |
//! | -32602 | missing, superfluous or invalid arguments |
//! | -32603 | the cluster or the store does not answer, or state is damaged: the same request may succeed later |
//! | -32000 | refused, in geth's words where geth has some: transactions, failing calls, blocks that are not there |
//! | -32002 | the request took too long |
//! | -32005 | the answer would be larger than a limit; too many requests from an address (over HTTP with status 429) |
//! | 3 | the called code reverted; `data` is the revert data |
//! | -38010 and below | a simulation that makes no sense: the codes of `eth_simulateV1`, see [`RpcError::Simulation`] |
//! | 4, 5 | accepted, but no receipt in time, or not yet its turn; `data` is the hash of the transaction (EIP-7966) |
//!
//! jsonrpsee adds -32007 (body too large), -32008 (answer too large), -32010 and -32011 (the same for batches).

use crate::revert;
use alloy_primitives::{B256, Bytes};
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::types::error::{
    INTERNAL_ERROR_CODE, INVALID_PARAMS_CODE, INVALID_REQUEST_CODE, METHOD_NOT_FOUND_CODE, PARSE_ERROR_CODE,
};
use parhelion_core::cluster::ClusterError;
use parhelion_core::emulator::EmulatorError;
use parhelion_core::pool::PoolError;
use parhelion_core::relay::RelayError;
use parhelion_core::simulation::{CallProblem, SimulationError};
use parhelion_core::store::StoreError;
use parhelion_core::transaction::TransactionError;
use parhelion_wire::ProgramError;
use std::num::NonZeroU32;
use std::time::Duration;

/// geth's code for what it refuses.
const REJECTED_CODE: i32 = -32000;
/// geth's code for a request that took too long.
const TIMEOUT_CODE: i32 = -32002;
/// Limit exceeded (EIP-1474).
const LIMIT_EXCEEDED_CODE: i32 = -32005;
/// geth's code for reverted calls.
const REVERTED_CODE: i32 = 3;
/// No receipt in time (EIP-7966).
const NOT_LANDED_CODE: i32 = 4;
/// A nonce is missing (EIP-7966).
const NOT_READY_CODE: i32 = 5;

/// The most characters of an unknown name that an error or a log repeats.
pub(crate) const METHOD_CHARS_MAX: usize = 64;

/// Why a request has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// The body is no JSON.
    #[error("{0}")]
    Parse(String),
    /// JSON, but no JSON-RPC request.
    #[error("{0}")]
    InvalidRequest(String),
    /// No method of this name.
    #[error("the method {0} does not exist/is not available")]
    MethodNotFound(String),
    /// The method exists, but not in this way.
    #[error("{0}")]
    NotAvailable(String),
    /// The arguments do not fit the method.
    #[error("{0}")]
    InvalidParams(String),
    /// Refused for a reason that the client can do something about.
    #[error("{0}")]
    Rejected(String),
    /// The called code reverted, with this data.
    #[error("{}", revert::message(.0))]
    Reverted(Bytes),
    /// Accepted, but there was no receipt in time (EIP-7966).
    #[error("The transaction was added to the mempool but wasn't processed in {after:?}")]
    NotLanded {
        /// The transaction's hash: it may land later.
        hash: B256,
        /// How long the client waited.
        after: Duration,
    },
    /// Accepted, but it cannot land before others that are missing (EIP-7966).
    #[error(
        "The transaction was added to the mempool but wasn't processed: a nonce before its own is missing; send the \
         transaction with that nonce"
    )]
    NotReady {
        /// The transaction's hash.
        hash: B256,
    },
    /// A simulation that makes no sense, with the code that the specification of `eth_simulateV1` has for it.
    #[error("{text}")]
    Simulation {
        /// The code.
        code: i32,
        /// What is wrong.
        text: String,
    },
    /// The request asks for more than a limit allows.
    #[error("{0}")]
    LimitExceeded(String),
    /// Its address makes too many requests.
    #[error(
        "request rate exceeded: at most {per_second} requests a second from one address; try again in \
         {retry_after_seconds} s"
    )]
    RateLimited {
        /// Requests a second that an address may make.
        per_second: NonZeroU32,
        /// Seconds until the same request is allowed.
        retry_after_seconds: u64,
    },
    /// The request took too long.
    #[error("request timed out after {seconds} s")]
    Timeout {
        /// The time that it had.
        seconds: u64,
    },
    /// Something behind the server failed; the same request may succeed later.
    #[error("{0}")]
    Internal(String),
}

impl RpcError {
    /// The block exists neither here nor anywhere else.
    pub(crate) fn header_not_found() -> Self {
        Self::Rejected("header not found".into())
    }

    /// No filter has this id.
    pub(crate) fn filter_not_found() -> Self {
        Self::Rejected("filter not found".into())
    }

    /// Nothing of this name can be subscribed to.
    pub(crate) fn subscription_not_found(name: &str) -> Self {
        let name: String = name.chars().take(METHOD_CHARS_MAX).collect();
        Self::NotAvailable(format!("no {name:?} subscription in eth namespace"))
    }

    /// A batch of more requests than an address may ever make at once.
    pub(crate) fn batch_exceeds_burst(burst: NonZeroU32) -> Self {
        Self::LimitExceeded(format!(
            "the batch is too large: at most {burst} requests at once from one address"
        ))
    }

    /// A subscription over HTTP.
    pub(crate) fn no_notifications() -> Self {
        Self::NotAvailable("notifications not supported: connect over WebSocket".into())
    }

    /// The code that Ethereum clients expect.
    #[must_use]
    pub const fn code(&self) -> i32 {
        match self {
            Self::Parse(_) => PARSE_ERROR_CODE,
            Self::InvalidRequest(_) => INVALID_REQUEST_CODE,
            Self::MethodNotFound(_) | Self::NotAvailable(_) => METHOD_NOT_FOUND_CODE,
            Self::InvalidParams(_) => INVALID_PARAMS_CODE,
            Self::Rejected(_) => REJECTED_CODE,
            Self::Reverted(_) => REVERTED_CODE,
            Self::NotLanded { .. } => NOT_LANDED_CODE,
            Self::NotReady { .. } => NOT_READY_CODE,
            Self::LimitExceeded(_) | Self::RateLimited { .. } => LIMIT_EXCEEDED_CODE,
            Self::Simulation { code, .. } => *code,
            Self::Timeout { .. } => TIMEOUT_CODE,
            Self::Internal(_) => INTERNAL_ERROR_CODE,
        }
    }
}

impl From<RpcError> for ErrorObjectOwned {
    fn from(error: RpcError) -> Self {
        let data: Option<&[u8]> = match &error {
            RpcError::Reverted(output) => Some(output),
            RpcError::NotLanded { hash, .. } | RpcError::NotReady { hash } => Some(&hash[..]),
            _ => None,
        };
        Self::owned(error.code(), error.to_string(), data.map(Bytes::copy_from_slice))
    }
}

impl From<TransactionError> for RpcError {
    fn from(error: TransactionError) -> Self {
        let text = match error {
            TransactionError::Oversized { .. } => error.to_string(),
            TransactionError::Invalid(reason) => match reason {
                ProgramError::MalformedTransaction => format!(
                    "rlp: cannot decode the transaction: {}; send the bytes of one signed transaction (EIP-2718)",
                    reason.text()
                ),
                ProgramError::UnsupportedTransactionType | ProgramError::BlobTransaction => {
                    format!("transaction type not supported: {}", reason.text())
                }
                ProgramError::InvalidSignature => {
                    format!("invalid transaction v, r, s values: {}", reason.text())
                }
                other => other.text().into(),
            },
        };
        Self::Rejected(text)
    }
}

impl From<PoolError> for RpcError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Invalid(error) => error.into(),
            PoolError::Relay(error) => error.into(),
            PoolError::Emulator(error) => error.into(),
            PoolError::Store(error) => error.into(),
            PoolError::WrongChainId { .. }
            | PoolError::AlreadyKnown
            | PoolError::NonceTooLow { .. }
            | PoolError::Underpriced
            | PoolError::InsufficientFunds { .. }
            | PoolError::TooCheap
            | PoolError::Full => Self::Rejected(error.to_string()),
        }
    }
}

impl From<RelayError> for RpcError {
    fn from(error: RelayError) -> Self {
        match error {
            RelayError::Emulator(error) => error.into(),
            RelayError::Cluster(error) => error.into(),
            RelayError::DoesNotFit { .. } | RelayError::OutOfRentGas { .. } => {
                Self::Rejected(error.to_string())
            }
        }
    }
}

impl From<EmulatorError> for RpcError {
    fn from(error: EmulatorError) -> Self {
        match error {
            EmulatorError::Reverted { output } => Self::Reverted(output),
            EmulatorError::Cluster(error) => error.into(),
            EmulatorError::State(_) => Self::Internal(error.to_string()),
            EmulatorError::OverrideTooLarge { .. } => Self::InvalidParams(error.to_string()),
            EmulatorError::TraceTooLarge { .. } => Self::LimitExceeded(error.to_string()),
            EmulatorError::Refused(_)
            | EmulatorError::TooManyAccounts
            | EmulatorError::Halted { .. }
            | EmulatorError::GasExceedsAllowance { .. } => Self::Rejected(error.to_string()),
        }
    }
}

impl From<SimulationError> for RpcError {
    fn from(error: SimulationError) -> Self {
        let code = match &error {
            SimulationError::Emulator(error) => return error.clone().into(),
            SimulationError::Precompile { .. } => return Self::InvalidParams(error.to_string()),
            SimulationError::TooLarge { .. } => return Self::LimitExceeded(error.to_string()),
            SimulationError::BlockGasLimit { .. } => -38015,
            SimulationError::NumberOrder { .. } => -38020,
            SimulationError::TimeOrder { .. } => -38021,
            SimulationError::TooManyBlocks | SimulationError::TooManyCalls => -38026,
            SimulationError::Call { problem, .. } => match problem {
                CallProblem::NonceTooLow { .. } => -38010,
                CallProblem::NonceTooHigh { .. } => -38011,
                CallProblem::FeeTooLow { .. } => -38012,
                CallProblem::IntrinsicGas { .. } => -38013,
                CallProblem::InsufficientFunds { .. } => -38014,
                CallProblem::SenderHasCode { .. } => -38024,
                CallProblem::InitCodeTooLarge { .. } => -38025,
                // The specification has none for it, and geth gives this one.
                CallProblem::NonceMax { .. } => INTERNAL_ERROR_CODE,
            },
        };
        Self::Simulation { code, text: error.to_string() }
    }
}

impl From<ClusterError> for RpcError {
    fn from(error: ClusterError) -> Self {
        match error {
            // Clients repeat a request after an internal error, which is right for these two.
            ClusterError::Unreachable(_) | ClusterError::Expired => Self::Internal(error.to_string()),
            ClusterError::Failed { .. } | ClusterError::Unsupported(_) => Self::Rejected(error.to_string()),
            ClusterError::Archive(error) => error.into(),
        }
    }
}

impl From<StoreError> for RpcError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TooManyLogs { .. } => Self::LimitExceeded(error.to_string()),
            StoreError::Unavailable(_) | StoreError::Forked { .. } => Self::Internal(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::U256;
    use alloy_sol_types::{Revert, SolError};
    use parhelion_core::emulator::Refusal;

    #[test]
    fn errors_of_the_ports_get_their_codes_and_texts() {
        let refusal = Refusal { error: ProgramError::NonceTooHigh, detail: "tx: 7 state: 5".into() };
        let unreachable = || ClusterError::Unreachable("timeout".into());
        let failed = ClusterError::Failed { code: Some(34), reason: "vault".into(), logs: vec![] };
        let does_not_fit =
            RelayError::DoesNotFit { needs: "70 accounts".into(), limit: "64 accounts".into() };
        let (balance, cost) = (U256::from(1), U256::from(2));
        let rows: Vec<(RpcError, i32, &str)> = vec![
            (EmulatorError::Refused(refusal).into(), -32000, "nonce too high: tx: 7 state: 5"),
            (EmulatorError::TooManyAccounts.into(), -32000, "more accounts than"),
            (EmulatorError::GasExceedsAllowance { allowance: 9 }.into(), -32000, "exceeds allowance (9)"),
            (
                EmulatorError::OverrideTooLarge { name: "baseFee", value: U256::MAX }.into(),
                -32602,
                "'baseFee' is 115792089",
            ),
            (EmulatorError::State("bad".into()).into(), -32603, "cannot be read: bad"),
            (EmulatorError::Cluster(unreachable()).into(), -32603, "timeout"),
            (ClusterError::Expired.into(), -32603, "expired"),
            (failed.into(), -32000, "vault"),
            (ClusterError::Unsupported("no slots".into()).into(), -32000, "no slots"),
            (does_not_fit.into(), -32000, "needs 70 accounts"),
            (PoolError::Relay(RelayError::Cluster(unreachable())).into(), -32603, "timeout"),
            (PoolError::AlreadyKnown.into(), -32000, "already known"),
            (PoolError::Full.into(), -32000, "txpool is full"),
            (PoolError::Underpriced.into(), -32000, "replacement transaction underpriced"),
            (PoolError::TooCheap.into(), -32000, "transaction underpriced"),
            (
                PoolError::NonceTooLow { next: 3, nonce: 1 }.into(),
                -32000,
                "nonce too low: next nonce 3, tx nonce 1",
            ),
            (
                PoolError::WrongChainId { have: 1, want: 2 }.into(),
                -32000,
                "invalid chain id for signer: have 1 want 2",
            ),
            (
                PoolError::InsufficientFunds { balance, cost }.into(),
                -32000,
                "insufficient funds for gas * price + value",
            ),
            (StoreError::TooManyLogs { max: 5 }.into(), -32005, "more than 5 results"),
            (StoreError::Unavailable("disk".into()).into(), -32603, "disk"),
        ];
        for (error, code, text) in rows {
            let object = ErrorObjectOwned::from(error);
            assert_eq!(object.code(), code, "{object:?}");
            assert!(object.message().contains(text), "{object:?}");
            assert!(object.data().is_none(), "{object:?}");
        }
    }

    #[test]
    fn simulations_have_codes_of_their_own() {
        let address = alloy_primitives::Address::ZERO;
        let call = |problem| SimulationError::Call { problem, gas: 21_000 };
        let (have, want) = (U256::from(1), U256::from(2));
        for (error, code, text) in [
            (SimulationError::TooManyBlocks, -38026, "too many blocks"),
            (SimulationError::TooManyCalls, -38026, "too many calls"),
            (SimulationError::TimeOrder { time: 1, previous: 2 }, -38021, "must be in order: 1 <= 2"),
            (SimulationError::BlockGasLimit { remaining: 1, required: 2 }, -38015, "block gas limit reached"),
            (SimulationError::Precompile { address }, -32602, "precompile"),
            (SimulationError::TooLarge { max: 5 }, -32005, "more than 5 bytes"),
            (EmulatorError::TooManyAccounts.into(), -32000, "more accounts than"),
            (
                call(CallProblem::InsufficientFunds { address, have, want }),
                -38014,
                "err: insufficient funds for gas * price + value: address",
            ),
            (
                call(CallProblem::IntrinsicGas { have: 0, want: 21_000 }),
                -38013,
                "err: intrinsic gas too low: have 0, want 21000 (supplied gas 21000)",
            ),
            (call(CallProblem::NonceMax { address }), -32603, "nonce has max value"),
        ] {
            let object = ErrorObjectOwned::from(RpcError::from(error));
            assert_eq!(object.code(), code, "{object:?}");
            assert!(object.message().contains(text), "{object:?}");
        }
    }

    #[test]
    fn transactions_are_refused_in_geths_words() {
        let rows = [
            (TransactionError::Oversized { size: 200_000 }, "oversized data: transaction size 200000"),
            (TransactionError::Invalid(ProgramError::MalformedTransaction), "rlp: "),
            (
                TransactionError::Invalid(ProgramError::UnsupportedTransactionType),
                "transaction type not supported: ",
            ),
            (
                TransactionError::Invalid(ProgramError::BlobTransaction),
                "transaction type not supported: blob",
            ),
            (
                TransactionError::Invalid(ProgramError::InvalidSignature),
                "invalid transaction v, r, s values: ",
            ),
            (TransactionError::Invalid(ProgramError::NonceOverflow), ProgramError::NonceOverflow.text()),
        ];
        for (error, text) in rows {
            let error = RpcError::from(error);
            assert_eq!(error.code(), -32000);
            assert!(error.to_string().starts_with(text), "{error}");
        }
    }

    #[test]
    fn a_revert_carries_its_data_however_deep_it_comes_from() {
        let output = Bytes::from(Revert::from("no").abi_encode());
        let reverted = || EmulatorError::Reverted { output: output.clone() };
        let errors: [RpcError; 3] = [
            reverted().into(),
            PoolError::Emulator(reverted()).into(),
            PoolError::Relay(RelayError::Emulator(reverted())).into(),
        ];
        for error in errors {
            let object = ErrorObjectOwned::from(error);
            assert_eq!((object.code(), object.message()), (3, "execution reverted: no"));
            assert_eq!(object.data().map(|data| data.get()), Some(&*format!("\"{output}\"")));
        }
        let empty = ErrorObjectOwned::from(RpcError::Reverted(Bytes::new()));
        assert_eq!(
            (empty.message(), empty.data().map(|data| data.get())),
            ("execution reverted", Some("\"0x\""))
        );
    }
}
