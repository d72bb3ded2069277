//! JUMP to JUMPDEST, PC, GAS: where execution goes.

use crate::run::{PLENTY, Setup, bit, execute, word};
use parhelion_assembler::{Code, jump, jumpi, push, return_top};
use parhelion_evm::exit::Exit;
use parhelion_evm::opcode as op;

/// Jumps over one INVALID to a JUMPDEST.
fn over() -> Code {
    jump(4) + op::INVALID + op::JUMPDEST
}

#[test]
fn jumps_go_to_jump_destinations_only() {
    let invalid = [
        ("an opcode", jump(2) + op::INVALID),
        ("inside of a PUSH", Code::new().raw(&[op::PUSH1, op::JUMPDEST, op::PUSH1, 1, op::JUMP])),
        ("a JUMPDEST that is an immediate", jump(5) + push(0x5b) + op::POP),
        ("the immediate of a PUSH32", jump(4) + Code::new().op(op::PUSH32).raw(&[op::JUMPDEST; 32])),
        ("an immediate that the code's end cuts off", jump(4) + Code::new().raw(&[op::PUSH32, op::JUMPDEST])),
        ("the code's end", jump(3)),
        ("behind the code's end", jump(4)),
        ("far behind", jump(u64::MAX)),
        (
            "beyond 64 bits, low bits right",
            push(bit(64) + 13) + op::JUMP + op::STOP + op::STOP + op::JUMPDEST,
        ),
        ("beyond 192 bits", push(bit(192)) + op::JUMP + op::JUMPDEST),
    ];
    for (what, code) in invalid {
        assert_eq!(execute(PLENTY, &code).exit, Exit::InvalidJump, "{what}");
    }
    assert_eq!(execute(PLENTY, &over()).exit, Exit::Stop);
    // Behind a PUSH's immediate a JUMPDEST counts again.
    let code = jump(5) + Code::new().raw(&[op::PUSH1, op::JUMPDEST, op::JUMPDEST]);
    assert_eq!(execute(PLENTY, &code).exit, Exit::Stop);
}

#[test]
fn jumps_in_the_low_64_bits_only_would_be_wrong() {
    // PUSH9 and 9 bytes, JUMP, JUMPDEST at 11: the word's low limb is 11.
    let code = push(bit(64) + 11) + op::JUMP + op::JUMPDEST;
    assert_eq!(code.bytes()[11], op::JUMPDEST);
    assert_eq!(execute(PLENTY, &code).exit, Exit::InvalidJump);
}

#[test]
fn what_jumps_cost() {
    let jump_gas = 3 + 8 + 1;
    assert_eq!(execute(jump_gas, &over()).gas_used, jump_gas);
    assert_eq!(execute(jump_gas - 1, &over()).exit, Exit::OutOfGas);
    let taken = jumpi(6, 1) + op::INVALID + op::JUMPDEST;
    assert_eq!(taken.bytes()[6], op::JUMPDEST);
    let gas = 3 + 3 + 10 + 1;
    assert_eq!((execute(gas, &taken).gas_used, execute(gas - 1, &taken).exit), (gas, Exit::OutOfGas));
}

#[test]
fn a_conditional_jump_looks_at_its_destination_only_when_taken() {
    for (destination, condition, exit) in [
        (word(0), word(0), Exit::Stop),
        (bit(255), word(0), Exit::Stop),
        (word(0), word(1), Exit::InvalidJump),
        (word(0), bit(255), Exit::InvalidJump),
        (word(0), bit(64), Exit::InvalidJump),
    ] {
        let code = Code::operation(op::JUMPI, [destination, condition]);
        assert_eq!(execute(PLENTY, &code).exit, exit, "{destination:x} {condition:x}");
    }
}

#[test]
fn an_endless_loop_ends_when_its_gas_does() {
    // JUMPDEST, PUSH0, JUMP: 11 gas a turn.
    let code = Code::new().op(op::JUMPDEST) + jump(0);
    assert_eq!(execute(1_000_000, &code).exit, Exit::OutOfGas);
}

#[test]
fn a_loop_counts_down() {
    // From 5 down to 0, and how much gas was left on the way is on nobody's stack.
    let code = push(5) + op::JUMPDEST + push(1) + op::SWAP1 + op::SUB + op::DUP1 + push(2) + op::JUMPI;
    let gas = 3 + 5 * (1 + 3 + 3 + 3 + 3 + 3 + 10);
    assert_eq!(execute(gas, &code).gas_used, gas);
    assert_eq!(execute(PLENTY, &(code + op::ISZERO + return_top())).word(), word(1));
}

#[test]
fn pc_is_the_position_of_the_opcode_itself() {
    Setup::default().costs(op::PC, &[], 2);
    for (before, position) in [(Code::new(), 0), (push(1), 2), (push(bit(255)) + op::POP, 34)] {
        assert_eq!(execute(PLENTY, &(before + op::PC + return_top())).word(), word(position));
    }
}

#[test]
fn gas_is_what_is_left_behind_the_opcode() {
    let code = Code::new().op(op::GAS) + return_top();
    assert_eq!(execute(1000, &code).word(), word(998));
    assert_eq!(execute(2, &Code::new().op(op::GAS)).exit, Exit::Stop);
    assert_eq!(execute(1, &Code::new().op(op::GAS)).exit, Exit::OutOfGas);
}

/// What a jump leaves out costs nothing, however much it would cost; a translation charges it first and gives it back.
#[test]
fn what_a_taken_jump_leaves_out_costs_nothing() {
    let rest = Code::new().op(op::CALLER).op(op::POP).times(10);
    for conditions in [[1, 1], [0, 1], [1, 0], [0, 0]] {
        for front in [Code::new(), push(7) + push(64) + op::MSTORE] {
            let with_target = |target: usize| {
                let jump = |condition: u64| push(condition) + push(target as u64) + op::JUMPI;
                front.clone() + jump(conditions[0]) + rest.clone() + jump(conditions[1]) + rest.clone()
            };
            let target = with_target(100).bytes().len();
            let code = with_target(target) + op::JUMPDEST + op::GAS + return_top();
            let gas = execute(PLENTY, &code).gas_used;
            assert_eq!(execute(gas, &code).gas_used, gas);
            for less in 1..gas {
                assert_eq!(execute(gas - less, &code).exit, Exit::OutOfGas, "{less} less");
            }
        }
    }
}
