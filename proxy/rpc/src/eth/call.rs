//! `eth_call`, `eth_estimateGas` and `eth_createAccessList`.

use crate::arguments::Arguments;
use crate::block_id::state_at;
use crate::error::RpcError;
use crate::module::Module;
use crate::revert;
use crate::services::Context;
use alloy_eips::BlockId;
use alloy_primitives::{Bytes, U64, U256};
use alloy_rpc_types_eth::state::StateOverride;
use alloy_rpc_types_eth::{AccessListResult, BlockOverrides, TransactionRequest};
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::emulator::{AccessListOutcome, Call, ChainSettings, Emulator, Overrides};
use parhelion_wire::event::Outcome;
use std::sync::Arc;

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method("eth_call", 4, call)?;
    module.method("eth_estimateGas", 4, estimate_gas)?;
    module.method("eth_createAccessList", 4, create_access_list)?;
    Ok(())
}

async fn call(arguments: Arguments, context: Arc<Context>) -> Result<Bytes, RpcError> {
    let (emulator, call) = prepare(&arguments, &context).await?;
    let execution = emulator.call(&call).await?;
    match execution.outcome {
        Outcome::Success => Ok(execution.output),
        Outcome::Revert => Err(RpcError::Reverted(execution.output)),
        Outcome::Halt | Outcome::OutOfRentGas | Outcome::Cancelled => {
            Err(RpcError::Rejected(execution.reason.into()))
        }
    }
}

async fn estimate_gas(arguments: Arguments, context: Arc<Context>) -> Result<U64, RpcError> {
    let (emulator, call) = prepare(&arguments, &context).await?;
    Ok(U64::from(emulator.estimate(&call).await?.gas_limit))
}

/// The list of what a call touches. One that fails has a list, too, and says why it fails.
async fn create_access_list(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<AccessListResult, RpcError> {
    let (emulator, call) = prepare(&arguments, &context).await?;
    let AccessListOutcome { access_list, execution } = emulator.access_list(&call).await?;
    let error = match execution.outcome {
        Outcome::Success => None,
        Outcome::Revert => Some(revert::message(&execution.output)),
        Outcome::Halt | Outcome::OutOfRentGas | Outcome::Cancelled => Some(execution.reason.into()),
    };
    Ok(AccessListResult { access_list, gas_used: U256::from(execution.gas_used), error })
}

/// The arguments of these methods: call, block, state overrides, block overrides.
async fn prepare(arguments: &Arguments, context: &Context) -> Result<(Arc<dyn Emulator>, Call), RpcError> {
    let state = arguments.optional(2)?.unwrap_or_default();
    let block = arguments.optional(3)?.unwrap_or_default();
    prepare_call(arguments.require(0)?, arguments.optional(1)?, state, block, context).await
}

/// A call with overrides, and the state that it is to run on.
pub(crate) async fn prepare_call(
    request: TransactionRequest,
    at: Option<BlockId>,
    state: StateOverride,
    block: BlockOverrides,
    context: &Context,
) -> Result<(Arc<dyn Emulator>, Call), RpcError> {
    let overrides = overrides(state, block)?;
    let emulator = state_at(context, at).await?;
    // Most calls name neither, and need no settings.
    let settings = if request.chain_id.is_some() || request.gas.is_some() {
        Some(context.emulator.settings().await?)
    } else {
        None
    };
    Ok((emulator, Call { overrides, ..call_of(request, settings)? }))
}

/// The state and the block that the call is to see, if it says so.
fn overrides(state: StateOverride, block: BlockOverrides) -> Result<Option<Arc<Overrides>>, RpcError> {
    check_overrides(&state)?;
    let is_empty = state.is_empty() && block == BlockOverrides::default();
    Ok((!is_empty).then(|| Arc::new(Overrides { state, block })))
}

/// Refuses overrides that contradict themselves, or are not supported.
pub(super) fn check_overrides(state: &StateOverride) -> Result<(), RpcError> {
    for (address, change) in state {
        let problem = if change.state.is_some() && change.state_diff.is_some() {
            "has both 'state' and 'stateDiff'"
        } else if change.move_precompile_to.is_some() {
            "asks for 'movePrecompileToAddress', which is not supported"
        } else {
            continue;
        };
        return Err(RpcError::InvalidParams(format!("account {address} {problem}")));
    }
    Ok(())
}

/// Checks a request as geth does, in its words.
pub(super) fn call_of(
    request: TransactionRequest,
    settings: Option<ChainSettings>,
) -> Result<Call, RpcError> {
    let rejected = |text: String| Err(RpcError::Rejected(text));
    let (fee_cap, tip) = (request.max_fee_per_gas, request.max_priority_fee_per_gas);
    if request.gas_price.is_some() && (fee_cap.is_some() || tip.is_some()) {
        return rejected("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified".into());
    }
    if request.gas_price.is_none() && tip.unwrap_or(0) > fee_cap.unwrap_or(0) {
        let (fee_cap, tip) = (fee_cap.unwrap_or(0), tip.unwrap_or(0));
        return rejected(format!("maxFeePerGas ({fee_cap}) < maxPriorityFeePerGas ({tip})"));
    }
    let has_blobs = request.max_fee_per_blob_gas.is_some_and(|fee| fee > 0)
        || request.blob_versioned_hashes.as_ref().is_some_and(|hashes| !hashes.is_empty())
        || request.sidecar.is_some();
    if has_blobs {
        return rejected("blob transactions do not exist on this chain".into());
    }
    if let (Some(have), Some(settings)) = (request.chain_id, settings)
        && have != settings.chain_id
    {
        return rejected(format!("chainId does not match node's (have={have}, want={})", settings.chain_id));
    }
    let data =
        request.input.try_into_unique_input().map_err(|error| RpcError::Rejected(error.to_string()))?;
    Ok(Call {
        from: request.from,
        to: request.to.and_then(|kind| kind.to().copied()),
        // A limit above the block's is lowered, as geth lowers it to its cap: calls often come with a generous one.
        gas: request.gas.map(|gas| settings.map_or(gas, |settings| gas.min(settings.block_gas_limit))),
        gas_price: request.gas_price.or(fee_cap).map(U256::from),
        // EIP-1559: a fee cap without a tip has tip 0, so that what is paid is the base fee.
        max_priority_fee_per_gas: tip.or(fee_cap.map(|_| 0)).map(U256::from),
        value: request.value,
        data: data.unwrap_or_default(),
        access_list: request.access_list.unwrap_or_default(),
        nonce: request.nonce,
        authorization_list: request.authorization_list.unwrap_or_default(),
        overrides: None,
    })
}

#[cfg(test)]
mod tests {
    use super::call_of;
    use alloy_primitives::{Address, Bytes, U256};
    use parhelion_core::emulator::{Call, ChainSettings};
    use serde_json::{Value, json};

    const SETTINGS: ChainSettings =
        ChainSettings { chain_id: 7, base_fee: 1_000_000_000, block_gas_limit: 30_000_000 };

    fn parse(request: Value) -> Result<Call, String> {
        let request = serde_json::from_value(request).map_err(|error| error.to_string())?;
        call_of(request, Some(SETTINGS)).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_request_has_defaults() {
        let call = parse(json!({})).unwrap();
        assert_eq!(
            (call.from, call.to, call.gas, call.gas_price, call.value),
            (None, None, None, None, None)
        );
        assert!(call.data.is_empty() && call.access_list.is_empty() && call.nonce.is_none());
    }

    #[test]
    fn every_field_arrives() {
        let to = Address::repeat_byte(2);
        let call = parse(json!({
            "from": Address::repeat_byte(1), "to": to, "gas": "0x5208", "maxFeePerGas": "0x9",
            "maxPriorityFeePerGas": "0x3", "value": "0x7", "nonce": "0x4", "chainId": "0x7", "type": "0x2",
            "accessList": [{ "address": to, "storageKeys": [] }], "input": "0x1234", "unknown": true,
        }));
        let call = call.unwrap();
        assert_eq!((call.from, call.to), (Some(Address::repeat_byte(1)), Some(to)));
        assert_eq!((call.gas, call.nonce), (Some(21_000), Some(4)));
        assert_eq!(
            (call.gas_price, call.max_priority_fee_per_gas),
            (Some(U256::from(9)), Some(U256::from(3)))
        );
        assert_eq!((call.value, call.data), (Some(U256::from(7)), Bytes::from([0x12, 0x34])));
        assert_eq!(call.access_list.0[0].address, to);
    }

    #[test]
    fn data_and_input_are_the_same_thing() {
        for request in
            [json!({"data": "0x01"}), json!({"input": "0x01"}), json!({"data": "0x01", "input": "0x01"})]
        {
            assert_eq!(parse(request).unwrap().data, Bytes::from([1]));
        }
        assert!(
            parse(json!({"data": "0x01", "input": "0x02"})).unwrap_err().contains("\"data\" and \"input\"")
        );
    }

    #[test]
    fn a_gas_limit_above_the_blocks_is_lowered() {
        let call = parse(json!({"gas": "0xffffffffffffffff", "gasPrice": "0x1"})).unwrap();
        assert_eq!((call.gas, call.gas_price), (Some(SETTINGS.block_gas_limit), Some(U256::from(1))));
    }

    #[test]
    fn contradictions_are_refused() {
        let hash = alloy_primitives::B256::repeat_byte(1);
        for (request, text) in [
            (json!({"gasPrice": "0x1", "maxFeePerGas": "0x1"}), "both gasPrice and"),
            (json!({"gasPrice": "0x1", "maxPriorityFeePerGas": "0x1"}), "both gasPrice and"),
            (json!({"maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2"}), "maxFeePerGas (1) < maxPriority"),
            (json!({"maxPriorityFeePerGas": "0x2"}), "maxFeePerGas (0) < maxPriority"),
            (json!({"chainId": "0x8"}), "chainId does not match node's (have=8, want=7)"),
            (json!({"maxFeePerBlobGas": "0x1"}), "blob transactions do not exist"),
            (json!({"blobVersionedHashes": [hash]}), "blob transactions do not exist"),
        ] {
            assert!(parse(request.clone()).unwrap_err().contains(text), "{request}");
        }
    }
}
