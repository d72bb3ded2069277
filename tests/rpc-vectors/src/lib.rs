//! Ethereum's request and response vectors against the real JSON-RPC server.
//!
//! ```text
//! data (folder or archive) ─┬▶ vectors: requests and the answers to them ──────────────┐
//!                           └▶ chain: blocks ─▶ revm ─▶ receipts ─▶ SQLite ─┐           ▼
//!                                     state at its end ─▶ accounts ─▶ emulator ─▶ server ─▶ compare ─▶ rules ─▶ report
//! ```
//!
//! The vectors are of ethereum/execution-apis. They belong to a chain of 54 blocks, all forks of Ethereum, which no cluster
//! could have come to: so its blocks are put into the node's store, and its state into accounts as the program lays them
//! out. Everything in front of these two is the node's own: server, methods, pool, emulator, executor, store.
//!
//! | file | what |
//! |---|---|
//! | `data`, `vector` | the files, and what is in them |
//! | `genesis`, `history` | blocks of the chain, with the receipts that running them gives |
//! | `state`, `cluster` | the state at its end, as a cluster's accounts |
//! | `node` | puts the node's services together |
//! | `compare` | whether two answers are the same, or of the same types |
//! | `rules` | where this chain is another one: `rules.txt`, a reason a line |
//!
//! The same node is asked what no client would ask, by the binary `rpc-fuzz`:
//!
//! | file | what |
//! |---|---|
//! | `mutate` | the vectors' requests, changed at random |
//! | `answer` | whether what comes back is an answer |
//! | `panics`, `memory` | what the node must not have, and how much it may have |
//!
//! Rent is free here, so that gas is what Ethereum says.
#![forbid(unsafe_code)]

pub mod answer;
pub mod compare;
pub mod data;
pub mod memory;
pub mod mutate;
pub mod node;
pub mod panics;
pub mod rules;
pub mod vector;

mod cluster;
mod genesis;
mod history;
mod relay;
mod state;
