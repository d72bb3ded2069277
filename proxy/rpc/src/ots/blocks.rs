//! Blocks, a page of their transactions at a time.

use super::number::Number;
use super::receipt::receipt;
use crate::arguments::Arguments;
use crate::block_id::by_number;
use crate::convert;
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_primitives::U256;
use alloy_rpc_types_eth::{Block as RpcBlock, BlockTransactions, Header};
use alloy_rpc_types_trace::otterscan::{
    BlockDetails, InternalIssuance, OtsBlock, OtsBlockTransactions, OtsSlimBlock,
};
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::store::{Block, BlockId, Executed};
use std::sync::Arc;

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method("erigon_getHeaderByNumber", 1, header)?;
    module.method("ots_getBlockDetails", 1, details)?;
    module.method("ots_getBlockDetailsByHash", 1, details_by_hash)?;
    module.method("ots_getBlockTransactions", 3, transactions)?;
    Ok(())
}

async fn header(arguments: Arguments, context: Arc<Context>) -> Result<Option<Header>, RpcError> {
    let number: Number = arguments.require(0)?;
    let id = by_number(&context, number.block()).await?;
    Ok(context.store.block(id).await?.map(|block| convert::header(&block)))
}

async fn details(arguments: Arguments, context: Arc<Context>) -> Result<Option<BlockDetails>, RpcError> {
    let number: Number = arguments.require(0)?;
    let id = by_number(&context, number.block()).await?;
    Ok(context.store.block(id).await?.map(|block| details_of(&block)))
}

async fn details_by_hash(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<Option<BlockDetails>, RpcError> {
    let block = context.store.block(BlockId::Hash(arguments.hex(0)?)).await?;
    Ok(block.map(|block| details_of(&block)))
}

/// A block without its transactions, and what was paid for them. Nobody is rewarded with new coins here.
fn details_of(block: &Block) -> BlockDetails {
    let fee =
        |executed: &Arc<Executed>| executed.effective_gas_price.saturating_mul(U256::from(executed.gas_used));
    let RpcBlock { header, uncles, withdrawals, .. } = convert::block(block, false);
    let transaction_count = block.transactions.len();
    BlockDetails {
        block: OtsSlimBlock { header, uncles, withdrawals, transaction_count },
        issuance: InternalIssuance::default(),
        total_fees: block.transactions.iter().map(fee).fold(U256::ZERO, U256::saturating_add),
    }
}

/// `ots_getBlockTransactions(block, page, transactions on a page)`: the first page has the last ones.
async fn transactions(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<Option<OtsBlockTransactions>, RpcError> {
    let number: Number = arguments.require(0)?;
    let page = arguments.require::<Number>(1)?.number()?;
    let size = super::page_size(&arguments, 2)?;
    let id = by_number(&context, number.block()).await?;
    Ok(context.store.block(id).await?.map(|block| page_of(&block, page, size)))
}

fn page_of(block: &Block, page: u64, size: usize) -> OtsBlockTransactions {
    let skipped = usize::try_from(page).unwrap_or(usize::MAX).saturating_mul(size);
    let end = block.transactions.len().saturating_sub(skipped);
    let shown = block.transactions.get(end.saturating_sub(size)..end).unwrap_or_default();
    let transactions = shown.iter().map(|executed| convert::transaction(executed)).collect();
    let whole = convert::block(block, false);
    OtsBlockTransactions {
        fullblock: OtsBlock {
            block: RpcBlock { transactions: BlockTransactions::Full(transactions), ..whole },
            transaction_count: block.transactions.len(),
        },
        receipts: shown.iter().map(|executed| receipt(executed)).collect(),
    }
}
