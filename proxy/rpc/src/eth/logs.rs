//! Logs.

use crate::arguments::Arguments;
use crate::block_id;
use crate::convert;
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256};
use alloy_rpc_types_eth::{Filter, FilterBlockOption, FilterSet, Log};
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::store::{BlockId, LogFilter};
use std::hash::Hash;
use std::sync::Arc;

/// The most addresses, and the most topics at one position, of a filter: geth's limit.
const FILTER_ALTERNATIVES_MAX: usize = 1000;

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method("eth_getLogs", 1, logs)?;
    Ok(())
}

async fn logs(arguments: Arguments, context: Arc<Context>) -> Result<Vec<Log>, RpcError> {
    find(&context, &arguments.require(0)?).await
}

/// The logs that a filter finds now.
pub(super) async fn find(context: &Context, filter: &Filter) -> Result<Vec<Log>, RpcError> {
    let (addresses, topics) = alternatives(filter)?;
    let Some((from_block, to_block)) = range(context, filter.block_option).await? else {
        return Ok(Vec::new());
    };
    let found = context.store.logs(&LogFilter { from_block, to_block, addresses, topics }).await?;
    Ok(found.into_iter().map(convert::log).collect())
}

/// The filter for logs to come: tags and a block hash bound nothing.
pub(super) fn live_filter(filter: &Filter) -> Result<LogFilter, RpcError> {
    let (addresses, topics) = alternatives(filter)?;
    let (from_block, to_block) = match filter.block_option {
        FilterBlockOption::Range { from_block, to_block } => (from_block, to_block),
        FilterBlockOption::AtBlockHash(_) => (None, None),
    };
    let from_block = from_block.and_then(|block| block.as_number()).unwrap_or(0);
    let to_block = to_block.and_then(|block| block.as_number()).unwrap_or(u64::MAX);
    check_order(from_block, to_block)?;
    Ok(LogFilter { from_block, to_block, addresses, topics })
}

/// The addresses, and the topics of each position up to the last that asks for something.
fn alternatives(filter: &Filter) -> Result<(Vec<Address>, Vec<Vec<B256>>), RpcError> {
    let addresses = sorted(&filter.address)?;
    let mut topics = filter.topics.iter().map(sorted).collect::<Result<Vec<_>, _>>()?;
    while topics.last().is_some_and(Vec::is_empty) {
        topics.pop();
    }
    Ok((addresses, topics))
}

fn sorted<T: Copy + Ord + Hash>(set: &FilterSet<T>) -> Result<Vec<T>, RpcError> {
    let mut values: Vec<T> = set.iter().copied().collect();
    if values.len() > FILTER_ALTERNATIVES_MAX {
        let text = format!("exceed max addresses or topics per search position: {FILTER_ALTERNATIVES_MAX}");
        return Err(RpcError::InvalidParams(text));
    }
    values.sort_unstable();
    Ok(values)
}

/// The first and the last block of a filter; `None` if it begins behind the newest block.
async fn range(context: &Context, blocks: FilterBlockOption) -> Result<Option<(u64, u64)>, RpcError> {
    let (from_block, to_block) = match blocks {
        FilterBlockOption::AtBlockHash(hash) => {
            let block = context.store.block(BlockId::Hash(hash)).await?;
            let block = block.ok_or_else(|| RpcError::Rejected("unknown block".into()))?;
            return Ok(Some((block.header.number, block.header.number)));
        }
        FilterBlockOption::Range { from_block, to_block } => (from_block, to_block),
    };
    if let (Some(BlockNumberOrTag::Number(from)), Some(BlockNumberOrTag::Number(to))) = (from_block, to_block)
    {
        check_order(from, to)?;
    }
    let latest = context.store.latest().await?;
    if matches!(to_block, Some(BlockNumberOrTag::Number(to)) if to > latest) {
        // As in geth: whoever keeps what was found for a range must not believe that nothing will come in it any more.
        let text = format!("block range extends beyond current head block: the newest is {latest}");
        return Err(RpcError::InvalidParams(text));
    }
    let from = block_id::number(context, from_block.unwrap_or_default(), latest).await?;
    let to = block_id::number(context, to_block.unwrap_or_default(), latest).await?;
    if from > to {
        return Ok(None);
    }
    let range_max = context.limits.log_range_blocks_max;
    if to - from >= range_max {
        let text =
            format!("block range of {} blocks exceeds the limit of {range_max}: narrow it", to - from + 1);
        return Err(RpcError::LimitExceeded(text));
    }
    Ok(Some((from, to)))
}

fn check_order(from: u64, to: u64) -> Result<(), RpcError> {
    if from > to {
        let text = format!("invalid block range params: fromBlock {from} is above toBlock {to}");
        return Err(RpcError::InvalidParams(text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{FILTER_ALTERNATIVES_MAX, alternatives};
    use alloy_primitives::{Address, B256};
    use alloy_rpc_types_eth::Filter;
    use serde_json::json;

    #[test]
    fn topics_end_at_the_last_position_that_asks_for_something() {
        let (a, b) = (B256::repeat_byte(1), B256::repeat_byte(2));
        for (topics, expected) in [
            (json!([]), vec![]),
            (json!(null), vec![]),
            (json!([null, null]), vec![]),
            (json!([a, null]), vec![vec![a]]),
            (json!([null, [b, a], null, []]), vec![vec![], vec![a, b]]),
            (json!([[a, null], b]), vec![vec![], vec![b]]),
        ] {
            let filter: Filter = serde_json::from_value(json!({ "topics": topics })).unwrap();
            assert_eq!(alternatives(&filter).unwrap(), (vec![], expected), "{topics}");
        }
    }

    #[test]
    fn too_many_alternatives_are_refused() {
        let addresses = |count: u64| (0..count).map(|i| Address::left_padding_from(&i.to_be_bytes()));
        let filter = |count| Filter::new().address(addresses(count).collect::<Vec<_>>());
        let limit = FILTER_ALTERNATIVES_MAX as u64;
        assert_eq!(alternatives(&filter(limit)).unwrap().0, addresses(limit).collect::<Vec<_>>());
        assert_eq!(alternatives(&filter(limit + 1)).unwrap_err().code(), -32602);
    }
}
