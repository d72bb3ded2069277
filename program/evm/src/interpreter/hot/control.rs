//! Jumps, with the sequences that compilers make of them.
//!
//! A jump lands behind the JUMPDEST and charges for it. `PUSH2 JUMP`, `PUSH2 JUMPI` and `ISZERO PUSH2 JUMPI` run as one
//! where nothing can go wrong: the gas is in the window, the stack has room, the destination is one. Where something
//! can, the opcodes run one by one and find out what.

use super::cpu::Cpu;
use super::handler::{advanced, dropped, end, enter, handler, next, pushed, word};
use crate::exit::Exit;
use crate::host::Host;
use crate::opcode::{self as op, info};
use crate::{U256, arith};

/// Static gas of opcodes.
const fn gas_of(opcodes: &[u8]) -> i64 {
    let (mut sum, mut index) = (0, 0);
    while index < opcodes.len() {
        sum += info(opcodes[index]).gas as i64;
        index += 1;
    }
    sum
}

impl<H: Host> Cpu<'_, '_, '_, H> {
    /// The code at `position`, if that is a jump destination.
    #[inline(always)]
    fn destination(&self, position: u64) -> Option<*const u8> {
        let position = position as usize;
        if position >= self.code_length {
            return None;
        }
        // SAFETY: the position lies in the code, and the map has a bit for each byte of the code.
        let bits = unsafe { *self.jump_map.add(position / 8) };
        // SAFETY: as above.
        (bits >> (position % 8) & 1 != 0).then(|| unsafe { self.code.add(position) })
    }

    /// [`Self::destination`] of a stack word.
    #[inline(always)]
    fn destination_of(&self, word: &U256) -> Option<*const u8> {
        if word.0[1] | word.0[2] | word.0[3] == 0 { self.destination(word.0[0]) } else { None }
    }
}

/// The two bytes behind an opcode, as a number.
///
/// # Safety
/// Three bytes are readable from `pc` on.
#[inline(always)]
unsafe fn two_bytes(pc: *const u8) -> u64 {
    // SAFETY: by this function's contract.
    u64::from(u16::from_be(unsafe { pc.add(1).cast::<u16>().read_unaligned() }))
}

/// Goes on behind the JUMPDEST at `$target`, or, if its gas is not in the window, at it.
macro_rules! land {
    ($target:ident, $sp:expr, $gas:ident, $cpu:ident, $table:ident) => {{
        const GAS: i64 = gas_of(&[op::JUMPDEST]);
        if $gas < GAS {
            return $cpu.save($target, $sp, $gas);
        }
        next!(advanced!($target, 1), $sp, $gas - GAS, $cpu, $table)
    }};
}

handler!(
    /// JUMP.
    jump(pc, sp, gas, cpu, table) {
        let gas = enter!(JUMP, pc, sp, gas, cpu, table);
        let Some(target) = cpu.destination_of(&word!(sp, 0)) else { return end!(invalid_jump, pc, sp, gas, cpu, table) };
        land!(target, dropped!(sp, 1), gas, cpu, table)
    }
);

handler!(
    /// JUMPI.
    jumpi(pc, sp, gas, cpu, table) {
        let gas = enter!(JUMPI, pc, sp, gas, cpu, table);
        if arith::is_zero(&word!(sp, 1)) {
            return next!(advanced!(pc, 1), dropped!(sp, 2), gas, cpu, table);
        }
        let Some(target) = cpu.destination_of(&word!(sp, 0)) else { return end!(invalid_jump, pc, sp, gas, cpu, table) };
        land!(target, dropped!(sp, 2), gas, cpu, table)
    }
);

handler!(
    /// JUMPDEST. Two of them in a row end the chain, so that each call in it costs more than 1 gas on average.
    jumpdest(pc, sp, gas, cpu, table) {
        let gas = enter!(JUMPDEST, pc, sp, gas, cpu, table);
        let behind = advanced!(pc, 1);
        // SAFETY: `behind` points into the padded code.
        if unsafe { *behind } == op::JUMPDEST {
            return cpu.save(behind, sp, gas);
        }
        next!(behind, sp, gas, cpu, table)
    }
);

handler!(
    /// PUSH2, and a jump behind it.
    push2(pc, sp, gas, cpu, table) {
        const JUMP_GAS: i64 = gas_of(&[op::PUSH2, op::JUMP, op::JUMPDEST]);
        const JUMPI_GAS: i64 = gas_of(&[op::PUSH2, op::JUMPI, op::JUMPDEST]);
        let left = enter!(PUSH2, pc, sp, gas, cpu, table);
        // SAFETY: the padding is longer than the opcode and its immediate.
        let (position, following) = unsafe { (two_bytes(pc), *pc.add(3)) };
        if following == op::JUMPI && gas >= JUMPI_GAS && sp > cpu.base {
            if arith::is_zero(&word!(sp, 0)) {
                let left = gas - const { JUMPI_GAS - 1 };
                return next!(advanced!(pc, 4), dropped!(sp, 1), left, cpu, table);
            }
            if let Some(target) = cpu.destination(position) {
                return next!(advanced!(target, 1), dropped!(sp, 1), gas - JUMPI_GAS, cpu, table);
            }
        } else if following == op::JUMP && gas >= JUMP_GAS
            && let Some(target) = cpu.destination(position)
        {
            return next!(advanced!(target, 1), sp, gas - JUMP_GAS, cpu, table);
        }
        next!(advanced!(pc, 3), pushed!(sp, U256([position, 0, 0, 0])), left, cpu, table)
    }
);

handler!(
    /// ISZERO, and a conditional jump behind it.
    iszero(pc, sp, gas, cpu, table) {
        const JUMPI_GAS: i64 = gas_of(&[op::ISZERO, op::PUSH2, op::JUMPI, op::JUMPDEST]);
        let left = enter!(ISZERO, pc, sp, gas, cpu, table);
        let is_zero = arith::is_zero(&word!(sp, 0));
        // SAFETY: the padding is longer than five bytes.
        let (second, third) = unsafe { (*pc.add(1), *pc.add(4)) };
        if second == op::PUSH2 && third == op::JUMPI && gas >= JUMPI_GAS && sp < cpu.limit {
            if !is_zero {
                let left = gas - const { JUMPI_GAS - 1 };
                return next!(advanced!(pc, 5), dropped!(sp, 1), left, cpu, table);
            }
            // SAFETY: the padding is longer than five bytes.
            if let Some(target) = cpu.destination(unsafe { two_bytes(pc.add(1)) }) {
                return next!(advanced!(target, 1), dropped!(sp, 1), gas - JUMPI_GAS, cpu, table);
            }
        }
        word!(sp, 0) = U256([u64::from(is_zero), 0, 0, 0]);
        next!(advanced!(pc, 1), sp, left, cpu, table)
    }
);

handler!(
    /// INVALID, and every byte that is no opcode.
    undefined(_pc, _sp, _gas, cpu, _table) {
        cpu.halt(Exit::InvalidOpcode)
    }
);
