//! Solana's upgradeable loader: where it keeps a program, and the instructions that put one there.
//!
//! ```text
//! program account (its address is the program id) ──▶ ProgramData: slot, upgrade authority │ the ELF file, zeros
//! buffer account: authority │ the ELF file, as far as it is written
//! ```
//!
//! A program is written into a buffer piece by piece, and becomes the program in one instruction, which also gives the
//! buffer's lamports back. The buffer's address is derived from the authority and the program id
//! ([`buffer_address`]): who deploys or upgrades a program once more, after an interruption or with other bytes, finds
//! the buffer of the last time without having kept anything.
//!
//! The loader decodes instructions of at most one old packet (1,232 bytes), however large the transaction: a V1
//! transaction holds several [`write()`]s.

mod account;
mod instruction;
#[cfg(test)]
mod tests;

pub use account::{LoaderAccount, PROGRAM_BYTES, buffer_bytes, program_data_bytes};
pub use instruction::{
    EXTEND_BYTES_MIN, PIECE_BYTES_MAX, buffer_address, close_buffer, create_buffer, deploy, extend, upgrade,
    write,
};
pub use solana_sdk_ids::bpf_loader_upgradeable::ID;
