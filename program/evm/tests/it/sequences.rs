//! Sequences that a translation has one record for: they do what their opcodes do, one by one.
//!
//! `execute` compares each run with the plain one: result, gas, memory, and how it ends.

use crate::run::{PLENTY, Setup, bit, execute, minus, word};
use parhelion_assembler::{Code, push};
use parhelion_evm::U256;
use parhelion_evm::exit::Exit;
use parhelion_evm::opcode as op;

/// How many words a sequence finds on the stack.
const DEPTH: usize = 18;

/// Code that begins with the words (the last on top) in a block of its own, and returns the three top words and what was
/// memory.
fn around(words: &[U256], sequence: impl Fn(u8) -> Vec<u8>) -> Code {
    let below = DEPTH - words.len();
    let front = (0..below as u64)
        .map(word)
        .chain(words.iter().copied())
        .fold(Code::new(), |code, word| code + push(word))
        + op::JUMPDEST;
    let length = front.bytes().len() + sequence(0).len() + 2;
    let code = front.raw(&sequence(length as u8)) + op::CALLER + op::POP + op::JUMPDEST;
    let code = [96, 128, 160].into_iter().fold(code, |code, offset| code + push(offset) + op::MSTORE);
    code + push(192) + push(0) + op::RETURN
}

/// Words of which sequences take the last ones.
fn samples() -> Vec<[U256; 3]> {
    let large = bit(255) + 0x1234;
    vec![
        [word(0), word(0), word(0)],
        [word(7), word(7), word(7)],
        [word(3), word(64), word(32)],
        [word(32), word(0), word(64)],
        [large, word(5), minus(2)],
        [bit(64), bit(64) + 7, word(7)],
        [minus(1), bit(112) + 9, large],
        [word(1), large, large],
    ]
}

/// Asserts that sequences do what their opcodes do, with gas to the unit, in memory of each size that matters.
#[track_caller]
fn check(sequence: impl Fn(u8) -> Vec<u8>) {
    for words in samples() {
        for front in [Vec::new(), vec![op::PUSH1, 9, op::PUSH1, 64, op::MSTORE]] {
            let code = around(&words, |target| [front.clone(), sequence(target)].concat());
            let setup = Setup { input: b"selector and more", ..Setup::default() };
            let done = setup.execute(PLENTY, &code);
            if done.exit == Exit::Return {
                assert_eq!(setup.execute(done.gas_used, &code).gas_used, done.gas_used);
                for less in 1..40.min(done.gas_used) {
                    assert_eq!(setup.execute(done.gas_used - less, &code).exit, Exit::OutOfGas);
                }
            }
        }
    }
}

#[test]
fn comparisons_with_a_copy_and_jumps() {
    for dup in [op::DUP1, op::DUP2, op::DUP3, op::DUP16] {
        for compare in [op::LT, op::GT, op::EQ, op::SUB, op::XOR, op::SLT] {
            check(|target| vec![dup, compare, op::PUSH1, target, op::JUMPI]);
            check(|target| vec![dup, compare, op::ISZERO, op::PUSH1, target, op::JUMPI]);
        }
    }
    for compare in [op::SUB, op::XOR] {
        check(|target| vec![compare, op::PUSH1, target, op::JUMPI]);
        check(|target| vec![compare, op::ISZERO, op::PUSH1, target, op::JUMPI]);
    }
}

#[test]
fn selectors() {
    for compare in [op::EQ, op::GT] {
        for low in [0, 6, 7, 8] {
            check(|target| vec![op::DUP1, op::PUSH4, 0, 0, 0, low, compare, op::PUSH1, target, op::JUMPI]);
        }
    }
    check(|_| vec![op::PUSH0, op::CALLDATALOAD, op::PUSH1, 224, op::SHR]);
    for size in [0, 4, 16, 17, 18] {
        check(|target| vec![op::PUSH1, size, op::CALLDATASIZE, op::LT, op::PUSH1, target, op::JUMPI]);
    }
}

#[test]
fn a_selector_of_short_call_data_has_zeros_at_its_end() {
    let code = Code::new().raw(&[op::PUSH0, op::CALLDATALOAD, op::PUSH1, 224, op::SHR]).return_top();
    for (input, selector) in [
        (&b""[..], 0),
        (b"\x12", 0x1200_0000),
        (b"\x12\x34\x56", 0x1234_5600),
        (b"\x12\x34\x56\x78", 0x1234_5678),
    ] {
        assert_eq!(Setup { input, ..Setup::default() }.execute(PLENTY, &code).word(), word(selector));
    }
}

#[test]
fn call_data_that_ends_within_a_word_has_zeros_at_its_end() {
    let input: &[u8] = &[0xab; 40];
    let all = U256::from_big_endian(&[0xab; 32]);
    for (offset, result) in [(word(8), all), (word(9), all << 8), (word(39), all << 248), (word(40), word(0))]
    {
        let code = (push(offset) + op::CALLDATALOAD).return_top();
        assert_eq!(Setup { input, ..Setup::default() }.execute(PLENTY, &code).word(), result);
    }
    let far = (push(bit(64)) + op::CALLDATALOAD).return_top();
    assert_eq!(Setup { input, ..Setup::default() }.execute(PLENTY, &far).word(), word(0));
}

#[test]
fn numbers_under_the_top() {
    for number in [0, 5, 255] {
        check(|_| vec![op::PUSH1, number, op::SWAP1]);
        check(|_| vec![op::PUSH1, number, op::SWAP2, op::SWAP1]);
        check(|_| vec![op::PUSH1, number, op::SWAP1, op::SWAP2]);
    }
    check(|_| vec![op::PUSH0, op::SWAP1, op::PUSH0, op::SWAP2, op::SWAP1]);
    check(|_| vec![op::SWAP2, op::SWAP1]);
    check(|_| vec![op::SWAP1, op::SWAP2]);
}

#[test]
fn words_of_memory_at_a_number() {
    for offset in [0, 1, 32, 64, 200] {
        check(|_| vec![op::PUSH1, offset, op::DUP1 + 1, op::SWAP1, op::MSTORE]);
        for n in [0, 1, 2, 14] {
            check(|_| vec![op::PUSH1, offset, op::SWAP1 + n, op::DUP1 + 1 + n, op::MSTORE]);
        }
        check(|_| vec![op::PUSH1, offset, op::SWAP1 + 15, op::SWAP1, op::MSTORE]);
    }
}

#[test]
fn hashes_with_a_number() {
    for number in [0, 1, 32, 64, 95, 96, 97] {
        check(|_| vec![op::PUSH1, number, op::KECCAK256]);
        check(|_| vec![op::PUSH1, number, op::SWAP1, op::KECCAK256]);
        check(|_| vec![op::PUSH1, number, op::SWAP1, op::SWAP2, op::KECCAK256]);
    }
}

#[test]
fn differences() {
    check(|_| vec![op::DUP1, op::SWAP2, op::SUB, op::SWAP1]);
    for dup in [op::DUP1, op::DUP2, op::DUP3, op::DUP16] {
        check(|_| vec![dup, op::SWAP1, op::SUB]);
    }
}

#[test]
fn shifts_by_multiplication_and_division() {
    for (bytes, high) in [(3, 1), (3, 0x80), (15, 1), (15, 3), (31, 0x80)] {
        let power = |behind: &[u8]| {
            [&[op::PUSH0 + bytes, high][..], &vec![0; usize::from(bytes) - 1], behind].concat()
        };
        check(|_| power(&[op::MUL]));
        check(|_| power(&[op::SWAP1, op::DIV]));
        check(|_| power(&[op::DIV]));
    }
}

#[test]
fn what_unoptimised_code_does_in_vain() {
    let mask = [&[op::PUSH20][..], &[0xff; 20], &[op::AND]].concat();
    check(|_| vec![op::PUSH0, op::DUP1 + 1, op::SWAP1, op::POP]);
    for dup in [op::DUP1 + 2, op::DUP1 + 3, op::DUP16] {
        check(|_| vec![op::PUSH0, op::PUSH1, 9, dup, op::ADD, op::SWAP1, op::POP]);
    }
    check(|_| [&[op::PUSH0][..], &mask].concat());
    check(|_| mask.repeat(2));
    check(|_| [&[op::DUP3][..], &mask].concat());
}

#[test]
fn functions_that_drop_words_and_return_one() {
    for dropped in 0..9 {
        for more in [0, 1, 2] {
            let end = match more {
                0 => vec![op::SWAP1],
                more => [&[op::SWAP1 + more, op::SWAP1 + more - 1][..], &vec![op::POP; more.into()]].concat(),
            };
            let words = usize::from(dropped + more);
            check(|target| {
                let front = [&[op::PUSH1, target][..], &[op::PC].repeat(words), &[op::CALLER]].concat();
                [&front[..], &[op::SWAP1, op::POP].repeat(dropped.into()), &end, &[op::JUMP]].concat()
            });
        }
    }
}

/// Jump destinations that are near each other share a place in a translation's index.
#[test]
fn jumps_to_destinations_side_by_side() {
    for target in 0..24u64 {
        // The number is in a block of its own, so that the jump does not know it.
        let code = push(target) + op::JUMPDEST + op::JUMP;
        let code = code.raw(&[op::JUMPDEST; 3]).raw(&[op::POP, op::JUMPDEST, op::PUSH1, op::JUMPDEST]);
        let code = code.raw(&[op::JUMPDEST, op::CALLER, op::JUMPDEST, op::JUMPDEST]) + op::GAS;
        execute(PLENTY, &code.return_top());
    }
}

/// A chain that is full ends before memory grows in it.
#[test]
fn memory_that_grows_word_by_word() {
    for count in [1, 10, 60, 200] {
        let code = (0..count).fold(Code::new(), |code, n| code + push(n + 1) + push(32 * n) + op::MSTORE);
        let done = execute(PLENTY, &(code.clone() + op::MSIZE).return_top());
        assert_eq!(done.word(), word(32 * count));
        execute(done.gas_used - 10, &(code + op::MSIZE).return_top());
    }
}
