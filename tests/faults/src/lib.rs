//! Kills nodes, breaks their cluster in every way that a cluster breaks, and looks whether anything was lost.
//!
//! ```text
//! seed ─▶ Schedule ─▶ users ── submit ──▶ Node: pool, relay, keeper, indexer, store
//!              │                            │ trait Cluster
//!              ├ kills, weather ──▶ FaultyCluster: what becomes of a call
//!              │                            │
//!              └ order of calls ──▶ Gate ── one at a time ──▶ SvmCluster: the real program in a Solana VM
//!                                                                  │
//!                                       audit ◀── receipts, balances, holders
//! ```
//!
//! A [`schedule::Schedule`] says who sends which transactions, when which node is killed, and how bad the weather is. All
//! of it, and all that happens then, follows from a seed:
//!
//! * Time is tokio's paused time: it moves on when nothing else can. A schedule that waits for hours takes milliseconds.
//! * Every call of every node waits at the [`gate`]. When all that can run has run, one of the waiting calls is let
//!   through, drawn by the seed. So calls overtake one another as they do on a cluster, and still one seed is one run
//!   ([`network::Network::trace`] tells two runs apart).
//! * What becomes of a call ([`fate::Fate`]) is drawn from the seed and the call's number.
//!
//! A storm lasts for minutes at most; then the weather is [`fate::Weather::CALM`], all operators' nodes come back, and
//! everything must come to an end. The [`audit`] compares with what a faultless run of the same transactions gives.
#![forbid(unsafe_code)]

pub mod audit;
pub mod cluster;
pub mod contracts;
pub mod counts;
pub mod fate;
pub mod gate;
pub mod historian;
pub mod kind;
pub mod network;
pub mod node;
pub mod operators;
pub mod past;
pub mod scene;
pub mod schedule;
pub mod story;
pub mod users;
