//! The contract between the Parhelion program and everybody who speaks to it.
//!
//! This crate holds what has to stay the same on both sides of a Solana transaction: how accounts are laid out
//! ([`account`]), where they live ([`address`]), which instructions there are ([`instruction`]), how a signed
//! Ethereum transaction travels inside one ([`transaction`]), what the program reports about a run ([`event`]) and
//! with which code it refuses ([`error`]). It performs no I/O, allocates nothing on the decoding paths and
//! compiles for sBPF and the host from the same source. Cryptographic hashes are passed in as functions, because
//! on chain they are syscalls.
//!
//! # Compatibility
//! Every account begins with a kind and a version, every event with a version, every error has a number that is
//! never given to another error. A layout is changed by adding a version, never by changing the bytes of one.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod account;
pub mod address;
pub mod error;
pub mod event;
pub mod instruction;
pub mod number;
pub mod rlp;
pub mod stored;
pub mod transaction;

pub use error::ProgramError;
pub use primitive_types::{H160, H256, U256};

/// A Solana address, as its 32 bytes.
pub type Pubkey = [u8; 32];

/// A hash over the concatenation of several byte strings: SHA-256 or Keccak-256, a syscall on chain.
pub trait Hash: Fn(&[&[u8]]) -> [u8; 32] {}
impl<F: Fn(&[&[u8]]) -> [u8; 32]> Hash for F {}

/// Wei in one lamport: SOL has 9 decimals, the native token of the EVM 18.
pub const WEI_PER_LAMPORT: u64 = 1_000_000_000;
