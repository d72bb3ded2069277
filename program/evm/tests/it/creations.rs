//! CREATE and CREATE2: the request, its gas, and how the creator goes on.

use crate::run::{PLENTY, SELF, Setup, bit, execute, pushes, word};
use parhelion_assembler::{Code, create, create2, return_top};
use parhelion_evm::U256;
use parhelion_evm::exit::Exit;
use parhelion_evm::interpreter::{CreateRequest, Output};
use parhelion_evm::opcode as op;

#[test]
fn who_creates_what() {
    let salt = bit(255) + 1;
    for (code, salt) in [(create(5, 1, 2), None), (create2(5, 1, 2, salt), Some(salt))] {
        let mut run = Setup::default().start(PLENTY, &code);
        let request = run.create();
        let init_code = Output { start: 1, length: 2 };
        let gas = request.gas;
        assert_eq!(request, CreateRequest { gas, creator: SELF, value: word(5), salt, init_code });
    }
}

/// What memory of so many words costs.
fn memory(words: i64) -> i64 {
    3 * words + words * words / 512
}

#[test]
fn init_code_costs_2_a_word_and_6_more_when_it_is_hashed() {
    for length in [0, 1, 32, 33, 1000, 24_576, 49_152] {
        let words = (length as i64 + 31) / 32;
        for (opcode, salt, per_word) in [(op::CREATE, None, 2), (op::CREATE2, Some(word(0)), 2 + 6)] {
            let arguments: Vec<U256> = [word(0), word(0), word(length)].into_iter().chain(salt).collect();
            let code = Code::operation(opcode, arguments.iter().copied());
            let cost = pushes(&arguments) + 32_000 + per_word * words + memory(words);
            let mut run = Setup::default().start(cost, &code);
            assert_eq!((run.create().gas, run.frame.gas()), (0, 0), "{length}");
            assert_eq!(execute(cost - 1, &code).exit, Exit::OutOfGas, "{length}");
        }
    }
}

#[test]
fn init_code_has_at_most_49152_bytes() {
    for length in [word(49_153), word(1 << 20)] {
        for code in [create(0, 0, length), create2(0, 0, length, 0)] {
            assert_eq!(execute(PLENTY, &code).exit, Exit::InitCodeTooLarge, "{length}");
        }
    }
}

#[test]
fn init_code_gets_all_but_one_64th() {
    for (left, given) in [(0, 0), (1, 1), (63, 63), (64, 63), (6400, 6300), (6463, 6363)] {
        let mut run = Setup::default().start(6 + 32_000 + left, &create(0, 0, 0));
        assert_eq!((run.create().gas, run.frame.gas()), (given, left - given));
    }
}

#[test]
fn the_creator_goes_on_with_address_gas_and_return_data() {
    let created = 0x1234_5678;
    for (ending, expected) in [(Code::new(), created), (Code::new().op(op::RETURNDATASIZE), 3)] {
        let code = create2(0, 0, 0, 0) + ending + return_top();
        let mut run = Setup::default().start(PLENTY, &code);
        let share = run.create().gas;
        let done = run.finish(PLENTY, created, share, &[1, 2, 3]);
        assert_eq!(done.word(), word(expected));
        assert!(done.gas_used < 33_000, "all of the share came back");
    }
}

#[test]
fn what_a_creation_returns_is_not_written_to_memory() {
    let mut run =
        Setup::default().start(PLENTY, &(create(0, 0, 32) + op::POP + op::PUSH0 + op::MLOAD + return_top()));
    run.create();
    assert_eq!(run.finish(PLENTY, 0, 0, &[0xff; 32]).word(), word(0));
}

#[test]
fn a_creation_is_a_state_change() {
    let setup = Setup { is_static: true, ..Setup::default() };
    for code in [create(0, 0, 0), create2(0, 0, 0, 0), create(0, 0, 49_153)] {
        assert_eq!(setup.exit(&code), Exit::StaticViolation);
    }
}
