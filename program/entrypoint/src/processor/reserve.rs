//! code_reserve, code_release: room for code beyond what an account may grow in one instruction.

use crate::input::Input;
use crate::ledger::{self, OnChain};
use crate::sysvar::Clock;
use parhelion_executor::Ledger;
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Code, CodeReservation, Header, Kind, Layout};
use parhelion_wire::address::AccountKey;
use parhelion_wire::instruction::{CodeRelease, CodeReserve};

/// The longest code (EIP-170).
const CODE_MAX: usize = parhelion_evm::gas::CODE_SIZE_MAX;

/// Creates a reservation, or grows it. Does nothing when the code is stored already: somebody was faster.
pub(super) fn reserve(input: &Input<'_>, data: &[u8]) -> Result<(), ProgramError> {
    let [payer, config_account, code] = input.first()?;
    payer.require_signer()?;
    payer.require_writable()?;
    let config = ledger::config(&config_account, input.program_id)?;
    let CodeReserve { code_hash, account_length } = CodeReserve::decode(data)?;
    let length = account_length as usize;
    if length <= size_of::<CodeReservation>() || length > Code::account_length(CODE_MAX) {
        return Err(ProgramError::InvalidArgument);
    }
    let slot = Clock::get()?.slot;
    let mut ledger = OnChain::new(&input.accounts, config_account, &config, payer, input.program_id, slot);
    let key = AccountKey::Code(code_hash);
    let position = match ledger.load(&key) {
        Ok(position) => position,
        Err(ProgramError::AccountMissing) => return Err(ProgramError::WrongAddress),
        Err(error) => return Err(error),
    };
    let is_stored = ledger.data(position)?.first() == Some(&(Kind::Code as u8));
    if is_stored {
        return Ok(());
    }
    if ledger.grow_towards(position, &key, length)? {
        // SAFETY: no other view of the account's data is alive.
        CodeReservation::create(unsafe { code.data_mut() }, slot)?.set_payer(*payer.key());
    }
    Ok(())
}

/// Closes a reservation; its lamports go to its payer.
pub(super) fn release(input: &Input<'_>, data: &[u8]) -> Result<(), ProgramError> {
    let [payer, code] = input.first()?;
    payer.require_signer()?;
    payer.require_writable()?;
    code.require_writable()?;
    code.require_owner(input.program_id)?;
    CodeRelease::decode(data)?;
    if CodeReservation::payer_of(code.data())? != *payer.key() {
        return Err(ProgramError::ForeignReservation);
    }
    let lamports = payer.lamports().checked_add(code.lamports()).ok_or(ProgramError::InvalidArgument)?;
    code.close();
    payer.set_lamports(lamports);
    Ok(())
}

/// A reservation begins with a header like everything else.
const _: () = assert!(size_of::<CodeReservation>() > size_of::<Header>());
