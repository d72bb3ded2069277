//! A transaction as it is in the database: one row with everything that its receipt is made of.

use alloy_primitives::{B256, Bytes, Log, U256, keccak256};
use borsh::{BorshDeserialize, BorshSerialize};
use parhelion_core::store::{Executed, FoundLog, StoreError};
use parhelion_core::transaction::Transaction;
use parhelion_wire::event::Outcome;

/// The version of the format, the first byte of each row.
const VERSION: u8 = 1;

/// What is in a row, but for the places of block and transaction, which are its key.
#[derive(BorshSerialize, BorshDeserialize)]
struct Row {
    version: u8,
    raw: Vec<u8>,
    sender: [u8; 20],
    block_hash: [u8; 32],
    block_timestamp: u64,
    outcome: u8,
    gas_used: u64,
    rent_gas: u64,
    cumulative_gas_used: u64,
    effective_gas_price: [u8; 32],
    logs: Vec<RowLog>,
    first_log_index: u64,
    coinbase: [u8; 20],
    signature: [u8; 64],
    compute_units: u64,
    /// None when they are the one signature.
    signatures: Vec<[u8; 64]>,
    total_compute_units: u64,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct RowLog {
    address: [u8; 20],
    topics: Vec<[u8; 32]>,
    data: Vec<u8>,
}

/// The row of a transaction.
pub(super) fn encode(executed: &Executed) -> Result<Vec<u8>, StoreError> {
    let signature = *executed.signature.as_array();
    let is_one = executed.signatures.as_slice() == [executed.signature];
    let log = |log: &Log| RowLog {
        address: log.address.into_array(),
        topics: log.data.topics().iter().map(|topic| topic.0).collect(),
        data: log.data.data.to_vec(),
    };
    let row = Row {
        version: VERSION,
        raw: executed.transaction.raw().to_vec(),
        sender: executed.transaction.sender().into_array(),
        block_hash: executed.block_hash.0,
        block_timestamp: executed.block_timestamp,
        outcome: executed.outcome as u8,
        gas_used: executed.gas_used,
        rent_gas: executed.rent_gas,
        cumulative_gas_used: executed.cumulative_gas_used,
        effective_gas_price: executed.effective_gas_price.to_be_bytes(),
        logs: executed.logs.iter().map(log).collect(),
        first_log_index: executed.first_log_index,
        coinbase: executed.coinbase.into_array(),
        signature,
        compute_units: executed.compute_units,
        signatures: if is_one {
            Vec::new()
        } else {
            executed.signatures.iter().map(|one| *one.as_array()).collect()
        },
        total_compute_units: executed.total_compute_units,
    };
    borsh::to_vec(&row).map_err(|error| damaged(&error.to_string()))
}

impl Row {
    fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        if bytes.first() != Some(&VERSION) {
            return Err(damaged(
                "a transaction is in another format: the database was written by another version",
            ));
        }
        borsh::from_slice(bytes).map_err(|error| damaged(&error.to_string()))
    }
}

impl RowLog {
    fn log(self) -> Result<Log, StoreError> {
        let topics = self.topics.into_iter().map(B256::from).collect();
        Log::new(self.address.into(), topics, self.data.into())
            .ok_or_else(|| damaged("a log with too many topics"))
    }
}

/// The transaction at a place, of its row.
pub(super) fn decode(block_number: u64, index: u64, bytes: &[u8]) -> Result<Executed, StoreError> {
    let row = Row::read(bytes)?;
    let transaction = Transaction::decode_known(Bytes::from(row.raw), row.sender.into());
    let outcome = Outcome::from_byte(row.outcome).ok_or_else(|| damaged("an outcome that there is not"))?;
    let signature = row.signature.into();
    let signatures = match row.signatures.is_empty() {
        true => vec![signature],
        false => row.signatures.into_iter().map(Into::into).collect(),
    };
    Ok(Executed {
        transaction: transaction.map_err(|error| damaged(&error.to_string()))?,
        block_number,
        block_hash: row.block_hash.into(),
        block_timestamp: row.block_timestamp,
        index,
        outcome,
        gas_used: row.gas_used,
        rent_gas: row.rent_gas,
        cumulative_gas_used: row.cumulative_gas_used,
        effective_gas_price: U256::from_be_bytes(row.effective_gas_price),
        logs: row.logs.into_iter().map(RowLog::log).collect::<Result<_, _>>()?,
        first_log_index: row.first_log_index,
        coinbase: row.coinbase.into(),
        signature,
        compute_units: row.compute_units,
        signatures,
        total_compute_units: row.total_compute_units,
    })
}

/// Those logs of the transaction at a place that are wanted, of its row. The transaction itself is not decoded.
pub(super) fn decode_logs(
    block_number: u64,
    index: u64,
    bytes: &[u8],
    is_wanted: impl Fn(usize, &Log) -> bool,
) -> Result<Vec<FoundLog>, StoreError> {
    let row = Row::read(bytes)?;
    let mut transaction_hash = None;
    let mut found = Vec::with_capacity(row.logs.len());
    for (position, log) in row.logs.into_iter().enumerate() {
        let log = log.log()?;
        if !is_wanted(position, &log) {
            continue;
        }
        found.push(FoundLog {
            log,
            block_number,
            block_hash: row.block_hash.into(),
            block_timestamp: row.block_timestamp,
            // EIP-2718: the hash of a transaction of any type is that of its raw bytes.
            transaction_hash: *transaction_hash.get_or_insert_with(|| keccak256(&row.raw)),
            transaction_index: index,
            index: row.first_log_index.saturating_add(position as u64),
        });
    }
    Ok(found)
}

/// The database holds what this program has not written.
pub(super) fn damaged(what: &str) -> StoreError {
    StoreError::Unavailable(format!("the database is damaged: {what}"))
}
