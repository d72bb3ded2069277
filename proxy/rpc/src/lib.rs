//! The JSON-RPC server: HTTP and WebSocket on one port.
//!
//! This crate knows JSON-RPC and nothing else: every answer comes from the ports of `parhelion-core`, and no other
//! crate knows a JSON-RPC error code.
//!
//! ```text
//! HTTP ──▶ client ──▶ health ──▶ pages ──▶ CORS ──▶ framing ──▶ jsonrpsee ─┐
//!                                                                          ├──▶ calls ──▶ a method ──▶ Emulator, Pool, Store
//! WebSocket ──▶ client ─────────────────────────────▶ jsonrpsee ───────────┘
//! ```
//!
//! | file | what |
//! |---|---|
//! | `server` | puts it together, with limits; stops gracefully |
//! | `listener` | accepts connections |
//! | `client` | who asks: the peer, or whom a trusted proxy names |
//! | `health` | `/health` and `/ready` |
//! | `pages` | web pages of whoever embeds the server, on the same port |
//! | `framing` | HTTP bodies that are no JSON-RPC: an error that says what is wrong |
//! | `calls` | around every call: unknown methods, rate and time limit, batches, metrics, tracing |
//! | `rate_limit` | how many requests an address may make |
//! | `metrics`, `exposition` | what is counted, and how Prometheus reads it |
//! | `module` | registers methods; extensions (such as the dev node's) use it too |
//! | `arguments` | positional parameters |
//! | `block_id` | block tags, numbers and hashes |
//! | `convert` | the proxy's blocks, transactions, receipts and logs as Ethereum clients read them |
//! | `error`, `revert` | every error code and text |
//! | `wallet`, `typed_data` | accounts that the node signs for, on development chains |
//! | `follower`, `filters`, `ids` | what happens to the chain, for one client |
//! | `eth/`, `net`, `web3`, `txpool`, `debug`, `ots`, `parhelion` | the methods, a file a family |
//!
//! # What differs from an Ethereum node
//! * Where the state of a block is not known (see `parhelion_emulator::past`), the methods that read state give an error
//!   instead of the wrong answer.
//! * `pending` and `safe` name the newest block. It is confirmed, which is to say that two thirds of the stake have voted for
//!   it: what Ethereum calls justified. `pending` counts waiting transactions only in `eth_getTransactionCount`.
//! * `finalized` names the newest block that Solana has finalized, some 32 slots (13 seconds) behind the newest. A block
//!   before it never changes; one behind it is taken back should the cluster settle on another fork. A development chain
//!   has no forks: there it is the newest.
//! * The base fee is constant and every fee goes to the operator, so `eth_maxPriorityFeePerGas` is 0.
//! * Receipts have six more fields, see [`Receipt`]: `solanaSignature`, `solanaSignatures`, `computeUnits`,
//!   `totalComputeUnits`, `rentGas` and `outcome`.
//! * Reads of one batch run concurrently; a call that may write waits for those in front of it and runs alone.
//! * The id of a request is a text, a number, a boolean or null. Over WebSocket a number has to be one from 0 to 2^64 - 1, and
//!   requests with other numbers or booleans have no answer.
//! * There are no uncles, and state overrides move no precompiles.
//! * Simulated blocks have no state root, a base fee that does not change, and calls that pay no rent. Who is named their
//!   coinbase gets all of the fees. Their BLOCKHASH of the block that they follow is that block's hash here.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod arguments;
mod block_id;
mod calls;
mod client;
mod convert;
mod cross_origin;
mod debug;
mod error;
mod eth;
mod exposition;
mod filters;
mod follower;
mod foreign_ids;
mod framing;
mod health;
mod ids;
mod listener;
mod metrics;
mod module;
mod named;
mod net;
mod ots;
mod pages;
mod parhelion;
mod rate_limit;
mod revert;
mod server;
mod services;
mod txpool;
mod typed_data;
mod wallet;
mod web3;

pub use arguments::Arguments;
pub use client::{NoProxy, TrustedProxy};
pub use convert::Receipt;
pub use error::RpcError;
pub use exposition::Exposition;
pub use health::Readiness;
pub use jsonrpsee::{Methods, server::RegisterMethodError};
pub use metrics::Metrics;
pub use module::Module;
pub use pages::Pages;
pub use rate_limit::RateLimit;
pub use server::{Config, CorsOrigins, Limits, Running, ServeError, serve};
pub use services::Services;
pub use wallet::Wallet;
