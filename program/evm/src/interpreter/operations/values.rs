//! Operations that push a value, or change the top one, without touching the world.

use super::super::context::{Context, Result};
use crate::exit::Exit;
use crate::fork::Fork;
use crate::host::Host;
use crate::{arith, gas};

/// EXP: 50 gas a byte of the exponent (EIP-160).
pub(crate) fn exp<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let (base, exponent) = (cx.pop()?, cx.pop()?);
    cx.charge(gas::EXP_BYTE * arith::byte_len(&exponent) as i64)?;
    cx.push(&arith::exp(&base, &exponent))
}

/// CLZ (EIP-7939).
pub(crate) fn clz<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    if cx.host.env().fork < Fork::Osaka {
        return Err(Exit::InvalidOpcode.into());
    }
    let value = cx.pop()?;
    cx.push(&arith::clz(&value))
}

/// ORIGIN.
pub(crate) fn origin<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let origin = cx.host.env().origin;
    cx.push_address(&origin)
}

/// GASPRICE.
pub(crate) fn gasprice<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let price = cx.host.env().gas_price;
    cx.push(&price)
}

/// COINBASE.
pub(crate) fn coinbase<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let coinbase = cx.host.env().coinbase;
    cx.push_address(&coinbase)
}

/// TIMESTAMP.
pub(crate) fn timestamp<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let timestamp = cx.host.env().timestamp;
    cx.push_u64(timestamp)
}

/// NUMBER.
pub(crate) fn number<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let number = cx.host.env().number;
    cx.push_u64(number)
}

/// GASLIMIT.
pub(crate) fn gaslimit<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let limit = cx.host.env().gas_limit;
    cx.push_u64(limit)
}

/// CHAINID.
pub(crate) fn chainid<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let id = cx.host.env().chain_id;
    cx.push_u64(id)
}

/// BASEFEE.
pub(crate) fn basefee<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let fee = cx.host.env().base_fee;
    cx.push(&fee)
}

/// BLOBHASH (EIP-4844): an index without a blob gives zero, and no transaction here has blobs.
pub(crate) fn blobhash<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    cx.pop()?;
    cx.push_u64(0)
}

/// BLOBBASEFEE (EIP-7516).
pub(crate) fn blobbasefee<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let fee = cx.host.env().blob_base_fee;
    cx.push(&fee)
}

/// MSIZE.
pub(crate) fn msize<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let length = cx.frame.memory_length;
    cx.push_u64(length as u64)
}
