//! Balances, code, nonces and storage out of nowhere, and senders without keys.

use super::number::Number;
use super::{Development, alias};
use alloy_primitives::{Address, B256, Bytes};
use alloy_rpc_types_eth::state::AccountOverride;
use parhelion_core::emulator::Emulator;
use parhelion_rpc::{Arguments, Module, RegisterMethodError, RpcError};
use std::sync::Arc;

pub(super) fn register(module: &mut Module<Development>) -> Result<(), RegisterMethodError> {
    // anvil answers null, and Hardhat true: their clients take nothing else.
    module.method("anvil_setBalance", 2, set_balance)?;
    module.method("hardhat_setBalance", 2, |arguments, chain| yes(set_balance(arguments, chain)))?;
    module.method("anvil_setCode", 2, set_code)?;
    module.method("hardhat_setCode", 2, |arguments, chain| yes(set_code(arguments, chain)))?;
    module.method("anvil_setNonce", 2, set_nonce)?;
    module.method("hardhat_setNonce", 2, |arguments, chain| yes(set_nonce(arguments, chain)))?;
    alias(module, &["anvil_setStorageAt", "hardhat_setStorageAt"], 3, |arguments, chain| {
        yes(set_storage_at(arguments, chain))
    })?;
    module.method("anvil_impersonateAccount", 1, impersonate)?;
    module.method("hardhat_impersonateAccount", 1, |arguments, chain| yes(impersonate(arguments, chain)))?;
    module.method("anvil_stopImpersonatingAccount", 1, stop_impersonating)?;
    module.method("hardhat_stopImpersonatingAccount", 1, |arguments, chain| {
        yes(stop_impersonating(arguments, chain))
    })?;
    module.method("anvil_autoImpersonateAccount", 1, impersonate_everybody)?;
    Ok(())
}

async fn yes(done: impl Future<Output = Result<(), RpcError>> + Send) -> Result<bool, RpcError> {
    done.await.map(|()| true)
}

/// `anvil_setBalance(address, wei)`.
async fn set_balance(arguments: Arguments, chain: Arc<Development>) -> Result<(), RpcError> {
    let balance = arguments.require::<Number>(1)?.to_u256();
    chain.set(arguments.require(0)?, AccountOverride::default().with_balance(balance)).await
}

/// `anvil_setCode(address, code)`: runtime code; storage stays as it is.
async fn set_code(arguments: Arguments, chain: Arc<Development>) -> Result<(), RpcError> {
    let code: Bytes = arguments.require(1)?;
    chain.set(arguments.require(0)?, AccountOverride::default().with_code(code)).await
}

/// `anvil_setNonce(address, nonce)`: none below the address's own, because those were used.
async fn set_nonce(arguments: Arguments, chain: Arc<Development>) -> Result<(), RpcError> {
    let (address, nonce) = (arguments.require(0)?, arguments.require::<Number>(1)?.to_u64("nonce")?);
    let used = chain.parts.emulator.account(address).await?.nonce;
    if nonce < used {
        return Err(RpcError::InvalidParams(format!(
            "New nonce ({nonce}) must not be smaller than the existing nonce ({used})"
        )));
    }
    chain.set(address, AccountOverride::default().with_nonce(nonce)).await
}

/// `anvil_setStorageAt(address, slot, value)`.
async fn set_storage_at(arguments: Arguments, chain: Arc<Development>) -> Result<(), RpcError> {
    let slot: B256 = arguments.require::<Number>(1)?.to_u256().into();
    let value: B256 = arguments.require::<Number>(2)?.to_u256().into();
    chain.set(arguments.require(0)?, AccountOverride::default().with_state_diff([(slot, value)])).await
}

/// `anvil_impersonateAccount(address)`: `eth_sendTransaction` needs no key of the address from now on.
async fn impersonate(arguments: Arguments, chain: Arc<Development>) -> Result<(), RpcError> {
    chain.parts.wallet.impersonate(arguments.require(0)?, true);
    Ok(())
}

/// `anvil_stopImpersonatingAccount(address)`.
async fn stop_impersonating(arguments: Arguments, chain: Arc<Development>) -> Result<(), RpcError> {
    chain.parts.wallet.impersonate(arguments.require(0)?, false);
    Ok(())
}

/// `anvil_autoImpersonateAccount(bool)`: as if every address were impersonated.
async fn impersonate_everybody(arguments: Arguments, chain: Arc<Development>) -> Result<(), RpcError> {
    chain.parts.wallet.impersonate_everybody(arguments.require(0)?);
    Ok(())
}

impl Development {
    /// Changes what an address has. No block is made: it is so at once.
    async fn set(self: Arc<Self>, address: Address, change: AccountOverride) -> Result<(), RpcError> {
        self.work(move |chain| async move {
            let _turn = chain.turn().await;
            let _pause = chain.parts.cluster.pause().await;
            let change = [(address, change)].into_iter().collect();
            for (address, account) in chain.parts.emulator.edited(&change).await? {
                chain.parts.cluster.set_account(address, account).await?;
            }
            Ok(())
        })
        .await
    }
}
