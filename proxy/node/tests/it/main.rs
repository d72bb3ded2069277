//! Integration tests of the binary: commands against a Solana RPC.
#![allow(clippy::unwrap_used)]

mod deposit;
mod dev;
mod development;
mod explorer;
mod faucet;
mod operations;
mod past;
mod solana;
mod translate;
