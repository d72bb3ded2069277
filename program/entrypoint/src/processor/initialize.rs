//! initialize: the program's upgrade authority creates the chain.

use crate::account::Account;
use crate::cpi::{self, Derivation};
use crate::input::Input;
use crate::sysvar::{self, Clock};
use parhelion_wire::account::{ACCOUNT_STORAGE_OVERHEAD, Config, Layout, Vault};
use parhelion_wire::address::{CONFIG_SEED, VAULT_SEED};
use parhelion_wire::instruction::Initialize;
use parhelion_wire::{ProgramError, Pubkey};
use solana_define_syscall::definitions::sol_try_find_program_address;

/// The upgradeable loader, `BPFLoaderUpgradeab1e11111111111111111111111`.
const UPGRADEABLE_LOADER: Pubkey = [
    2, 168, 246, 145, 78, 136, 161, 176, 226, 16, 21, 62, 247, 99, 174, 43, 0, 194, 185, 61, 22, 193, 36,
    210, 192, 83, 122, 16, 4, 128, 0, 0,
];

/// Creates Config and Vault.
pub(super) fn process(input: &Input<'_>, data: &[u8]) -> Result<(), ProgramError> {
    let [payer, config, vault, program_data] = input.first()?;
    payer.require_signer()?;
    payer.require_writable()?;
    check_upgrade_authority(&payer, &program_data, input.program_id)?;
    let settings = Initialize::decode(data)?;
    if settings.chain_id == 0 || settings.base_fee == 0 || settings.block_gas_limit == 0 {
        return Err(ProgramError::InvalidArgument);
    }
    let (config_address, config_bump) = find_address(CONFIG_SEED, input.program_id)?;
    let (vault_address, vault_bump) = find_address(VAULT_SEED, input.program_id)?;
    config.require_key(&config_address)?;
    vault.require_key(&vault_address)?;
    if config.is_owned_by(input.program_id) {
        return Err(ProgramError::AlreadyInitialized);
    }
    let Clock { slot, unix_timestamp, .. } = Clock::get()?;
    create::<Config>(&payer, &config, &[CONFIG_SEED, &[config_bump]], input.program_id)?;
    create::<Vault>(&payer, &vault, &[VAULT_SEED, &[vault_bump]], input.program_id)?;
    // SAFETY: no other view of the account's data is alive.
    Vault::create(unsafe { vault.data_mut() }, slot)?;
    // SAFETY: no other view of the account's data is alive.
    let view = Config::create(unsafe { config.data_mut() }, slot)?;
    view.set_chain_id(settings.chain_id);
    view.set_base_fee(settings.base_fee);
    view.set_block_gas_limit(settings.block_gas_limit);
    view.authority = settings.authority;
    view.config_bump = config_bump;
    view.vault_bump = vault_bump;
    view.fork = Config::FORK_OSAKA;
    view.address = config_address;
    view.set_genesis(slot, unix_timestamp.max(0).unsigned_abs());
    Ok(())
}

/// Checks that `authority` may upgrade this program, by the program's ProgramData account:
///
/// ```text
///  0              4      12                 13
///  ├ tag u32 = 3 ┼ slot ┼ has authority? u8 ┼ authority 32 …
/// ```
fn check_upgrade_authority(
    authority: &Account<'_>,
    program_data: &Account<'_>,
    program_id: &Pubkey,
) -> Result<(), ProgramError> {
    program_data.require_owner(&UPGRADEABLE_LOADER)?;
    let (address, _) = find_address(program_id, &UPGRADEABLE_LOADER)?;
    program_data.require_key(&address)?;
    let data = program_data.data();
    let is_program_data = data.first_chunk::<4>() == Some(&3u32.to_le_bytes());
    let has_authority = data.get(12) == Some(&1);
    if is_program_data && has_authority && data.get(13..45) == Some(&authority.key()[..]) {
        Ok(())
    } else {
        Err(ProgramError::NotAuthority)
    }
}

/// A program-derived address and its bump.
fn find_address(seed: &[u8], program_id: &Pubkey) -> Result<(Pubkey, u8), ProgramError> {
    let seeds: [&[u8]; 1] = [seed];
    let (mut address, mut bump) = ([0; 32], 0);
    // SAFETY: the syscall reads an array of (address, length) pairs, which is how slices are laid out, and 32 bytes,
    // and writes 32 bytes and one.
    let status = unsafe {
        sol_try_find_program_address(
            seeds.as_ptr().cast(),
            1,
            program_id.as_ptr(),
            address.as_mut_ptr(),
            &raw mut bump,
        )
    };
    if status == 0 { Ok((address, bump)) } else { Err(ProgramError::WrongAddress) }
}

/// Creates a program-derived account for a fixed layout.
fn create<T: Layout>(
    payer: &Account<'_>,
    account: &Account<'_>,
    seeds: &[&[u8]],
    program_id: &Pubkey,
) -> Result<(), ProgramError> {
    account.require_writable()?;
    let bytes = size_of::<T>() as u64 + ACCOUNT_STORAGE_OVERHEAD;
    let lamports = bytes.checked_mul(sysvar::rent_per_byte()?).ok_or(ProgramError::WrongLength)?;
    cpi::create(payer, account, &Derivation::Program { seeds }, size_of::<T>(), lamports, program_id)
}
