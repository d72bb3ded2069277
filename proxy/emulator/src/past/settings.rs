//! What the program does besides running transactions: it makes the chain, changes its settings, and takes value in.

use super::replay::Left;
use crate::ledger::SYSTEM_PROGRAM;
use crate::shell::Shell;
use parhelion_core::cluster::{Account, Clock};
use parhelion_core::emulator::EmulatorError;
use parhelion_core::past::Version;
use parhelion_sdk::address::bumps;
use parhelion_wire::account::{Balance, Config, Layout, Vault};
use parhelion_wire::address::AccountKey;
use parhelion_wire::instruction::{Configure, Initialize};
use parhelion_wire::{H160, ProgramError, Pubkey, U256, WEI_PER_LAMPORT};
use solana_address::Address;
use std::collections::HashMap;

/// `initialize`: Config and Vault.
pub(super) async fn initialized(shell: &Shell, settings: &Initialize) -> Result<Left, EmulatorError> {
    let deployment = shell.deployment;
    let Clock { slot, unix_timestamp } = shell.cluster.clock().await?;
    let (mut config_data, mut vault_data) = (vec![0; size_of::<Config>()], vec![0; size_of::<Vault>()]);
    Vault::create(&mut vault_data, slot).map_err(refused)?;
    let config = Config::create(&mut config_data, slot).map_err(refused)?;
    config.set_chain_id(settings.chain_id);
    config.set_base_fee(settings.base_fee);
    config.set_block_gas_limit(settings.block_gas_limit);
    config.authority = settings.authority;
    (config.config_bump, config.vault_bump) = bumps(&Address::from(deployment.program_id));
    config.fork = Config::FORK_OSAKA;
    config.address = deployment.config;
    config.set_genesis(slot, unix_timestamp.max(0).unsigned_abs());
    let mut left = Left::new();
    for (address, data) in [(deployment.config, config_data), (deployment.vault, vault_data)] {
        let lamports = shell.cluster.rent_exemption(data.len()).await?;
        left.push((address, Version::Present { lamports, data }));
    }
    Ok(left)
}

/// `configure`.
pub(super) async fn configured(shell: &Shell, change: &Configure) -> Result<Left, EmulatorError> {
    let address = shell.deployment.config;
    let (clock, mut accounts) = shell.fetch(&[address]).await?;
    let Account { lamports, mut data, .. } = take(&mut accounts, &address).unwrap_or_default();
    let config = Config::view_mut(&mut data).map_err(refused)?;
    config.set_base_fee(change.base_fee.unwrap_or(config.base_fee()));
    config.set_block_gas_limit(change.block_gas_limit.unwrap_or(config.block_gas_limit()));
    config.set_paused(change.paused.unwrap_or(config.paused()));
    config.authority = change.authority.unwrap_or(config.authority);
    config.header_mut().touch(clock.slot);
    Ok(vec![(address, Version::Present { lamports, data })])
}

/// `deposit`: a balance, and the vault.
pub(super) async fn deposited(shell: &Shell, address: H160, lamports: u64) -> Result<Left, EmulatorError> {
    let keys = [AccountKey::Balance(address), AccountKey::Contract(address), AccountKey::Vault];
    let [balance, contract, vault] = keys.map(|key| shell.address(&key));
    let (clock, mut accounts) = shell.fetch(&[balance, contract, vault]).await?;
    let before = take(&mut accounts, &balance);
    let exists = before.as_ref().is_some_and(|account| account.owner.to_bytes() != SYSTEM_PROGRAM);
    let Account { lamports: mut held, mut data, .. } = before.unwrap_or_default();
    if !exists {
        data = vec![0; size_of::<Balance>()];
        held = held.max(shell.cluster.rent_exemption(data.len()).await?);
        let view = Balance::create(&mut data, clock.slot).map_err(refused)?;
        if take(&mut accounts, &contract).is_some() {
            // EIP-161: a contract's nonce begins at 1.
            view.set_nonce(1);
            view.set_has_contract(true);
        }
    }
    let view = Balance::view_mut(&mut data).map_err(refused)?;
    if exists {
        view.header_mut().touch(clock.slot);
    }
    let wei = U256::from(lamports) * U256::from(WEI_PER_LAMPORT);
    let sum = view.balance().checked_add(wei).ok_or(ProgramError::InvalidArgument).map_err(refused)?;
    view.set_balance(&sum);
    let vaulted = take(&mut accounts, &vault).unwrap_or_default();
    let filled = vaulted.lamports.saturating_add(lamports);
    Ok(vec![
        (balance, Version::Present { lamports: held, data }),
        (vault, Version::Present { lamports: filled, data: vaulted.data }),
    ])
}

fn take(accounts: &mut HashMap<Pubkey, Option<Account>>, address: &Pubkey) -> Option<Account> {
    accounts.remove(address).flatten()
}

fn refused(error: ProgramError) -> EmulatorError {
    EmulatorError::State(error.text().into())
}
