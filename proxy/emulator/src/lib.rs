//! Runs the program's executor off chain: reads, calls, estimates, and the account list of a transaction.
//!
//! The executor is synchronous and knows no network. A run that asks for an account which is not at hand stops with
//! a *miss*; the shell around it fetches and runs again:
//!
//! ```text
//! addresses to fetch ─▶ Cluster::accounts (one batch, one slot) ─▶ run ─▶ result and account uses
//!        ▲                                                          │
//!        └──────────────── addresses that were missing ◀────────────┘   at most ROUNDS_MAX times
//! ```
//!
//! Every round reads all addresses again, so one run sees one state. What a run touched is remembered for the
//! contract and function that it called, so the next such run mostly takes one round.
//!
//! Calls are tried briefly first, with little gas, memory and stack, on the thread that asks. What needs more runs from the
//! beginning on a thread that may compute for long; nothing that a contract can see tells the two apart.
//!
//! What the run used and wrote is recorded by [`Recorder`], on the executor's requests: the account list is never a
//! guess (invariant 4).
//!
//! A call may run over accounts that are changed first (`overrides`), and may be watched: a `watcher` hears of every
//! opcode, call and creation, which is what traces and access lists are made of. Calls can also run one behind the other
//! (`simulate`): what each leaves is put together from what its watcher heard.
//!
//! What blocks did is run again (`past`): so accounts of the past are known, which a cluster does not tell.
#![forbid(unsafe_code)]

mod access_list;
mod crypto;
mod edit;
mod estimate;
mod execution;
mod journal;
mod ledger;
mod overrides;
mod past;
mod read;
mod room;
mod session;
mod shell;
mod simulate;
mod spread;
mod steps;
mod touched;
mod trace;
mod unsigned;
mod watcher;

pub use crypto::Native;
pub use ledger::{Known, Recorder, Use};
pub use overrides::Seen;
pub use past::{Historian, forget_past};
pub use shell::Shell;
pub use unsigned::Unsigned;
