//! The program's instructions, ready to be put into a Solana transaction.
//!
//! The encodings and account orders are those of [`parhelion_wire::instruction`]; one function builds one
//! instruction. Where an instruction proves or needs another one in the same transaction, the function says so.

mod code;
mod holder;
mod manage;
mod run;
mod steps;
mod translation;

pub use code::{code_release, code_reserve};
pub use holder::{close_holder, holder_close, holder_create, holder_write};
pub use manage::{configure, deposit, initialize};
pub use run::{EnvelopeTooLarge, RunAccount, SignatureProof, execute, execute_from_holder, secp256k1_proof};
pub use steps::Run;
pub use translation::{translate, translation_close};

use parhelion_wire::address::Deployment;
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};

/// An instruction of the program.
fn of_program(deployment: &Deployment, accounts: Vec<AccountMeta>, data: Vec<u8>) -> Instruction {
    Instruction { program_id: Address::new_from_array(deployment.program_id), accounts, data }
}

/// The config, read-only.
fn config(deployment: &Deployment) -> AccountMeta {
    AccountMeta::new_readonly(Address::new_from_array(deployment.config), false)
}

/// The program itself, which is invoked to report events.
fn program(deployment: &Deployment) -> AccountMeta {
    AccountMeta::new_readonly(Address::new_from_array(deployment.program_id), false)
}

/// The System program, which creates accounts and moves lamports of others.
fn system_program() -> AccountMeta {
    AccountMeta::new_readonly(solana_sdk_ids::system_program::ID, false)
}

#[cfg(test)]
mod tests;
