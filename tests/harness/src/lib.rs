//! Shared pieces of the integration tests: a chain over the real program binary in a Solana VM, wallets, contracts.
//!
//! The program under test is always the sBPF binary that `PARHELION_PROGRAM` names (`cargo xtask test` builds it and
//! sets the variable). A test never runs a native stand-in of the program, except to compare it with the binary
//! ([`chain::Chain::run`] emulates every transaction, runs it on chain, and compares both).
#![forbid(unsafe_code)]

pub mod arithmetic;
pub mod bodies;
pub mod body_row;
pub mod chain;
pub mod contracts;
pub mod interposed;
pub mod interpreters;
pub mod measure;
pub mod report;
pub mod row;
pub mod script;
pub mod steps;
pub mod translation_row;
pub mod wallet;
pub mod workloads;
