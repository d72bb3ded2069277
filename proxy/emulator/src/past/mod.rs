//! The state of the past: what blocks did is run again, natively, and what it leaves is kept.
//!
//! ```text
//! a block's landings ▶ Historian ─▶ the executor, over accounts as they were before (View) ─▶ changes ─▶ the store
//!                                                                                               │
//! eth_call at an older block, debug_trace* ─▶ Shell over a View at that point ◀── the archive ◀─┘
//! ```
//!
//! # What is known
//! * The chain's beginning is known: nothing was there. So an account that no change in the archive names did not exist. A
//!   node whose database does not begin with the chain has no past.
//! * Each transaction that is run again is compared with its receipt: outcome, gas, rent gas and logs. If it is not the same,
//!   all accounts that its instruction lists are unknown from there on, and so is what is computed from them. Nothing is
//!   guessed: whoever asks for an unknown account is told so. The cluster is asked about unknown accounts, and they are known
//!   again from some slots later on ([`unknowns`]).
//! * A run in steps sees the block values of its attempt's first step, and which of its steps that was is not written
//!   anywhere. If nothing that it used has changed since the first one, it was the first one. Else it is run with each of
//!   them, and what it left is known if all that fit its receipt left the same. PREVRANDAO is that of the step that asks
//!   for it first: of a run with steps in several slots that asks for it, what it changed is unknown.
//! * The slot hashes (BLOCKHASH, PREVRANDAO) are the cluster's newest: they are kept with a block whose transactions ask for
//!   them. An indexer that is far behind does not get them any more, and what used them is unknown then.
//! * Anybody can give lamports to an account, and who closes a Cell gets what is in it. So what accounts held before and behind
//!   a Solana transaction is taken from the cluster. If somebody gives lamports to a Cell in the same Solana transaction that
//!   closes it, what that changed is unknown.
//!
//! # What is forgotten
//! Where a node keeps the past of the newest blocks only, [`forget_past`] deletes what was replaced before one of them: each
//! account's newest version up to there is left. A question about an older block finds that block's values forgotten, and is
//! told so, also if that happens while it is answered.
//!
//! # What is no account
//! What belongs to a point of the history besides accounts is kept like an account, at an address that is none
//! ([`record`]): time and rent price of a block, its slot hashes, and runs in steps.

mod historian;
mod record;
mod replay;
mod settings;
mod stepped;
mod unknowns;
mod view;

pub use historian::{Historian, forget_past};
pub(crate) use historian::{shell_at, shell_before};
