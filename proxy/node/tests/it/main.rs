//! Integration tests of the binary: commands against a Solana RPC.
#![allow(clippy::unwrap_used)]

mod deposit;
mod dev;
mod explorer;
mod faucet;
mod operations;
mod solana;
mod translate;
