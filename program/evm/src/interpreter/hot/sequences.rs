//! Translated code: numbers, and sequences of opcodes that one record stands for.

use super::cpu::Cpu;
use super::handler::{advanced, dropped, handler, next, pushed, small, word};
use super::translated::{copied, operand};
use super::{between, hash, memory};
use crate::host::Host;
use crate::translation::record as r;
use crate::{U256, arith};

/// Pushes a number.
macro_rules! push {
    ($($name:ident $record:ident |$pc:ident| $word:expr;)+) => {$(
        handler!(#[doc = concat!(stringify!($record), ".")] $name($pc, sp, gas, cpu, table) {
            let word = $word;
            next!(advanced!($pc, const { r::length(r::$record) }), pushed!(sp, word), gas, cpu, table)
        });
    )+};
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

/// Whether a word fits 64 bits that meet a condition.
#[inline(always)]
pub(super) fn is_small(word: &U256, condition: impl FnOnce(u64) -> bool) -> bool {
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

/// Stores a word at a constant offset, and goes on.
macro_rules! store {
    ($word:ident, $offset:ident, $behind:ident, $sp:ident, $gas:ident, $cpu:ident, $table:ident) => {{
        if $offset >= $cpu.memory_end {
            let sp = pushed!($sp, $word);
            return memory::grow!($behind, pushed!(sp, small($offset as u64)), $gas, $cpu, $table);
        }
        // SAFETY: a word at an offset below `memory_end` lies in the frame's memory.
        unsafe { memory::write($cpu.memory.add($offset), &$word) };
        next!($behind, $sp, $gas, $cpu, $table)
    }};
}

handler!(
    /// KEEP_MSTORE_16.
    keep_mstore_16(pc, sp, gas, cpu, table) {
        let (offset, word) = (usize::from(operand!(u16, pc, 0)), word!(sp, 0));
        let behind = advanced!(pc, const { r::length(r::KEEP_MSTORE_16) });
        store!(word, offset, behind, sp, gas, cpu, table)
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
        store!(word, offset, behind, sp, gas, cpu, table)
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

impl<H: Host> Cpu<'_, '_, '_, H> {
    /// The first four bytes of call data that is shorter, with zeros behind its end.
    #[cold]
    #[inline(never)]
    fn short_selector(&self) -> u32 {
        let call_data = self.context.frame.input.input.bytes(self.context.machine);
        (0..4).fold(0, |selector, index| {
            selector << 8 | u32::from(call_data.get(index).copied().unwrap_or_default())
        })
    }
}

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
