//! KECCAK256 of bytes that lie in the frame's memory already.

use super::between;
use super::cpu::Cpu;
use super::handler::{Form, advanced, dropped, handler, next, require, word};
use crate::host::Host;
use crate::opcode::{self as op, info};
use crate::{U256, from_be_bytes, gas as costs};

/// What KECCAK256 takes out of the gas window; the reserve pays the rest, or a window would be worth one hash.
const WINDOW_PART: i64 = 2;

/// The hash of a range of memory, and the gas left. `None` where the operation between two chains has to see to it.
#[inline(always)]
pub(super) fn hash<H: Host, F: Form>(
    cpu: &mut Cpu<'_, '_, '_, H>,
    offset: &U256,
    length: &U256,
    gas: i64,
) -> Option<(U256, i64)> {
    let high = offset.0[1] | offset.0[2] | offset.0[3] | length.0[1] | length.0[2] | length.0[3];
    let (start, length) = (offset.0[0] as usize, length.0[0]);
    // A word at `start` lies in memory, so `memory_end` is 31 bytes in front of memory's end.
    if high != 0 || start >= cpu.memory_end || length > (cpu.memory_end - start + 31) as u64 {
        return None;
    }
    let cost = const { info(op::KECCAK256).gas as i64 } + costs::per_word(costs::KECCAK256_WORD, length);
    let left = if F::CHECKED {
        let (left, reserve) = (gas - WINDOW_PART, cpu.reserve - (cost - WINDOW_PART));
        if left < 0 || reserve < 0 {
            return None;
        }
        cpu.reserve = reserve;
        left
    } else {
        if gas < cost {
            return None;
        }
        gas - cost
    };
    // SAFETY: the range lies in the frame's memory, and nothing writes to it before the hash is there.
    let bytes = unsafe { core::slice::from_raw_parts(cpu.memory.add(start), length as usize) };
    Some((from_be_bytes(&cpu.context.host.keccak256(bytes)), left))
}

handler!(
    /// KECCAK256.
    keccak256(pc, sp, gas, cpu, table) {
        require!(KECCAK256, pc, sp, gas, cpu, table);
        let behind = advanced!(pc, F::OPCODE);
        let Some((hash, left)) = hash::<H, F>(cpu, &word!(sp, 0), &word!(sp, 1), gas) else {
            return cpu.postpone(between::keccak256, behind, sp, gas);
        };
        word!(sp, 1) = hash;
        next!(behind, dropped!(sp, 1), left, cpu, table)
    }
);
