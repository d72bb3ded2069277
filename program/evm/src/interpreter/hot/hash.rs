//! KECCAK256 of bytes that lie in the frame's memory already.

use super::between;
use super::handler::{advanced, dropped, handler, next, require, word};
use crate::opcode::{self as op, info};
use crate::{from_be_bytes, gas as costs};

/// What KECCAK256 takes out of the gas window; the reserve pays the rest, or a window would be worth one hash.
const WINDOW_PART: i64 = 2;

handler!(
    /// KECCAK256.
    keccak256(pc, sp, gas, cpu, table) {
        require!(KECCAK256, pc, sp, gas, cpu, table);
        let (offset, length) = (&word!(sp, 0), &word!(sp, 1));
        let high = offset.0[1] | offset.0[2] | offset.0[3] | length.0[1] | length.0[2] | length.0[3];
        let (start, length) = (offset.0[0] as usize, length.0[0]);
        let behind = advanced!(pc, F::OPCODE);
        // A word at `start` lies in memory, so `memory_end` is 31 bytes in front of memory's end.
        if high != 0 || start >= cpu.memory_end || length > (cpu.memory_end - start + 31) as u64 {
            return cpu.postpone(between::keccak256, behind, sp, gas);
        }
        let cost = const { info(op::KECCAK256).gas as i64 } + costs::per_word(costs::KECCAK256_WORD, length);
        let left = if F::CHECKED {
            let (left, reserve) = (gas - WINDOW_PART, cpu.reserve - (cost - WINDOW_PART));
            if left < 0 || reserve < 0 {
                return cpu.postpone(between::keccak256, behind, sp, gas);
            }
            cpu.reserve = reserve;
            left
        } else {
            if gas < cost {
                return cpu.postpone(between::keccak256, behind, sp, gas);
            }
            gas - cost
        };
        // SAFETY: the range lies in the frame's memory, and nothing writes to it before the hash is there.
        let bytes = unsafe { core::slice::from_raw_parts(cpu.memory.add(start), length as usize) };
        word!(sp, 1) = from_be_bytes(&cpu.context.host.keccak256(bytes));
        next!(behind, dropped!(sp, 1), left, cpu, table)
    }
);
