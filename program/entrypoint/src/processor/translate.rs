//! translate, translation_close: the translated form of a stored code.
//!
//! A translation is written by these instructions only, from the Code account alone: nobody can write a wrong one.

use crate::account::Account;
use crate::input::Input;
use crate::ledger::{self, OnChain};
use crate::sysvar::Clock;
use parhelion_evm::translation::{self, Progress, Translator};
use parhelion_executor::Ledger;
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Code, Header, Layout, Translation, TranslationStage};
use parhelion_wire::address::AccountKey;
use parhelion_wire::instruction::{Translate, TranslationClose};

/// Begins a translation, or goes on with it. Does nothing when it is complete.
pub(super) fn translate(input: &Input<'_>, data: &[u8]) -> Result<(), ProgramError> {
    let [payer, config_account, code_account, account] = input.first()?;
    payer.require_signer()?;
    payer.require_writable()?;
    let config = ledger::config(&config_account, input.program_id)?;
    let Translate { blocks_max } = Translate::decode(data)?;
    code_account.require_owner(input.program_id)?;
    // SAFETY: code is never written again, and the account of the translation is another one.
    let code = Code::view(unsafe { code_account.data_for_good() })?;
    let key = AccountKey::Translation(code.hash(), translation::VERSION);
    let slot = Clock::get()?.slot;
    let mut ledger = OnChain::new(&input.accounts, config_account, &config, payer, input.program_id, slot);
    let position = match ledger.load(&key) {
        Ok(position) => position,
        Err(ProgramError::AccountMissing) => return Err(ProgramError::WrongAddress),
        Err(error) => return Err(error),
    };
    let length = ledger.data(position)?.len();
    if length == 0 {
        let room = Translation::account_length(translation::length_max(code.len()));
        ledger.grow_towards(position, &key, room)?;
        // SAFETY: no other view of the account's data is alive.
        let data = unsafe { account.data_mut() };
        Translation::create(data, slot, payer.key(), code.hash(), translation::VERSION)?;
    } else if Translation::view(ledger.data(position)?)?.prefix.stage() == TranslationStage::Complete {
        return Ok(());
    } else {
        grow(&mut ledger, position, &key, &code)?;
    }
    if advance(&account, &code, slot, usize::from(blocks_max))? {
        settle(&mut ledger, &payer, &account)?;
    }
    Ok(())
}

/// Makes more room, if the translator may need it.
fn grow(
    ledger: &mut OnChain<'_, '_>,
    position: usize,
    key: &AccountKey,
    code: &Code<'_>,
) -> Result<(), ProgramError> {
    let prefix = Translation::view(ledger.data(position)?)?.prefix;
    let room = Translation::account_length(translation::length_max(code.len()));
    let wanted = Translation::account_length(match prefix.stage() {
        TranslationStage::Empty => translation::room_to_start(code.code(), code.jump_map()),
        _ => prefix.progress().1 as usize + translation::ROOM_FOR_LONG,
    });
    if ledger.data(position)?.len() < wanted.min(room) {
        ledger.grow_towards(position, key, room)?;
    }
    Ok(())
}

/// Translates; whether the translation is complete now.
fn advance(
    account: &Account<'_>,
    code: &Code<'_>,
    slot: u64,
    blocks_max: usize,
) -> Result<bool, ProgramError> {
    // SAFETY: no other view of the account's data is alive.
    let (prefix, out) = Translation::view_mut(unsafe { account.data_mut() })?;
    prefix.header_mut().touch(slot);
    let too_long = |_| ProgramError::TranslationTooLong;
    let progress = match prefix.stage() {
        TranslationStage::Empty => {
            if out.len() < translation::room_to_start(code.code(), code.jump_map()) {
                return Ok(false);
            }
            prefix.set_stage(TranslationStage::Begun);
            Translator::start(code.code(), code.jump_map(), out).map_err(too_long)?
        }
        _ => {
            let (position, length, is_reachable) = prefix.progress();
            Progress { position, length, is_reachable }
        }
    };
    let progress = Translator::new(code.code(), code.jump_map(), out, &progress)
        .run(&progress, blocks_max)
        .map_err(too_long)?;
    prefix.set_progress(progress.position, progress.length, progress.is_reachable);
    let is_complete = progress.is_complete(code.len());
    if is_complete {
        prefix.set_stage(TranslationStage::Complete);
    }
    Ok(is_complete)
}

/// Gives the room that a complete translation does not take back to who paid for it.
fn settle(
    ledger: &mut OnChain<'_, '_>,
    payer: &Account<'_>,
    account: &Account<'_>,
) -> Result<(), ProgramError> {
    let Translation { prefix, .. } = Translation::view(account.data())?;
    let (_, written, _) = prefix.progress();
    let is_payers = prefix.payer() == payer.key();
    let length = Translation::account_length(written as usize);
    account.resize(length)?;
    let surplus = account.lamports().saturating_sub(ledger.rent_exemption(length)?);
    if is_payers && surplus > 0 {
        let lamports = payer.lamports().checked_add(surplus).ok_or(ProgramError::InvalidArgument)?;
        account.set_lamports(account.lamports() - surplus);
        payer.set_lamports(lamports);
    }
    Ok(())
}

/// Closes a translation; its lamports go to its payer.
pub(super) fn close(input: &Input<'_>, data: &[u8]) -> Result<(), ProgramError> {
    let [payer, account] = input.first()?;
    payer.require_signer()?;
    payer.require_writable()?;
    account.require_writable()?;
    account.require_owner(input.program_id)?;
    TranslationClose::decode(data)?;
    if Translation::view(account.data())?.prefix.payer() != payer.key() {
        return Err(ProgramError::ForeignTranslation);
    }
    let lamports = payer.lamports().checked_add(account.lamports()).ok_or(ProgramError::InvalidArgument)?;
    account.close();
    payer.set_lamports(lamports);
    Ok(())
}

/// A translation begins with a header like everything else.
const _: () = assert!(Translation::account_length(0) > size_of::<Header>());
