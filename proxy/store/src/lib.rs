//! Blocks, transactions, receipts and logs.
//!
//! [`SqlStore`] serves the [`Store`](parhelion_core::store::Store) port of a node in front of a cluster, in SQLite or
//! Postgres, and keeps what the pool has accepted ([`SqlJournal`]). [`MemoryStore`] serves the development node, and tests
//! whose clock is not the real one: it forgets everything when the process ends. Both answer the same.
//!
//! # Block numbers
//! A block's number is its Solana slot. Ethereum clients expect a block for every number up to the newest, each
//! naming its parent by hash, but the program does not run in every slot. So the rule is: **every slot is a block**.
//! Whoever appends (the indexer) appends an empty block for a slot without transactions, and the store refuses a
//! block that does not follow its newest by number and parent hash. The first block, the genesis, has the number
//! that the store was made with: 0 in the development node, the slot before the chain was made on a cluster. There
//! are no blocks below it.
//!
//! # Logs
//! For each contract, and for each topic at its position, there is an ascending list of the logs that have it. A query
//! finds the part of its filter that lets fewest logs of its block range through, walks their lists, and checks the rest of
//! the filter on each log that it meets. In a database it looks up first which of them another part lets through as well.
//!
//! # Lookups
//! For each [`Clue`](parhelion_core::clue::Clue) there is an ascending list of the transactions that have it.
#![forbid(unsafe_code)]

mod memory;
mod sql;

pub use memory::MemoryStore;
pub use sql::{SqlJournal, SqlStore};

/// The most logs in one answer.
pub const LOGS_MAX: usize = 10_000;
