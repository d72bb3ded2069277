//! Transient storage.

use super::super::Interrupt;
use super::super::context::{Context, Result};
use crate::host::Host;

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
    cx.host.set_transient_storage(cx.frame.input.account, &key, &value).map_err(Interrupt::Host)
}
