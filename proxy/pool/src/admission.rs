//! Whether a transaction may enter the pool: rules without I/O, in the order in which Ethereum nodes apply them.

use crate::queue::{Candidate, Queues};
use alloy_consensus::Transaction as _;
use alloy_primitives::{B256, U256};
use parhelion_core::emulator::{AccountState, ChainSettings, EmulatorError, Refusal};
use parhelion_core::pool::PoolError;
use parhelion_core::transaction::Transaction;
use parhelion_wire::ProgramError;

/// By how many percent both fees of a replacement must be higher.
const REPLACEMENT_PERCENT: u64 = 10;

/// The rules that need the transaction and the chain's settings only. Gives what it pays to the operator, in wei per gas.
pub(crate) fn check_alone(transaction: &Transaction, chain: &ChainSettings) -> Result<u128, PoolError> {
    let (inner, want) = (transaction.inner(), chain.chain_id);
    // A legacy transaction without EIP-155 is valid on every chain.
    if let Some(have) = inner.chain_id().filter(|have| *have != want) {
        return Err(PoolError::WrongChainId { have, want });
    }
    let (fee_cap, priority_fee) = fees(transaction);
    let sender = transaction.sender();
    if priority_fee > fee_cap {
        let detail =
            format!("address {sender}, maxPriorityFeePerGas: {priority_fee}, maxFeePerGas: {fee_cap}");
        return Err(refused(ProgramError::PriorityFeeTooHigh, detail));
    }
    if fee_cap < u128::from(chain.base_fee) {
        let detail = format!("address {sender}, maxFeePerGas: {fee_cap}, baseFee: {}", chain.base_fee);
        return Err(refused(ProgramError::FeeTooLow, detail));
    }
    Ok(priority_fee.min(fee_cap - u128::from(chain.base_fee)))
}

/// The rules that need the sender's account and what already waits. Gives what has to leave the pool for it.
pub(crate) fn check(queues: &Queues, candidate: &Candidate) -> Result<Vec<B256>, PoolError> {
    let Candidate { transaction, account, .. } = candidate;
    let (sender, nonce) = (transaction.sender(), candidate.nonce());
    // A transaction that landed is not waiting any more: what is wrong with it is its nonce.
    check_nonce(queues, transaction, account)?;
    if queues.transaction(&transaction.hash()).is_some() {
        return Err(PoolError::AlreadyKnown);
    }
    // What is in flight cannot be called back: its nonce is as good as used.
    if queues.is_in_flight(&sender, nonce) {
        return Err(PoolError::NonceTooLow { next: nonce.saturating_add(1), nonce });
    }
    check_funds(queues, transaction, account)?;
    match queues.waiting(&sender, nonce) {
        Some(old) if outbids(transaction, old) => Ok(Vec::new()),
        Some(_) => Err(PoolError::Underpriced),
        None => queues.room_for(candidate),
    }
}

fn check_nonce(queues: &Queues, transaction: &Transaction, account: &AccountState) -> Result<(), PoolError> {
    let (sender, nonce) = (transaction.sender(), transaction.inner().nonce());
    let next = queues.next(&sender, account.nonce);
    if nonce < next {
        return Err(PoolError::NonceTooLow { next, nonce });
    }
    let ahead_max = queues.limits.nonce_ahead_max;
    if nonce - next > ahead_max {
        let detail = format!("address {sender}, tx: {nonce} state: {next}, at most {ahead_max} ahead");
        return Err(refused(ProgramError::NonceTooHigh, detail));
    }
    Ok(())
}

/// The sender must be able to pay for everything that waits, at the highest price that each may have.
fn check_funds(queues: &Queues, transaction: &Transaction, account: &AccountState) -> Result<(), PoolError> {
    let (sender, nonce) = (transaction.sender(), transaction.inner().nonce());
    // Of what is in flight, the state that was read has paid for the nonces below its own.
    let waiting = queues.waiting_from(&sender, account.nonce);
    let others = waiting.filter(|other| other.inner().nonce() != nonce).map(cost);
    let cost = others.fold(cost(transaction), U256::saturating_add);
    if account.balance < cost {
        return Err(PoolError::InsufficientFunds { balance: account.balance, cost });
    }
    Ok(())
}

/// Gas limit x fee cap + value: the most that a transaction may cost, in wei.
fn cost(transaction: &Transaction) -> U256 {
    let gas = U256::from(transaction.inner().gas_limit());
    gas.saturating_mul(U256::from(fees(transaction).0)).saturating_add(transaction.inner().value())
}

/// Fee cap and priority fee in wei per gas; both are the gas price where there is but one.
fn fees(transaction: &Transaction) -> (u128, u128) {
    let inner = transaction.inner();
    let fee_cap = inner.max_fee_per_gas();
    (fee_cap, inner.max_priority_fee_per_gas().unwrap_or(fee_cap))
}

/// Whether both fees of `new` are higher than those of `old`, by at least [`REPLACEMENT_PERCENT`].
fn outbids(new: &Transaction, old: &Transaction) -> bool {
    let higher = |new: u128, old: u128| {
        let (hundred, needed) = (U256::from(100), U256::from(100 + REPLACEMENT_PERCENT));
        new > old && U256::from(new) * hundred >= U256::from(old) * needed
    };
    let ((new_cap, new_priority), (old_cap, old_priority)) = (fees(new), fees(old));
    higher(new_cap, old_cap) && higher(new_priority, old_priority)
}

fn refused(error: ProgramError, detail: String) -> PoolError {
    PoolError::Emulator(EmulatorError::Refused(Refusal { error, detail }))
}
