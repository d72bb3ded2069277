//! What code sees of its call and of the machine.

use super::handler::{advanced, enter, handler, next, pushed, small, word};
use super::{between, memory};
use crate::from_address;

/// Pushes a word.
macro_rules! push {
    ($($name:ident $op:ident |$pc:ident, $gas:ident, $cpu:ident| $word:expr;)+) => {$(
        handler!(#[doc = concat!(stringify!($op), ".")] $name($pc, sp, gas, $cpu, table) {
            let $gas = enter!($op, $pc, sp, gas, $cpu, table);
            let word = $word;
            next!(advanced!($pc, F::OPCODE), pushed!(sp, word), $gas, $cpu, table)
        });
    )+};
}

push! {
    address ADDRESS |pc, gas, cpu| from_address(&cpu.context.frame.input.address);
    caller CALLER |pc, gas, cpu| from_address(&cpu.context.frame.input.caller);
    callvalue CALLVALUE |pc, gas, cpu| cpu.context.frame.input.value;
    calldatasize CALLDATASIZE |pc, gas, cpu| small(cpu.call_data_length as u64);
    codesize CODESIZE |pc, gas, cpu| small(cpu.code_length as u64);
    returndatasize RETURNDATASIZE |pc, gas, cpu| small(cpu.context.machine.return_data().len() as u64);
    position PC |pc, gas, cpu| small(pc as u64 - cpu.code as u64);
    gas GAS |pc, gas, cpu| small((cpu.reserve + gas) as u64);
}

handler!(
    /// CALLDATALOAD: a word of call data, with zeros behind its end.
    calldataload(pc, sp, gas, cpu, table) {
        let gas = enter!(CALLDATALOAD, pc, sp, gas, cpu, table);
        let offset = &mut word!(sp, 0);
        let start = offset.0[0] as usize;
        if offset.0[1] | offset.0[2] | offset.0[3] != 0 || start >= cpu.call_data_end {
            return cpu.postpone(between::calldataload, advanced!(pc, F::OPCODE), sp, gas);
        }
        // SAFETY: a word at an offset below `call_data_end` lies in the call data.
        *offset = unsafe { memory::read::<32>(cpu.call_data.add(start)) };
        next!(advanced!(pc, F::OPCODE), sp, gas, cpu, table)
    }
);
