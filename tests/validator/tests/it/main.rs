//! Deploying, and whole nodes, on a real Solana validator.
//!
//! `cargo xtask test --only validator` runs these tests, and names in environment variables what they need: the
//! validator, the node's binary and the program's. Each test has a validator of its own.

mod burst;
mod chain;
mod deploy;
mod history;
mod interrupted;
mod localnet;
mod past;
mod rent;
mod world;
