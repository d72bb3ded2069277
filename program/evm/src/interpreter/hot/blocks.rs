//! Translated code: its blocks, and the jumps between them.

use super::cpu::Cpu;
use super::handler::{advanced, dropped, handler, next, word};
use super::sequences::is_small;
use super::translated::{copied, operand};
use crate::exit::Exit;
use crate::host::Host;
use crate::translation::INDEXED;
use crate::translation::record as r;
use crate::{U256, arith};

/// Goes on at the block whose BEGIN is at `$pc`.
macro_rules! enter_block {
    ($pc:expr, $sp:expr, $gas:ident, $cpu:ident, $table:ident) => {{
        let (pc, sp): (*const u8, *mut U256) = ($pc, $sp);
        let gas = $gas - i64::from(operand!(u16, pc, 0));
        let needed = usize::from(operand!(u16, pc, 2)) + $cpu.base as usize;
        if gas < 0 || (sp as usize) < needed || sp > $cpu.block_limit {
            // SAFETY: the registers are those of a handler at the BEGIN.
            return unsafe { fall_back::<H, F>(pc, sp, gas, $cpu, $table) };
        }
        let first = advanced!(pc, const { r::length(r::BEGIN) });
        let block_records = i64::from(operand!(u8, pc, 6));
        let records = $cpu.records - block_records;
        if records < 0 {
            return $cpu.rest(first, sp, gas, block_records);
        }
        $cpu.records = records;
        next!(first, sp, gas, $cpu, $table)
    }};
}

impl<H: Host> Cpu<'_, '_, '_, H> {
    /// The block at a place of the translation.
    ///
    /// # Safety
    /// A block of the running translation is there.
    #[inline(always)]
    unsafe fn block(&self, place: u32) -> *const u8 {
        // SAFETY: by this function's contract.
        unsafe { self.translation.add(place as usize) }
    }

    /// The block at a code position, if that is a jump destination.
    #[inline(always)]
    fn block_at(&self, word: &U256) -> Option<*const u8> {
        let position = word.0[0] as usize;
        if word.0[1] | word.0[2] | word.0[3] != 0 || position >= self.code_length {
            return None;
        }
        // SAFETY: the index has a place for every so many bytes of code.
        let entry =
            u16::from_le(unsafe { self.index.cast::<u16>().add(position / INDEXED).read_unaligned() });
        if entry == 0 {
            return None;
        }
        // SAFETY: every jump destination has an entry, where the translator wrote where the block is.
        let block = unsafe {
            let place = self.translation.add(usize::from(entry)).cast::<u32>().read_unaligned();
            self.block(u32::from_le(place))
        };
        if usize::from(operand!(u16, block, 4)) == position { Some(block) } else { self.block_near(position) }
    }

    /// [`Self::block_at`], where the destination may be another one that is near.
    #[cold]
    #[inline(never)]
    fn block_near(&self, position: usize) -> Option<*const u8> {
        // SAFETY: the position lies in the code, and the map has a bit for each byte of the code.
        let bits = unsafe { *self.jump_map.add(position / 8) };
        if bits >> (position % 8) & 1 == 0 {
            return None;
        }
        let place = self.context.frame.input.code.translation()?.block_at(position)?;
        Some(self.translation.wrapping_add(place))
    }
}

handler!(
    /// Gas or stack do not suffice for the block: the plain handlers find out for which opcode. If gas is held, the frame
    /// pauses instead.
    #[cold]
    #[inline(never)]
    fall_back(pc, sp, gas, cpu, _table) {
        let left = gas + i64::from(operand!(u16, pc, 0));
        if gas < 0 && cpu.hold > 0 {
            return cpu.pause(pc, sp, left);
        }
        let position = operand!(u16, pc, 4);
        cpu.fall_back(usize::from(position), sp, left);
    }
);

handler!(
    /// BEGIN.
    begin(pc, sp, gas, cpu, table) {
        enter_block!(pc, sp, gas, cpu, table)
    }
);

handler!(
    /// JUMP.
    jump(pc, sp, gas, cpu, table) {
        let _ = pc;
        let Some(block) = cpu.block_at(&word!(sp, 0)) else { return cpu.halt(Exit::InvalidJump) };
        enter_block!(block, dropped!(sp, 1), gas, cpu, table)
    }
);

handler!(
    /// JUMPI.
    jumpi(pc, sp, gas, cpu, table) {
        if arith::is_zero(&word!(sp, 1)) {
            return enter_block!(advanced!(pc, 2), dropped!(sp, 2), gas, cpu, table);
        }
        let Some(block) = cpu.block_at(&word!(sp, 0)) else { return cpu.halt(Exit::InvalidJump) };
        enter_block!(block, dropped!(sp, 2), gas, cpu, table)
    }
);

handler!(
    /// JUMP_TO.
    jump_to(pc, sp, gas, cpu, table) {
        let place = operand!(u32, pc, 0);
        // SAFETY: the translator wrote where the block is.
        let block = unsafe { cpu.block(place) };
        enter_block!(block, sp, gas, cpu, table)
    }
);

handler!(
    /// LEAVE.
    leave(pc, sp, gas, cpu, table) {
        let place = usize::from(operand!(u16, pc, 0));
        let result = word!(sp, 0);
        // SAFETY: the block's BEGIN has found as many words on the stack as its opcodes take.
        let target = unsafe { &mut *sp.byte_sub(place) };
        let Some(block) = cpu.block_at(target) else { return cpu.halt(Exit::InvalidJump) };
        *target = result;
        let sp = core::ptr::from_mut(target);
        // SAFETY: the word was on the stack.
        enter_block!(block, unsafe { sp.add(1) }, gas, cpu, table)
    }
);

handler!(
    /// POP_JUMP.
    pop_jump(pc, sp, gas, cpu, table) {
        let place = usize::from(operand!(u16, pc, 0));
        // SAFETY: the block's BEGIN has found as many words on the stack as its opcodes take.
        let sp = unsafe { sp.byte_sub(place) };
        let Some(block) = cpu.block_at(&word!(sp, 0)) else { return cpu.halt(Exit::InvalidJump) };
        enter_block!(block, dropped!(sp, 1), gas, cpu, table)
    }
);

/// Goes on at a block of the translation, and gives back the gas that the block charged for what it leaves out.
macro_rules! jump {
    ($pc:ident, $place:expr, $sp:expr, $gas:ident, $cpu:ident, $table:ident) => {{
        let place: u32 = $place;
        let gas = $gas + i64::from(operand!(u16, $pc, 0));
        // SAFETY: the translator wrote where the block is.
        let block = unsafe { $cpu.block(place) };
        enter_block!(block, $sp, gas, $cpu, $table)
    }};
}

/// Jumps on a condition over the top words, which it drops.
macro_rules! jump_if {
    ($($name:ident $record:ident $drop:literal |$sp:ident| $condition:expr;)+) => {$(
        handler!(#[doc = concat!(stringify!($record), ".")] $name(pc, $sp, gas, cpu, table) {
            let is_met: bool = $condition;
            if is_met {
                return jump!(pc, operand!(u32, pc, 2), dropped!($sp, $drop), gas, cpu, table);
            }
            next!(advanced!(pc, const { r::length(r::$record) }), dropped!($sp, $drop), gas, cpu, table)
        });
    )+};
}

jump_if! {
    jumpi_to JUMPI_TO 1 |sp| !arith::is_zero(&word!(sp, 0));
    jump_if_zero JUMP_IF_ZERO 1 |sp| arith::is_zero(&word!(sp, 0));
    jump_if_eq JUMP_IF_EQ 2 |sp| arith::eq(&word!(sp, 0), &word!(sp, 1));
    jump_if_ne JUMP_IF_NE 2 |sp| !arith::eq(&word!(sp, 0), &word!(sp, 1));
    jump_if_lt JUMP_IF_LT 2 |sp| arith::lt(&word!(sp, 0), &word!(sp, 1));
    jump_if_ge JUMP_IF_GE 2 |sp| !arith::lt(&word!(sp, 0), &word!(sp, 1));
    jump_if_gt JUMP_IF_GT 2 |sp| arith::gt(&word!(sp, 0), &word!(sp, 1));
    jump_if_le JUMP_IF_LE 2 |sp| !arith::gt(&word!(sp, 0), &word!(sp, 1));
    jump_if_slt JUMP_IF_SLT 2 |sp| arith::slt(&word!(sp, 0), &word!(sp, 1));
    jump_if_sge JUMP_IF_SGE 2 |sp| !arith::slt(&word!(sp, 0), &word!(sp, 1));
}

/// Jumps on a copy.
macro_rules! dup_jump_if {
    ($($name:ident $record:ident |$copy:ident| $condition:expr;)+) => {$(
        handler!(#[doc = concat!(stringify!($record), ".")] $name(pc, sp, gas, cpu, table) {
            let $copy = copied!(@ sp, usize::from(operand!(u16, pc, 6)));
            if $condition {
                return jump!(pc, operand!(u32, pc, 2), sp, gas, cpu, table);
            }
            next!(advanced!(pc, const { r::length(r::$record) }), sp, gas, cpu, table)
        });
    )+};
}

dup_jump_if! {
    dup_jumpi_to DUP_JUMPI_TO |copy| !arith::is_zero(copy);
    dup_jump_if_zero DUP_JUMP_IF_ZERO |copy| arith::is_zero(copy);
}

/// Jumps on a condition over a copy and the top word, which it drops.
macro_rules! dup_compare_jump_if {
    ($($name:ident $record:ident |$copy:ident, $top:ident| $condition:expr;)+) => {$(
        handler!(#[doc = concat!(stringify!($record), ".")] $name(pc, sp, gas, cpu, table) {
            let is_met: bool = {
                let ($copy, $top) = (copied!(@ sp, usize::from(operand!(u16, pc, 6))), &word!(sp, 0));
                $condition
            };
            if is_met {
                return jump!(pc, operand!(u32, pc, 2), dropped!(sp, 1), gas, cpu, table);
            }
            next!(advanced!(pc, const { r::length(r::$record) }), dropped!(sp, 1), gas, cpu, table)
        });
    )+};
}

dup_compare_jump_if! {
    dup_jump_if_lt DUP_JUMP_IF_LT |copy, top| arith::lt(copy, top);
    dup_jump_if_ge DUP_JUMP_IF_GE |copy, top| !arith::lt(copy, top);
    dup_jump_if_gt DUP_JUMP_IF_GT |copy, top| arith::gt(copy, top);
    dup_jump_if_le DUP_JUMP_IF_LE |copy, top| !arith::gt(copy, top);
    dup_jump_if_eq DUP_JUMP_IF_EQ |copy, top| arith::eq(copy, top);
    dup_jump_if_ne DUP_JUMP_IF_NE |copy, top| !arith::eq(copy, top);
}

/// Jumps on a condition over a selector and the top word, which stays.
macro_rules! select {
    ($($name:ident $record:ident |$selector:ident, $top:ident| $condition:expr;)+) => {$(
        handler!(#[doc = concat!(stringify!($record), ".")] $name(pc, sp, gas, cpu, table) {
            let ($selector, $top) = (u64::from(operand!(u32, pc, 2)), &word!(sp, 0));
            if $condition {
                return jump!(pc, operand!(u32, pc, 6), sp, gas, cpu, table);
            }
            next!(advanced!(pc, const { r::length(r::$record) }), sp, gas, cpu, table)
        });
    )+};
}

select! {
    select SELECT |selector, top| is_small(top, |low| selector == low);
    select_below SELECT_BELOW |selector, top| is_small(top, |low| selector > low);
}

handler!(
    /// JUMP_IF_SHORT.
    jump_if_short(pc, sp, gas, cpu, table) {
        if cpu.call_data_length < usize::from(operand!(u16, pc, 6)) {
            return jump!(pc, operand!(u32, pc, 2), sp, gas, cpu, table);
        }
        next!(advanced!(pc, const { r::length(r::JUMP_IF_SHORT) }), sp, gas, cpu, table)
    }
);
