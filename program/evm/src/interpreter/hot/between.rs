//! Frequent opcodes that end the chain: their operation works on the registers, between two chains.
//!
//! An operation that is behind a function of the world, or that may grow memory, is no part of a chain: it would make
//! the native stack deeper, and hold a reference into an arena. What is rare runs on a
//! [`super::super::context::Context`] instead, which keeps the registers in the frame and checks each step.

use super::super::Interrupt;
use super::super::context::{Result, range};
use super::cpu::Cpu;
use super::handler::{advanced, handler, require};
use super::memory;
use crate::exit::Exit;
use crate::host::Host;
use crate::opcode::{self as op, info};
use crate::{U256, arith, from_be_bytes, gas};

/// Defines handlers that check the stack and postpone an operation, which charges all of the opcode's gas.
macro_rules! between {
    ($($name:ident $op:ident $operation:expr;)+) => {$(
        handler!(#[doc = concat!(stringify!($op), ".")] $name(pc, sp, gas, cpu, table) {
            /// # Safety
            /// The opcode's words are on the stack.
            unsafe fn operation<H: Host>(cpu: &mut Cpu<'_, '_, '_, H>) -> Result<(), H::Error> {
                // SAFETY: by this function's contract.
                unsafe { $operation(cpu) }
            }
            require!($op, pc, sp, gas, cpu, table);
            cpu.postpone(operation::<H>, advanced!(pc, F::OPCODE), sp, gas)
        });
    )+};
}

between! {
    sload SLOAD sload_operation;
    sstore SSTORE sstore_operation;
    log0 LOG0 |cpu| log(cpu, 0);
    log1 LOG1 |cpu| log(cpu, 1);
    log2 LOG2 |cpu| log(cpu, 2);
    log3 LOG3 |cpu| log(cpu, 3);
    log4 LOG4 |cpu| log(cpu, 4);
}

/// SLOAD (EIP-2929).
///
/// # Safety
/// A word is on the stack.
unsafe fn sload_operation<H: Host>(cpu: &mut Cpu<'_, '_, '_, H>) -> Result<(), H::Error> {
    // SAFETY: by this function's contract; the arena is borrowed by nobody else.
    let top = unsafe { &mut *cpu.sp.sub(1) };
    let account = cpu.context.frame.input.account;
    let host = &mut *cpu.context.host;
    let slot = host.slot(account, top).map_err(Interrupt::Host)?;
    let is_cold = host.access_slot(slot).map_err(Interrupt::Host)?;
    cpu.charge(if is_cold { gas::COLD_STORAGE_ACCESS } else { gas::WARM_ACCESS })?;
    *top = cpu.context.host.storage(slot).map_err(Interrupt::Host)?;
    Ok(())
}

/// SSTORE (EIP-2200, 2929, 3529).
///
/// # Safety
/// Two words are on the stack.
unsafe fn sstore_operation<H: Host>(cpu: &mut Cpu<'_, '_, '_, H>) -> Result<(), H::Error> {
    cpu.context.require_mutable()?;
    if cpu.reserve <= gas::STORAGE_STIPEND {
        return Err(Exit::OutOfGas.into());
    }
    // SAFETY: by this function's contract; nobody writes to the arena meanwhile.
    let (key, value) = unsafe { (&*cpu.sp.sub(1), &*cpu.sp.sub(2)) };
    let account = cpu.context.frame.input.account;
    let host = &mut *cpu.context.host;
    let slot = host.slot(account, key).map_err(Interrupt::Host)?;
    let is_cold = host.access_slot(slot).map_err(Interrupt::Host)?;
    let change = host.storage_change(slot).map_err(Interrupt::Host)?;
    let (cost, refund) = gas::storage_write(&change, value);
    cpu.charge(cost + if is_cold { gas::COLD_STORAGE_ACCESS } else { 0 })?;
    let host = &mut *cpu.context.host;
    if refund != 0 {
        host.refund(refund);
    }
    if !arith::eq(&change.current, value) {
        host.set_storage(slot, value).map_err(Interrupt::Host)?;
    }
    cpu.at_block_end::<{ op::SSTORE }>();
    // SAFETY: two words are on the stack.
    cpu.sp = unsafe { cpu.sp.sub(2) };
    Ok(())
}

/// KECCAK256 of bytes that are not all in the frame's memory yet.
///
/// # Safety
/// Two words are on the stack.
pub(super) unsafe fn keccak256<H: Host>(cpu: &mut Cpu<'_, '_, '_, H>) -> Result<(), H::Error> {
    // SAFETY: by this function's contract.
    let (offset, result) = unsafe { (&*cpu.sp.sub(1), &mut *cpu.sp.sub(2)) };
    let range = range(offset, result)?;
    cpu.charge(
        const { info(op::KECCAK256).gas as i64 } + gas::per_word(gas::KECCAK256_WORD, range.length as u64),
    )?;
    let source = cpu.expanded(range)?;
    let bytes = cpu.context.machine.memory(source.start, source.length);
    *result = from_be_bytes(&cpu.context.host.keccak256(bytes));
    // SAFETY: two words are on the stack.
    cpu.sp = unsafe { cpu.sp.sub(1) };
    Ok(())
}

/// LOG0 to LOG4.
///
/// # Safety
/// `2 + count` words are on the stack.
unsafe fn log<H: Host>(cpu: &mut Cpu<'_, '_, '_, H>, count: usize) -> Result<(), H::Error> {
    const TOPICS_MAX: usize = 4;
    cpu.context.require_mutable()?;
    // SAFETY: by this function's contract.
    let (offset, length) = unsafe { (&*cpu.sp.sub(1), &*cpu.sp.sub(2)) };
    let range = range(offset, length)?;
    let static_gas = const { info(op::LOG0).gas as i64 } + const { topic_gas() } * count as i64;
    cpu.charge(static_gas + gas::LOG_DATA_BYTE * range.length as i64)?;
    let source = cpu.expanded(range)?;
    let mut topics = [U256([0; 4]); TOPICS_MAX];
    let topics = &mut topics[..count.min(TOPICS_MAX)];
    for (index, topic) in topics.iter_mut().enumerate() {
        // SAFETY: by this function's contract.
        *topic = unsafe { *cpu.sp.sub(3 + index) };
    }
    let data = cpu.context.machine.memory(source.start, source.length);
    cpu.context.host.log(&cpu.context.frame.input.address, topics, data).map_err(Interrupt::Host)?;
    cpu.at_block_end::<{ op::LOG0 }>();
    // SAFETY: so many words are on the stack.
    cpu.sp = unsafe { cpu.sp.sub(2 + count) };
    Ok(())
}

/// G_logtopic: what each topic adds to LOG0's gas.
const fn topic_gas() -> i64 {
    (info(op::LOG1).gas - info(op::LOG0).gas) as i64
}

/// CALLDATALOAD of a word that is not all in the call data. Its static gas is charged already.
///
/// # Safety
/// A word is on the stack.
pub(super) unsafe fn calldataload<H: Host>(cpu: &mut Cpu<'_, '_, '_, H>) -> Result<(), H::Error> {
    // SAFETY: by this function's contract.
    let top = unsafe { &mut *cpu.sp.sub(1) };
    let call_data = cpu.context.frame.input.input.bytes(cpu.context.machine);
    let start = arith::as_u64_saturating(top).min(call_data.len() as u64) as usize;
    let mut word = [0; 32];
    for (target, &byte) in word.iter_mut().zip(&call_data[start..]) {
        *target = byte;
    }
    *top = from_be_bytes(&word);
    Ok(())
}

/// MLOAD of a word that is not all in the frame's memory yet. Its static gas is charged already.
///
/// # Safety
/// A word is on the stack.
pub(super) unsafe fn mload<H: Host>(cpu: &mut Cpu<'_, '_, '_, H>) -> Result<(), H::Error> {
    // SAFETY: by this function's contract.
    let top = unsafe { &mut *cpu.sp.sub(1) };
    let source = cpu.word_at(top)?;
    // SAFETY: `word_at` has made the word part of the frame's memory.
    *top = unsafe { memory::read::<32>(source) };
    Ok(())
}

/// MSTORE of a word that is not all in the frame's memory yet. Its static gas is charged already.
///
/// # Safety
/// Two words are on the stack.
pub(super) unsafe fn mstore<H: Host>(cpu: &mut Cpu<'_, '_, '_, H>) -> Result<(), H::Error> {
    // SAFETY: by this function's contract.
    let (offset, word) = unsafe { (&*cpu.sp.sub(1), &*cpu.sp.sub(2)) };
    let target = cpu.word_at(offset)?;
    // SAFETY: `word_at` has made the word part of the frame's memory.
    unsafe { memory::write(target, word) };
    // SAFETY: two words are on the stack.
    cpu.sp = unsafe { cpu.sp.sub(2) };
    Ok(())
}
