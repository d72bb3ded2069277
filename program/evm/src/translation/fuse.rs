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
    /// The code position of a jump destination, to become the place of its block.
    Target(u64),
    /// Two of them.
    Numbers(u16, u16),
    /// A code position, and a u16.
    TargetAndNumber(u64, u16),
    /// A u32, and a code position.
    SelectorAndTarget(u32, u64),
}

impl Operands {
    /// The code position of the jump destination, if there is one.
    pub(super) const fn target(self) -> Option<u64> {
        match self {
            Self::Target(target) | Self::TargetAndNumber(target, _) | Self::SelectorAndTarget(_, target) => {
                Some(target)
            }
            Self::None | Self::Number(_) | Self::Numbers(..) => None,
        }
    }
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
        op::SWAP1..=op::SWAP16 => fuse_swap(code, usize::from(first - op::SWAP1)),
        op::POP if let Some(fused) = fuse_pop_jump(code) => Some(fused),
        op::POP if code.get(1) == Some(&op::POP) => {
            Some(Fused { record: r::POP_2, operands: Operands::None, length: 2 })
        }
        op::ISZERO | op::EQ | op::LT | op::GT | op::SLT | op::SUB | op::XOR => fuse_condition(code, first),
        _ => None,
    }
}

/// SWAP1, POP any number of times, SWAPn+1, SWAPn, n POPs, JUMP: the end of a function that returns a word and has more
/// words to drop.
fn fuse_leave(code: &[u8], n: usize) -> Option<Fused> {
    const DROPPED_MAX: usize = 8;
    let pairs = code.as_chunks().0.iter().take(DROPPED_MAX);
    let dropped = pairs.take_while(|pair| *pair == &[op::SWAP1, op::POP]).count();
    let Some(rest) = code.get(2 * dropped..).filter(|_| dropped > 0) else { return fuse_return(code, n) };
    let swap = rest.first().filter(|&&opcode| (op::SWAP1..=op::SWAP16).contains(&opcode))?;
    let Fused { record, operands, length } = fuse_return(rest, usize::from(swap - op::SWAP1))?;
    let Operands::Number(place) = operands else { return None };
    let operands = Operands::Number(place + 32 * dropped as u16);
    Some(Fused { record, operands, length: 2 * dropped + length })
}

/// SWAPn+1, SWAPn, n POPs, JUMP.
fn fuse_return(code: &[u8], n: usize) -> Option<Fused> {
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
    match *code {
        [op::PUSH1, 1, ..] | [op::PUSH3..=op::PUSH31, ..] => fuse_mask(code)
            .or_else(|| fuse_masked_jump(code))
            .or_else(|| fuse_power(code))
            .or_else(|| fuse_small_push(code)),
        [op::PUSH0, ref rest @ ..] => fuse_zero(rest).or_else(|| fuse_small_push(code)),
        _ => fuse_small_push(code),
    }
}

/// What unoptimised code does with PUSH0, which is in front: it masks it, or makes it a variable that is given a value at
/// once (PUSH0, an expression, SWAP1, POP).
fn fuse_zero(code: &[u8]) -> Option<Fused> {
    let fused = |record, operands, length| Some(Fused { record, operands, length });
    match *code {
        [op::DUP2, op::SWAP1, op::POP, ..] => fused(u16::from(op::DUP1), Operands::None, 4),
        [op::PUSH1, number, dup @ op::DUP3..=op::DUP16, op::ADD, op::SWAP1, op::POP, ..] => {
            let place = 32 * u16::from(dup - op::DUP2);
            fused(r::DUP_ADD_16, Operands::Numbers(number.into(), place), 7)
        }
        [op::PUSH20, ..] => {
            let Mask { length, .. } = pushed_mask(code)?;
            (code.get(length) == Some(&op::AND)).then_some(())?;
            fused(u16::from(op::PUSH0), Operands::None, length + 2)
        }
        _ => None,
    }
}

/// PUSH 2^n, and MUL or SWAP1, DIV: how older compilers shift.
fn fuse_power(code: &[u8]) -> Option<Fused> {
    let (&opcode, rest) = code.split_first()?;
    let bytes = rest.get(..usize::from(opcode - op::PUSH0))?;
    let (&high, low) = bytes.split_first()?;
    let (record, more) = match *rest.get(bytes.len()..)? {
        [op::MUL, ..] => (r::SHL_16, 1),
        [op::SWAP1, op::DIV, ..] => (r::SHR_16, 2),
        _ => return None,
    };
    let is_power = high.is_power_of_two() && low.iter().all(|&byte| byte == 0);
    let bits = 8 * low.len() as u16 + high.trailing_zeros() as u16;
    let length = 1 + bytes.len() + more;
    is_power.then_some(Fused { record, operands: Operands::Number(bits), length })
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
        // Twice the same mask is one.
        (op::AND, 160) if code.get(length + 1..)?.starts_with(&code[..=length]) => {
            fused(r::AND_160, Operands::None, length + 2)
        }
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

/// SWAPn+1 and what follows.
fn fuse_swap(code: &[u8], n: usize) -> Option<Fused> {
    if let Some(leave) = fuse_leave(code, n) {
        return Some(leave);
    }
    let (record, operands) = match code.get(..2)? {
        [_, op::POP] => (r::SWAP_POP, Operands::Number(32 * (n as u16 + 1))),
        [op::SWAP1, op::MSTORE] => (r::SWAP_MSTORE, Operands::None),
        [op::SWAP1, op::SWAP2] => (r::SWAP1_SWAP2, Operands::None),
        [op::SWAP2, op::SWAP1] => (r::SWAP2_SWAP1, Operands::None),
        _ => return None,
    };
    Some(Fused { record, operands, length: 2 })
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
    let rest = code.get(length..)?;
    match following {
        op::DUP2..=op::DUP16 => return fuse_push_dup(rest, number, length),
        op::SWAP1..=op::SWAP16 => return fuse_push_swap(rest, number, length),
        op::CALLDATASIZE if rest.get(1) == Some(&op::LT) => {
            let jump = push_jumpi(&rest[2..])?;
            let operands = Operands::TargetAndNumber(jump.value, number);
            return Some(Fused { record: r::JUMP_IF_SHORT, operands, length: length + 2 + jump.length });
        }
        op::CALLDATALOAD if number == 0 && rest.starts_with(&[op::CALLDATALOAD, op::PUSH1, 224, op::SHR]) => {
            return Some(Fused { record: r::SELECTOR, operands: Operands::None, length: length + 4 });
        }
        _ => {}
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
        op::KECCAK256 => r::KECCAK256_AT,
        _ => return None,
    };
    fused(record, Operands::Number(number))
}

/// DUPn and what follows, with a PUSH of `pushed` bytes in front.
fn fuse_push_dup(code: &[u8], number: u16, pushed: usize) -> Option<Fused> {
    let (record, operands, length) = match *code {
        [op::DUP2, op::SWAP1, op::MSTORE, ..] => (r::KEEP_MSTORE_16, Operands::Number(number), 3),
        [dup, op::ADD, ..] => (r::DUP_ADD_16, Operands::Numbers(number, 32 * u16::from(dup - op::DUP1)), 2),
        _ => return None,
    };
    Some(Fused { record, operands, length: pushed + length })
}

/// SWAPn and what follows, with a PUSH of `pushed` bytes in front.
fn fuse_push_swap(code: &[u8], number: u16, pushed: usize) -> Option<Fused> {
    let fused =
        |record, length| Some(Fused { record, operands: Operands::Number(number), length: pushed + length });
    match *code {
        [op::SWAP1, op::KECCAK256, ..] => fused(r::KECCAK256_OF, 2),
        [op::SWAP1, op::SWAP2, op::KECCAK256, ..] => fused(r::KECCAK256_BELOW, 3),
        [swap @ op::SWAP1..=op::SWAP15, dup, op::MSTORE, ..] if dup == swap - op::SWAP1 + op::DUP2 => {
            let operands = Operands::Numbers(number, 32 * u16::from(swap - op::SWAP1 + 1));
            Some(Fused { record: r::MSTORE_AND_16, operands, length: pushed + 3 })
        }
        [op::SWAP1, op::MSTORE, ..] => None,
        [op::SWAP1, ..] => fused(r::INSERT_16, 1),
        [op::SWAP2, op::SWAP1, ..] => fused(r::INSERT_16_BELOW, 2),
        _ => None,
    }
}

/// DUP and what uses the copy.
fn fuse_dup(code: &[u8], n: u8) -> Option<Fused> {
    if n == 1
        && code.get(1) == Some(&op::PUSH4)
        && matches!(code.get(6), Some(&(op::EQ | op::GT)))
        && let Some(jump) = push_jumpi(code.get(7..)?)
    {
        let selector = u32::from_be_bytes(*code.get(2..)?.first_chunk()?);
        let operands = Operands::SelectorAndTarget(selector, jump.value);
        let record = if code.get(6) == Some(&op::EQ) { r::SELECT } else { r::SELECT_BELOW };
        return Some(Fused { record, operands, length: 7 + jump.length });
    }
    let place = 32 * u16::from(n);
    if let Some(fused) = fuse_dup_condition(&code[1..], place) {
        return Some(fused);
    }
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
        op::PUSH1 | op::PUSH20 => return fuse_dup_mask(&code[1..], place),
        op::SWAP1 if code.get(2) == Some(&op::SUB) => {
            return Some(Fused { record: r::SUB_DUP, operands: Operands::Number(place), length: 3 });
        }
        op::SWAP2 if code.starts_with(&[op::DUP1, op::SWAP2, op::SUB, op::SWAP1]) => {
            return Some(Fused { record: r::SUB_BELOW, operands: Operands::None, length: 4 });
        }
        _ => return None,
    };
    Some(Fused { record, operands: Operands::Number(place), length: 2 })
}

/// A mask of 160 bits and AND, with a DUP in front.
fn fuse_dup_mask(code: &[u8], place: u16) -> Option<Fused> {
    let Mask { bits, length } = computed_mask(code).or_else(|| pushed_mask(code))?;
    let is_and = bits == 160 && code.get(length) == Some(&op::AND);
    let operands = Operands::Number(place);
    is_and.then_some(Fused { record: r::DUP_AND_160, operands, length: length + 2 })
}

/// A comparison with the word that the DUP in front copies, and a conditional jump.
fn fuse_dup_condition(code: &[u8], place: u16) -> Option<Fused> {
    let &first = code.first()?;
    if !matches!(first, op::LT | op::GT | op::EQ | op::SUB | op::XOR) {
        return None;
    }
    let Fused { record, operands: Operands::Target(target), length } = fuse_condition(code, first)? else {
        return None;
    };
    let record = match record {
        r::JUMP_IF_LT => r::DUP_JUMP_IF_LT,
        r::JUMP_IF_GE => r::DUP_JUMP_IF_GE,
        r::JUMP_IF_GT => r::DUP_JUMP_IF_GT,
        r::JUMP_IF_LE => r::DUP_JUMP_IF_LE,
        r::JUMP_IF_EQ => r::DUP_JUMP_IF_EQ,
        r::JUMP_IF_NE => r::DUP_JUMP_IF_NE,
        _ => return None,
    };
    Some(Fused { record, operands: Operands::TargetAndNumber(target, place), length: 1 + length })
}

/// A comparison and what becomes of it.
fn fuse_condition(code: &[u8], first: u8) -> Option<Fused> {
    let is_negated = first != op::ISZERO && code.get(1) == Some(&op::ISZERO);
    let length = if is_negated { 2 } else { 1 };
    if let Some(jump) = push_jumpi(code.get(length..)?) {
        let record = match (first, is_negated) {
            (op::ISZERO, _) => r::JUMP_IF_ZERO,
            (op::EQ, false) | (op::SUB | op::XOR, true) => r::JUMP_IF_EQ,
            (op::EQ, true) | (op::SUB | op::XOR, false) => r::JUMP_IF_NE,
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// Asserts what the code in the rows becomes; behind it, more code follows.
    fn check(rows: &[(&[u8], u16, Operands)]) {
        for &(code, record, operands) in rows {
            let fused = Fused { record, operands, length: code.len() };
            assert_eq!(fuse(&[code, &[op::ADDRESS; 4]].concat()), Some(fused), "{code:02x?}");
        }
    }

    #[test]
    fn comparisons_and_jumps() {
        let target = |number| Operands::TargetAndNumber(0x1234, number);
        const JUMPI: [u8; 4] = [op::PUSH2, 0x12, 0x34, op::JUMPI];
        let rows: [(&[u8], u16, Operands); 13] = [
            (&[op::SUB], r::JUMP_IF_NE, Operands::Target(0x1234)),
            (&[op::XOR, op::ISZERO], r::JUMP_IF_EQ, Operands::Target(0x1234)),
            (&[op::DUP1, op::LT], r::DUP_JUMP_IF_LT, target(32)),
            (&[op::DUP16, op::LT, op::ISZERO], r::DUP_JUMP_IF_GE, target(512)),
            (&[op::DUP2, op::GT], r::DUP_JUMP_IF_GT, target(64)),
            (&[op::DUP2, op::GT, op::ISZERO], r::DUP_JUMP_IF_LE, target(64)),
            (&[op::DUP2, op::EQ], r::DUP_JUMP_IF_EQ, target(64)),
            (&[op::DUP2, op::SUB, op::ISZERO], r::DUP_JUMP_IF_EQ, target(64)),
            (&[op::DUP2, op::EQ, op::ISZERO], r::DUP_JUMP_IF_NE, target(64)),
            (&[op::DUP2, op::XOR], r::DUP_JUMP_IF_NE, target(64)),
            (
                &[op::DUP1, op::PUSH4, 1, 2, 3, 4, op::EQ],
                r::SELECT,
                Operands::SelectorAndTarget(0x0102_0304, 0x1234),
            ),
            (
                &[op::DUP1, op::PUSH4, 1, 2, 3, 4, op::GT],
                r::SELECT_BELOW,
                Operands::SelectorAndTarget(0x0102_0304, 0x1234),
            ),
            (&[op::PUSH1, 4, op::CALLDATASIZE, op::LT], r::JUMP_IF_SHORT, target(4)),
        ];
        for (code, record, operands) in rows {
            check(&[(&[code, &JUMPI].concat(), record, operands)]);
        }
    }

    #[test]
    fn numbers_and_what_uses_them() {
        check(&[
            (&[op::PUSH1, 7, op::SWAP1], r::INSERT_16, Operands::Number(7)),
            (&[op::PUSH0, op::SWAP2, op::SWAP1], r::INSERT_16_BELOW, Operands::Number(0)),
            (&[op::PUSH1, 32, op::SWAP1, op::DUP2, op::MSTORE], r::MSTORE_AND_16, Operands::Numbers(32, 32)),
            (&[op::PUSH0, op::SWAP15, op::DUP16, op::MSTORE], r::MSTORE_AND_16, Operands::Numbers(0, 480)),
            (&[op::PUSH1, 32, op::DUP2, op::SWAP1, op::MSTORE], r::KEEP_MSTORE_16, Operands::Number(32)),
            (&[op::PUSH0, op::KECCAK256], r::KECCAK256_AT, Operands::Number(0)),
            (&[op::PUSH1, 64, op::SWAP1, op::KECCAK256], r::KECCAK256_OF, Operands::Number(64)),
            (&[op::PUSH1, 64, op::SWAP1, op::SWAP2, op::KECCAK256], r::KECCAK256_BELOW, Operands::Number(64)),
            (&[op::PUSH0, op::CALLDATALOAD, op::PUSH1, 224, op::SHR], r::SELECTOR, Operands::None),
            (&[op::PUSH1, 0, op::CALLDATALOAD, op::PUSH1, 224, op::SHR], r::SELECTOR, Operands::None),
            (&[op::DUP1, op::SWAP2, op::SUB, op::SWAP1], r::SUB_BELOW, Operands::None),
            (&[op::DUP3, op::SWAP1, op::SUB], r::SUB_DUP, Operands::Number(96)),
        ]);
        // SWAP16 has no DUP17.
        assert_eq!(fuse(&[op::PUSH0, op::SWAP16, op::SWAP1, op::MSTORE]), None);
        assert_eq!(fuse(&[op::PUSH1, 1, op::CALLDATALOAD, op::PUSH1, 224, op::SHR]), None);
    }

    #[test]
    fn a_power_of_two_is_a_shift() {
        let power = |opcode, byte, rest: &[u8]| {
            let mut code: Vec<u8> = alloc::vec![0; usize::from(opcode - op::PUSH0) + 1];
            (code[0], code[1]) = (opcode, byte);
            [&code, rest].concat()
        };
        const DIV: &[u8] = &[op::SWAP1, op::DIV];
        check(&[
            (&power(op::PUSH15, 1, DIV), r::SHR_16, Operands::Number(112)),
            (&power(op::PUSH3, 0x80, DIV), r::SHR_16, Operands::Number(23)),
            (&power(op::PUSH31, 0x80, &[op::MUL]), r::SHL_16, Operands::Number(247)),
        ]);
        assert_eq!(fuse(&power(op::PUSH15, 3, DIV)), None);
        let zero = fuse(&power(op::PUSH15, 0, DIV)).map(|fused| fused.record);
        assert_eq!(zero, Some(r::INSERT_16), "no power");
        assert_eq!(fuse(&power(op::PUSH15, 1, &[op::DIV])), None);
    }

    #[test]
    fn what_unoptimised_code_does_in_vain() {
        const MASK: [u8; 21] = {
            let mut mask = [0xff; 21];
            mask[0] = op::PUSH20;
            mask
        };
        let masked = |times: usize| [&MASK[..], &[op::AND]].concat().repeat(times);
        check(&[
            (&[op::PUSH0, op::DUP2, op::SWAP1, op::POP], op::DUP1.into(), Operands::None),
            (
                &[op::PUSH0, op::PUSH1, 9, op::DUP3, op::ADD, op::SWAP1, op::POP],
                r::DUP_ADD_16,
                Operands::Numbers(9, 32),
            ),
            (&[&[op::PUSH0], &masked(1)[..]].concat(), op::PUSH0.into(), Operands::None),
            (&masked(2), r::AND_160, Operands::None),
            (&[&[op::DUP3], &masked(1)[..]].concat(), r::DUP_AND_160, Operands::Number(96)),
            (&[op::SWAP1, op::POP, op::SWAP1, op::JUMP], r::LEAVE, Operands::Number(96)),
            (
                &[op::SWAP1, op::POP, op::SWAP1, op::POP, op::SWAP2, op::SWAP1, op::POP, op::JUMP],
                r::LEAVE,
                Operands::Number(160),
            ),
            (&[op::SWAP1, op::POP], r::SWAP_POP, Operands::Number(32)),
        ]);
    }
}
