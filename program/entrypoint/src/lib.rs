//! The Solana program: the executor over the accounts of an instruction.
//!
//! ```text
//! entrypoint ─▶ input (accounts, data) ─▶ processor/<instruction> ─▶ executor ─▶ ledger ─▶ accounts
//!                                              │                                    └─▶ cpi: System program
//!                                              └─▶ report: self-invocation with the event bytes
//! ```
//!
//! This is the only crate of the program that knows the Solana runtime. It trusts no account: whatever it reads is
//! first checked for owner, address, kind and version, by `ledger` for Ethereum state and by each processor for
//! the fixed accounts in front.
//!
//! Memory comes from a bump allocator over the heap that the transaction asked for; `execute` needs all 256 KiB.
#![no_std]

extern crate alloc;

mod account;
mod cpi;
mod crypto;
mod division;
mod heap;
mod input;
mod ledger;
mod memory;
mod processor;
mod report;
mod sysvar;

use input::Input;
use parhelion_wire::ProgramError;

/// Solana's entrypoint.
///
/// # Safety
/// `input` is the serialized instruction as the runtime lays it out, and nobody else uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entrypoint(input: *mut u8) -> u64 {
    // SAFETY: passed on from this function's contract.
    let result = unsafe { Input::parse(input) }.and_then(|input| processor::process(&input));
    match result {
        Ok(()) => 0,
        Err(error) => code(error),
    }
}

/// The value that makes the runtime report `Custom(error)`.
const fn code(error: ProgramError) -> u64 {
    error as u64
}
