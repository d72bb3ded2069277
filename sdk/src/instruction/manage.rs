//! `initialize`, `configure`, `deposit`.

use super::{config, of_program, program, system_program};
use crate::address::{account_address, program_data_address};
use crate::convert::{EthereumAddress, to_h160};
use parhelion_wire::address::{AccountKey, Deployment};
use parhelion_wire::instruction::{Configure, Deposit, Initialize};
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};

/// Creates the chain. `payer` is the program's upgrade authority and pays the rent of Config and Vault.
#[must_use]
pub fn initialize(deployment: &Deployment, payer: &Address, settings: &Initialize) -> Instruction {
    let program_id = Address::new_from_array(deployment.program_id);
    let accounts = vec![
        AccountMeta::new(*payer, true),
        AccountMeta::new(Address::new_from_array(deployment.config), false),
        AccountMeta::new(Address::new_from_array(deployment.vault), false),
        AccountMeta::new_readonly(program_data_address(&program_id), false),
        system_program(),
    ];
    of_program(deployment, accounts, settings.encode())
}

/// Changes settings. `authority` is the key that the config names.
#[must_use]
pub fn configure(deployment: &Deployment, authority: &Address, changes: &Configure) -> Instruction {
    let accounts = vec![
        AccountMeta::new_readonly(*authority, true),
        AccountMeta::new(Address::new_from_array(deployment.config), false),
    ];
    of_program(deployment, accounts, changes.encode())
}

/// Moves `lamports` from `payer` into the vault and credits them to an Ethereum address.
///
/// When the address has no Balance account yet, the payer pays its rent on top.
#[must_use]
pub fn deposit(
    deployment: &Deployment,
    payer: &Address,
    address: EthereumAddress,
    lamports: u64,
) -> Instruction {
    let address = to_h160(address);
    let accounts = vec![
        AccountMeta::new(*payer, true),
        config(deployment),
        AccountMeta::new(Address::new_from_array(deployment.vault), false),
        AccountMeta::new(account_address(deployment, &AccountKey::Balance(address)), false),
        AccountMeta::new_readonly(account_address(deployment, &AccountKey::Contract(address)), false),
        program(deployment),
        system_program(),
    ];
    of_program(deployment, accounts, Deposit { address, lamports }.encode().to_vec())
}
