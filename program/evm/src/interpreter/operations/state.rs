//! Storage, transient storage and logs.

use super::super::context::{Context, Result, Stop};
use crate::exit::Exit;
use crate::host::Host;
use crate::{U256, arith, gas};

/// SLOAD.
pub(crate) fn sload<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let key = cx.pop()?;
    let account = cx.frame.input.account;
    let is_cold = cx.host.access_storage(account, &key).map_err(Stop::Host)?;
    cx.charge(if is_cold { gas::COLD_STORAGE_ACCESS } else { gas::WARM_ACCESS })?;
    let value = cx.host.storage(account, &key).map_err(Stop::Host)?;
    cx.push(&value)
}

/// SSTORE (EIP-2200, 2929, 3529).
pub(crate) fn sstore<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    cx.require_mutable()?;
    let (key, value) = (cx.pop()?, cx.pop()?);
    if cx.frame.input.gas <= gas::STORAGE_STIPEND {
        return Err(Exit::OutOfGas.into());
    }
    let account = cx.frame.input.account;
    let is_cold = cx.host.access_storage(account, &key).map_err(Stop::Host)?;
    let change = cx.host.storage_change(account, &key).map_err(Stop::Host)?;
    let (cost, refund) = gas::storage_write(&change, &value);
    cx.charge(cost + if is_cold { gas::COLD_STORAGE_ACCESS } else { 0 })?;
    if refund != 0 {
        cx.host.refund(refund);
    }
    if arith::eq(&change.current, &value) {
        return Ok(());
    }
    cx.host.set_storage(account, &key, &value).map_err(Stop::Host)
}

/// TLOAD (EIP-1153).
pub(crate) fn tload<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let key = cx.pop()?;
    let value = cx.host.transient_storage(cx.frame.input.account, &key);
    cx.push(&value)
}

/// TSTORE (EIP-1153).
pub(crate) fn tstore<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    cx.require_mutable()?;
    let (key, value) = (cx.pop()?, cx.pop()?);
    cx.host.set_transient_storage(cx.frame.input.account, &key, &value).map_err(Stop::Host)
}

/// LOG0 to LOG4.
pub(crate) fn log<H: Host>(cx: &mut Context<'_, '_, '_, H>, count: u8) -> Result<(), H::Error> {
    cx.require_mutable()?;
    let (offset, length) = (cx.pop()?, cx.pop()?);
    let mut topics = [U256::zero(); 4];
    let topics = &mut topics[..usize::from(count.min(4))];
    for topic in topics.iter_mut() {
        *topic = cx.pop()?;
    }
    let range = cx.range(&offset, &length)?;
    cx.charge(gas::LOG_DATA_BYTE * range.length as i64)?;
    cx.expand_memory(&[range])?;
    let source = cx.in_machine(range);
    let data = cx.machine.memory(source.start, source.length);
    cx.host.log(&cx.frame.input.address, topics, data).map_err(Stop::Host)
}
