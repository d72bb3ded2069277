//! Client crate for Parhelion, the EVM inside Solana.
//!
//! | module | for |
//! |---|---|
//! | [`address`] | where the program's accounts live |
//! | [`instruction`] | the program's instructions, ready to be put into a Solana transaction |
//! | [`transaction`] | signing them into a transaction of the right format, and its limits |
//! | [`event`] | what the program reported about a run |
//! | [`failure`] | what a failed transaction says about the program |
//! | [`loader`] | Solana's upgradeable loader: how a program gets onto the chain |
//! | [`client`] | a typed client: balances, deposits, sending and confirming |
//! | [`withdraw`] | the Ethereum call that pays value out to a Solana account |
//! | [`convert`] | between the number and address types of the two worlds |
//!
//! Solana addresses are [`solana_address::Address`], Ethereum addresses [`alloy_primitives::Address`], named
//! [`EthereumAddress`] here so that the two are never confused.
//!
//! # Example
//! The instruction that moves one SOL into an Ethereum address:
//! ```
//! use parhelion_sdk::{EthereumAddress, address, instruction};
//! use solana_address::Address;
//!
//! let program_id = Address::new_from_array([7; 32]);
//! let deployment = address::deployment(&program_id);
//! let payer = Address::new_from_array([8; 32]);
//! let deposit = instruction::deposit(&deployment, &payer, EthereumAddress::repeat_byte(1), 1_000_000_000);
//! assert_eq!(deposit.program_id, program_id);
//! ```
//!
//! Runnable programs are in the folder `examples`.
#![forbid(unsafe_code)]

pub mod address;
pub mod client;
pub mod convert;
pub mod event;
pub mod failure;
pub mod instruction;
pub mod loader;
pub mod transaction;
pub mod withdraw;

pub use convert::EthereumAddress;
pub use parhelion_wire as wire;
