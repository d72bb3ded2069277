//! ADD to SIGNEXTEND. What the functions compute is tested against a reference in `arith.rs`; here it is the
//! operand order, the edges and the gas.

use crate::run::{bit, check_all, execute, minus, word};
use parhelion_assembler::{add, mul, return_top, sub};
use parhelion_evm::U256;
use parhelion_evm::exit::Exit;
use parhelion_evm::opcode as op;

const MAX: U256 = U256::MAX;

#[test]
fn an_expression() {
    let code = add(7, mul(3, sub(9, 5))) + return_top();
    // Four pushes, three operations, and what returning the top word costs.
    let gas = 4 * 3 + (3 + 5 + 3) + (2 + 6 + 3 + 2);
    let done = execute(gas, &code);
    assert_eq!((done.word(), done.gas_used), (word(19), gas));
    assert_eq!(execute(gas - 1, &code).exit, Exit::OutOfGas);
}

#[test]
fn operations_on_two_words() {
    let lowest = bit(255);
    check_all(&[
        (op::ADD, [word(7), word(13)], word(20), 3),
        (op::ADD, [MAX, word(1)], word(0), 3),
        (op::ADD, [MAX, MAX], minus(2), 3),
        (op::MUL, [word(7), word(13)], word(91), 5),
        (op::MUL, [bit(255), word(2)], word(0), 5),
        (op::MUL, [MAX, MAX], word(1), 5),
        (op::SUB, [word(13), word(7)], word(6), 3),
        (op::SUB, [word(1), word(2)], MAX, 3),
        (op::DIV, [word(7), word(2)], word(3), 5),
        (op::DIV, [MAX, word(0)], word(0), 5),
        (op::SDIV, [minus(7), word(2)], minus(3), 5),
        (op::SDIV, [word(7), minus(2)], minus(3), 5),
        (op::SDIV, [minus(7), word(0)], word(0), 5),
        (op::SDIV, [lowest, minus(1)], lowest, 5),
        (op::MOD, [word(7), word(4)], word(3), 5),
        (op::MOD, [word(7), word(0)], word(0), 5),
        (op::SMOD, [minus(7), word(4)], minus(3), 5),
        (op::SMOD, [word(7), minus(4)], word(3), 5),
        (op::SMOD, [word(7), word(0)], word(0), 5),
        (op::SIGNEXTEND, [word(0), word(0x80)], minus(0x80), 5),
        (op::SIGNEXTEND, [word(0), word(0x17f)], word(0x7f), 5),
        (op::SIGNEXTEND, [word(1), word(0x80ff)], minus(0x7f01), 5),
        (op::SIGNEXTEND, [word(31), lowest], lowest, 5),
        (op::SIGNEXTEND, [MAX, word(0x80)], word(0x80), 5),
    ]);
}

#[test]
fn operations_modulo_a_word() {
    check_all(&[
        (op::ADDMOD, [word(10), word(10), word(8)], word(4), 8),
        (op::ADDMOD, [MAX, MAX, word(8)], word(6), 8),
        (op::ADDMOD, [MAX, word(1), MAX], word(1), 8),
        (op::ADDMOD, [word(1), word(1), word(0)], word(0), 8),
        (op::MULMOD, [word(10), word(10), word(8)], word(4), 8),
        (op::MULMOD, [MAX, MAX, word(12)], word(9), 8),
        (op::MULMOD, [word(1), word(1), word(0)], word(0), 8),
    ]);
}

#[test]
fn exponentiation_costs_50_gas_a_byte_of_the_exponent() {
    check_all(&[
        (op::EXP, [word(0), word(0)], word(1), 10),
        (op::EXP, [word(2), word(0)], word(1), 10),
        (op::EXP, [word(0), word(1)], word(0), 60),
        (op::EXP, [word(2), word(255)], bit(255), 60),
        (op::EXP, [word(2), word(256)], word(0), 110),
        (op::EXP, [word(3), word(0xffff)], U256::from(3).overflowing_pow(word(0xffff)).0, 110),
        (op::EXP, [word(1), word(0x1_0000)], word(1), 160),
        (op::EXP, [MAX, bit(63)], word(1), 410),
        (op::EXP, [MAX, bit(64)], word(1), 460),
        (op::EXP, [MAX, MAX], MAX, 1610),
    ]);
}
