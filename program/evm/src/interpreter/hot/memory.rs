//! MLOAD and MSTORE, and words as big-endian bytes.

use super::between;
use super::handler::{advanced, dropped, enter, handler, next, word};
use crate::U256;

/// Where a memory word is, if it lies in the frame's memory already.
macro_rules! place {
    ($cpu:ident, $offset:expr) => {{
        let offset: &U256 = $offset;
        let is_small = offset.0[1] | offset.0[2] | offset.0[3] == 0;
        if is_small && (offset.0[0] as usize) < $cpu.memory_end {
            // SAFETY: a word at an offset below `memory_end` lies in the frame's memory.
            Some(unsafe { $cpu.memory.add(offset.0[0] as usize) })
        } else {
            None
        }
    }};
}

/// MSTORE of a word that is not all in the frame's memory yet, with the word and its offset on the stack.
macro_rules! grow {
    ($behind:expr, $sp:expr, $gas:ident, $cpu:ident, $table:ident) => {{
        let (behind, sp): (*const u8, *mut crate::U256) = ($behind, $sp);
        // SAFETY: the registers are those of a handler behind an MSTORE.
        unsafe { super::memory::mstore_growing::<H, F>(behind, sp, $gas, $cpu, $table) }
    }};
}

pub(super) use {grow, place};

handler!(
    /// MSTORE of a word that is not all in the frame's memory yet; `pc` is behind it. Most often memory grows by a word
    /// or two that nobody used before: that needs no operation between two chains. It is one record more in this chain.
    #[cold]
    #[inline(never)]
    mstore_growing(pc, sp, gas, cpu, table) {
        let Some((target, left)) = cpu.word_behind_memory::<F>(&word!(sp, 0), gas) else {
            return cpu.postpone(between::mstore, pc, sp, gas);
        };
        let word = &word!(sp, 1);
        // SAFETY: the word is part of the frame's memory now.
        unsafe { write(target, word) };
        next!(pc, dropped!(sp, 2), left, cpu, table)
    }
);

handler!(
    /// MLOAD.
    mload(pc, sp, gas, cpu, table) {
        let gas = enter!(MLOAD, pc, sp, gas, cpu, table);
        let Some(source) = place!(cpu, &word!(sp, 0)) else {
            return cpu.postpone(between::mload, advanced!(pc, F::OPCODE), sp, gas);
        };
        // SAFETY: 32 bytes from `source` on lie in the frame's memory.
        word!(sp, 0) = unsafe { read::<32>(source) };
        next!(advanced!(pc, F::OPCODE), sp, gas, cpu, table)
    }
);

handler!(
    /// MSTORE.
    mstore(pc, sp, gas, cpu, table) {
        let gas = enter!(MSTORE, pc, sp, gas, cpu, table);
        let Some(target) = place!(cpu, &word!(sp, 0)) else {
            return grow!(advanced!(pc, F::OPCODE), sp, gas, cpu, table);
        };
        let word = &word!(sp, 1);
        // SAFETY: 32 bytes from `target` on lie in the frame's memory.
        unsafe { write(target, word) };
        next!(advanced!(pc, F::OPCODE), dropped!(sp, 2), gas, cpu, table)
    }
);

/// Reads `N` big-endian bytes (1 to 32) as a word, eight at a time.
///
/// # Safety
/// `N` bytes, and at least 8, are readable from `bytes` on.
#[inline(always)]
pub(super) unsafe fn read<const N: usize>(bytes: *const u8) -> U256 {
    let mut limbs = [0u64; 4];
    let whole = N / 8;
    let mut limb = 0;
    while limb < whole {
        // SAFETY: limb `limb` ends 8 x limb bytes before the end of the N bytes.
        limbs[limb] = u64::from_be(unsafe { bytes.add(N - 8 * (limb + 1)).cast::<u64>().read_unaligned() });
        limb += 1;
    }
    if const { N == 1 } {
        // SAFETY: one byte is readable.
        limbs[whole] = u64::from(unsafe { *bytes });
    } else if const { N == 2 } {
        // SAFETY: two bytes are readable.
        limbs[whole] = u64::from(u16::from_be(unsafe { bytes.cast::<u16>().read_unaligned() }));
    } else if const { N == 4 } {
        // SAFETY: four bytes are readable.
        limbs[whole] = u64::from(u32::from_be(unsafe { bytes.cast::<u32>().read_unaligned() }));
    } else if const { !N.is_multiple_of(8) } {
        // SAFETY: the caller lets us read 8 bytes; those behind the N % 8 wanted ones are shifted out.
        let word = u64::from_be(unsafe { bytes.cast::<u64>().read_unaligned() });
        limbs[whole] = word >> const { (64 - 8 * (N as u32 % 8)) % 64 };
    }
    U256(limbs)
}

/// Writes a word as 32 big-endian bytes.
///
/// # Safety
/// 32 bytes are writable from `bytes` on.
#[inline(always)]
pub(super) unsafe fn write(bytes: *mut u8, word: &U256) {
    for (index, limb) in word.0.iter().enumerate() {
        // SAFETY: the four limbs take up the 32 bytes.
        unsafe { bytes.add(24 - 8 * index).cast::<u64>().write_unaligned(limb.to_be()) }
    }
}
