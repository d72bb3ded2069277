//! The program's events become Ethereum blocks.
//!
//! ```text
//! cluster ── landed Solana transactions ──▶ Decoder ── Block ──▶ store
//!                                             │ one block for every slot
//!                                             └ state carried along: holders, chain settings
//! ```
//!
//! The [`Decoder`] is pure: it turns a Solana block's instructions into an Ethereum block and tells which of them
//! it could not use. The [`Indexer`] around it waits for new slots, fetches them in bounded ranges, appends the
//! blocks to the store and tells who wants to know.
//!
//! # What is read
//! Transactions come out of the instructions that carry them, their results out of [`parhelion_wire::event`]; log
//! text and error strings are never looked at (invariant 6). An event counts only if the program itself is the
//! invoked program: nobody else can send one that succeeds.
//! Whether the program's instructions are top-level or invoked by other programs makes no difference.
//!
//! A large transaction comes in several Solana transactions, which write it into a holder, and a run in steps takes
//! several more. The decoder follows each holder and lists them. The Ethereum transaction belongs to the block of the
//! Solana transaction that ended it, which is the one that reports; steps before that report nothing.
//!
//! # Blocks
//! A block is a slot, and every slot is a block: slots without transactions become empty blocks, so that every
//! number up to the newest has a block and every block names its parent. The header is that of a post-Merge block,
//! see [`Decoder::block`] for what stands in its fields.
#![forbid(unsafe_code)]

mod block;
mod decode;
mod holders;
mod problem;
mod report;
mod service;
mod trail;

pub use block::{Tip, empty_block, genesis};
pub use decode::{Decoded, Decoder};
pub use holders::{HOLDER_BYTES_MAX, HOLDERS_MAX};
pub use problem::{Problem, ProblemKind};
pub use service::{
    Indexer, RETRY_DELAY_MAX, RETRY_DELAY_MIN, SLOTS_BEHIND_MAX, SLOTS_PER_FETCH_MAX, WARM_UP_SLOTS,
};
pub use trail::SIGNATURES_MAX;
