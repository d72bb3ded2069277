//! Lands Ethereum transactions on Solana.
//!
//! ```text
//! emulate ─▶ plan (pure) ─▶ try the last transaction ─▶ send one after another ─▶ signatures
//!    ▲                             │ does not fit: run in steps, or refused, and nothing was spent
//!    └── the state moved on ◀──────┴──── the program asks for another account, or to write one
//! ```
//!
//! A plan is the shortest list of Solana transactions that executes one Ethereum transaction ([`plan::plan`], a
//! pure function). The usual one has a single step: a secp256k1 instruction that proves the signature, and `execute`.
//! A transaction that is too large for that is written into a holder first, but for its end, which goes with the
//! execution. What does not fit one Solana transaction even so runs in [`steps`]; the [`keeper`] ends runs that were left.
//!
//! A sender's consecutive transactions land in one Solana transaction, as many as fit one (`together`).
//!
//! All are of transaction format V1. Where a cluster lacks that, they are of the legacy format, or of V0 with lookup
//! tables, which the relay writes where they make a plan possible or shorter (`tables`).
//!
//! A plan lists the translations of the codes that run, as far as they find room; the codes that earn one get it
//! ([`translation`]).
//!
//! Only the last transaction of a plan executes, and it does so atomically: whatever fails before costs the operator a fee and the
//! sender nothing.
#![forbid(unsafe_code)]

mod holders;
pub mod keeper;
mod once;
mod operator;
pub mod plan;
mod record;
mod service;
mod shape;
mod stage;
pub mod steps;
mod tables;
mod together;
pub mod translation;

pub use operator::Operator;
pub use service::Sender;
pub use shape::Shape;
