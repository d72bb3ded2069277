//! Pieces of programs.

use super::assembler::Assembler;
use super::values::{self, chance, one_of};
use super::{calls, control, fused};
use crate::case::Rules;
use alloy_primitives::U256;
use parhelion_executor::evm::opcode as op;

/// Opcodes that push a value and take none.
pub(crate) const VALUES: &[u8] = &[
    op::ADDRESS,
    op::ORIGIN,
    op::CALLER,
    op::CALLVALUE,
    op::CALLDATASIZE,
    op::CODESIZE,
    op::GASPRICE,
    op::RETURNDATASIZE,
    op::COINBASE,
    op::TIMESTAMP,
    op::NUMBER,
    op::PREVRANDAO,
    op::GASLIMIT,
    op::CHAINID,
    op::SELFBALANCE,
    op::BASEFEE,
    op::BLOBBASEFEE,
    op::PC,
    op::MSIZE,
    op::GAS,
    op::PUSH0,
];

/// Opcodes that compute.
const ARITHMETIC: &[u8] = &[
    op::ADD,
    op::MUL,
    op::SUB,
    op::DIV,
    op::SDIV,
    op::MOD,
    op::SMOD,
    op::ADDMOD,
    op::MULMOD,
    op::EXP,
    op::SIGNEXTEND,
    op::LT,
    op::GT,
    op::SLT,
    op::SGT,
    op::EQ,
    op::ISZERO,
    op::AND,
    op::OR,
    op::XOR,
    op::NOT,
    op::BYTE,
    op::SHL,
    op::SHR,
    op::SAR,
    op::CALLDATALOAD,
];

/// Opcodes that take an address.
const OF_ADDRESS: &[u8] = &[op::BALANCE, op::EXTCODESIZE, op::EXTCODEHASH];

/// Opcodes that copy to memory: memory offset, source offset, size.
const COPIES: &[u8] = &[op::CALLDATACOPY, op::CODECOPY, op::RETURNDATACOPY, op::MCOPY];

/// Writes a program.
pub(crate) fn program(a: &mut Assembler<'_>) {
    let snippets = match a.rng.u8(0..10) {
        0..4 => a.rng.usize(1..8),
        4..8 => a.rng.usize(5..25),
        _ => a.rng.usize(20..60),
    };
    body(a, snippets);
    end(a);
    // Subroutines may call others, which are written after them.
    let mut written = 0;
    while let Some(label) = a.subroutines.pop() {
        a.set_height(1);
        a.destination(label);
        if written < 6 && !a.is_full() {
            a.neutral(|a| body(a, 3));
        }
        a.op(op::JUMP);
        written += 1;
    }
    if chance(a.rng, 3) {
        // The end of the code cuts off a PUSH.
        let push = a.rng.u8(op::PUSH1..=op::PUSH32);
        let bytes = a.rng.usize(1..=2);
        a.raw(&[push, op::JUMPDEST][..bytes]);
    } else if chance(a.rng, 50) {
        a.raw(&[op::INVALID]);
    }
}

/// Writes some snippets.
pub(crate) fn body(a: &mut Assembler<'_>, snippets: usize) {
    for _ in 0..snippets {
        if a.is_full() {
            return;
        }
        snippet(a);
    }
}

fn snippet(a: &mut Assembler<'_>) {
    match a.rng.u8(0..100) {
        0..18 => arithmetic(a),
        18..30 => memory(a),
        30..42 => storage(a),
        42..48 => a.push_any(),
        48..54 => stack(a),
        54..70 => fused::snippet(a),
        70..74 => of_address(a),
        74..84 if a.nesting < 4 => control::control(a),
        84..92 => calls::call(a),
        92..94 if a.depth < 2 => calls::create(a),
        94..96 => log(a),
        96 => observe_gas(a),
        97 if a.nesting < 4 => {
            // Ends that may or may not come.
            let over = a.label();
            control::condition(a);
            control::jump_if(a, over);
            a.neutral(|a| control::terminal(a));
            a.destination(over);
        }
        _ => arithmetic(a),
    }
}

fn arithmetic(a: &mut Assembler<'_>) {
    let opcode = one_of(a.rng, ARITHMETIC);
    match a.rng.u8(0..30) {
        0 if a.rules == Rules::Osaka => a.apply(op::CLZ),
        1 => a.apply(op::BLOBHASH),
        2 => {
            // The last 256 blocks, and those around them.
            let back = one_of(a.rng, &[0u64, 1, 2, 255, 256, 257, 1000]);
            a.push_small(back);
            a.ops(&[op::NUMBER, op::SUB, op::BLOCKHASH]);
        }
        3 => {
            // Shifts, bytes and signs by few bits.
            a.ensure(1);
            let by = a.rng.u64(0..260);
            a.push_small(by);
            let opcode = one_of(a.rng, &[op::SHL, op::SHR, op::SAR, op::BYTE, op::SIGNEXTEND]);
            a.op(opcode);
        }
        _ => a.apply(opcode),
    }
}

fn stack(a: &mut Assembler<'_>) {
    let deepest = a.height().min(16);
    match a.rng.u8(0..10) {
        0..5 if deepest > 0 => {
            let n = a.rng.usize(0..deepest);
            a.op(op::DUP1 + n as u8);
        }
        5..8 if a.available() > 1 => {
            let n = a.rng.usize(0..(a.available() - 1).min(16));
            a.op(op::SWAP1 + n as u8);
        }
        8 if a.available() > 0 => a.op(op::POP),
        _ if a.nesting == 0 && chance(a.rng, 4) => {
            // The top of what fits.
            let words = a.rng.usize(1000..1026_usize).saturating_sub(a.height());
            let opcode = one_of(a.rng, &[op::PUSH0, op::PC, op::CALLDATASIZE, op::DUP1]);
            if opcode == op::DUP1 {
                a.ensure(1);
            }
            a.ops(&vec![opcode; words]);
        }
        _ => a.push_any(),
    }
}

fn memory(a: &mut Assembler<'_>) {
    let (offset, source, size) = (values::offset(a.rng), values::offset(a.rng), values::size(a.rng));
    match a.rng.u8(0..20) {
        0..6 => {
            a.ensure(1);
            a.push(offset);
            a.op(op::MSTORE);
        }
        6..10 => {
            a.push(offset);
            a.op(op::MLOAD);
        }
        10 | 11 => {
            a.ensure(1);
            a.push(offset);
            a.op(op::MSTORE8);
        }
        12 | 13 => {
            a.push(size);
            a.push(offset);
            a.op(op::KECCAK256);
        }
        14..18 => {
            let opcode = one_of(a.rng, COPIES);
            // Beyond the return data is the end of the frame (EIP-211).
            let is_all = opcode == op::RETURNDATACOPY && chance(a.rng, 85);
            let (source, size) = if is_all { (U256::ZERO, U256::ZERO) } else { (source, size) };
            a.push(size);
            a.push(source);
            a.push(offset);
            a.op(opcode);
        }
        18 => {
            // All that was returned, or one byte too much.
            let (source, more) = (a.rng.u64(0..2), a.rng.u64(0..20) / 19);
            a.push_small(more);
            a.ops(&[op::RETURNDATASIZE, op::ADD]);
            a.push_small(source / 2);
            a.push(offset);
            a.op(op::RETURNDATACOPY);
        }
        _ => {
            a.push(size);
            a.push(source);
            a.push(offset);
            let address = values::address(a.rng);
            a.push(address.into_word().into());
            a.op(op::EXTCODECOPY);
        }
    }
}

fn storage(a: &mut Assembler<'_>) {
    let key = values::key(a.rng);
    match a.rng.u8(0..20) {
        0..6 => {
            a.push(key);
            a.op(op::SLOAD);
        }
        6..13 => {
            let value = values::stored(a.rng);
            a.push(value);
            a.push(key);
            a.op(op::SSTORE);
        }
        13 | 14 => {
            a.ensure(1);
            a.push(key);
            a.op(op::SSTORE);
        }
        15 | 16 => {
            a.push(key);
            a.op(op::TLOAD);
        }
        17 | 18 => {
            a.ensure(1);
            a.push(key);
            a.op(op::TSTORE);
        }
        _ => {
            // There and back again.
            for _ in 0..a.rng.usize(2..5) {
                let value = values::stored(a.rng);
                a.push(value);
                a.push(key);
                a.op(op::SSTORE);
            }
        }
    }
}

fn of_address(a: &mut Assembler<'_>) {
    let opcode = one_of(a.rng, OF_ADDRESS);
    if chance(a.rng, 80) {
        let address = values::address(a.rng);
        a.push(address.into_word().into());
        a.op(opcode);
    } else {
        a.apply(opcode);
    }
}

fn log(a: &mut Assembler<'_>) {
    let topics = a.rng.u8(0..=4);
    a.ensure(usize::from(topics));
    let (offset, size) = (values::offset(a.rng), values::size(a.rng));
    a.push(size);
    a.push(offset);
    a.op(op::LOG0 + topics);
}

/// Makes the gas left visible.
fn observe_gas(a: &mut Assembler<'_>) {
    let times = a.rng.usize(1..7);
    for _ in 0..times {
        a.op(op::GAS);
        if chance(a.rng, 30) {
            a.push_any();
            a.op(op::XOR);
        }
    }
    for _ in 1..times {
        a.op(op::ADD);
    }
    let key = values::key(a.rng);
    a.push(key);
    let opcode = one_of(a.rng, &[op::SSTORE, op::TSTORE, op::MSTORE]);
    if opcode != op::MSTORE || key < U256::from(10_000) {
        a.op(opcode);
    } else {
        a.op(op::SSTORE);
    }
}

/// Looks at what the frame left behind, and at what others did to it.
pub(crate) fn look(a: &mut Assembler<'_>) {
    a.push_small(0);
    for _ in 0..a.rng.usize(1..6) {
        let key = values::key(a.rng);
        match a.rng.u8(0..8) {
            0..3 => {
                a.push(key);
                a.op(op::SLOAD);
            }
            3..6 => {
                a.push(key);
                a.op(op::TLOAD);
            }
            6 => a.op(op::SELFBALANCE),
            _ => of_address(a),
        }
        // Where the same value comes twice, it must not vanish.
        a.ops(&[op::ADD, op::DUP1, op::ADD]);
    }
}

/// How a program ends: mostly it shows what it has on its stack.
fn end(a: &mut Assembler<'_>) {
    if chance(a.rng, 50) {
        look(a);
    }
    let shown = a.available().min(a.rng.usize(0..8));
    for place in 0..shown {
        a.push_small(place as u64 * 32);
        a.op(op::MSTORE);
    }
    match a.rng.u8(0..24) {
        0..5 if a.available() > 0 => {
            let key = values::key(a.rng);
            a.push(key);
            a.ops(&[op::SSTORE, op::STOP]);
        }
        // Everything that it did is undone.
        5 if shown > 0 => a.raw(&[op::INVALID]),
        6..10 if shown > 0 => {
            // Returns or reverts, as somebody outside decides.
            let decides = one_of(a.rng, &[op::CALLDATASIZE, op::CALLVALUE, op::GAS, op::TIMESTAMP]);
            let reverts = a.label();
            a.op(decides);
            a.push_small(1);
            a.op(op::AND);
            control::jump_if(a, reverts);
            a.push_small(shown as u64 * 32);
            a.ops(&[op::PUSH0, op::RETURN]);
            a.destination(reverts);
            a.push_small(shown as u64 * 32);
            a.ops(&[op::PUSH0, op::REVERT]);
        }
        0..19 => {
            let opcode = if chance(a.rng, 75) { op::RETURN } else { op::REVERT };
            a.push_small(shown as u64 * 32);
            a.push_small(0);
            a.op(opcode);
        }
        19..22 => control::terminal(a),
        // It runs off its end, if no subroutine follows.
        _ => {}
    }
}
