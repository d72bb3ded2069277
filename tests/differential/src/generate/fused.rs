//! Sequences that the translator makes one record of, and what is nearly one.

use super::assembler::Assembler;
use super::values::{self, chance, one_of};
use super::{control, snippets};
use alloy_primitives::U256;
use parhelion_executor::evm::opcode as op;

/// What a PUSH is fused with.
const BEHIND_PUSH: &[u8] =
    &[op::ADD, op::SUB, op::MUL, op::AND, op::EQ, op::LT, op::GT, op::SHL, op::SHR, op::MLOAD, op::MSTORE];

/// What a DUP is fused with.
const BEHIND_DUP: &[u8] =
    &[op::ADD, op::SUB, op::MUL, op::AND, op::LT, op::GT, op::EQ, op::MLOAD, op::MSTORE];

/// What compilers write on the words that are there.
const IDIOMS: &[&[u8]] = &[
    &[op::DUP1, op::SWAP1 + 1, op::SUB, op::SWAP1],
    &[op::DUP1 + 2, op::SWAP1, op::SUB],
    &[op::PUSH0, op::DUP1 + 1, op::SWAP1, op::POP],
    &[op::PUSH0, op::PUSH1, 7, op::DUP1 + 2, op::ADD, op::SWAP1, op::POP],
    &[op::PUSH1, 32, op::SWAP1],
    &[op::PUSH1, 32, op::SWAP1 + 1, op::SWAP1],
    &[op::PUSH0, op::SWAP1, op::DUP1 + 1, op::MSTORE],
    &[op::PUSH1, 33, op::SWAP1 + 1, op::DUP1 + 2, op::MSTORE],
    &[op::PUSH1, 32, op::DUP1 + 1, op::SWAP1, op::MSTORE],
    &[op::PUSH0, op::SWAP1, op::DUP1 + 1, op::MSTORE, op::PUSH1, 32, op::DUP1 + 1, op::SWAP1, op::MSTORE],
    &[op::PUSH0, op::SWAP1, op::DUP1 + 1, op::MSTORE, op::PUSH1, 64, op::SWAP1, op::KECCAK256],
    &[op::PUSH0, op::DUP1, op::PUSH1, 64, op::SWAP1, op::SWAP1 + 1, op::KECCAK256],
    &[op::PUSH1, 64, op::PUSH0, op::KECCAK256],
    &[op::PUSH1, 64, op::PUSH0, op::SWAP1, op::PUSH0, op::KECCAK256],
    &[op::PUSH0, op::CALLDATALOAD, op::PUSH1, 224, op::SHR],
    &[op::PUSH1 + 14, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, op::SWAP1, op::DIV],
    &[op::PUSH1 + 3, 0x80, 0, 0, 0, op::MUL],
];

/// Opcodes that are cheap and take little.
const CHEAP: &[u8] = &[
    op::PUSH0,
    op::PC,
    op::CALLER,
    op::CALLDATASIZE,
    op::GAS,
    op::MSIZE,
    op::ADDRESS,
    op::RETURNDATASIZE,
    op::ISZERO,
    op::NOT,
    op::ADD,
    op::SUB,
    op::AND,
    op::POP,
    op::DUP1,
    op::DUP1 + 1,
    op::SWAP1,
    op::SWAP1 + 1,
    op::CALLDATALOAD,
];

/// A snippet.
pub(crate) fn snippet(a: &mut Assembler<'_>) {
    match a.rng.u8(0..20) {
        0..4 => push_and(a),
        4..6 => dup_and(a),
        6 => {
            let n = a.rng.usize(0..16);
            while a.available() < n + 2 {
                a.push_any();
            }
            a.ops(&[op::SWAP1 + n as u8, op::POP]);
        }
        7 => {
            a.ensure(2);
            a.ops(&[op::POP, op::POP]);
        }
        8 => {
            a.ensure(1);
            for _ in 0..a.rng.u8(1..5) {
                a.op(op::ISZERO);
            }
        }
        9 => mask(a),
        10 | 11 if a.nesting < 5 => compare_and_jump(a),
        12 => select(a),
        13 => {
            // JUMPDESTs, each of which begins a block.
            for _ in 0..a.rng.u8(1..6) {
                let label = a.label();
                a.destination(label);
            }
        }
        14..18 => idiom(a),
        _ => long_block(a),
    }
}

/// A sequence that takes words as it finds them, at times one word too few.
fn idiom(a: &mut Assembler<'_>) {
    let words = if chance(a.rng, 95) { 4 } else { 1 };
    a.ensure(words);
    let mut rest = one_of(a.rng, IDIOMS);
    while let Some((&opcode, behind)) = rest.split_first() {
        let is_push = (op::PUSH1..=op::PUSH32).contains(&opcode);
        let (immediate, behind) = behind.split_at(if is_push { usize::from(opcode - op::PUSH0) } else { 0 });
        if is_push {
            a.push_bytes(immediate)
        } else {
            a.op(opcode)
        }
        rest = behind;
    }
}

/// A number at a limit of what a record holds.
fn at_a_limit(a: &mut Assembler<'_>) -> U256 {
    match a.rng.u8(0..8) {
        0 => U256::from(0xffff),
        1 => U256::from(0x1_0000),
        2 => U256::from(0x1_0001),
        3 => U256::from(u64::MAX),
        4 => U256::ONE << 64,
        5 => U256::from(one_of(
            a.rng,
            &[0u16, 1, 31, 32, 63, 64, 127, 128, 160, 191, 192, 223, 224, 225, 255, 256],
        )),
        6 => U256::from(rng_small(a)),
        _ => values::word(a.rng),
    }
}

fn rng_small(a: &mut Assembler<'_>) -> u16 {
    a.rng.u16(0..300)
}

fn push_and(a: &mut Assembler<'_>) {
    let opcode = one_of(a.rng, BEHIND_PUSH);
    let is_memory = opcode == op::MLOAD || opcode == op::MSTORE;
    if opcode != op::MLOAD {
        a.ensure(1);
    }
    let number = if is_memory && chance(a.rng, 85) { values::offset(a.rng) } else { at_a_limit(a) };
    a.push(number);
    a.op(opcode);
}

fn dup_and(a: &mut Assembler<'_>) {
    let opcode = one_of(a.rng, BEHIND_DUP);
    if opcode == op::MLOAD || opcode == op::MSTORE {
        a.ensure(1);
        let offset = values::offset(a.rng);
        a.push(offset);
        for _ in 0..a.rng.u8(0..3) {
            a.push_any();
        }
        let buried = a.available().min(3);
        let n = if chance(a.rng, 80) { buried.saturating_sub(1) } else { a.rng.usize(0..buried.max(1)) };
        a.ops(&[op::DUP1 + n as u8, opcode]);
        return;
    }
    a.ensure(1);
    let n = a.rng.usize(0..a.height().min(16));
    a.ops(&[op::DUP1 + n as u8, opcode]);
}

/// The mask of an address as compilers write it, or one bit beside it.
fn mask(a: &mut Assembler<'_>) {
    a.ensure(1);
    if a.rng.bool() {
        let bits = one_of(a.rng, &[160, 160, 160, 159, 161]);
        let one = one_of(a.rng, &[1, 1, 1, 2]);
        a.push_bytes(&[1]);
        a.push_bytes(&[one]);
        a.push_bytes(&[bits]);
        a.ops(&[op::SHL, op::SUB, op::AND]);
    } else {
        let mut bytes = [0xff; 20];
        if chance(a.rng, 30) {
            bytes[a.rng.usize(..20)] = a.rng.u8(..);
        }
        a.push_bytes(&bytes);
        a.op(op::AND);
    }
}

/// A comparison, perhaps negated, and a jump to a good or a bad destination.
fn compare_and_jump(a: &mut Assembler<'_>) {
    let opcode = one_of(a.rng, &[op::EQ, op::LT, op::GT, op::SLT, op::ISZERO, op::SGT, op::SUB, op::XOR]);
    a.ensure(2);
    if chance(a.rng, 40) {
        let dup = op::DUP1 + a.rng.u8(0..2);
        a.op(dup);
    }
    a.op(opcode);
    for _ in 0..one_of(a.rng, &[0, 0, 1, 1, 2]) {
        a.op(op::ISZERO);
    }
    let over = a.label();
    let (width, addend) = match a.rng.u8(0..120) {
        // Beside it.
        0 => (2, U256::MAX),
        1 => (2, U256::ONE),
        // What has the same low bits.
        2 => (3, U256::from(0x1_0000)),
        3 => (9, U256::ONE << 64),
        4 => (32, U256::ONE << 255),
        5 => (a.rng.usize(2..=32), U256::ZERO),
        _ => (2, U256::ZERO),
    };
    a.push_label(over, width, addend);
    a.op(op::JUMPI);
    let snippets = a.rng.usize(0..4);
    a.neutral(|a| snippets::body(a, snippets));
    if chance(a.rng, 2) {
        // The destination is a PUSH's data.
        a.place(over, 1);
        a.push_bytes(&[op::JUMPDEST]);
        a.op(op::POP);
    } else {
        a.destination(over);
    }
}

/// How compilers dispatch by selector.
fn select(a: &mut Assembler<'_>) {
    let selector = a.rng.u32(..);
    if chance(a.rng, 50) {
        a.push(U256::from(selector));
    } else {
        a.ensure(1);
    }
    let mut labels = Vec::new();
    for _ in 0..a.rng.usize(1..4) {
        let label = a.label();
        let wanted = if a.rng.bool() { selector } else { a.rng.u32(..) };
        a.op(op::DUP1);
        a.push_bytes(&wanted.to_be_bytes());
        let compare = one_of(a.rng, &[op::EQ, op::EQ, op::GT]);
        a.op(compare);
        control::jump_if(a, label);
        labels.push(label);
    }
    for label in labels {
        if chance(a.rng, 97) {
            a.destination(label);
        }
    }
}

/// More opcodes than a block has room for.
fn long_block(a: &mut Assembler<'_>) {
    for _ in 0..a.rng.usize(10..70) {
        let opcode = one_of(a.rng, CHEAP);
        let needed = usize::from(op::info(opcode).inputs);
        if a.available() >= needed && a.height() < 900 {
            a.op(opcode);
        } else {
            a.op(op::PC);
        }
    }
}
