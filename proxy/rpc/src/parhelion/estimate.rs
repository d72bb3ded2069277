//! An estimate of gas, and what it is made of.

use super::accounts::Used;
use crate::arguments::Arguments;
use crate::error::RpcError;
use crate::eth::prepare_call;
use crate::services::Context;
use alloy_consensus::{SignableTransaction, TxEip1559, TxEip7702, TxEnvelope};
use alloy_primitives::{Address, Signature, TxKind, U256};
use alloy_rpc_types_eth::BlockOverrides;
use alloy_rpc_types_eth::state::StateOverride;
use parhelion_core::emulator::{Call, ChainSettings, Emulator, EmulatorError, Estimate};
use parhelion_core::store::BlockId;
use parhelion_core::transaction::{Transaction, encode};
use serde::Serialize;
use std::sync::Arc;

/// Wei in a lamport.
const WEI_PER_LAMPORT: u64 = 1_000_000_000;

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
    let gas_price = gas_price(&call, settings.base_fee);
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

/// Wei per gas that a transaction with the fields of the call pays: at least the base fee.
fn gas_price(call: &Call, base_fee: u64) -> U256 {
    let base_fee = U256::from(base_fee);
    let cap = call.gas_price.unwrap_or_default();
    let price = match call.max_priority_fee_per_gas {
        Some(tip) => cap.min(base_fee.saturating_add(tip)),
        None => cap,
    };
    price.max(base_fee)
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
    let nonce = call.nonce.unwrap_or(nonce);
    let (chain_id, value) = (settings.chain_id, call.value.unwrap_or_default());
    let (access_list, input) = (call.access_list.clone(), call.data.clone());
    // Who signed is said, so nobody looks.
    let signature = Signature::new(U256::from(1), U256::from(1), false);
    let envelope: TxEnvelope = match call.to {
        Some(to) if !call.authorization_list.is_empty() => TxEip7702 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to,
            value,
            access_list,
            authorization_list: call.authorization_list.clone(),
            input,
        }
        .into_signed(signature)
        .into(),
        to => TxEip1559 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to: to.map_or(TxKind::Create, TxKind::Call),
            value,
            access_list,
            input,
        }
        .into_signed(signature)
        .into(),
    };
    let sender = call.from.unwrap_or_default();
    let transaction = Transaction::decode_known(encode(&envelope), sender);
    transaction.map_err(|error| RpcError::Rejected(error.to_string()))
}
