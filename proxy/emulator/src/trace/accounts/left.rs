//! What a call leaves, which writes nothing.

use crate::journal::Change;
use crate::overrides::DELEGATION_PREFIX;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, Bytes, U256};
use parhelion_core::emulator::{AccountState, EmulatorError};
use parhelion_core::touched::{Image, TouchedAccounts};
use parhelion_executor::BlockValues;
use std::collections::BTreeMap;

/// What a call leaves beside what its frames do.
#[derive(Clone, Debug)]
pub(in crate::trace) struct Left {
    /// Who calls: a nonce is used up.
    pub(in crate::trace) sender: Address,
    /// Wei for the gas that was used.
    pub(in crate::trace) fee: U256,
    /// Authorizations (EIP-7702), in their order.
    pub(in crate::trace) authorizations: Vec<SignedAuthorization>,
}

impl Left {
    /// Changes what is behind the call.
    pub(super) fn apply(
        &self,
        block: &BlockValues,
        mut changes: BTreeMap<Address, Change>,
        found: &mut TouchedAccounts,
    ) -> Result<(), EmulatorError> {
        let sender = &mut found.entry(self.sender).or_default().after.state;
        sender.nonce = sender.nonce.wrapping_add(1);
        for authorization in &self.authorizations {
            authorize(authorization, block.chain_id, found);
        }
        if !self.fee.is_zero() {
            let payer = changes.entry(self.sender).or_default();
            payer.lost = payer.lost.saturating_add(self.fee);
            let payee = changes.entry(Address::from(block.coinbase.0)).or_default();
            payee.gained = payee.gained.saturating_add(self.fee);
        }
        for (address, change) in changes {
            let image = &mut found.entry(address).or_default().after;
            let after = changed(image, change);
            *image = after.ok_or_else(|| {
                EmulatorError::State(format!("the balance of {address} does not cover what it gives"))
            })?;
        }
        Ok(())
    }
}

/// An address behind a change; `None` when its balance does not cover what it gives.
fn changed(before: &Image, change: Change) -> Option<Image> {
    let Change { gained, lost, nonces, code, is_gone, storage } = change;
    let mut image = before.clone();
    if is_gone {
        image.storage.values_mut().for_each(|value| value.0 = [0; 32]);
        return Some(Image { state: AccountState::default(), code: Bytes::new(), ..image });
    }
    image.state.balance = image.state.balance.checked_add(gained)?.checked_sub(lost)?;
    image.state.nonce = image.state.nonce.saturating_add(nonces);
    image.code = code.unwrap_or(image.code);
    image.storage.extend(storage);
    Some(image)
}

/// Applies an authorization, unless it is not valid.
fn authorize(signed: &SignedAuthorization, chain_id: u64, found: &mut TouchedAccounts) {
    if !signed.chain_id.is_zero() && signed.chain_id != U256::from(chain_id) {
        return;
    }
    let (Some(next_nonce), Ok(authority)) = (signed.nonce.checked_add(1), signed.recover_authority()) else {
        return;
    };
    let image = &mut found.entry(authority).or_default().after;
    let has_code = !image.code.is_empty() && !image.code.starts_with(&DELEGATION_PREFIX);
    if image.state.nonce != signed.nonce || has_code {
        return;
    }
    image.state.nonce = next_nonce;
    image.code = if signed.address.is_zero() {
        Bytes::new()
    } else {
        [&DELEGATION_PREFIX[..], &signed.address[..]].concat().into()
    };
}
