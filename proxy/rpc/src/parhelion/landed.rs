//! What an executed transaction was on Solana.

use super::invalid;
use crate::arguments::Arguments;
use crate::convert::{self, Receipt};
use crate::error::RpcError;
use crate::services::Context;
use alloy_primitives::{Address, B256, U256};
use parhelion_core::clue::{Clue, Lookup};
use parhelion_core::store::Executed;
use serde::Serialize;
use solana_signature::Signature;
use std::sync::Arc;

/// A transaction: the fields of its receipt that are about Solana, and what they are part of.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Landed {
    hash: B256,
    sender: Address,
    /// The block's number.
    #[serde(with = "alloy_serde::quantity")]
    slot: u64,
    solana_signature: String,
    solana_signatures: Vec<String>,
    #[serde(with = "alloy_serde::quantity")]
    compute_units: u64,
    #[serde(with = "alloy_serde::quantity")]
    total_compute_units: u64,
    /// Execution gas and rent gas.
    #[serde(with = "alloy_serde::quantity")]
    gas_used: u64,
    #[serde(with = "alloy_serde::quantity")]
    execution_gas: u64,
    #[serde(with = "alloy_serde::quantity")]
    rent_gas: u64,
    effective_gas_price: U256,
    /// The operator's address, which received the fees.
    coinbase: Address,
    outcome: &'static str,
}

impl Landed {
    fn of(executed: &Executed) -> Self {
        let receipt = convert::receipt(executed);
        let Receipt { solana_signature, solana_signatures, outcome, .. } = receipt;
        Self {
            hash: executed.transaction.hash(),
            sender: executed.transaction.sender(),
            slot: executed.block_number,
            solana_signature,
            solana_signatures,
            compute_units: executed.compute_units,
            total_compute_units: executed.total_compute_units,
            gas_used: executed.gas_used,
            execution_gas: executed.gas_used.saturating_sub(executed.rent_gas),
            rent_gas: executed.rent_gas,
            effective_gas_price: executed.effective_gas_price,
            coinbase: executed.coinbase,
            outcome,
        }
    }
}

/// `parhelion_getTransaction(hash)`: `null` unless it is in a block.
pub(super) async fn transaction(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<Option<Landed>, RpcError> {
    let executed = context.store.executed(arguments.hex(0)?).await?;
    Ok(executed.map(|executed| Landed::of(&executed)))
}

/// `parhelion_getTransactionsBySignature(signature)`: the hashes of the transactions that a Solana transaction belongs to,
/// in their order. Several may have landed together.
pub(super) async fn transactions_by_signature(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<Vec<B256>, RpcError> {
    let text: String = arguments.require(0)?;
    let signature: Signature = text.parse().map_err(|_| invalid(0, "no signature in base 58"))?;
    let found = context.store.lookup(&Lookup::all(Clue::Landed(signature))).await?;
    Ok(found.iter().map(|executed| executed.transaction.hash()).collect())
}
