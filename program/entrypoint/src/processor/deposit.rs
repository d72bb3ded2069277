//! deposit: lamports from a Solana key into an Ethereum balance.

use crate::cpi;
use crate::input::Input;
use crate::ledger::{self, OnChain};
use crate::report;
use crate::sysvar::Clock;
use parhelion_executor::Ledger;
use parhelion_wire::account::{Balance, Layout, Vault};
use parhelion_wire::address::AccountKey;
use parhelion_wire::event;
use parhelion_wire::instruction::Deposit;
use parhelion_wire::{ProgramError, U256, WEI_PER_LAMPORT};

/// Moves lamports into the vault and credits as many in wei.
pub(super) fn process(input: &Input<'_>, data: &[u8]) -> Result<(), ProgramError> {
    let [payer, config_account, vault, balance, contract, program] = input.first()?;
    payer.require_signer()?;
    payer.require_writable()?;
    program.require_key(input.program_id)?;
    let config = ledger::config(&config_account, input.program_id)?;
    let Deposit { address, lamports } = Deposit::decode(data)?;
    let slot = Clock::get()?.slot;
    let mut ledger = OnChain::new(&input.accounts, config_account, &config, payer, input.program_id, slot);

    // Every account stands in its place, so that the one that is credited is the one that was meant.
    let key = AccountKey::Balance(address);
    let positions = [AccountKey::Vault, key, AccountKey::Contract(address)].map(|key| ledger.load(&key));
    for (position, account) in positions.into_iter().zip([vault, balance, contract]) {
        let found = match position {
            Err(ProgramError::AccountMissing) => return Err(ProgramError::WrongAddress),
            other => ledger.account(other?)?,
        };
        account.require_key(found.key())?;
    }
    Vault::view(vault.data())?;
    vault.require_writable()?;
    let position = ledger.load(&key)?;
    let exists = !ledger.data(position)?.is_empty();
    if exists {
        Balance::view(ledger.data(position)?)?;
    }

    cpi::transfer(&payer, &vault, lamports)?;
    let contract_position = ledger.load(&AccountKey::Contract(address))?;
    let has_contract = !ledger.data(contract_position)?.is_empty();
    let data = ledger.write(position, &key, size_of::<Balance>())?;
    let view = if exists { Balance::view_mut(data)? } else { Balance::create(data, slot)? };
    if exists {
        view.header_mut().touch(slot);
    } else if has_contract {
        // EIP-161: a contract's nonce begins at 1.
        view.set_nonce(1);
        view.set_has_contract(true);
    }
    let wei = U256::from(lamports).checked_mul(WEI_PER_LAMPORT.into());
    let sum = wei.and_then(|wei| view.balance().checked_add(wei)).ok_or(ProgramError::InvalidArgument)?;
    view.set_balance(&sum);

    let deposit = event::Deposit { address, lamports, payer: *payer.key() };
    report::send(&config_account, config.config_bump, &program, &[&deposit.encode()])
}
