//! The port to blocks, transactions, receipts and logs.

use crate::clue::Lookup;
use crate::cluster::Moment;
use crate::past::Change;
use crate::transaction::Transaction;
use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Log, U256};
use async_trait::async_trait;
use parhelion_wire::event::Outcome;
use solana_signature::Signature;
use std::sync::Arc;

/// A block: a Solana slot in which the program ran, or the empty genesis.
#[derive(Clone, Debug)]
pub struct Block {
    /// The block's hash: that of its header.
    pub hash: B256,
    /// The header; its number is the block's number.
    pub header: Header,
    /// Its transactions, in order.
    pub transactions: Vec<Arc<Executed>>,
}

/// An executed transaction: what receipts are made of.
#[derive(Clone, Debug)]
pub struct Executed {
    /// The transaction.
    pub transaction: Transaction,
    /// The number of its block.
    pub block_number: u64,
    /// The hash of its block.
    pub block_hash: B256,
    /// Seconds since 1970 of its block.
    pub block_timestamp: u64,
    /// Its place in the block.
    pub index: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Gas used, rent gas included.
    pub gas_used: u64,
    /// Gas that paid for the rent of new state.
    pub rent_gas: u64,
    /// Gas used by the block up to and including this transaction.
    pub cumulative_gas_used: u64,
    /// Wei per gas that was paid.
    pub effective_gas_price: U256,
    /// Its logs.
    pub logs: Vec<Log>,
    /// The index of its first log in the block.
    pub first_log_index: u64,
    /// The operator's address, which received the fees.
    pub coinbase: Address,
    /// The Solana transaction that executed it; of a run in steps the one that ended it.
    pub signature: Signature,
    /// Compute units of that Solana transaction.
    pub compute_units: u64,
    /// All Solana transactions that belong to it, in landing order: those that wrote it into a holder, the beginning of
    /// its run and the steps, if there are any, and at last [`Self::signature`]. Of very many the first are listed, and
    /// the last.
    pub signatures: Vec<Signature>,
    /// Compute units of all of them, listed or not.
    pub total_compute_units: u64,
}

impl Executed {
    /// The moment before the first Solana transaction that belongs to it.
    #[must_use]
    pub fn before(&self) -> Moment {
        let transaction = self.signatures.first().copied().unwrap_or(self.signature);
        Moment::Before { slot: self.block_number, transaction }
    }

    /// The log at a position among its own.
    #[must_use]
    pub fn log(&self, position: usize) -> Option<FoundLog> {
        let offset = u64::try_from(position).ok()?;
        Some(FoundLog {
            log: self.logs.get(position)?.clone(),
            block_number: self.block_number,
            block_hash: self.block_hash,
            block_timestamp: self.block_timestamp,
            transaction_hash: self.transaction.hash(),
            transaction_index: self.index,
            index: self.first_log_index.saturating_add(offset),
        })
    }

    /// Its logs that match addresses and topics of a filter, in order.
    pub fn matching(&self, filter: &LogFilter) -> impl Iterator<Item = FoundLog> {
        let logs = self.logs.iter().enumerate().filter(|(_, log)| filter.matches(log));
        logs.filter_map(|(position, _)| self.log(position))
    }
}

/// A block, named in one of the ways that Ethereum knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockId {
    /// The newest.
    Latest,
    /// The first.
    Earliest,
    /// By number.
    Number(u64),
    /// By hash.
    Hash(B256),
}

/// Which logs are asked for.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    /// First block.
    pub from_block: u64,
    /// Last block, included.
    pub to_block: u64,
    /// Contracts; empty means all.
    pub addresses: Vec<Address>,
    /// For each position the topics that match; empty means all.
    pub topics: Vec<Vec<B256>>,
}

impl LogFilter {
    /// Whether a log matches addresses and topics.
    #[must_use]
    pub fn matches(&self, log: &Log) -> bool {
        let address_matches = self.addresses.is_empty() || self.addresses.contains(&log.address);
        let topics = log.data.topics();
        address_matches
            && self.topics.len() <= topics.len()
            && self
                .topics
                .iter()
                .zip(topics)
                .all(|(wanted, topic)| wanted.is_empty() || wanted.contains(topic))
    }
}

/// A log and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundLog {
    /// The log.
    pub log: Log,
    /// The number of its block.
    pub block_number: u64,
    /// The hash of its block.
    pub block_hash: B256,
    /// Seconds since 1970 of its block.
    pub block_timestamp: u64,
    /// The hash of its transaction.
    pub transaction_hash: B256,
    /// The place of its transaction in the block.
    pub transaction_index: u64,
    /// Its own place among the logs of the block.
    pub index: u64,
}

/// Why the store did not answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// More logs match than are given out in one answer.
    #[error("query returned more than {max} results: narrow the block range or the filter")]
    TooManyLogs {
        /// The most logs in one answer.
        max: usize,
    },
    /// Another node of the same database has taken blocks off that were behind this one, or has put others there.
    /// [`Store::roll_back`] to it makes this node see the same.
    #[error(
        "the database is of another chain behind block {common}: another node has followed another fork of the cluster, or \
         indexes differently"
    )]
    Forked {
        /// The newest block that this node and the database have in common.
        common: u64,
    },
    /// The storage engine failed.
    #[error("the store does not answer: {0}")]
    Unavailable(String),
}

/// Blocks, transactions, receipts and logs.
#[async_trait]
pub trait Store: Send + Sync {
    /// The newest block's number.
    async fn latest(&self) -> Result<u64, StoreError>;

    /// Whether whatever keeps the blocks answers just now; what is remembered of it does not count.
    async fn check(&self) -> Result<(), StoreError> {
        self.latest().await.map(drop)
    }

    /// A block.
    async fn block(&self, id: BlockId) -> Result<Option<Arc<Block>>, StoreError>;

    /// An executed transaction.
    async fn executed(&self, hash: B256) -> Result<Option<Arc<Executed>>, StoreError>;

    /// The transactions that have a clue, in the order of blocks or backwards.
    async fn lookup(&self, lookup: &Lookup) -> Result<Vec<Arc<Executed>>, StoreError>;

    /// Logs, in the order of blocks.
    async fn logs(&self, filter: &LogFilter) -> Result<Vec<FoundLog>, StoreError>;

    /// Appends a block behind the newest.
    async fn append(&self, block: Block) -> Result<(), StoreError>;

    /// Takes off the blocks behind this one, which becomes the newest: their transactions, receipts and logs are gone. A store
    /// with a [`Journal`](crate::pool::Journal) writes the transactions down there at the same time: they may never land again.
    /// Nothing happens when it is the newest already, or not there yet; and the first block stays.
    ///
    /// Of a database of several nodes the blocks are taken off that this node has seen. Where another node has put others
    /// there meanwhile, those stay.
    async fn roll_back(&self, number: u64) -> Result<(), StoreError>;

    /// Appends blocks, one behind the other. When that fails, some may be there.
    async fn append_all(&self, blocks: Vec<Block>) -> Result<(), StoreError> {
        for block in blocks {
            self.append(block).await?;
        }
        Ok(())
    }

    /// The same, with what these blocks changed, in order. Not every store keeps that.
    async fn append_with(&self, blocks: Vec<Block>, changes: Vec<Change>) -> Result<(), StoreError> {
        let _ = changes;
        self.append_all(blocks).await
    }
}
