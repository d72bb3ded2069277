//! MLOAD and MSTORE of words that are not all in the frame's memory yet.

use super::super::context::{Context, Result};
use super::super::frame::Output;
use crate::host::Host;
use crate::{U256, from_be_bytes};

/// MLOAD, whose static gas is charged already.
pub(crate) fn mload<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let offset = cx.pop()?;
    let range = expanded(cx, &offset)?;
    let mut word = [0; 32];
    let bytes = cx.machine.memory(range.start, range.length);
    if bytes.len() == 32 {
        word.copy_from_slice(bytes);
    }
    cx.push(&from_be_bytes(&word))
}

/// MSTORE, whose static gas is charged already.
pub(crate) fn mstore<H: Host>(cx: &mut Context<'_, '_, '_, H>) -> Result<(), H::Error> {
    let (offset, word) = (cx.pop()?, cx.pop()?);
    let range = expanded(cx, &offset)?;
    let bytes = cx.machine.memory_mut(range.start, range.length);
    for (target, limb) in bytes.chunks_exact_mut(8).rev().zip(word.0) {
        target.copy_from_slice(&limb.to_be_bytes());
    }
    Ok(())
}

/// Makes room for the word at `offset` and charges for it; where the word is in the machine's memory.
fn expanded<H: Host>(cx: &mut Context<'_, '_, '_, H>, offset: &U256) -> Result<Output, H::Error> {
    let range = cx.range(offset, &U256([32, 0, 0, 0]))?;
    cx.expand_memory(&[range])?;
    Ok(cx.in_machine(range))
}
