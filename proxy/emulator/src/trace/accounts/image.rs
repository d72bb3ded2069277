//! Accounts as a ledger has them.

use crate::ledger::{Recorder, When};
use crate::overrides::DELEGATION_PREFIX;
use alloy_primitives::{B256, Bytes, KECCAK256_EMPTY};
use parhelion_core::emulator::AccountState;
use parhelion_core::touched::Image;
use parhelion_wire::account::{Balance, Cell, Code, Contract, Layout};
use parhelion_wire::address::{AccountKey, split_storage_key};
use parhelion_wire::{H160, H256, ProgramError, U256};
use std::collections::BTreeSet;

/// An address, with these storage keys. Means nothing when the ledger misses something.
pub(super) fn image(
    ledger: &mut Recorder<'_>,
    address: &H160,
    keys: &BTreeSet<U256>,
    when: When,
) -> Result<Image, ProgramError> {
    let has_contract = !ledger.seen(&AccountKey::Contract(*address), when).is_empty();
    let state = match ledger.seen(&AccountKey::Balance(*address), when) {
        // EIP-161: a contract's nonce begins at 1.
        [] => AccountState { nonce: u64::from(has_contract), ..AccountState::default() },
        data => {
            let view = Balance::view(data)?;
            let balance = alloy_primitives::U256::from_limbs(view.balance().0);
            AccountState { nonce: view.nonce(), balance }
        }
    };
    let mut image = Image { state, code: code(ledger, address, when)?, ..Image::default() };
    for key in keys {
        let (cell, index) = split_storage_key(key);
        let value = match ledger.seen(&AccountKey::Cell(*address, cell), when) {
            [] => U256::zero(),
            data => Cell::view(data)?.get(index),
        };
        image.storage.insert(B256::from(key.to_big_endian()), B256::from(value.to_big_endian()));
    }
    Ok(image)
}

/// The delegate of an address, if it had one when the run began (EIP-7702).
pub(super) fn delegate(ledger: &mut Recorder<'_>, address: &H160) -> Result<Option<H160>, ProgramError> {
    match ledger.seen(&AccountKey::Contract(*address), When::Before) {
        [] => Ok(None),
        data => Ok(Contract::view(data)?.delegate()),
    }
}

/// The code at an address, or the designator of its delegation.
fn code(ledger: &mut Recorder<'_>, address: &H160, when: When) -> Result<Bytes, ProgramError> {
    let hash = match ledger.seen(&AccountKey::Contract(*address), when) {
        [] => return Ok(Bytes::new()),
        data => {
            let view = Contract::view(data)?;
            if let Some(delegate) = view.delegate() {
                return Ok([&DELEGATION_PREFIX[..], &delegate.0].concat().into());
            }
            view.code_hash()
        }
    };
    // A contract of no code has no Code account.
    if hash == H256(KECCAK256_EMPTY.0) {
        return Ok(Bytes::new());
    }
    match ledger.seen(&AccountKey::Code(hash), when) {
        [] => Ok(Bytes::new()),
        data => Ok(Bytes::copy_from_slice(Code::view(data)?.code())),
    }
}
