//! Blocks and their headers.

use alloy_consensus::constants::EMPTY_WITHDRAWALS;
use alloy_consensus::proofs::ordered_trie_root_with_encoder;
use alloy_consensus::{Header, Receipt, ReceiptEnvelope, ReceiptWithBloom};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{B256, Bytes};
use parhelion_core::emulator::ChainSettings;
use parhelion_core::store::{Block, Executed};
use std::sync::Arc;

/// `extraData` of every block.
const EXTRA_DATA: &[u8] = b"Parhelion";

/// The newest block, as far as the next one needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Seconds since 1970.
    pub timestamp: u64,
}

impl From<&Block> for Tip {
    fn from(block: &Block) -> Self {
        Self { number: block.header.number, hash: block.hash, timestamp: block.header.timestamp }
    }
}

/// The first block: empty and without a parent. A chain's own one is that of the slot before the one in which it was made,
/// when it had no settings.
#[must_use]
pub fn genesis(number: u64, timestamp: u64, chain: &ChainSettings) -> Block {
    seal(Header { number, timestamp, ..header(chain) }, Vec::new())
}

/// The block of a slot without transactions of the program. The slot's own time is not known: it has its parent's.
#[must_use]
pub fn empty_block(parent: &Tip, chain: &ChainSettings) -> Block {
    let (number, timestamp) = (parent.number.saturating_add(1), parent.timestamp);
    seal(Header { number, timestamp, parent_hash: parent.hash, ..header(chain) }, Vec::new())
}

/// What every header has, and the roots of an empty block.
pub(crate) fn header(chain: &ChainSettings) -> Header {
    Header {
        // There is no state trie: the state is in Solana accounts.
        state_root: B256::ZERO,
        gas_limit: chain.block_gas_limit,
        base_fee_per_gas: Some(chain.base_fee),
        extra_data: Bytes::from_static(EXTRA_DATA),
        // Shanghai, Cancun and Prague fields, of a chain without withdrawals, blobs, beacon chain and requests.
        withdrawals_root: Some(EMPTY_WITHDRAWALS),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: Some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    }
}

/// Completes a block: roots, bloom and gas go into the header, the header's hash into the transactions.
pub(crate) fn seal(mut header: Header, mut transactions: Vec<Executed>) -> Block {
    let receipts: Vec<_> = transactions.iter().map(receipt).collect();
    header.transactions_root = ordered_trie_root_with_encoder(&transactions, |executed, bytes| {
        executed.transaction.inner().encode_2718(bytes);
    });
    header.receipts_root =
        ordered_trie_root_with_encoder(&receipts, |receipt, bytes| receipt.encode_2718(bytes));
    for receipt in &receipts {
        header.logs_bloom |= *receipt.logs_bloom();
    }
    header.gas_used = transactions.last().map_or(0, |executed| executed.cumulative_gas_used);
    header.beneficiary = transactions.first().map(|executed| executed.coinbase).unwrap_or_default();
    let hash = header.hash_slow();
    for executed in &mut transactions {
        executed.block_hash = hash;
    }
    Block { hash, header, transactions: transactions.into_iter().map(Arc::new).collect() }
}

/// The receipt as the receipts root covers it.
fn receipt(executed: &Executed) -> ReceiptEnvelope {
    let receipt = Receipt {
        status: executed.outcome.is_success().into(),
        cumulative_gas_used: executed.cumulative_gas_used,
        logs: executed.logs.clone(),
    };
    ReceiptEnvelope::from_typed(executed.transaction.inner().tx_type(), ReceiptWithBloom::from(receipt))
}
