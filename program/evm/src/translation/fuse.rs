//! Sequences of opcodes that one record stands for.

use super::record as r;
use crate::opcode as op;

/// What a sequence becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fused {
    /// The record.
    pub(super) record: u16,
    /// Its operands.
    pub(super) operands: Operands,
    /// How many bytes of code it stands for.
    pub(super) length: usize,
}

/// Operands of a fused record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operands {
    None,
    /// A u16.
    Number(u16),
    /// The code position of a jump destination, to become its entry.
    Target(u64),
    /// Two of them.
    Numbers(u16, u16),
    /// A code position, and a u16.
    TargetAndNumber(u64, u16),
    /// A u32, and a code position.
    SelectorAndTarget(u32, u64),
}

/// A PUSH whose number fits 64 bits.
#[derive(Clone, Copy)]
struct Push {
    value: u64,
    /// Bytes of code.
    length: usize,
}

/// The PUSH at the start of `code`. An immediate that the end of the code cuts off is none.
fn push(code: &[u8]) -> Option<Push> {
    let (&opcode, rest) = code.split_first()?;
    if !(op::PUSH0..=op::PUSH32).contains(&opcode) {
        return None;
    }
    let length = usize::from(opcode - op::PUSH0);
    let bytes = rest.get(..length)?;
    let (high, low) = bytes.split_at(length.saturating_sub(8));
    if high.iter().any(|&byte| byte != 0) {
        return None;
    }
    let value = low.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
    Some(Push { value, length: length + 1 })
}

/// A PUSH and a JUMPI behind it: destination and length.
fn push_jumpi(code: &[u8]) -> Option<Push> {
    let push = push(code)?;
    (code.get(push.length) == Some(&op::JUMPI)).then_some(Push { length: push.length + 1, ..push })
}

/// The sequence at the start of `code`, if it is one that a record stands for.
pub(super) fn fuse(code: &[u8]) -> Option<Fused> {
    let first = *code.first()?;
    match first {
        op::PUSH0..=op::PUSH32 => fuse_push(code),
        op::DUP1..=op::DUP16 => fuse_dup(code, first - op::DUP1 + 1),
        op::SWAP1..=op::SWAP16 if let Some(fused) = fuse_leave(code, usize::from(first - op::SWAP1)) => {
            Some(fused)
        }
        op::SWAP1..=op::SWAP16 if code.get(1) == Some(&op::POP) => {
            let place = 32 * u16::from(first - op::SWAP1 + 1);
            Some(Fused { record: r::SWAP_POP, operands: Operands::Number(place), length: 2 })
        }
        op::SWAP1 | op::SWAP2 => fuse_swap(code),
        op::POP if let Some(fused) = fuse_pop_jump(code) => Some(fused),
        op::POP if code.get(1) == Some(&op::POP) => {
            Some(Fused { record: r::POP_2, operands: Operands::None, length: 2 })
        }
        op::ISZERO | op::EQ | op::LT | op::GT | op::SLT => fuse_condition(code, first),
        _ => None,
    }
}

/// SWAPn+1, SWAPn, n POPs, JUMP: the end of a function that returns a word and has n words more to drop.
fn fuse_leave(code: &[u8], n: usize) -> Option<Fused> {
    let pops = if n == 0 {
        code.get(1..)?
    } else {
        let (&swap, pops) = code.get(1..)?.split_first()?;
        (usize::from(swap) == usize::from(op::SWAP1) + n - 1).then_some(pops)?
    };
    let (dropped, behind) = pops.split_at_checked(n)?;
    let is_leave = dropped.iter().all(|&opcode| opcode == op::POP) && behind.first() == Some(&op::JUMP);
    let length = code.len() - behind.len() + 1;
    let operands = Operands::Number(32 * (n as u16 + 2));
    is_leave.then_some(Fused { record: r::LEAVE, operands, length })
}

/// POPs and a JUMP.
fn fuse_pop_jump(code: &[u8]) -> Option<Fused> {
    const POPS_MAX: usize = 16;
    let pops = code.iter().take(POPS_MAX).take_while(|&&opcode| opcode == op::POP).count();
    let operands = Operands::Number(32 * pops as u16);
    (code.get(pops) == Some(&op::JUMP)).then_some(Fused { record: r::POP_JUMP, operands, length: pops + 1 })
}

/// PUSH and what uses its number.
fn fuse_push(code: &[u8]) -> Option<Fused> {
    fuse_mask(code).or_else(|| fuse_masked_jump(code)).or_else(|| fuse_small_push(code))
}

/// A number of low bits that are all set.
#[derive(Clone, Copy)]
pub(super) struct Mask {
    /// How many.
    pub(super) bits: u8,
    /// Bytes of code.
    pub(super) length: usize,
}

/// The mask that the code begins with as compilers compute it: PUSH1 1, PUSH1 1, PUSH1 bits, SHL, SUB.
pub(super) fn computed_mask(code: &[u8]) -> Option<Mask> {
    match *code.first_chunk()? {
        [op::PUSH1, 1, op::PUSH1, 1, op::PUSH1, bits, op::SHL, op::SUB] => Some(Mask { bits, length: 8 }),
        _ => None,
    }
}

/// The mask that the code begins with as a PUSH.
fn pushed_mask(code: &[u8]) -> Option<Mask> {
    let (&opcode, rest) = code.split_first()?;
    // Shorter ones are numbers as any other, and a mask of 256 bits is none.
    if !(op::PUSH3..=op::PUSH31).contains(&opcode) {
        return None;
    }
    let bytes = opcode - op::PUSH0;
    let is_mask = rest.get(..usize::from(bytes))?.iter().all(|&byte| byte == 0xff);
    is_mask.then_some(Mask { bits: 8 * bytes, length: 1 + usize::from(bytes) })
}

/// A mask, and AND with the top or with a copy.
fn fuse_mask(code: &[u8]) -> Option<Fused> {
    let Mask { bits, length } = computed_mask(code).or_else(|| pushed_mask(code))?;
    let bytes = u16::from(bits / 8);
    let fused = |record, operands, more| Some(Fused { record, operands, length: length + more });
    match (*code.get(length)?, bits) {
        (op::AND, 160) => fused(r::AND_160, Operands::None, 1),
        (op::AND, _) if bits % 8 == 0 => fused(r::AND_LOW, Operands::Number(bytes), 1),
        (dup @ op::DUP2..=op::DUP16, _) if bits % 8 == 0 && code.get(length + 1) == Some(&op::AND) => {
            let place = 32 * u16::from(dup - op::DUP1);
            if bits == 160 {
                fused(r::DUP_AND_160, Operands::Number(place), 2)
            } else {
                fused(r::DUP_AND_LOW, Operands::Numbers(bytes, place), 2)
            }
        }
        _ => None,
    }
}

/// PUSH4 2^32 - 1, PUSH, AND, JUMP: how older compilers call a function.
fn fuse_masked_jump(code: &[u8]) -> Option<Fused> {
    const MASK: [u8; 5] = [op::PUSH4, 0xff, 0xff, 0xff, 0xff];
    let rest = code.strip_prefix(&MASK)?;
    let Push { value, length } = push(rest)?;
    let operands = Operands::Target(value & 0xffff_ffff);
    let is_jump = rest.get(length..)?.starts_with(&[op::AND, op::JUMP]);
    is_jump.then_some(Fused { record: r::JUMP_TO, operands, length: MASK.len() + length + 2 })
}

/// SWAP1 or SWAP2, and what follows.
fn fuse_swap(code: &[u8]) -> Option<Fused> {
    let record = match code.get(..2)? {
        [op::SWAP1, op::MSTORE] => r::SWAP_MSTORE,
        [op::SWAP1, op::SWAP2] => r::SWAP1_SWAP2,
        [op::SWAP2, op::SWAP1] => r::SWAP2_SWAP1,
        _ => return None,
    };
    Some(Fused { record, operands: Operands::None, length: 2 })
}

/// PUSH of a number that fits 64 bits, and what uses it.
fn fuse_small_push(code: &[u8]) -> Option<Fused> {
    let Push { value, length } = push(code)?;
    let following = *code.get(length)?;
    let fused = |record, operands| Some(Fused { record, operands, length: length + 1 });
    match following {
        op::JUMP => return fused(r::JUMP_TO, Operands::Target(value)),
        op::JUMPI => return fused(r::JUMPI_TO, Operands::Target(value)),
        _ => {}
    }
    let number = u16::try_from(value).ok()?;
    if let (op::DUP2..=op::DUP16, Some(&op::ADD)) = (following, code.get(length + 1)) {
        let operands = Operands::Numbers(number, 32 * u16::from(following - op::DUP1));
        return Some(Fused { record: r::DUP_ADD_16, operands, length: length + 2 });
    }
    let record = match following {
        op::ADD => r::ADD_16,
        op::SUB => r::SUB_FROM_16,
        op::MUL => r::MUL_16,
        op::AND => r::AND_16,
        op::EQ => r::EQ_16,
        op::LT => r::LT_16,
        op::GT => r::GT_16,
        op::SHL => r::SHL_16,
        op::SHR if number == 224 => return fused(r::SHR_224, Operands::None),
        op::SHR => r::SHR_16,
        op::MLOAD => r::MLOAD_16,
        op::MSTORE => r::MSTORE_16,
        _ => return None,
    };
    fused(record, Operands::Number(number))
}

/// DUP and what uses the copy.
fn fuse_dup(code: &[u8], n: u8) -> Option<Fused> {
    if n == 1
        && code.get(1) == Some(&op::PUSH4)
        && code.get(6) == Some(&op::EQ)
        && let Some(jump) = push_jumpi(code.get(7..)?)
    {
        let selector = u32::from_be_bytes(*code.get(2..)?.first_chunk()?);
        let operands = Operands::SelectorAndTarget(selector, jump.value);
        return Some(Fused { record: r::SELECT, operands, length: 7 + jump.length });
    }
    let place = 32 * u16::from(n);
    let is_zero = code.get(1) == Some(&op::ISZERO);
    if let Some(jump) = push_jumpi(code.get(1 + usize::from(is_zero)..)?) {
        let record = if is_zero { r::DUP_JUMP_IF_ZERO } else { r::DUP_JUMPI_TO };
        let operands = Operands::TargetAndNumber(jump.value, place);
        return Some(Fused { record, operands, length: 1 + usize::from(is_zero) + jump.length });
    }
    if code.starts_with(&[op::DUP2, op::SWAP1, op::MSTORE]) {
        return Some(Fused { record: r::KEEP_MSTORE, operands: Operands::None, length: 3 });
    }
    let record = match *code.get(1)? {
        op::ADD => r::DUP_ADD,
        op::SUB => r::DUP_SUB,
        op::MUL => r::DUP_MUL,
        op::AND => r::DUP_AND,
        op::LT => r::DUP_LT,
        op::GT => r::DUP_GT,
        op::EQ => r::DUP_EQ,
        op::MLOAD => r::DUP_MLOAD,
        op::MSTORE => r::DUP_MSTORE,
        _ => return None,
    };
    Some(Fused { record, operands: Operands::Number(place), length: 2 })
}

/// A comparison and what becomes of it.
fn fuse_condition(code: &[u8], first: u8) -> Option<Fused> {
    let is_negated = first != op::ISZERO && code.get(1) == Some(&op::ISZERO);
    let length = if is_negated { 2 } else { 1 };
    if let Some(jump) = push_jumpi(code.get(length..)?) {
        let record = match (first, is_negated) {
            (op::ISZERO, _) => r::JUMP_IF_ZERO,
            (op::EQ, false) => r::JUMP_IF_EQ,
            (op::EQ, true) => r::JUMP_IF_NE,
            (op::LT, false) => r::JUMP_IF_LT,
            (op::LT, true) => r::JUMP_IF_GE,
            (op::GT, false) => r::JUMP_IF_GT,
            (op::GT, true) => r::JUMP_IF_LE,
            (op::SLT, false) => r::JUMP_IF_SLT,
            (op::SLT, true) => r::JUMP_IF_SGE,
            _ => return None,
        };
        return Some(Fused { record, operands: Operands::Target(jump.value), length: length + jump.length });
    }
    let is_twice = first == op::ISZERO && code.get(1) == Some(&op::ISZERO);
    is_twice.then_some(Fused { record: r::IS_NONZERO, operands: Operands::None, length: 2 })
}
