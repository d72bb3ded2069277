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
//!
//! # Forks
//! A block is indexed when its slot is confirmed: two thirds of the stake have voted for it. It is compared once more when
//! its slot is finalized, by what it was made of: the hash of the Solana block before, and the signatures of the program's
//! transactions. That costs a question for each new finalized slot, and one for each block with transactions; slots that
//! were final when they were read are not asked about again. At the first block that is not the final one, it and those
//! behind it are taken off the store, their removal is told ([`ChainEvent::Removed`](parhelion_core::feed::ChainEvent)), and
//! indexing goes on behind the newest that stays, as after a start.
//!
//! Blocks that were in the store at the start may have been dropped while the node did not run. They are not taken off
//! without need, as other nodes may serve them from the same database: the newest [`UNSETTLED_SLOTS`] are compared as the
//! others are, by their `mixHash` and the signatures that they list, which are in the database. Nothing has to be written
//! down for that. Where one differs, the blocks before are compared as well, back to one with transactions that is the final
//! one: a cluster may have been further behind with finalizing when the node stopped. Only what it dropped that long ago is
//! not found if nothing differs in these seven minutes.
//!
//! Where several nodes share a database, the one that notices first takes the blocks off. The others find out when they
//! append ([`StoreError::Forked`](parhelion_core::store::StoreError)), tell the removal too, and go on with what is there.
//!
//! # Gaps
//! An indexer that is far behind, after a pause of the node, reads the slots with transactions only. Where the cluster has
//! forgotten the slots that come next, it adds no block until they can be had: it says so in the log, and the node serves
//! what it has. Going on behind a gap would make blocks without transactions that had some, and no later correction.
#![forbid(unsafe_code)]

mod block;
mod decode;
mod holders;
mod problem;
mod report;
mod service;
mod trail;
mod unsettled;

pub use block::{Tip, empty_block, genesis};
pub use decode::{Decoded, Decoder};
pub use holders::{HOLDER_BYTES_MAX, HOLDERS_MAX};
pub use problem::{Problem, ProblemKind};
pub use service::{
    Indexer, RETRY_DELAY_MAX, RETRY_DELAY_MIN, SLOTS_BEHIND_MAX, SLOTS_PER_FETCH_MAX, UNSETTLED_SLOTS,
    WARM_UP_SLOTS,
};
pub use trail::SIGNATURES_MAX;
