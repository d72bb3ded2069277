//! Puts the program onto a cluster, through the cluster's port.
//!
//! ```text
//! deploy:   read ─▶ [close a buffer of another size] ─▶ create the buffer ─▶ write what differs ─▶ deploy ─▶ compare
//! upgrade:  read ─▶ [close …] ─▶ create the buffer ─▶ write what differs ─▶ [extend] ─▶ upgrade ─▶ compare
//! ```
//!
//! * Everything starts from what the chain holds: whatever was interrupted, the same call goes on from there. Nothing is
//!   kept on this machine. The buffer's address is derived from the authority and the program id, so it is found again,
//!   for other bytes too; [`Deployer::abandon`] gives its rent back.
//! * Writes are independent of each other, so many are on their way at once ([`Settings::window`]). After each round the
//!   buffer is read and what still differs is written again, at most [`ROUNDS_MAX`] times: lost transactions, expired
//!   blockhashes and a damaged buffer are all the same to it.
//! * Transactions are of format V1, with three pieces each; where the cluster lacks it, of format V0 with one.
//! * A program runs from the slot after its deployment on, and changes at most once a slot: [`Deployer`] waits for that.
//! * Nothing counts as deployed before its bytes were read back and compared ([`verify`]).
#![forbid(unsafe_code)]

mod buffer;
mod chain;
mod error;
mod on_chain;
mod plan;
mod program;
mod progress;
mod session;
mod verify;

#[cfg(test)]
mod tests;

pub use buffer::ROUNDS_MAX;
pub use chain::{Chain, Operator};
pub use error::DeployError;
pub use on_chain::{OnChain, on_chain};
pub use plan::{Piece, differences, first_difference};
pub use program::{Deployed, Upgraded};
pub use progress::{Progress, Silent};
pub use session::{Deployer, Settings};
pub use verify::{Verified, verify};
