//! Runs in steps: transactions that do not fit one Solana transaction.
//!
//! ```text
//!          ┌────────────────────────────────────────────────────────────────────────────────────────┐
//!          ▼                                                                                        │ it is not over
//! look at the holder ─▶ emulate ─▶ rehearse: marks ─▶ send the opening ─▶ send the steps ─▶ send the last ─▶ over
//!    no run: from the start                              writes, `begin`,    all at once,
//!    a run: from where it is                             first step          in any order
//! ```
//!
//! Where a run is, its holder tells, and nothing else: whatever got lost on the way, the next round looks again and goes on
//! from there. So the same code goes on with runs of a node that was killed, and with those of others ([`crate::keeper`]).
//!
//! * **Emulation** (`prepare`) runs the same step natively, to its end: it gives the accounts, and how much stack and
//!   memory the holder needs.
//! * **Rehearsal** (`trial`, [`sizing`]) runs the real program in a VM of the node's own: it gives the marks of gas at
//!   which each step has nearly used up what a Solana transaction has.
//! * A run that uses more accounts than a Solana transaction lists is *spread* (`lists`): each step lists what its part of
//!   the run uses, so they go one after another, and before the last one what was read is locked.
//! * All steps but the last read only. They name no beginning, each goes on to the next mark, so they are sent without
//!   waiting for one another, and a lost one is like any other. The last one, which writes, comes when they have landed.

pub mod sizing;

mod drive;
mod lists;
mod prepare;
mod sequence;
mod trial;

pub(crate) use drive::Ended;
