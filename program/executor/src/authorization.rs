//! EIP-7702: accounts that take over the code of another.

use crate::address::last_20;
use crate::ledger::Ledger;
use crate::world::{CodeOf, World};
use crate::{ProgramError, Result};
use parhelion_evm::crypto::Crypto;
use parhelion_evm::{H160, gas};
use parhelion_wire::transaction::{Authorization, AuthorizationList};

impl<'c, L: Ledger<'c>, C: Crypto> World<'c, L, C> {
    /// Applies a transaction's authorizations in their order; invalid ones are passed over, as the EIP has it.
    pub(crate) fn authorize(&mut self, authorizations: &AuthorizationList<'_>) -> Result<()> {
        for authorization in authorizations.iter() {
            self.authorize_one(&authorization)?;
        }
        Ok(())
    }

    fn authorize_one(&mut self, authorization: &Authorization) -> Result<()> {
        let chain_id = authorization.chain_id;
        if !chain_id.is_zero() && chain_id != self.env.chain_id.into() {
            return Ok(());
        }
        let Some(next_nonce) = authorization.nonce.checked_add(1) else { return Ok(()) };
        let Some(authority) = self.recover(authorization) else { return Ok(()) };
        self.warm(&authority)?;
        let (_, code) = self.load_contract(&authority)?;
        if !code.is_empty() && !matches!(code, CodeOf::Delegate(_)) {
            return Ok(());
        }
        let id = self.load_balance(&authority)?;
        let state = self.account(id)?.state;
        if state.nonce != authorization.nonce {
            return Ok(());
        }
        let is_empty = matches!(code, CodeOf::None) && state.nonce == 0 && state.balance.is_zero();
        if !is_empty {
            self.refund =
                self.refund.checked_add(gas::AUTHORIZATION_REFUND).ok_or(ProgramError::InvalidArgument)?;
        }
        let state = self.change(id)?;
        state.code = if authorization.address.is_zero() {
            CodeOf::None
        } else {
            CodeOf::Delegate(authorization.address)
        };
        state.nonce = next_nonce;
        Ok(())
    }

    /// Who signed an authorization.
    fn recover(&self, authorization: &Authorization) -> Option<H160> {
        authorization.signature.check().ok()?;
        let hash = authorization.signing_hash(|parts: &[&[u8]]| self.crypto.keccak256(parts));
        let signature = &authorization.signature;
        let key = self.crypto.secp256k1_recover(&hash, signature.y_parity, &signature.r_s())?;
        Some(last_20(&self.crypto.keccak256(&[&key])))
    }
}
