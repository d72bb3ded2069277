//! Translated code: handlers of its records.

use super::cpu::Cpu;
use super::handler::{Form, Handler, Table, advanced, dropped, handler, next, pushed, word};
use super::{arithmetic, between, cold, control, environment, hash, memory, stack};
use crate::exit::Exit;
use crate::host::Host;
use crate::opcode as op;
use crate::translation::INDEXED;
use crate::translation::record::{self as r, SCALE};
use crate::{U256, arith};
use core::marker::PhantomData;

/// Code as records.
pub(super) enum Translated {}

impl Form for Translated {
    const CHECKED: bool = false;
    const OPCODE: usize = 2;

    #[inline(always)]
    unsafe fn offset(pc: *const u8) -> usize {
        const { assert!(SCALE as usize == 8) };
        // The scale is the size of a function pointer on sBPF and on the hosts that the emulator runs on.
        // SAFETY: by this function's contract.
        usize::from(u16::from_le(unsafe { pc.cast::<u16>().read_unaligned() }))
    }
}

const _: () = assert!(size_of::<usize>() == SCALE as usize);

/// Reads an operand `$offset` bytes behind the record's number.
macro_rules! operand {
    ($type:ident, $pc:ident, $offset:expr) => {
        // SAFETY: the record has this operand: the translator wrote it.
        $type::from_le(unsafe { $pc.add(2 + $offset).cast::<$type>().read_unaligned() })
    };
}

/// The word that the record's DUP copies.
macro_rules! copied {
    ($pc:ident, $sp:ident) => {
        copied!(@ $sp, usize::from(operand!(u16, $pc, 0)))
    };
    (@ $sp:ident, $place:expr) => {{
        let place: usize = $place;
        // SAFETY: the block's BEGIN has found as many words on the stack as its opcodes take.
        unsafe { &*$sp.byte_sub(place).cast_const() }
    }};
}

/// Goes on at the block whose BEGIN is at `$pc`.
macro_rules! enter_block {
    ($pc:expr, $sp:expr, $gas:ident, $cpu:ident, $table:ident) => {{
        let (pc, sp): (*const u8, *mut U256) = ($pc, $sp);
        let gas = $gas - i64::from(operand!(u16, pc, 0));
        let needed = usize::from(operand!(u16, pc, 2)) + $cpu.needs[0] as usize;
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

    /// The first four bytes of call data that is shorter, with zeros behind its end.
    #[cold]
    #[inline(never)]
    fn short_selector(&self) -> u32 {
        let call_data = self.context.frame.input.input.bytes(self.context.machine);
        (0..4).fold(0, |selector, index| {
            selector << 8 | u32::from(call_data.get(index).copied().unwrap_or_default())
        })
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

/// Pushes a number.
macro_rules! push {
    ($($name:ident $record:ident |$pc:ident| $word:expr;)+) => {$(
        handler!(#[doc = concat!(stringify!($record), ".")] $name($pc, sp, gas, cpu, table) {
            let word = $word;
            next!(advanced!($pc, const { r::length(r::$record) }), pushed!(sp, word), gas, cpu, table)
        });
    )+};
}

const fn small(value: u64) -> U256 {
    U256([value, 0, 0, 0])
}

push! {
    push_8 PUSH_8 |pc| small(u64::from(operand!(u8, pc, 0)));
    push_16 PUSH_16 |pc| small(u64::from(operand!(u16, pc, 0)));
    push_32 PUSH_32 |pc| small(u64::from(operand!(u32, pc, 0)));
    push_64 PUSH_64 |pc| small(operand!(u64, pc, 0));
    push_160 PUSH_160 |pc| {
        let bytes = advanced!(pc, 2);
        // SAFETY: the record has 20 bytes of operand.
        unsafe { memory::read::<20>(bytes) }
    };
    push_256 PUSH_256 |pc| {
        let bytes = advanced!(pc, 2);
        // SAFETY: the record has 32 bytes of operand.
        unsafe { memory::read::<32>(bytes) }
    };
}

handler!(
    /// GAS_AND.
    gas_and(pc, sp, gas, cpu, table) {
        let left = cpu.reserve + gas + i64::from(operand!(u16, pc, 0));
        next!(advanced!(pc, const { r::length(r::GAS_AND) }), pushed!(sp, small(left as u64)), gas, cpu, table)
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

/// Whether a word fits 64 bits that meet a condition.
#[inline(always)]
fn is_small(word: &U256, condition: impl FnOnce(u64) -> bool) -> bool {
    condition(word.0[0]) && word.0[1] | word.0[2] | word.0[3] == 0
}

/// Changes the top word with a number.
macro_rules! with_number {
    ($($name:ident $record:ident |$number:ident, $top:ident| $result:expr;)+) => {$(
        handler!(#[doc = concat!(stringify!($record), ".")] $name(pc, sp, gas, cpu, table) {
            let $number = u64::from(operand!(u16, pc, 0));
            let $top = &mut word!(sp, 0);
            let result: U256 = $result;
            *$top = result;
            next!(advanced!(pc, const { r::length(r::$record) }), sp, gas, cpu, table)
        });
    )+};
}

const fn truth(value: bool) -> U256 {
    small(value as u64)
}

with_number! {
    add_16 ADD_16 |number, top| arith::add(&small(number), top);
    sub_from_16 SUB_FROM_16 |number, top| arith::sub(&small(number), top);
    mul_16 MUL_16 |number, top| arith::mul(&small(number), top);
    and_16 AND_16 |number, top| small(number & top.0[0]);
    eq_16 EQ_16 |number, top| truth(is_small(top, |low| number == low));
    lt_16 LT_16 |number, top| truth(number < top.0[0] || top.0[1] | top.0[2] | top.0[3] != 0);
    gt_16 GT_16 |number, top| truth(is_small(top, |low| number > low));
    shl_16 SHL_16 |number, top| arith::shl(&small(number), top);
    shr_16 SHR_16 |number, top| arith::shr(&small(number), top);
}

/// Changes the top word.
macro_rules! unary {
    ($($name:ident |$top:ident| $result:expr;)+) => {$(
        handler!(#[doc = concat!("`", stringify!($name), "`.")] $name(pc, sp, gas, cpu, table) {
            let $top = &mut word!(sp, 0);
            let result: U256 = $result;
            *$top = result;
            next!(advanced!(pc, 2), sp, gas, cpu, table)
        });
    )+};
}

unary! {
    iszero |top| truth(arith::is_zero(top));
    is_nonzero |top| truth(!arith::is_zero(top));
    and_160 |top| U256([top.0[0], top.0[1], top.0[2] & 0xffff_ffff, 0]);
    shr_224 |top| small(top.0[3] >> 32);
}

/// Masks of 0 to 31 low bytes.
static LOW_BYTES: [U256; 32] = {
    let mut masks = [U256([0; 4]); 32];
    let mut bytes = 1;
    while bytes < 32 {
        masks[bytes] = masks[bytes - 1];
        masks[bytes].0[(bytes - 1) / 8] |= 0xff << ((bytes - 1) % 8 * 8);
        bytes += 1;
    }
    masks
};

/// The mask of the record's number of bytes.
macro_rules! low_bytes {
    ($pc:ident) => {{
        let bytes = usize::from(operand!(u16, $pc, 0));
        // SAFETY: the translator wrote a number below 32.
        unsafe { &*LOW_BYTES.as_ptr().add(bytes) }
    }};
}

handler!(
    /// AND_LOW.
    and_low(pc, sp, gas, cpu, table) {
        let mask = low_bytes!(pc);
        let top = &mut word!(sp, 0);
        *top = arith::and(mask, top);
        next!(advanced!(pc, const { r::length(r::AND_LOW) }), sp, gas, cpu, table)
    }
);

handler!(
    /// DUP_AND_LOW.
    dup_and_low(pc, sp, gas, cpu, table) {
        let (mask, copy) = (low_bytes!(pc), copied!(@ sp, usize::from(operand!(u16, pc, 2))));
        let word = arith::and(mask, copy);
        next!(advanced!(pc, const { r::length(r::DUP_AND_LOW) }), pushed!(sp, word), gas, cpu, table)
    }
);

handler!(
    /// DUP_AND_160.
    dup_and_160(pc, sp, gas, cpu, table) {
        let copy = copied!(pc, sp);
        let word = U256([copy.0[0], copy.0[1], copy.0[2] & 0xffff_ffff, 0]);
        next!(advanced!(pc, const { r::length(r::DUP_AND_160) }), pushed!(sp, word), gas, cpu, table)
    }
);

/// Changes the top word with a copy of another.
macro_rules! with_copy {
    ($($name:ident $record:ident |$copy:ident, $top:ident| $result:expr;)+) => {$(
        handler!(#[doc = concat!(stringify!($record), ".")] $name(pc, sp, gas, cpu, table) {
            let result: U256 = {
                let ($copy, $top) = (copied!(pc, sp), &word!(sp, 0));
                $result
            };
            word!(sp, 0) = result;
            next!(advanced!(pc, const { r::length(r::$record) }), sp, gas, cpu, table)
        });
    )+};
}

with_copy! {
    dup_add DUP_ADD |copy, top| arith::add(copy, top);
    dup_sub DUP_SUB |copy, top| arith::sub(copy, top);
    dup_mul DUP_MUL |copy, top| arith::mul(copy, top);
    dup_and DUP_AND |copy, top| arith::and(copy, top);
    dup_lt DUP_LT |copy, top| truth(arith::lt(copy, top));
    dup_gt DUP_GT |copy, top| truth(arith::gt(copy, top));
    dup_eq DUP_EQ |copy, top| truth(arith::eq(copy, top));
    sub_dup SUB_DUP |copy, top| arith::sub(top, copy);
}

handler!(
    /// DUP_MLOAD.
    dup_mload(pc, sp, gas, cpu, table) {
        let offset = *copied!(pc, sp);
        let behind = advanced!(pc, const { r::length(r::DUP_MLOAD) });
        let Some(source) = memory::place!(cpu, &offset) else {
            return cpu.postpone(between::mload, behind, pushed!(sp, offset), gas);
        };
        // SAFETY: 32 bytes from `source` on lie in the frame's memory.
        let word = unsafe { memory::read::<32>(source) };
        next!(behind, pushed!(sp, word), gas, cpu, table)
    }
);

handler!(
    /// DUP_MSTORE.
    dup_mstore(pc, sp, gas, cpu, table) {
        let offset = copied!(pc, sp);
        let behind = advanced!(pc, const { r::length(r::DUP_MSTORE) });
        let Some(target) = memory::place!(cpu, offset) else {
            return memory::grow!(behind, pushed!(sp, *offset), gas, cpu, table);
        };
        let word = &word!(sp, 0);
        // SAFETY: 32 bytes from `target` on lie in the frame's memory.
        unsafe { memory::write(target, word) };
        next!(behind, dropped!(sp, 1), gas, cpu, table)
    }
);

handler!(
    /// DUP_ADD_16.
    dup_add_16(pc, sp, gas, cpu, table) {
        let number = u64::from(operand!(u16, pc, 0));
        let copy = copied!(@ sp, usize::from(operand!(u16, pc, 2)));
        let word = arith::add(&small(number), copy);
        next!(advanced!(pc, const { r::length(r::DUP_ADD_16) }), pushed!(sp, word), gas, cpu, table)
    }
);

handler!(
    /// SWAP_MSTORE.
    swap_mstore(pc, sp, gas, cpu, table) {
        let (offset, behind) = (word!(sp, 1), advanced!(pc, 2));
        let Some(target) = memory::place!(cpu, &offset) else {
            word!(sp, 1) = word!(sp, 0);
            word!(sp, 0) = offset;
            return memory::grow!(behind, sp, gas, cpu, table);
        };
        let word = &word!(sp, 0);
        // SAFETY: 32 bytes from `target` on lie in the frame's memory.
        unsafe { memory::write(target, word) };
        next!(behind, dropped!(sp, 2), gas, cpu, table)
    }
);

handler!(
    /// KEEP_MSTORE.
    keep_mstore(pc, sp, gas, cpu, table) {
        let (offset, behind) = (word!(sp, 0), advanced!(pc, 2));
        let word = word!(sp, 1);
        let Some(target) = memory::place!(cpu, &offset) else {
            word!(sp, 0) = word;
            return memory::grow!(behind, pushed!(sp, offset), gas, cpu, table);
        };
        // SAFETY: 32 bytes from `target` on lie in the frame's memory.
        unsafe { memory::write(target, &word) };
        next!(behind, dropped!(sp, 1), gas, cpu, table)
    }
);

handler!(
    /// KEEP_MSTORE_16.
    keep_mstore_16(pc, sp, gas, cpu, table) {
        let (offset, word) = (usize::from(operand!(u16, pc, 0)), word!(sp, 0));
        let behind = advanced!(pc, const { r::length(r::KEEP_MSTORE_16) });
        if offset >= cpu.memory_end {
            let sp = pushed!(sp, word);
            return memory::grow!(behind, pushed!(sp, small(offset as u64)), gas, cpu, table);
        }
        // SAFETY: a word at an offset below `memory_end` lies in the frame's memory.
        unsafe { memory::write(cpu.memory.add(offset), &word) };
        next!(behind, sp, gas, cpu, table)
    }
);

handler!(
    /// MSTORE_AND_16.
    mstore_and_16(pc, sp, gas, cpu, table) {
        let (offset, place) = (usize::from(operand!(u16, pc, 0)), usize::from(operand!(u16, pc, 2)));
        // SAFETY: the block's BEGIN has found as many words on the stack as its opcodes take.
        let target = unsafe { &mut *sp.byte_sub(place) };
        let word = core::mem::replace(target, small(offset as u64));
        let behind = advanced!(pc, const { r::length(r::MSTORE_AND_16) });
        if offset >= cpu.memory_end {
            let sp = pushed!(sp, word);
            return memory::grow!(behind, pushed!(sp, small(offset as u64)), gas, cpu, table);
        }
        // SAFETY: a word at an offset below `memory_end` lies in the frame's memory.
        unsafe { memory::write(cpu.memory.add(offset), &word) };
        next!(behind, sp, gas, cpu, table)
    }
);

handler!(
    /// KECCAK256_AT.
    keccak256_at(pc, sp, gas, cpu, table) {
        let offset = small(u64::from(operand!(u16, pc, 0)));
        let behind = advanced!(pc, const { r::length(r::KECCAK256_AT) });
        let Some((hash, left)) = hash::hash::<H, F>(cpu, &offset, &word!(sp, 0), gas) else {
            return cpu.postpone(between::keccak256, behind, pushed!(sp, offset), gas);
        };
        word!(sp, 0) = hash;
        next!(behind, sp, left, cpu, table)
    }
);

handler!(
    /// KECCAK256_OF.
    keccak256_of(pc, sp, gas, cpu, table) {
        let length = small(u64::from(operand!(u16, pc, 0)));
        let behind = advanced!(pc, const { r::length(r::KECCAK256_OF) });
        let Some((hash, left)) = hash::hash::<H, F>(cpu, &word!(sp, 0), &length, gas) else {
            let offset = word!(sp, 0);
            word!(sp, 0) = length;
            return cpu.postpone(between::keccak256, behind, pushed!(sp, offset), gas);
        };
        word!(sp, 0) = hash;
        next!(behind, sp, left, cpu, table)
    }
);

handler!(
    /// KECCAK256_BELOW.
    keccak256_below(pc, sp, gas, cpu, table) {
        let (length, offset) = (small(u64::from(operand!(u16, pc, 0))), word!(sp, 1));
        let behind = advanced!(pc, const { r::length(r::KECCAK256_BELOW) });
        word!(sp, 1) = word!(sp, 0);
        let Some((hash, left)) = hash::hash::<H, F>(cpu, &offset, &length, gas) else {
            word!(sp, 0) = length;
            return cpu.postpone(between::keccak256, behind, pushed!(sp, offset), gas);
        };
        word!(sp, 0) = hash;
        next!(behind, sp, left, cpu, table)
    }
);

handler!(
    /// SELECTOR.
    selector(pc, sp, gas, cpu, table) {
        let bytes = if cpu.call_data_length >= 4 {
            // SAFETY: the call data has four bytes.
            u32::from_be(unsafe { cpu.call_data.cast::<u32>().read_unaligned() })
        } else {
            cpu.short_selector()
        };
        next!(advanced!(pc, 2), pushed!(sp, small(u64::from(bytes))), gas, cpu, table)
    }
);

handler!(
    /// INSERT_16.
    insert_16(pc, sp, gas, cpu, table) {
        let grown = pushed!(sp, word!(sp, 0));
        word!(sp, 0) = small(u64::from(operand!(u16, pc, 0)));
        next!(advanced!(pc, const { r::length(r::INSERT_16) }), grown, gas, cpu, table)
    }
);

handler!(
    /// INSERT_16_BELOW.
    insert_16_below(pc, sp, gas, cpu, table) {
        let grown = pushed!(sp, word!(sp, 0));
        word!(sp, 0) = word!(sp, 1);
        word!(sp, 1) = small(u64::from(operand!(u16, pc, 0)));
        next!(advanced!(pc, const { r::length(r::INSERT_16_BELOW) }), grown, gas, cpu, table)
    }
);

/// Moves the second of three words to where the first is, the third to the second, the first to the third. A limb at a
/// time: whole words do not fit the registers.
macro_rules! rotate {
    ($sp:ident, [$first:literal, $second:literal, $third:literal]) => {
        let mut limb = 0;
        while limb < 4 {
            let moved = word!($sp, $first).0[limb];
            word!($sp, $first).0[limb] = word!($sp, $second).0[limb];
            word!($sp, $second).0[limb] = word!($sp, $third).0[limb];
            word!($sp, $third).0[limb] = moved;
            limb += 1;
        }
    };
}

handler!(
    /// SWAP1_SWAP2.
    swap1_swap2(pc, sp, gas, cpu, table) {
        rotate!(sp, [2, 1, 0]);
        next!(advanced!(pc, 2), sp, gas, cpu, table)
    }
);

handler!(
    /// SWAP2_SWAP1.
    swap2_swap1(pc, sp, gas, cpu, table) {
        rotate!(sp, [0, 1, 2]);
        next!(advanced!(pc, 2), sp, gas, cpu, table)
    }
);

handler!(
    /// MLOAD_16.
    mload_16(pc, sp, gas, cpu, table) {
        let offset = usize::from(operand!(u16, pc, 0));
        let behind = advanced!(pc, const { r::length(r::MLOAD_16) });
        if offset >= cpu.memory_end {
            return cpu.postpone(between::mload, behind, pushed!(sp, small(offset as u64)), gas);
        }
        // SAFETY: a word at an offset below `memory_end` lies in the frame's memory.
        let word = unsafe { memory::read::<32>(cpu.memory.add(offset)) };
        next!(behind, pushed!(sp, word), gas, cpu, table)
    }
);

handler!(
    /// MSTORE_16.
    mstore_16(pc, sp, gas, cpu, table) {
        let offset = usize::from(operand!(u16, pc, 0));
        let behind = advanced!(pc, const { r::length(r::MSTORE_16) });
        if offset >= cpu.memory_end {
            return memory::grow!(behind, pushed!(sp, small(offset as u64)), gas, cpu, table);
        }
        let word = &word!(sp, 0);
        // SAFETY: a word at an offset below `memory_end` lies in the frame's memory.
        unsafe { memory::write(cpu.memory.add(offset), word) };
        next!(behind, dropped!(sp, 1), gas, cpu, table)
    }
);

handler!(
    /// SUB_BELOW.
    sub_below(pc, sp, gas, cpu, table) {
        word!(sp, 1) = arith::sub(&word!(sp, 1), &word!(sp, 0));
        next!(advanced!(pc, 2), sp, gas, cpu, table)
    }
);

handler!(
    /// JUMP_IF_SHORT.
    jump_if_short(pc, sp, gas, cpu, table) {
        if cpu.call_data_length < usize::from(operand!(u16, pc, 6)) {
            return jump!(pc, operand!(u32, pc, 2), sp, gas, cpu, table);
        }
        next!(advanced!(pc, const { r::length(r::JUMP_IF_SHORT) }), sp, gas, cpu, table)
    }
);

handler!(
    /// SWAP_POP.
    swap_pop(pc, sp, gas, cpu, table) {
        let word = word!(sp, 0);
        let place = usize::from(operand!(u16, pc, 0)) + size_of::<U256>();
        // SAFETY: the block's BEGIN has found as many words on the stack as its opcodes take.
        unsafe { *sp.byte_sub(place) = word };
        next!(advanced!(pc, const { r::length(r::SWAP_POP) }), dropped!(sp, 1), gas, cpu, table)
    }
);

handler!(
    /// POP_2.
    pop_2(pc, sp, gas, cpu, table) {
        next!(advanced!(pc, 2), dropped!(sp, 2), gas, cpu, table)
    }
);

/// The handlers for a host.
pub(super) struct Handlers<H>(PhantomData<H>);

/// Puts handlers into the table: `records { RECORD handler }` and `module { OPCODE handler }`.
macro_rules! table {
    (records { $($record:ident $handler:ident)* } $($module:ident { $($op:ident $name:ident)* })*) => {
        const fn handlers<H: Host>() -> [Handler<H>; r::COUNT] {
            let mut table: [Handler<H>; r::COUNT] = [control::undefined::<H, Translated>; r::COUNT];
            $($(table[op::$op as usize] = $module::$name::<H, Translated>;)*)*
            $(table[r::$record as usize] = $handler::<H, Translated>;)*
            table
        }
    };
}

table! {
    records {
        BEGIN begin
        PUSH_8 push_8 PUSH_16 push_16 PUSH_32 push_32 PUSH_64 push_64 PUSH_160 push_160 PUSH_256 push_256
        GAS_AND gas_and JUMP_TO jump_to JUMPI_TO jumpi_to
        JUMP_IF_ZERO jump_if_zero JUMP_IF_EQ jump_if_eq JUMP_IF_NE jump_if_ne JUMP_IF_LT jump_if_lt
        JUMP_IF_GE jump_if_ge JUMP_IF_GT jump_if_gt JUMP_IF_LE jump_if_le JUMP_IF_SLT jump_if_slt
        JUMP_IF_SGE jump_if_sge SELECT select
        ADD_16 add_16 SUB_FROM_16 sub_from_16 MUL_16 mul_16 AND_16 and_16 EQ_16 eq_16 LT_16 lt_16 GT_16 gt_16
        SHL_16 shl_16 SHR_16 shr_16 SHR_224 shr_224 MLOAD_16 mload_16 MSTORE_16 mstore_16 AND_160 and_160
        DUP_ADD dup_add DUP_SUB dup_sub DUP_MUL dup_mul DUP_AND dup_and DUP_LT dup_lt DUP_GT dup_gt DUP_EQ dup_eq
        DUP_MLOAD dup_mload DUP_MSTORE dup_mstore SWAP_POP swap_pop POP_2 pop_2 IS_NONZERO is_nonzero
        LEAVE leave POP_JUMP pop_jump DUP_AND_160 dup_and_160 AND_LOW and_low DUP_AND_LOW dup_and_low
        DUP_JUMPI_TO dup_jumpi_to DUP_JUMP_IF_ZERO dup_jump_if_zero SWAP_MSTORE swap_mstore KEEP_MSTORE keep_mstore
        DUP_ADD_16 dup_add_16 SWAP1_SWAP2 swap1_swap2 SWAP2_SWAP1 swap2_swap1
        DUP_JUMP_IF_LT dup_jump_if_lt DUP_JUMP_IF_GE dup_jump_if_ge DUP_JUMP_IF_GT dup_jump_if_gt
        DUP_JUMP_IF_LE dup_jump_if_le DUP_JUMP_IF_EQ dup_jump_if_eq DUP_JUMP_IF_NE dup_jump_if_ne
        SELECT_BELOW select_below INSERT_16 insert_16 INSERT_16_BELOW insert_16_below
        MSTORE_AND_16 mstore_and_16 KEEP_MSTORE_16 keep_mstore_16
        KECCAK256_AT keccak256_at KECCAK256_OF keccak256_of KECCAK256_BELOW keccak256_below SELECTOR selector
        SUB_BELOW sub_below SUB_DUP sub_dup JUMP_IF_SHORT jump_if_short
    }
    arithmetic {
        ADD add MUL mul SUB sub DIV div SDIV sdiv MOD rem SMOD smod ADDMOD addmod MULMOD mulmod
        SIGNEXTEND signextend LT lt GT gt SLT slt SGT sgt EQ eq AND and OR or XOR xor NOT not BYTE byte
        SHL shl SHR shr SAR sar
    }
    environment {
        ADDRESS address CALLER caller CALLVALUE callvalue CALLDATALOAD calldataload CALLDATASIZE calldatasize
        CODESIZE codesize RETURNDATASIZE returndatasize
    }
    hash { KECCAK256 keccak256 }
    memory { MLOAD mload MSTORE mstore }
    stack {
        POP pop PUSH0 push0
        DUP1 dup1 DUP2 dup2 DUP3 dup3 DUP4 dup4 DUP5 dup5 DUP6 dup6 DUP7 dup7 DUP8 dup8 DUP9 dup9 DUP10 dup10
        DUP11 dup11 DUP12 dup12 DUP13 dup13 DUP14 dup14 DUP15 dup15 DUP16 dup16
        SWAP1 swap1 SWAP2 swap2 SWAP3 swap3 SWAP4 swap4 SWAP5 swap5 SWAP6 swap6 SWAP7 swap7 SWAP8 swap8
        SWAP9 swap9 SWAP10 swap10 SWAP11 swap11 SWAP12 swap12 SWAP13 swap13 SWAP14 swap14 SWAP15 swap15
        SWAP16 swap16
    }
    between { SLOAD sload SSTORE sstore LOG0 log0 LOG1 log1 LOG2 log2 LOG3 log3 LOG4 log4 }
    cold {
        STOP stop EXP exp CLZ clz BALANCE balance ORIGIN origin CALLDATACOPY calldatacopy
        CODECOPY codecopy GASPRICE gasprice EXTCODESIZE extcodesize EXTCODECOPY extcodecopy
        RETURNDATACOPY returndatacopy EXTCODEHASH extcodehash BLOCKHASH blockhash COINBASE coinbase
        TIMESTAMP timestamp NUMBER number PREVRANDAO prevrandao GASLIMIT gaslimit CHAINID chainid
        SELFBALANCE selfbalance BASEFEE basefee BLOBHASH blobhash BLOBBASEFEE blobbasefee MSTORE8 mstore8
        MSIZE msize TLOAD tload TSTORE tstore MCOPY mcopy CREATE create CALL call CALLCODE callcode RETURN ret DELEGATECALL delegatecall
        CREATE2 create2 STATICCALL staticcall REVERT revert SELFDESTRUCT selfdestruct
    }
}

impl<H: Host> Handlers<H> {
    const ALL: [Handler<H>; r::COUNT] = {
        let mut table = handlers::<H>();
        table[op::JUMP as usize] = jump::<H, Translated>;
        table[op::JUMPI as usize] = jumpi::<H, Translated>;
        table[op::ISZERO as usize] = iszero::<H, Translated>;
        table
    };

    /// The table.
    #[inline(always)]
    #[allow(clippy::needless_borrow)] // the borrow of the constant is what makes it a static
    pub(super) fn table() -> Table<H> {
        // SAFETY: a constant array with a handler for every record.
        unsafe { Table::new(const { (&Self::ALL).as_ptr() }) }
    }
}
