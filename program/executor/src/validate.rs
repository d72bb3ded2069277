//! What a transaction must satisfy before it may spend anything (Yellow Paper, section 6.2, and the EIPs since).

use crate::amount;
use crate::ledger::Ledger;
use crate::world::{CodeOf, Id, World};
use crate::{ProgramError, Result};
use parhelion_evm::crypto::Crypto;
use parhelion_evm::fork::Fork;
use parhelion_evm::gas::{self, Intrinsic, TransactionShape};
use parhelion_evm::{H160, U256, arith};
use parhelion_wire::transaction::{Transaction, TransactionType};

/// What validation found out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Valid {
    /// The sender, loaded.
    pub(crate) sender: Id,
    /// Wei per gas that it pays.
    pub(crate) gas_price: U256,
    /// Its intrinsic gas.
    pub(crate) intrinsic: Intrinsic,
}

/// Checks that need no state.
pub(crate) fn without_state(
    transaction: &Transaction<'_>,
    chain_id: u64,
    base_fee: u64,
    block_gas_limit: u64,
    fork: Fork,
) -> Result<(U256, Intrinsic)> {
    if transaction.kind == TransactionType::SetCode && fork < Fork::Prague {
        return Err(ProgramError::UnsupportedTransactionType);
    }
    if transaction.chain_id.is_some_and(|id| id != chain_id) {
        return Err(ProgramError::WrongChainId);
    }
    if transaction.max_priority_fee_per_gas > transaction.max_fee_per_gas {
        return Err(ProgramError::PriorityFeeTooHigh);
    }
    let gas_price = transaction.effective_gas_price(base_fee).ok_or(ProgramError::FeeTooLow)?;
    if transaction.gas_limit > block_gas_limit {
        return Err(ProgramError::GasLimitTooHigh);
    }
    let creates = transaction.to.is_none();
    if creates && transaction.data.len() > gas::INIT_CODE_SIZE_MAX {
        return Err(ProgramError::InitCodeTooLarge);
    }
    if transaction.kind == TransactionType::SetCode && (creates || transaction.authorizations.count == 0) {
        return Err(ProgramError::InvalidSetCode);
    }
    let intrinsic = gas::intrinsic(&shape(transaction), fork);
    if transaction.gas_limit < intrinsic.initial.max(intrinsic.floor) {
        return Err(ProgramError::IntrinsicGasTooLow);
    }
    // EIP-2681.
    if transaction.nonce == u64::MAX {
        return Err(ProgramError::NonceOverflow);
    }
    Ok((gas_price, intrinsic))
}

/// What intrinsic gas depends on.
fn shape<'a>(transaction: &Transaction<'a>) -> TransactionShape<'a> {
    TransactionShape {
        data: transaction.data,
        creates: transaction.to.is_none(),
        access_addresses: transaction.access_list.addresses,
        access_storage_keys: transaction.access_list.storage_keys,
        authorizations: transaction.authorizations.count,
    }
}

impl<'c, L: Ledger<'c>, C: Crypto> World<'c, L, C> {
    /// Checks a transaction of `sender` against the state.
    #[inline(always)] // or runs at once pay for there being others
    pub(crate) fn validate(
        &mut self,
        transaction: &Transaction<'_>,
        sender: &H160,
        base_fee: u64,
    ) -> Result<Valid> {
        let (gas_price, intrinsic) =
            without_state(transaction, self.env.chain_id, base_fee, self.env.gas_limit, self.env.fork)?;
        let sender = self.load_balance(sender)?;
        let (state, has_run) = (self.account(sender)?.state, self.account(sender)?.has_run);
        if has_run {
            return Err(ProgramError::SenderBusy);
        }
        if transaction.nonce < state.nonce {
            return Err(ProgramError::NonceTooLow);
        }
        if transaction.nonce > state.nonce {
            return Err(ProgramError::NonceTooHigh);
        }
        if self.has_code(sender)? {
            return Err(ProgramError::SenderHasCode);
        }
        let cost = amount::checked_mul(transaction.gas_limit, &transaction.max_fee_per_gas)
            .and_then(|fee| amount::checked_add(&fee, &transaction.value))
            .ok_or(ProgramError::InsufficientFunds)?;
        if arith::lt(&state.balance, &cost) {
            return Err(ProgramError::InsufficientFunds);
        }
        Ok(Valid { sender, gas_price, intrinsic })
    }

    /// EIP-3607: whether an account has code that is no delegation (EIP-7702). The Balance account's flag spares
    /// loading the Contract account of senders that have none.
    fn has_code(&mut self, id: Id) -> Result<bool> {
        let account = self.account(id)?;
        if !account.is_code_known && !account.may_have_contract {
            return Ok(false);
        }
        let code = self.load_code_of(id)?;
        Ok(!code.is_empty() && !matches!(code, CodeOf::Delegate(_)))
    }
}
