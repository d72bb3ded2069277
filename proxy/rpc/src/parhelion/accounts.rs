//! Which Solana accounts a transaction uses.

use crate::arguments::Arguments;
use crate::error::RpcError;
use crate::services::Context;
use parhelion_core::emulator::AccountUse;
use serde::Serialize;
use solana_address::Address as SolanaAddress;
use std::sync::Arc;

/// An account that a transaction uses.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Used {
    /// The Solana address, in base 58.
    address: String,
    /// Whether the transaction writes it.
    writable: bool,
}

impl Used {
    /// Accounts as they are shown.
    pub(super) fn list(uses: &[AccountUse]) -> Vec<Self> {
        let shown = |used: &AccountUse| Self {
            address: SolanaAddress::from(used.address).to_string(),
            writable: used.writable,
        };
        uses.iter().map(shown).collect()
    }
}

/// `parhelion_getAccounts(hash)`: what the emulator lists of it, on the state from before it. Only where that is kept.
pub(super) async fn of_transaction(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<Option<Vec<Used>>, RpcError> {
    let Some(executed) = context.store.executed(arguments.hex(0)?).await? else { return Ok(None) };
    let state = context.emulator.before(&executed).await?;
    let stepped = state.emulate_in_steps(&executed.transaction, executed.coinbase, None).await?;
    Ok(Some(Used::list(&stepped.emulation.accounts)))
}
