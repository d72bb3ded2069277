//! An estimate of gas, and what it is made of.

use super::accounts::Used;
use crate::arguments::Arguments;
use crate::error::RpcError;
use crate::eth::prepare_call;
use crate::services::Context;
use alloy_primitives::{Address, Signature, U256};
use alloy_rpc_types_eth::BlockOverrides;
use alloy_rpc_types_eth::state::StateOverride;
use parhelion_core::emulator::{Call, ChainSettings, Emulator, EmulatorError, Estimate};
use parhelion_core::store::BlockId;
use parhelion_core::transaction::{Transaction, encode};
use parhelion_wire::WEI_PER_LAMPORT;
use serde::Serialize;
use std::sync::Arc;

/// What a call needs as a transaction.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Parts {
    /// The gas limit to sign: what follows, together.
    #[serde(with = "alloy_serde::quantity")]
    gas_limit: u64,
    /// What running it takes.
    #[serde(with = "alloy_serde::quantity")]
    execution_gas: u64,
    /// What the rent of new state takes.
    #[serde(with = "alloy_serde::quantity")]
    rent_gas: u64,
    /// Wei per gas at which that is so: the call's, and at least the base fee.
    gas_price: U256,
    /// What the execution gas costs, in lamports, rounded up.
    execution_lamports: U256,
    /// What the rent gas costs, likewise.
    rent_lamports: U256,
    /// The accounts that it uses; `null` where nobody knows, as it would be refused: the sender cannot pay.
    accounts: Option<Vec<Used>>,
}

/// `parhelion_estimateGas(call, block)`.
pub(super) async fn estimate_gas(arguments: Arguments, context: Arc<Context>) -> Result<Parts, RpcError> {
    let (state, block) = (StateOverride::default(), BlockOverrides::default());
    let (request, at) = (arguments.require(0)?, arguments.optional(1)?);
    let (emulator, call) = prepare_call(request, at, state, block, &context).await?;
    let Estimate { gas_limit, rent_gas } = emulator.estimate(&call).await?;
    let settings = emulator.settings().await?;
    // A transaction pays at least the base fee.
    let gas_price = call.gas_price_at(settings.base_fee).max(U256::from(settings.base_fee));
    let execution_gas = gas_limit.saturating_sub(rent_gas);
    let sender = call.from.unwrap_or_default();
    let nonce = emulator.account(sender).await?.nonce;
    let transaction = transaction(&call, settings, nonce, gas_limit, gas_price)?;
    let accounts = accounts(&*emulator, &transaction, &context).await?;
    let lamports = |gas: u64| gas_price.saturating_mul(U256::from(gas)).div_ceil(U256::from(WEI_PER_LAMPORT));
    Ok(Parts {
        gas_limit,
        execution_gas,
        rent_gas,
        gas_price,
        execution_lamports: lamports(execution_gas),
        rent_lamports: lamports(rent_gas),
        accounts,
    })
}

/// The accounts of a transaction, in the block of the operator of the newest one.
async fn accounts(
    emulator: &dyn Emulator,
    transaction: &Transaction,
    context: &Context,
) -> Result<Option<Vec<Used>>, RpcError> {
    let newest = context.store.block(BlockId::Latest).await?;
    let coinbase = newest.map_or(Address::ZERO, |block| block.header.beneficiary);
    match emulator.emulate_in_steps(transaction, coinbase, None).await {
        Ok(stepped) => Ok(Some(Used::list(&stepped.emulation.accounts))),
        Err(EmulatorError::Refused(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The call as a transaction that somebody has signed.
fn transaction(
    call: &Call,
    settings: ChainSettings,
    nonce: u64,
    gas_limit: u64,
    gas_price: U256,
) -> Result<Transaction, RpcError> {
    let max_fee_per_gas = gas_price.saturating_to::<u128>();
    let max_priority_fee_per_gas = max_fee_per_gas.saturating_sub(settings.base_fee.into());
    let (chain_id, nonce) = (settings.chain_id, call.nonce.unwrap_or(nonce));
    let fees = (max_fee_per_gas, max_priority_fee_per_gas);
    // Who signed is said, so nobody looks.
    let signature = Signature::new(U256::from(1), U256::from(1), false);
    let envelope = call.with_fees(chain_id, nonce, gas_limit, fees, signature);
    let sender = call.from.unwrap_or_default();
    let transaction = Transaction::decode_known(encode(&envelope), sender);
    transaction.map_err(|error| RpcError::Rejected(error.to_string()))
}
