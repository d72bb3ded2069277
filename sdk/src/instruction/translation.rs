//! `translate`, `translation_close`: the translated form of a stored code, a cache that anybody may pay for.

use super::{config, of_program, system_program};
use crate::address::account_address;
use crate::convert::to_h256;
use alloy_primitives::B256;
use parhelion_wire::address::{AccountKey, Deployment};
use parhelion_wire::instruction::{Translate, TranslationClose};
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};

/// Begins the translation of a stored code in a format version, or goes on with it by up to `blocks_max` blocks (some
/// 1,500 CU each). Repeat it until the account says that it is complete.
#[must_use]
pub fn translate(
    deployment: &Deployment,
    payer: &Address,
    code_hash: B256,
    format: u8,
    blocks_max: u16,
) -> Instruction {
    let code_hash = to_h256(code_hash);
    let address = |key: &AccountKey| account_address(deployment, key);
    let accounts = vec![
        AccountMeta::new(*payer, true),
        config(deployment),
        AccountMeta::new_readonly(address(&AccountKey::Code(code_hash)), false),
        AccountMeta::new(address(&AccountKey::Translation(code_hash, format)), false),
        system_program(),
    ];
    of_program(deployment, accounts, Translate { blocks_max }.encode().to_vec())
}

/// Closes a translation; its lamports go back to `payer`, who began it.
#[must_use]
pub fn translation_close(
    deployment: &Deployment,
    payer: &Address,
    code_hash: B256,
    format: u8,
) -> Instruction {
    let account = account_address(deployment, &AccountKey::Translation(to_h256(code_hash), format));
    let accounts = vec![AccountMeta::new(*payer, true), AccountMeta::new(account, false)];
    of_program(deployment, accounts, TranslationClose.encode().to_vec())
}
