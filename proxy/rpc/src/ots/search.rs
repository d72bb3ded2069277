//! The transactions in which an address appears, a page at a time.
//!
//! A page ends with a whole block, so that the next one can be asked for by a block's number: it has the transactions that
//! were asked for, and the others of its last block.

use super::number::Number;
use super::receipt::page;
use crate::arguments::Arguments;
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use alloy_rpc_types_trace::otterscan::TransactionsWithReceipts;
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::clue::{Clue, LOOKUP_MAX, Lookup};
use parhelion_core::store::Executed;
use std::sync::Arc;

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method("ots_searchTransactionsBefore", 3, before)?;
    module.method("ots_searchTransactionsAfter", 3, after)?;
    Ok(())
}

/// `ots_searchTransactionsBefore(address, block, transactions on a page)`: those before a block, or the newest for block 0.
async fn before(arguments: Arguments, context: Arc<Context>) -> Result<TransactionsWithReceipts, RpcError> {
    let Asked { clue, block, size } = asked(&arguments)?;
    let latest = context.store.latest().await?;
    let is_first = block == 0;
    let to_block = if is_first { latest } else { (block - 1).min(latest) };
    let lookup = Lookup { clue, from_block: 0, to_block, newest_first: true, max: size };
    let (found, has_more) = find(&context, lookup).await?;
    Ok(page(&found, is_first, !has_more))
}

/// `ots_searchTransactionsAfter(address, block, transactions on a page)`: those behind a block, or the first of all for
/// block 0. The newest are the first here, too.
async fn after(arguments: Arguments, context: Arc<Context>) -> Result<TransactionsWithReceipts, RpcError> {
    let Asked { clue, block, size } = asked(&arguments)?;
    let from_block = if block == 0 { 0 } else { block.saturating_add(1) };
    let to_block = context.store.latest().await?;
    let lookup = Lookup { clue, from_block, to_block, newest_first: false, max: size };
    let (mut found, has_more) = find(&context, lookup).await?;
    found.reverse();
    Ok(page(&found, !has_more, block == 0))
}

/// What is searched for.
struct Asked {
    clue: Clue,
    block: u64,
    size: usize,
}

fn asked(arguments: &Arguments) -> Result<Asked, RpcError> {
    let clue = Clue::Appears(arguments.hex(0)?);
    let block = arguments.require::<Number>(1)?.number()?;
    Ok(Asked { clue, block, size: super::page_size(arguments, 2)? })
}

/// A page that ends with a whole block, and whether there are more behind it.
async fn find(context: &Context, lookup: Lookup) -> Result<(Vec<Arc<Executed>>, bool), RpcError> {
    let size = lookup.max;
    // One more tells whether there is another page.
    let mut found = context.store.lookup(&Lookup { max: size.saturating_add(1), ..lookup }).await?;
    let (Some(last), true) = (found.get(size - 1).map(|last| last.block_number), found.len() > size) else {
        return Ok((found, false));
    };
    found.truncate(size);
    found.retain(|executed| executed.block_number != last);
    let whole = Lookup { from_block: last, to_block: last, max: LOOKUP_MAX, ..lookup };
    found.extend(context.store.lookup(&whole).await?);
    let rest = if lookup.newest_first {
        last.checked_sub(1).map(|to_block| Lookup { to_block, max: 1, ..lookup })
    } else {
        Some(Lookup { from_block: last.saturating_add(1), max: 1, ..lookup })
    };
    let has_more = match rest {
        Some(rest) => !context.store.lookup(&rest).await?.is_empty(),
        None => false,
    };
    Ok((found, has_more))
}
