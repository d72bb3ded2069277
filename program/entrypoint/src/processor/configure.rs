//! configure: the authority changes settings.

use crate::input::Input;
use crate::sysvar::Clock;
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Config, Layout};
use parhelion_wire::instruction::Configure;

/// Changes what is given. Works while the chain is paused, or nobody could let it go on.
pub(super) fn process(input: &Input<'_>, data: &[u8]) -> Result<(), ProgramError> {
    let [authority, account] = input.first()?;
    authority.require_signer()?;
    account.require_writable()?;
    account.require_owner(input.program_id)?;
    let configure = Configure::decode(data)?;
    let slot = Clock::get()?.slot;
    // SAFETY: no other view of the account's data is alive.
    let config = Config::view_mut(unsafe { account.data_mut() })?;
    account.require_key(&config.address)?;
    if config.authority != *authority.key() {
        return Err(ProgramError::NotAuthority);
    }
    if configure.base_fee == Some(0) || configure.block_gas_limit == Some(0) {
        return Err(ProgramError::InvalidArgument);
    }
    if let Some(base_fee) = configure.base_fee {
        config.set_base_fee(base_fee);
    }
    if let Some(gas) = configure.block_gas_limit {
        config.set_block_gas_limit(gas);
    }
    if let Some(paused) = configure.paused {
        config.set_paused(paused);
    }
    if let Some(authority) = configure.authority {
        config.authority = authority;
    }
    config.header_mut().touch(slot);
    Ok(())
}
