//! Questions about accounts and blocks.

use super::super::Interrupt;
use super::super::context::{Context, Result};
use crate::host::Host;
use crate::{arith, from_be_bytes};

/// BALANCE.
pub(crate) fn balance<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let address = cx.pop_address()?;
    cx.charge_account_access(&address)?;
    let balance = cx.host.balance(&address).map_err(Interrupt::Host)?;
    cx.push(&balance)
}

/// SELFBALANCE (EIP-1884).
pub(crate) fn selfbalance<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let account = cx.frame.input.account;
    let balance = cx.host.self_balance(account).map_err(Interrupt::Host)?;
    cx.push(&balance)
}

/// EXTCODESIZE.
pub(crate) fn extcodesize<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let address = cx.pop_address()?;
    cx.charge_account_access(&address)?;
    let length = cx.host.code(&address).map_err(Interrupt::Host)?.len();
    cx.push_u64(length as u64)
}

/// EXTCODEHASH (EIP-1052).
pub(crate) fn extcodehash<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let address = cx.pop_address()?;
    cx.charge_account_access(&address)?;
    let hash = cx.host.code_hash(&address).map_err(Interrupt::Host)?;
    cx.push(&from_be_bytes(&hash.0))
}

/// BLOCKHASH: of the last 256 blocks.
pub(crate) fn blockhash<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let number = arith::as_u64_saturating(&cx.pop()?);
    let current = cx.host.env().number;
    if number >= current || current - number > 256 {
        return cx.push_u64(0);
    }
    let hash = cx.host.block_hash(number).map_err(Interrupt::Host)?;
    cx.push(&hash)
}

/// PREVRANDAO (EIP-4399).
pub(crate) fn prevrandao<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let value = cx.host.prevrandao().map_err(Interrupt::Host)?;
    cx.push(&value)
}
