//! `eth_simulateV1`: calls in blocks that follow a block of the chain.

use super::call::{call_of, check_overrides};
use crate::arguments::Arguments;
use crate::block_id::{by_id, state_at};
use crate::convert;
use crate::error::RpcError;
use crate::module::Module;
use crate::revert;
use crate::services::Context;
use alloy_consensus::transaction::Recovered;
use alloy_eips::BlockId;
use alloy_primitives::{Bytes, U256};
use alloy_rpc_types_eth::simulate::{
    SimBlock, SimCallResult, SimulateError, SimulatePayload, SimulatedBlock as RpcSimulatedBlock,
};
use alloy_rpc_types_eth::{
    Block as RpcBlock, BlockTransactions, Header, Log, Transaction as RpcTransaction, Withdrawals,
};
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::emulator::ChainSettings;
use parhelion_core::simulation::{PlannedBlock, SimulatedBlock, SimulatedCall, Simulation, plan};
use parhelion_wire::event::Outcome;
use std::sync::Arc;

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method("eth_simulateV1", 2, simulate)?;
    Ok(())
}

/// `eth_simulateV1({blockStateCalls, traceTransfers, validation, returnFullTransactions}, block)`.
async fn simulate(arguments: Arguments, context: Arc<Context>) -> Result<Vec<RpcSimulatedBlock>, RpcError> {
    let payload: SimulatePayload = arguments.require(0)?;
    if payload.block_state_calls.is_empty() {
        return Err(RpcError::InvalidParams(
            "empty input: name at least one block in blockStateCalls".into(),
        ));
    }
    let at: BlockId = arguments.optional(1)?.unwrap_or_default();
    let emulator = state_at(&context, Some(at)).await?;
    let parent = context.store.block(by_id(&context, at).await?).await?;
    let parent = parent.ok_or_else(RpcError::header_not_found)?;
    // Gas is limited by the blocks and by what all calls together may use, not by the chain's blocks.
    let settings = ChainSettings { block_gas_limit: u64::MAX, ..context.emulator.settings().await? };
    let blocks = payload.block_state_calls.into_iter().map(|block| asked(block, settings));
    let simulation = Simulation {
        blocks: plan(&parent.header, blocks.collect::<Result<_, _>>()?)?,
        parent: parent.header.clone(),
        parent_hash: parent.hash,
        validates: payload.validation,
        traces_transfers: payload.trace_transfers,
    };
    let simulated = emulator.simulate(simulation).await?;
    Ok(simulated.into_iter().map(|block| shown(block, payload.return_full_transactions)).collect())
}

/// A block as it is asked for.
fn asked(block: SimBlock, settings: ChainSettings) -> Result<PlannedBlock, RpcError> {
    let state = block.state_overrides.unwrap_or_default();
    check_overrides(&state)?;
    let calls = block.calls.into_iter().map(|request| call_of(request, Some(settings)));
    let (block, calls) = (block.block_overrides.unwrap_or_default(), calls.collect::<Result<_, _>>()?);
    Ok(PlannedBlock { block, state, calls })
}

/// A block as it is shown.
fn shown(block: SimulatedBlock, has_full: bool) -> RpcSimulatedBlock {
    let mut first_log = 0_u64;
    let mut calls = Vec::with_capacity(block.calls.len());
    for (call, index) in block.calls.iter().zip(0_u64..) {
        calls.push(result(call, &block, index, first_log));
        first_log = first_log.saturating_add(call.logs.len() as u64);
    }
    let transactions = if has_full {
        let full = block.calls.iter().zip(0_u64..).map(|(call, index)| transaction(call, &block, index));
        BlockTransactions::Full(full.collect())
    } else {
        BlockTransactions::Hashes(block.calls.iter().map(|call| *call.transaction.tx_hash()).collect())
    };
    let envelopes = block.calls.iter().map(|call| &call.transaction);
    let size = U256::from(convert::block_size(&block.header, envelopes));
    let header = Header { hash: block.hash, inner: block.header, total_difficulty: None, size: Some(size) };
    let withdrawals = Some(Withdrawals::default());
    RpcSimulatedBlock { inner: RpcBlock { header, uncles: Vec::new(), transactions, withdrawals }, calls }
}

/// What a call did.
fn result(call: &SimulatedCall, block: &SimulatedBlock, index: u64, first_log: u64) -> SimCallResult {
    let execution = &call.execution;
    let (return_data, error) = match execution.outcome {
        Outcome::Success => (execution.output.clone(), None),
        Outcome::Revert => (Bytes::new(), Some(reverted(&execution.output))),
        Outcome::Halt | Outcome::OutOfRentGas | Outcome::Cancelled => {
            (Bytes::new(), Some(halted(execution.reason)))
        }
    };
    let logs = call.logs.iter().zip(first_log..).map(|(log, log_index)| Log {
        inner: log.clone(),
        block_hash: Some(block.hash),
        block_number: Some(block.header.number),
        block_timestamp: Some(block.header.timestamp),
        transaction_hash: Some(*call.transaction.tx_hash()),
        transaction_index: Some(index),
        log_index: Some(log_index),
        removed: false,
    });
    SimCallResult {
        return_data,
        logs: logs.collect(),
        gas_used: execution.gas_used,
        max_used_gas: Some(call.gas_used_max),
        status: execution.outcome.is_success(),
        error,
    }
}

fn reverted(output: &Bytes) -> SimulateError {
    SimulateError {
        code: SimulateError::EXECUTION_REVERTED_CODE,
        message: revert::message(output),
        data: Some(output.clone()),
    }
}

fn halted(reason: &str) -> SimulateError {
    SimulateError { code: SimulateError::VM_EXECUTION_ERROR_CODE, message: reason.into(), data: None }
}

/// A call as a transaction of its block.
fn transaction(call: &SimulatedCall, block: &SimulatedBlock, index: u64) -> RpcTransaction {
    RpcTransaction {
        inner: Recovered::new_unchecked(call.transaction.clone(), call.sender),
        block_hash: Some(block.hash),
        block_number: Some(block.header.number),
        transaction_index: Some(index),
        effective_gas_price: Some(call.gas_price),
        block_timestamp: Some(block.header.timestamp),
    }
}
