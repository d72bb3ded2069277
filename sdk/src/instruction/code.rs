//! `code_reserve`, `code_release`: room for code that is larger than one instruction may make.

use super::{config, of_program, system_program};
use crate::address::account_address;
use crate::convert::to_h256;
use alloy_primitives::B256;
use parhelion_wire::account::Code;
use parhelion_wire::address::{AccountKey, Deployment};
use parhelion_wire::instruction::{CodeRelease, CodeReserve};
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};

/// Makes or grows, by at most [`parhelion_wire::account::GROWTH_MAX`] bytes, the room for a code of `code_length`
/// bytes whose Keccak-256 is `code_hash`. Repeat it, also within one transaction, until the account has
/// [`Code::account_length`] bytes.
#[must_use]
pub fn code_reserve(
    deployment: &Deployment,
    payer: &Address,
    code_hash: B256,
    code_length: usize,
) -> Instruction {
    let code_hash = to_h256(code_hash);
    let accounts = vec![
        AccountMeta::new(*payer, true),
        config(deployment),
        AccountMeta::new(account_address(deployment, &AccountKey::Code(code_hash)), false),
        system_program(),
    ];
    // A length beyond 32 bits is beyond every account, the program refuses it like any other that is too large.
    let account_length = u32::try_from(Code::account_length(code_length)).unwrap_or(u32::MAX);
    of_program(deployment, accounts, CodeReserve { code_hash, account_length }.encode().to_vec())
}

/// Closes a reservation that never became code; its lamports go back to `payer`, who made it.
#[must_use]
pub fn code_release(deployment: &Deployment, payer: &Address, code_hash: B256) -> Instruction {
    let code = account_address(deployment, &AccountKey::Code(to_h256(code_hash)));
    let accounts = vec![AccountMeta::new(*payer, true), AccountMeta::new(code, false)];
    of_program(deployment, accounts, CodeRelease.encode().to_vec())
}
