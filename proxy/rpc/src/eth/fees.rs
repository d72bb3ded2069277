//! Gas prices.

use crate::arguments::Arguments;
use crate::block_id;
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{U64, U256};
use alloy_rpc_types_eth::{FeeHistory, Index};
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::store::{Block, BlockId};
use std::sync::Arc;

/// The most blocks of one `eth_feeHistory`; a larger count is lowered. geth's limit.
const HISTORY_BLOCKS_MAX: u64 = 1024;
/// The most reward percentiles of one `eth_feeHistory`: geth's limit.
const PERCENTILES_MAX: usize = 100;

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method("eth_gasPrice", 0, gas_price)?;
    module.method("eth_baseFee", 0, gas_price)?;
    module.method("eth_maxPriorityFeePerGas", 0, max_priority_fee_per_gas)?;
    module.method("eth_feeHistory", 3, fee_history)?;
    Ok(())
}

/// The base fee: nobody needs to pay more, and it is that of the next block, too.
async fn gas_price(_: Arguments, context: Arc<Context>) -> Result<U64, RpcError> {
    Ok(U64::from(context.emulator.settings().await?.base_fee))
}

/// Nobody needs to pay more than the base fee: it is constant, and the operator gets all of it.
async fn max_priority_fee_per_gas(_: Arguments, _: Arc<Context>) -> Result<U64, RpcError> {
    Ok(U64::ZERO)
}

async fn fee_history(arguments: Arguments, context: Arc<Context>) -> Result<FeeHistory, RpcError> {
    let count: Index = arguments.require(0)?;
    let newest: BlockNumberOrTag = arguments.require(1)?;
    let percentiles: Option<Vec<f64>> = arguments.optional(2)?;
    let percentiles = percentiles.unwrap_or_default();
    check_percentiles(&percentiles)?;

    let latest = context.store.latest().await?;
    let newest = block_id::number(&context, newest, latest).await?;
    if newest > latest {
        let text = format!("request beyond head block: requested {newest}, head {latest}");
        return Err(RpcError::Rejected(text));
    }
    let count =
        u64::try_from(count.0).unwrap_or(u64::MAX).min(HISTORY_BLOCKS_MAX).min(newest.saturating_add(1));
    if count == 0 {
        return Ok(FeeHistory::default());
    }
    let base_fee = context.emulator.settings().await?.base_fee;
    let oldest = newest - (count - 1);
    let mut history = FeeHistory { oldest_block: oldest, ..FeeHistory::default() };
    let mut rewards = Vec::new();
    for number in oldest..=newest {
        let block = context.store.block(BlockId::Number(number)).await?;
        history.base_fee_per_gas.push(base_fee_of(block.as_deref(), base_fee));
        history.gas_used_ratio.push(block.as_deref().map_or(0.0, gas_used_ratio));
        rewards.push(
            block.as_deref().map_or_else(|| vec![0; percentiles.len()], |block| tips(block, &percentiles)),
        );
    }
    // The list ends with the base fee of the block behind the newest, which exists if an older block was asked for.
    let next = if newest < latest { context.store.block(BlockId::Number(newest + 1)).await? } else { None };
    history.base_fee_per_gas.push(base_fee_of(next.as_deref(), base_fee));
    history.reward = (!percentiles.is_empty()).then_some(rewards);
    Ok(history)
}

fn check_percentiles(percentiles: &[f64]) -> Result<(), RpcError> {
    let invalid =
        |reason: String| Err(RpcError::InvalidParams(format!("invalid reward percentile: {reason}")));
    if percentiles.len() > PERCENTILES_MAX {
        return invalid(format!("{} of them, over the query limit {PERCENTILES_MAX}", percentiles.len()));
    }
    if let Some(percentile) = percentiles.iter().find(|percentile| !(0.0..=100.0).contains(*percentile)) {
        return invalid(format!("{percentile} is not within 0 and 100"));
    }
    if let Some(pair) = percentiles.windows(2).find(|pair| pair[0] >= pair[1]) {
        return invalid(format!("{} is followed by {}: they must ascend", pair[0], pair[1]));
    }
    Ok(())
}

/// A slot without transactions may have no block: it has the chain's base fee.
fn base_fee_of(block: Option<&Block>, base_fee: u64) -> u128 {
    u128::from(block.and_then(|block| block.header.base_fee_per_gas).unwrap_or(base_fee))
}

#[expect(clippy::cast_precision_loss, reason = "a ratio for people: 53 bits are plenty")]
fn gas_used_ratio(block: &Block) -> f64 {
    let header = &block.header;
    if header.gas_limit == 0 { 0.0 } else { header.gas_used as f64 / header.gas_limit as f64 }
}

/// For each percentile of the block's gas the priority fee that was paid for it, as geth computes it: transactions
/// in the order of their priority fee, until their gas reaches the share.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "percentiles are fractions, gas is not: geth rounds in the same way"
)]
fn tips(block: &Block, percentiles: &[f64]) -> Vec<u128> {
    let base_fee = U256::from(block.header.base_fee_per_gas.unwrap_or(0));
    let mut paid: Vec<(u128, u64)> = block
        .transactions
        .iter()
        .map(|executed| {
            let tip = executed.effective_gas_price.saturating_sub(base_fee);
            (tip.saturating_to(), executed.gas_used)
        })
        .collect();
    paid.sort_by_key(|(tip, _)| *tip);
    let mut rest = paid.iter().peekable();
    let mut gas_sum = 0_u64;
    let mut tip = 0;
    percentiles
        .iter()
        .map(|percentile| {
            let threshold = (block.header.gas_used as f64 * percentile / 100.0) as u64;
            // The first transaction counts for every percentile, however small.
            while let Some((next_tip, gas)) = rest.next_if(|_| gas_sum == 0 || gas_sum < threshold) {
                tip = *next_tip;
                gas_sum = gas_sum.saturating_add(*gas);
            }
            tip
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::check_percentiles;

    #[test]
    fn percentiles_ascend_from_0_to_100() {
        for good in [&[][..], &[0.0], &[100.0], &[0.0, 0.5, 99.9]] {
            assert!(check_percentiles(good).is_ok(), "{good:?}");
        }
        let many: Vec<f64> = (0..=100).map(|i| f64::from(i) / 2.0).collect();
        for bad in [&[-1.0][..], &[100.1], &[1.0, 1.0], &[2.0, 1.0], &[f64::NAN], &[f64::INFINITY], &many] {
            let error = check_percentiles(bad).unwrap_err();
            assert_eq!(error.code(), -32602);
            assert!(error.to_string().contains("percentile"), "{bad:?}");
        }
    }
}
