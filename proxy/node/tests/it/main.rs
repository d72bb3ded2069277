//! Integration tests of the binary: commands against a Solana RPC.
#![allow(clippy::unwrap_used)]

mod deposit;
mod solana;
mod translate;
