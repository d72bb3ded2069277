//! POP, PUSH, DUP, SWAP, and the bounds of the stack for every opcode.

use crate::run::{LIMITS, PLENTY, Setup, execute, word};
use parhelion_assembler::{Code, push, return_top};
use parhelion_evm::U256;
use parhelion_evm::exit::Exit;
use parhelion_evm::interpreter::Interrupt;
use parhelion_evm::machine::{Limits, Machine};
use parhelion_evm::opcode::{self as op, Info};

/// The words 1 to `count`, the last on top.
fn numbers(count: u64) -> Code {
    (1..=count).fold(Code::new(), Code::push)
}

/// Every opcode and its row of the table.
fn opcodes() -> impl Iterator<Item = (u8, Info)> {
    (0..=255).zip(op::TABLE).filter_map(|(opcode, info)| Some((opcode, info?)))
}

#[test]
fn pushes_take_their_bytes() {
    let bytes: Vec<u8> = (0x81..=0xa0).collect();
    for length in 0..=32 {
        let code = Code::new().op(op::PUSH0 + length as u8).raw(&bytes[..length]);
        let gas = if length == 0 { 2 } else { 3 };
        assert_eq!(execute(gas, &code).gas_used, gas);
        assert_eq!(execute(gas - 1, &code).exit, Exit::OutOfGas, "PUSH{length}");
        let done = execute(PLENTY, &(code + return_top()));
        assert_eq!(done.word(), U256::from_big_endian(&bytes[..length]), "PUSH{length}");
    }
}

#[test]
fn code_that_ends_inside_of_a_push_reads_zeros_and_stops() {
    for length in 1..=32u8 {
        for present in 0..length {
            let code = Code::new().op(op::PUSH0 + length).raw(&vec![0xff; usize::from(present)]);
            assert_eq!(execute(3, &code).exit, Exit::Stop, "PUSH{length} with {present} bytes");
        }
    }
}

#[test]
fn pop_costs_2() {
    assert_eq!(execute(5, &(push(1) + op::POP)).gas_used, 5);
    assert_eq!(execute(4, &(push(1) + op::POP)).exit, Exit::OutOfGas);
    assert_eq!(execute(PLENTY, &(push(1) + push(2) + op::POP + return_top())).word(), word(1));
}

#[test]
fn dup_copies_the_nth_word() {
    for n in 1..=16 {
        let code = numbers(16) + (op::DUP1 + n - 1);
        let (gas, copied) = (17 * 3, 17 - u64::from(n));
        assert_eq!((execute(gas, &code).exit, execute(gas - 1, &code).exit), (Exit::Stop, Exit::OutOfGas));
        assert_eq!(execute(PLENTY, &(code.clone() + return_top())).word(), word(copied), "DUP{n}");
        assert_eq!(
            execute(PLENTY, &(code + op::POP + return_top())).word(),
            word(16),
            "DUP{n} leaves the rest"
        );
    }
}

#[test]
fn swap_exchanges_the_top_with_the_word_n_below() {
    for n in 1..=16u8 {
        let code = numbers(17) + (op::SWAP1 + n - 1);
        let gas = 18 * 3;
        assert_eq!((execute(gas, &code).exit, execute(gas - 1, &code).exit), (Exit::Stop, Exit::OutOfGas));
        for depth in 0..17u8 {
            let expected = match depth {
                0 => 17 - n,
                depth if depth == n => 17,
                depth => 17 - depth,
            };
            let code =
                code.clone() + push(0) + Code::new().op(op::POP).times(1 + usize::from(depth)) + return_top();
            assert_eq!(execute(PLENTY, &code).word(), word(expected.into()), "SWAP{n}, {depth} below");
        }
    }
}

#[test]
fn every_opcode_needs_its_arguments() {
    for (opcode, Info { name, inputs, .. }) in opcodes().filter(|(_, info)| info.inputs > 0) {
        for present in 0..inputs {
            let code = push(0).times(present.into()) + opcode;
            assert_eq!(execute(PLENTY, &code).exit, Exit::StackUnderflow, "{name} with {present}");
        }
    }
}

#[test]
fn no_opcode_goes_beyond_1024_words() {
    for (opcode, info) in opcodes().filter(|(_, info)| info.outputs > info.inputs) {
        let words = |count| push(0).times(count) + opcode;
        assert_eq!(execute(PLENTY, &words(1023)).exit, Exit::Stop, "{}", info.name);
        assert_eq!(execute(PLENTY, &words(1024)).exit, Exit::StackOverflow, "{}", info.name);
    }
}

#[test]
fn what_does_not_grow_the_stack_runs_on_a_full_one() {
    for (opcode, arity) in [(op::ADD, 2), (op::ISZERO, 1), (op::SWAP16, 17), (op::DIV, 2), (op::SLOAD, 1)] {
        assert_eq!(op::info(opcode).inputs, arity);
        let code = push(0).times(1024) + opcode;
        assert_eq!(execute(PLENTY, &code).exit, Exit::Stop, "{}", op::name(opcode));
    }
}

#[test]
fn a_full_arena_is_fatal_and_no_stack_overflow() {
    // One word short of the EVM's stack: the contract must not see the difference.
    for (words, grow) in [(1023, push(0).times(1024)), (1023, push(0).times(1023) + op::MSIZE)] {
        let mut run = Setup::default().start(PLENTY, &grow);
        run.machine = Machine::new(&Limits { stack_words: words, ..LIMITS });
        assert!(matches!(run.next(), Interrupt::Limit));
    }
}

#[test]
fn a_nested_frame_has_a_stack_of_its_own() {
    // The caller leaves two words; the callee finds none, and may push 1024 while the arena lasts.
    let mut caller = Setup::default().start(PLENTY, &(push(1) + push(2) + op::STOP));
    assert!(matches!(caller.next(), Interrupt::Exit(Exit::Stop, _)));
    let callee = |code: Code| {
        let input = Setup::default().start(PLENTY, &code).frame.input().clone();
        caller.frame.nested(input)
    };
    let mut run = |mut frame| {
        let mut machine = Machine::new(&LIMITS);
        parhelion_evm::interpreter::run(&mut machine, &mut frame, &mut caller.world)
    };
    assert!(matches!(run(callee(Code::new().op(op::POP))), Interrupt::Exit(Exit::StackUnderflow, _)));
    assert!(matches!(run(callee(push(0).times(1025))), Interrupt::Exit(Exit::StackOverflow, _)));
}
