//! The mempool: nonce queues that feed the relay.
//!
//! ```text
//! rpc ── submit ──▶ checks ──▶ queue of its sender ── in nonce order ──▶ Relay::land ──▶ settled
//!                   │ chain id, fees, nonce, known,       │ many senders at once, one transaction each
//!                   │ funds, Relay::check                 └ bounded repeats while the cluster fails
//!                   └ PoolError
//! ```
//!
//! [`MemoryPool`] serves the [`Pool`](parhelion_core::pool::Pool) port. It keeps its transactions in memory: what
//! has not landed when the process ends is forgotten, unless a [`DurablePool`] around it writes them down.
//! [`MemoryPool::run`] is the worker; without it transactions are accepted and wait.
//!
//! # The states of a transaction
//! ```text
//!            ┌────────┐ ── the gap closes ──▶ ┌───────┐ ── its turn ──▶ ┌───────────┐ ── landed ──▶ ┌─────────┐
//! submit ──▶ │ Gapped │                       │ Ready │                 │ In flight │               │ Settled │
//!            └────────┘ ◀── a gap opens ───── └───────┘ ◀── undecided ─ └───────────┘               └─────────┘
//!                │                                │                           │          the store has it │
//!                │ replaced, expired, nonce used  │ the same                  │ refused                   │
//!                ▼                                ▼                           ▼                           ▼
//!            ┌──────────────────────────────────────────────────────────────────┐                     forgotten
//!            │ Dropped, with the reason                                         │
//!            └──────────────────────────────────────────────────────────────────┘
//! ```
//! * **Gapped**: a nonce before its own is neither in the pool nor used. At most [`Limits::nonce_ahead_max`] nonces
//!   may lie between. The worker looks now and then whether another proxy closed the gap.
//! * **Ready**: every nonce before its own is used or waits here. It can be replaced by a transaction with the same
//!   nonce, as a gapped one can, if both fees are at least 10 % higher.
//! * **In flight**: handed to the relay; cannot be replaced any more. A sender has one turn at a time, and
//!   [`Limits::together_max`] consecutive transactions in it at most: the relay lands as many of them as it can in one
//!   Solana transaction, in which their order is certain. There are [`Limits::landings_max`] turns at a time. An attempt
//!   that fails for a reason that may pass is repeated with the first transaction alone, [`Limits::attempts_max`] times
//!   in a turn. Undecided is a turn that a stop cut short, or one whose last attempt failed for such a reason: others
//!   have their turns, then it has another one. So a cluster that does not answer costs nobody a transaction.
//! * **Settled**: landed; or its nonce was found used after an attempt whose answer was lost, which most likely means
//!   landed. It stays visible until the store answers for it, at most [`Limits::settled_for`]. Then it is submitted once
//!   more: if its nonce is not used, it landed on a fork that the cluster has dropped.
//! * **Dropped**: it will not land from here. The reason is remembered for the newest [`Limits::dropped_max`]. Those
//!   that wait behind it become gapped.
//!
//! A transaction in the states Gapped, Ready and In flight counts as waiting: against the bounds of the pool, and
//! against its sender's funds.
//!
//! # Whose turn it is
//! Of the senders who are ready, whose next transaction pays the operator most (its priority fee at the base fee of the time
//! when it came), then who came first. What was tried before and did not land, and what may be behind a gap, waits in a line
//! of its own and has half of the turns at most: trouble that lasts holds up nobody else.
//!
//! # A full pool
//! There is room for [`Limits::transactions_max`], and for [`Limits::sender_transactions_max`] of a sender. When it is
//! full, whoever pays more drives out what pays least: transactions behind a gap first, and of a sender always the last
//! one. What is in flight, or was, stays. Who pays too little for that is refused.
#![forbid(unsafe_code)]

mod accounts;
mod admission;
mod durable;
mod eviction;
mod hold;
mod limits;
mod line;
mod pool;
mod queue;
mod recent;
mod verdict;
mod worker;

pub use durable::DurablePool;
pub use limits::Limits;
pub use pool::MemoryPool;
pub use queue::{DropReason, Size, Status};
