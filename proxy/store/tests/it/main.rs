//! The store as its users see it.
#![allow(clippy::unwrap_used, missing_docs)]

mod archive;
mod chain;
mod engines;
mod journal;
mod logs;
mod lookups;
mod roll_back;
mod trouble;

use alloy_consensus::{Header, SignableTransaction, TxLegacy};
use alloy_primitives::{Address, B256, Log, U256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use parhelion_core::store::{Block, Executed};
use parhelion_core::transaction::{Transaction, encode};
use parhelion_wire::event::Outcome;
use std::sync::{Arc, LazyLock};

/// Signed transactions to fill blocks with; signing is slow, so they are made once.
static TRANSACTIONS: LazyLock<Vec<Transaction>> = LazyLock::new(|| {
    let signer = PrivateKeySigner::from_bytes(&B256::repeat_byte(1)).unwrap();
    let sign = |nonce| {
        let transaction = TxLegacy { nonce, ..TxLegacy::default() };
        let signature = signer.sign_hash_sync(&transaction.signature_hash()).unwrap();
        Transaction::decode(encode(&transaction.into_signed(signature).into())).unwrap()
    };
    (0..16).map(sign).collect()
});

/// An empty block.
fn empty(number: u64, parent_hash: B256, timestamp: u64) -> Block {
    let header = Header { number, parent_hash, timestamp, base_fee_per_gas: Some(7), ..Header::default() };
    Block { hash: header.hash_slow(), header, transactions: Vec::new() }
}

fn genesis() -> Block {
    empty(0, B256::ZERO, 1_700_000_000)
}

/// The block behind `parent` with one transaction for each list of logs, taken from [`TRANSACTIONS`] at `first`.
fn with_logs(parent: &Block, first: usize, logs: Vec<Vec<Log>>) -> Block {
    let mut block = empty(parent.header.number + 1, parent.hash, parent.header.timestamp + 1);
    block.header.gas_used = 21_000;
    block.hash = block.header.hash_slow();
    block.transactions = logs
        .into_iter()
        .enumerate()
        .map(|(index, logs)| {
            Arc::new(Executed {
                transaction: TRANSACTIONS[(first + index) % TRANSACTIONS.len()].clone(),
                block_number: block.header.number,
                block_hash: block.hash,
                block_timestamp: block.header.timestamp,
                index: index as u64,
                outcome: Outcome::Success,
                gas_used: 21_000,
                rent_gas: 0,
                cumulative_gas_used: 21_000,
                effective_gas_price: U256::from(7),
                logs,
                // As if each before it had ten.
                first_log_index: 10 * index as u64,
                coinbase: Address::ZERO,
                signature: [0; 64].into(),
                compute_units: 1,
                signatures: vec![[0; 64].into()],
                total_compute_units: 1,
            })
        })
        .collect();
    block
}
