//! Translates the code that earns it, in the background.
//!
//! ```text
//! Sender ── Landed: codes, compute units ──▶ tally ─▶ rule ─▶ translate, one Solana transaction after another
//!          (bounded; dropped when full)                         ▲   │ the account is read before each one
//!                                                               └───┘ until it is complete
//! ```
//!
//! Nothing waits for this: a translation is a cache. Only calls make it go on, so a code that nobody calls any more
//! costs nothing any more.
//!
//! How far a translation is stands in its account, and the decision is made anew before each step:
//!
//! | the account | what happens |
//! |---|---|
//! | is not there | begun, once it is earned ([`rule`]) |
//! | unfinished, the operator's | finished: after a restart with the first call that finds it |
//! | unfinished, a stranger's | gone on with, if the rent that it takes is earned in full: the stranger gets it in the end |
//! | complete | used by whoever lists it; the operator's counts in what it spends at most |
//!
//! A code whose translation would be too long is found out off chain, by the same translator, before anything is spent.

pub mod rule;
mod service;
mod size;
mod tally;

pub use parhelion_evm::translation::VERSION as FORMAT;
pub use service::{Landed, Notes, Settings, Translations};
