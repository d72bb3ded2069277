//! Moving bytes into, inside and out of memory.

use super::super::Interrupt;
use super::super::context::{Context, Result, range};
use super::super::frame::Output;
use crate::exit::Exit;
use crate::host::Host;
use crate::{U256, arith, gas};

/// Pops target, source and length of a copy, charges for it and makes room. Gives the target in the machine's
/// memory and the source offset.
fn prepare_copy<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(Output, U256), H::Error> {
    let (target, source, length) = (cx.pop()?, cx.pop()?, cx.pop()?);
    let range = range(&target, &length)?;
    cx.charge(gas::per_word(gas::COPY_WORD, range.length as u64))?;
    cx.expand_memory(&[range])?;
    Ok((cx.in_machine(range), source))
}

/// CALLDATACOPY.
pub(crate) fn calldatacopy<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let (target, offset) = prepare_copy(cx)?;
    match cx.frame.input.input {
        super::super::Input::Bytes(bytes) => {
            Context::<H>::copy_to_memory(cx.machine, bytes, &offset, target);
        }
        super::super::Input::Memory { start, length } => {
            // The caller's memory and the frame's own are one arena.
            let skip = arith::as_u64_saturating(&offset).min(length as u64) as usize;
            let copied = target.length.min(length - skip);
            cx.machine.memory_copy_within(start + skip, target.start, copied);
            cx.machine.memory_mut(target.start + copied, target.length - copied).fill(0);
        }
    }
    Ok(())
}

/// CODECOPY.
pub(crate) fn codecopy<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let (target, offset) = prepare_copy(cx)?;
    Context::<H>::copy_to_memory(cx.machine, cx.frame.input.code.bytes(), &offset, target);
    Ok(())
}

/// EXTCODECOPY.
pub(crate) fn extcodecopy<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let address = cx.pop_address()?;
    let (target, offset) = prepare_copy(cx)?;
    cx.charge_account_access(&address)?;
    let code = cx.host.code(&address).map_err(Interrupt::Host)?;
    Context::<H>::copy_to_memory(cx.machine, code, &offset, target);
    Ok(())
}

/// RETURNDATACOPY: reading beyond the end is an exceptional halt (EIP-211).
pub(crate) fn returndatacopy<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let (target, source, length) = (cx.pop()?, cx.pop()?, cx.pop()?);
    let range = range(&target, &length)?;
    cx.charge(gas::per_word(gas::COPY_WORD, range.length as u64))?;
    let end = arith::as_u64_saturating(&source).saturating_add(range.length as u64);
    if end > cx.machine.return_data.len() as u64 {
        return Err(Exit::ReturnDataOutOfBounds.into());
    }
    cx.expand_memory(&[range])?;
    let target = cx.in_machine(range);
    let source = end as usize - range.length;
    // Taken out and put back, because it lies in the machine that is written to.
    let data = core::mem::take(&mut cx.machine.return_data);
    cx.machine.memory_mut(target.start, target.length).copy_from_slice(&data[source..end as usize]);
    cx.machine.return_data = data;
    Ok(())
}

/// MCOPY (EIP-5656).
pub(crate) fn mcopy<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let (target, source, length) = (cx.pop()?, cx.pop()?, cx.pop()?);
    let (target, source) = (range(&target, &length)?, range(&source, &length)?);
    cx.charge(gas::per_word(gas::COPY_WORD, target.length as u64))?;
    cx.expand_memory(&[target, source])?;
    let (target, source) = (cx.in_machine(target), cx.in_machine(source));
    cx.machine.memory_copy_within(source.start, target.start, target.length);
    Ok(())
}

/// MSTORE8.
pub(crate) fn mstore8<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let (offset, value) = (cx.pop()?, cx.pop()?);
    let range = range(&offset, &U256::one())?;
    cx.expand_memory(&[range])?;
    let target = cx.in_machine(range);
    cx.machine.memory_mut(target.start, 1).fill(value.0[0] as u8);
    Ok(())
}
