//! The proxy's blocks, transactions, receipts and logs as Ethereum clients read them.

use alloy_consensus::{
    BlockBody, ReceiptEnvelope, ReceiptWithBloom, Transaction as _, TxEnvelope, transaction::Recovered,
};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Bytes, U256, logs_bloom};
use alloy_rlp::Encodable;
use alloy_rpc_types_eth::{
    Block as RpcBlock, BlockTransactions, Header, Log, Transaction as RpcTransaction, TransactionReceipt,
    Withdrawals,
};
use parhelion_core::store::{Block, Executed, FoundLog, LogFilter};
use parhelion_core::transaction::Transaction;
use parhelion_wire::event::Outcome;
use serde::Serialize;

/// A receipt: the standard fields, and what happened on Solana.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The standard fields.
    #[serde(flatten)]
    pub standard: TransactionReceipt,
    /// The signature of the Solana transaction that executed it, in base 58; of a run in steps the one that ended it.
    pub solana_signature: String,
    /// The signatures of all Solana transactions that belong to it, in base 58 and in landing order: those that wrote it
    /// into a holder, the beginning of its run and the steps, if there are any, and at last `solanaSignature`. Of very
    /// many the first are listed, and the last.
    pub solana_signatures: Vec<String>,
    /// Compute units of the Solana transaction that executed it.
    #[serde(with = "alloy_serde::quantity")]
    pub compute_units: u64,
    /// Compute units of all Solana transactions that belong to it, listed or not.
    #[serde(with = "alloy_serde::quantity")]
    pub total_compute_units: u64,
    /// The part of `gasUsed` that paid for the rent of new state.
    #[serde(with = "alloy_serde::quantity")]
    pub rent_gas: u64,
    /// `success`, `revert`, `halt`, `outOfRentGas` or `cancelled`: why the status is what it is.
    pub outcome: &'static str,
}

/// An executed transaction.
pub(crate) fn transaction(executed: &Executed) -> RpcTransaction {
    RpcTransaction {
        inner: recovered(&executed.transaction),
        block_hash: Some(executed.block_hash),
        block_number: Some(executed.block_number),
        transaction_index: Some(executed.index),
        effective_gas_price: Some(executed.effective_gas_price.saturating_to()),
        block_timestamp: Some(executed.block_timestamp),
    }
}

/// A transaction that waits in the pool. Its gas price is the most that it may cost, as in geth.
pub(crate) fn pending_transaction(transaction: &Transaction) -> RpcTransaction {
    RpcTransaction {
        inner: recovered(transaction),
        block_hash: None,
        block_number: None,
        transaction_index: None,
        effective_gas_price: Some(transaction.inner().max_fee_per_gas()),
        block_timestamp: None,
    }
}

fn recovered(transaction: &Transaction) -> Recovered<TxEnvelope> {
    Recovered::new_unchecked(transaction.inner().clone(), transaction.sender())
}

/// A receipt as the receipts root is made of, with whatever stands for its logs.
fn receipt_envelope<T>(executed: &Executed, logs: Vec<T>) -> ReceiptEnvelope<T> {
    let receipt = alloy_consensus::Receipt {
        status: executed.outcome.is_success().into(),
        cumulative_gas_used: executed.cumulative_gas_used,
        logs,
    };
    let with_bloom = ReceiptWithBloom { receipt, logs_bloom: logs_bloom(&executed.logs) };
    ReceiptEnvelope::from_typed(executed.transaction.inner().tx_type(), with_bloom)
}

/// The encoding of a receipt (EIP-2718).
pub(crate) fn raw_receipt(executed: &Executed) -> Bytes {
    receipt_envelope(executed, executed.logs.clone()).encoded_2718().into()
}

/// The standard fields of a receipt, with these logs.
pub(crate) fn standard_receipt(executed: &Executed, logs: Vec<Log>) -> TransactionReceipt {
    let envelope = executed.transaction.inner();
    let sender = executed.transaction.sender();
    TransactionReceipt {
        inner: receipt_envelope(executed, logs),
        transaction_hash: executed.transaction.hash(),
        transaction_index: Some(executed.index),
        block_hash: Some(executed.block_hash),
        block_number: Some(executed.block_number),
        gas_used: executed.gas_used,
        effective_gas_price: executed.effective_gas_price.saturating_to(),
        blob_gas_used: None,
        blob_gas_price: None,
        from: sender,
        to: envelope.to(),
        // Ethereum nodes give it whatever the status: where the contract is, or would have been.
        contract_address: envelope.is_create().then(|| sender.create(envelope.nonce())),
    }
}

/// The receipt of an executed transaction.
pub(crate) fn receipt(executed: &Executed) -> Receipt {
    let logs = (0..executed.logs.len()).filter_map(|position| executed.log(position).map(log)).collect();
    Receipt {
        standard: standard_receipt(executed, logs),
        solana_signature: executed.signature.to_string(),
        solana_signatures: executed.signatures.iter().map(ToString::to_string).collect(),
        compute_units: executed.compute_units,
        total_compute_units: executed.total_compute_units,
        rent_gas: executed.rent_gas,
        outcome: match executed.outcome {
            Outcome::Success => "success",
            Outcome::Revert => "revert",
            Outcome::Halt => "halt",
            Outcome::OutOfRentGas => "outOfRentGas",
            Outcome::Cancelled => "cancelled",
        },
    }
}

/// A log.
pub(crate) fn log(found: FoundLog) -> Log {
    Log {
        inner: found.log,
        block_hash: Some(found.block_hash),
        block_number: Some(found.block_number),
        block_timestamp: Some(found.block_timestamp),
        transaction_hash: Some(found.transaction_hash),
        transaction_index: Some(found.transaction_index),
        log_index: Some(found.index),
        removed: false,
    }
}

/// The logs of a block that match a filter, whatever its range.
pub(crate) fn block_logs(block: &Block, filter: &LogFilter) -> impl Iterator<Item = Log> {
    block.transactions.iter().flat_map(|executed| executed.matching(filter)).map(log)
}

/// A block, with its transactions or their hashes.
pub(crate) fn block(block: &Block, has_full: bool) -> RpcBlock {
    let transactions = if has_full {
        BlockTransactions::Full(block.transactions.iter().map(|executed| transaction(executed)).collect())
    } else {
        BlockTransactions::Hashes(
            block.transactions.iter().map(|executed| executed.transaction.hash()).collect(),
        )
    };
    RpcBlock {
        header: header(block),
        uncles: Vec::new(),
        transactions,
        withdrawals: block.header.withdrawals_root.map(|_| Withdrawals::default()),
    }
}

/// The header of a block.
pub(crate) fn header(block: &Block) -> Header {
    Header {
        hash: block.hash,
        inner: block.header.clone(),
        total_difficulty: None,
        size: Some(U256::from(block_size(
            &block.header,
            block.transactions.iter().map(|executed| executed.transaction.inner()),
        ))),
    }
}

/// The length of the RLP of a block such as [`consensus_block`], without making it.
pub(crate) fn block_size<'t>(
    header: &alloy_consensus::Header,
    transactions: impl Iterator<Item = &'t TxEnvelope>,
) -> usize {
    let list = |payload_length| alloy_rlp::Header { list: true, payload_length }.length_with_payload();
    let withdrawals = if header.withdrawals_root.is_some() { list(0) } else { 0 };
    list(header.length() + list(transactions.map(Encodable::length).sum()) + list(0) + withdrawals)
}

/// The block that is encoded as RLP: a list of header, transactions, uncles and withdrawals.
pub(crate) fn consensus_block(block: &Block) -> alloy_consensus::Block<TxEnvelope> {
    alloy_consensus::Block {
        header: block.header.clone(),
        body: BlockBody {
            transactions: block
                .transactions
                .iter()
                .map(|executed| executed.transaction.inner().clone())
                .collect(),
            ommers: Vec::new(),
            withdrawals: block.header.withdrawals_root.map(|_| Withdrawals::default()),
        },
    }
}
