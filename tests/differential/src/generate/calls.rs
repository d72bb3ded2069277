//! Calls and creations.

use super::assembler::Assembler;
use super::snippets;
use super::values::{self, chance, one_of};
use alloy_primitives::U256;
use parhelion_executor::evm::opcode as op;

/// A call of something.
pub(crate) fn call(a: &mut Assembler<'_>) {
    let opcode = one_of(a.rng, &[op::CALL, op::CALL, op::STATICCALL, op::DELEGATECALL, op::CALLCODE]);
    let target = match a.rng.u8(0..20) {
        0 => Target::Itself,
        1 => Target::Word(values::word(a.rng)),
        // High bits are no part of an address.
        2 => Target::Word(U256::from_be_bytes(values::address(a.rng).into_word().0) | U256::ONE << 200),
        _ => Target::Word(values::address(a.rng).into_word().into()),
    };
    call_of(a, opcode, &target);
    if chance(a.rng, 40) {
        after(a);
    }
    if chance(a.rng, 20) {
        snippets::look(a);
    }
}

/// What is called.
enum Target {
    /// The contract that calls.
    Itself,
    /// An address.
    Word(U256),
    /// The word on top of the stack, which stays.
    Top,
}

fn call_of(a: &mut Assembler<'_>, opcode: u8, target: &Target) {
    let (out_size, in_size) = (values::size(a.rng), values::size(a.rng));
    let (out_offset, in_offset) = (values::offset(a.rng), values::offset(a.rng));
    let below = a.height();
    for number in [out_size, out_offset, in_size, in_offset] {
        a.push(number);
    }
    if opcode == op::CALL || opcode == op::CALLCODE {
        let value = values::value(a.rng);
        a.push(value);
    }
    match target {
        Target::Itself => a.op(op::ADDRESS),
        Target::Word(word) => a.push(*word),
        Target::Top => {
            let depth = a.height() - below;
            a.op(op::DUP1 + depth as u8);
        }
    }
    if chance(a.rng, 65) {
        a.op(op::GAS);
    } else {
        let gas = values::call_gas(a.rng);
        a.push(gas);
    }
    a.op(opcode);
}

/// What follows a call: a look at what it returned.
fn after(a: &mut Assembler<'_>) {
    a.op(op::RETURNDATASIZE);
    if chance(a.rng, 60) {
        a.ops(&[op::PUSH0, op::PUSH0, op::RETURNDATACOPY]);
        let offset = values::offset(a.rng);
        if offset < U256::from(1000) {
            a.push(offset);
            a.op(op::MLOAD);
        }
    }
}

/// A creation, and perhaps a call of what it created.
pub(crate) fn create(a: &mut Assembler<'_>) {
    let init = init_code(a);
    let length = init.len() as u64;
    if init.len() <= 32 && chance(a.rng, 50) {
        let mut word = [0; 32];
        word[..init.len()].copy_from_slice(&init);
        a.push_bytes(&word);
        a.push_small(0);
        a.op(op::MSTORE);
    } else {
        let data = a.data(init);
        a.push_small(length);
        a.push_label(data, 2, U256::ZERO);
        a.push_small(0);
        a.op(op::CODECOPY);
    }
    let is_create2 = a.rng.bool();
    if is_create2 {
        let salt = a.rng.u64(0..2);
        a.push_small(salt);
    }
    let size = match a.rng.u8(0..60) {
        0 => U256::from(49_152),
        1 => U256::from(49_153),
        2 => values::size(a.rng),
        _ => U256::from(length),
    };
    let value = if chance(a.rng, 80) { U256::ZERO } else { values::value(a.rng) };
    a.push(size);
    a.push_small(0);
    a.push(value);
    a.op(if is_create2 { op::CREATE2 } else { op::CREATE });
    if chance(a.rng, 60) {
        let opcode = one_of(a.rng, &[op::CALL, op::CALL, op::STATICCALL, op::DELEGATECALL]);
        call_of(a, opcode, &Target::Top);
    }
    if chance(a.rng, 40) {
        let opcode = one_of(a.rng, &[op::BALANCE, op::EXTCODESIZE, op::EXTCODEHASH]);
        a.ops(&[op::DUP1, opcode]);
    }
    if chance(a.rng, 20) {
        after(a);
    }
}

/// Code that creates a contract, or fails to.
pub(crate) fn init_code(a: &mut Assembler<'_>) -> Vec<u8> {
    let (rules, depth) = (a.rules, a.depth + 1);
    match a.rng.u8(0..20) {
        0 => Vec::new(),
        // Returns so many zeros: CodeTooLarge from 24,577 on.
        1 | 2 => {
            let size = one_of(a.rng, &[0u16, 1, 32, 100, 1000, 24_575, 24_576, 24_577, 30_000]).to_be_bytes();
            vec![op::PUSH1 + 1, size[0], size[1], op::PUSH0, op::RETURN]
        }
        // EIP-3541.
        3 => vec![op::PUSH1, 0xef, op::PUSH0, op::MSTORE8, op::PUSH1, a.rng.u8(1..40), op::PUSH0, op::RETURN],
        4 => vec![op::PUSH1, a.rng.u8(..), op::PUSH0, op::REVERT],
        5 => vec![one_of(a.rng, &[op::INVALID, op::STOP, op::JUMP, op::POP, 0x0c])],
        6 => vec![op::ADDRESS, op::SELFDESTRUCT],
        7 => vec![op::CALLER, op::SELFDESTRUCT],
        // The code that it leaves destroys itself.
        8 | 9 => {
            let who = one_of(a.rng, &[op::ADDRESS, op::CALLER, op::ORIGIN, op::COINBASE]);
            let code = u16::from_be_bytes([who, op::SELFDESTRUCT]).to_be_bytes();
            vec![
                op::PUSH1 + 1,
                code[0],
                code[1],
                op::PUSH0,
                op::MSTORE,
                op::PUSH1,
                2,
                op::PUSH1,
                30,
                op::RETURN,
            ]
        }
        10 => (0..a.rng.usize(1..60)).map(|_| a.rng.u8(..)).collect(),
        // A program as init code.
        11 | 12 => {
            let mut inner = Assembler::new(a.rng, rules, depth);
            snippets::program(&mut inner);
            inner.finish()
        }
        // A program that it leaves.
        _ => {
            let mut inner = Assembler::new(a.rng, rules, depth);
            snippets::program(&mut inner);
            let code = inner.finish();
            deploying(a, code)
        }
    }
}

/// Init code that stores something and leaves `code`.
pub(crate) fn deploying(a: &mut Assembler<'_>, code: Vec<u8>) -> Vec<u8> {
    let (rules, depth) = (a.rules, a.depth + 1);
    let mut outer = Assembler::new(a.rng, rules, depth);
    if chance(outer.rng, 30) {
        let (key, value) = (values::key(outer.rng), values::stored(outer.rng));
        outer.push(value);
        outer.push(key);
        outer.op(op::SSTORE);
    }
    let length = code.len() as u64;
    let data = outer.data(code);
    outer.push_small(length);
    outer.push_label(data, 2, U256::ZERO);
    outer.push_small(0);
    outer.op(op::CODECOPY);
    outer.push_small(length);
    outer.push_small(0);
    outer.op(op::RETURN);
    outer.finish()
}
