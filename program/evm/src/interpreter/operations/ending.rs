//! Operations that end a frame.

use super::super::Interrupt;
use super::super::context::{Context, Result, range};
use crate::exit::Exit;
use crate::gas;
use crate::host::Host;

/// RETURN and REVERT.
pub(crate) fn returning<H: Host>(cx: &mut Context<'_, '_, '_, H>, exit: Exit) -> Result<(), H::Error> {
    let (offset, length) = (cx.pop()?, cx.pop()?);
    let range = range(&offset, &length)?;
    cx.expand_memory(&[range])?;
    Err(Interrupt::Exit(exit, cx.in_machine(range)))
}

/// SELFDESTRUCT (EIP-2929, 3529, 6780).
pub(crate) fn selfdestruct<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    cx.require_mutable()?;
    let beneficiary = cx.pop_address()?;
    let account = cx.frame.input.account;
    if cx.host.access_account(&beneficiary).map_err(Interrupt::Host)? {
        cx.charge(gas::COLD_ACCOUNT_ACCESS)?;
    }
    let has_value = !cx.host.self_balance(account).map_err(Interrupt::Host)?.is_zero();
    if has_value && cx.host.is_empty(&beneficiary).map_err(Interrupt::Host)? {
        cx.charge(gas::NEW_ACCOUNT)?;
    }
    cx.host.self_destruct(account, &beneficiary).map_err(Interrupt::Host)?;
    Err(Exit::SelfDestruct.into())
}
