//! Transactions and receipts with less in them.

use crate::convert;
use alloy_eips::Typed2718 as _;
use alloy_rpc_types_eth::Transaction as RpcTransaction;
use alloy_rpc_types_trace::otterscan::{OtsReceipt, OtsTransactionReceipt, TransactionsWithReceipts};
use parhelion_core::store::Executed;
use std::sync::Arc;

/// A receipt without logs and bloom, but with the time.
pub(super) fn receipt(executed: &Executed) -> OtsTransactionReceipt {
    let slim = OtsReceipt {
        status: executed.outcome.is_success(),
        cumulative_gas_used: executed.cumulative_gas_used,
        logs: None,
        logs_bloom: None,
        r#type: executed.transaction.inner().ty(),
    };
    let receipt = convert::standard_receipt(executed, Vec::new()).map_inner(|_| slim);
    OtsTransactionReceipt { receipt, timestamp: Some(executed.block_timestamp) }
}

/// A page of what was found.
pub(super) fn page(
    found: &[Arc<Executed>],
    first_page: bool,
    last_page: bool,
) -> TransactionsWithReceipts<RpcTransaction> {
    TransactionsWithReceipts {
        txs: found.iter().map(|executed| convert::transaction(executed)).collect(),
        receipts: found.iter().map(|executed| receipt(executed)).collect(),
        first_page,
        last_page,
    }
}
