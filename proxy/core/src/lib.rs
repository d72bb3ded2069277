//! Ports and domain words of the proxy.
//!
//! Each service of the proxy is a trait here, with the types it speaks and one error enum; the crates that implement
//! or use a service depend on this crate and never on each other. Only the binary knows them all.
//!
//! | port | implemented by | what it does |
//! |---|---|---|
//! | [`cluster::Cluster`] | `solana` | reads accounts, sends Solana transactions, shows landed ones |
//! | [`emulator::Emulator`] | `emulator` | runs the program's executor off chain: reads, calls, estimates, account lists |
//! | [`rehearsal::Rehearsal`] | `solana` | a Solana VM in which the relay tries out what it is going to send |
//! | [`relay::Relay`] | `relay` | lands one Ethereum transaction as Solana transactions |
//! | [`pool::Pool`] | `pool` | accepts signed transactions and feeds them to the relay in nonce order |
//! | [`store::Store`] | `store` | blocks, transactions, receipts and logs |
//! | [`past::Replay`] | `emulator` | runs again what blocks did: the state of the past |
//! | [`past::Archive`] | `store` | accounts as they were |
//!
//! The way of a transaction: `rpc` decodes it and hands it to the [`pool`]; the pool checks it against the state that
//! the [`emulator`] reads and queues it; the [`relay`] emulates it, plans and sends Solana transactions to the
//! [`cluster`]; the indexer finds the program's events in landed Solana transactions and writes blocks into the
//! [`store`], where `rpc` finds the receipt. Who follows the chain or the pool hears of both through a [`feed`].
#![forbid(unsafe_code)]

pub mod clue;
pub mod cluster;
pub mod emulator;
pub mod feed;
pub mod past;
pub mod pool;
pub mod rehearsal;
pub mod relay;
pub mod simulation;
pub mod store;
pub mod touched;
pub mod transaction;
