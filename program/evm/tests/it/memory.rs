//! MLOAD to MCOPY and KECCAK256: values, and what memory costs as it grows.

use crate::host::keccak;
use crate::run::{LIMITS, PLENTY, Setup, bit, execute, hex, pushes, word};
use parhelion_assembler::{Code, mcopy, mload, mstore, mstore8, push, ret, return_top};
use parhelion_evm::U256;
use parhelion_evm::exit::Exit;
use parhelion_evm::interpreter::Interrupt;
use parhelion_evm::opcode as op;

/// Bytes 0, 1, 2, ... up to 95 at the start of memory.
fn counting() -> Code {
    let bytes: Vec<u8> = (0..96).collect();
    (0..3).fold(Code::new(), |code, index| {
        let word: [u8; 32] = bytes[32 * index..][..32].try_into().expect("32 bytes");
        code + mstore(32 * index as u64, word)
    })
}

#[test]
fn memory_of_each_size_costs_what_the_yellow_paper_says() {
    // The last byte that is touched, and C_mem: 3 a word, and the square of the words divided by 512.
    for (last, cost) in [
        (31u64, 3),
        (32, 6),
        (63, 6),
        (32 * 22 - 1, 66),
        (32 * 22, 69 + 1),
        (32 * 32 - 1, 98),
        (32 * 724 - 1, 2172 + 1023),
        (32 * 1024 - 1, 5120),
        (32 * 1024, 5127),
        (0x1_0000 - 1, 14_336),
        (0x10_0000 - 1, 3 * 32_768 + 2_097_152),
    ] {
        let setup = Setup::default();
        setup.costs(op::MSTORE8, &[word(last), word(1)], 3 + cost);
        setup.costs(op::MSTORE, &[word(last - 31), word(1)], 3 + cost);
        setup.costs(op::MLOAD, &[word(last - 31)], 3 + cost);
        setup.costs(op::MCOPY, &[word(last), word(0), word(1)], 3 + 3 + cost);
        setup.costs(op::MCOPY, &[word(0), word(last), word(1)], 3 + 3 + cost);
        setup.costs(op::KECCAK256, &[word(last), word(1)], 30 + 6 + cost);
        setup.costs(op::CALLDATACOPY, &[word(last), word(0), word(1)], 3 + 3 + cost);
        setup.costs(op::CODECOPY, &[word(last), word(0), word(1)], 3 + 3 + cost);
        setup.costs(op::LOG0, &[word(last), word(1)], 375 + 8 + cost);
    }
}

#[test]
fn growing_memory_costs_the_difference() {
    // One word, then 1024 words, then nothing more.
    let steps = mstore(0, 1) + mstore(32 * 1023, 1) + mstore(32 * 1022, 1) + mload(0);
    let gas = (2 + 3 + 3 + 3) + (3 + 3 + 3 + (5120 - 3)) + (3 + 3 + 3) + (2 + 3);
    assert_eq!(execute(gas, &steps).gas_used, gas);
    assert_eq!(execute(gas - 1, &steps).exit, Exit::OutOfGas);
}

#[test]
fn memory_that_nothing_could_pay_for_is_out_of_gas() {
    for far in [bit(31), bit(40), bit(40) + 1, U256::from(u64::MAX) - 31, bit(64), bit(64) + 1, U256::MAX] {
        for code in [
            mstore(far, 1),
            mstore8(far, 1),
            mload(far),
            mcopy(far, 0, 1),
            mcopy(0, far, 1),
            mcopy(0, 0, far),
            Code::operation(op::KECCAK256, [far, word(1)]),
            Code::operation(op::KECCAK256, [word(0), far]),
            Code::operation(op::CALLDATACOPY, [far, word(0), word(1)]),
            Code::operation(op::CODECOPY, [word(0), word(0), far]),
            Code::operation(op::EXTCODECOPY, [word(0), far, word(0), word(1)]),
            Code::operation(op::LOG1, [word(0), far, word(0)]),
            Code::operation(op::CREATE, [word(0), far, word(1)]),
            Code::operation(op::STATICCALL, [word(0), word(0), far, word(1), word(0), word(0)]),
            Code::operation(op::STATICCALL, [word(0), word(0), word(0), word(0), word(0), far]),
            ret(far, 1),
        ] {
            assert_eq!(execute(PLENTY, &code).exit, Exit::OutOfGas, "{far:x}: {code:x?}");
        }
    }
}

#[test]
fn an_empty_range_is_nowhere() {
    let setup = Setup::default();
    let (zero, far) = (word(0), U256::MAX);
    setup.costs(op::KECCAK256, &[far, zero], 30);
    setup.costs(op::MCOPY, &[far, far, zero], 3);
    setup.costs(op::CALLDATACOPY, &[far, far, zero], 3);
    setup.costs(op::CODECOPY, &[far, far, zero], 3);
    setup.costs(op::EXTCODECOPY, &[zero, far, far, zero], 2600);
    setup.costs(op::LOG0, &[far, zero], 375);
    assert_eq!(setup.exit(&ret(far, 0)), Exit::Return);
    assert_eq!(execute(PLENTY, &(mcopy(far, far, 0) + op::MSIZE + return_top())).word(), word(0));
}

#[test]
fn more_memory_than_the_machine_has_is_fatal_and_no_halt() {
    let mut run = Setup::default().start(PLENTY, &mstore8(LIMITS.memory_bytes as u64, 1));
    assert!(matches!(run.next(), Interrupt::Limit));
}

#[test]
fn words_and_bytes_are_stored_and_loaded() {
    let value = hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    for (code, result) in [
        (mstore(0, value) + mload(0), value),
        (mstore(5, value) + mload(5), value),
        (mstore(0, value) + mload(1), value << 8),
        (mstore(32, value) + mload(31), value >> 8),
        (mstore(0, value) + mstore8(0, 0x1ff) + mload(0), value | (word(0xff) << 248)),
        (mstore(0, value) + mstore8(31, 0) + mload(0), value - 0x1f),
        (mload(64), word(0)),
    ] {
        assert_eq!(execute(PLENTY, &(code.clone() + return_top())).word(), result, "{code:x?}");
    }
}

#[test]
fn msize_is_the_memory_touched_in_whole_words() {
    Setup::default().costs(op::MSIZE, &[], 2);
    for (code, size) in [
        (Code::new(), 0),
        (mload(0) + op::POP, 32),
        (mload(1) + op::POP, 64),
        (mstore8(31, 1), 32),
        (mstore8(32, 1), 64),
        (mcopy(0, 100, 1), 128),
        (Code::operation(op::KECCAK256, [word(0), word(33)]) + op::POP, 64),
    ] {
        let done = execute(PLENTY, &(code.clone() + op::MSIZE + return_top()));
        assert_eq!(done.word(), word(size), "{code:x?}");
    }
}

#[test]
fn mcopy_handles_overlaps_as_if_through_a_buffer() {
    for (target, source, length) in [
        (0, 32, 32),
        (0, 0, 32),
        (0, 1, 8),
        (1, 0, 8),
        (8, 0, 64),
        (0, 8, 64),
        (64, 0, 32),
        (95, 0, 1),
        (0, 95, 1),
    ] {
        let mut expected: Vec<u8> = (0..96).collect();
        expected.copy_within(source..source + length, target);
        let copy = [target, source, length].map(|number| word(number as u64));
        let code = counting() + Code::operation(op::MCOPY, copy) + ret(0, 96);
        assert_eq!(execute(PLENTY, &code).output, expected, "{target} {source} {length}");
        // EIP-5656: 3, and 3 a word; the memory is there already.
        let gas = execute(PLENTY, &(counting() + Code::operation(op::MCOPY, copy))).gas_used;
        let before = execute(PLENTY, &counting()).gas_used + pushes(&copy);
        assert_eq!(gas - before, 3 + 3 * ((length as i64 + 31) / 32));
    }
}

#[test]
fn mcopy_from_beyond_the_memory_copies_zeros_and_grows_it() {
    let code = counting() + mcopy(0, 90, 16) + op::MSIZE + return_top();
    assert_eq!(execute(PLENTY, &code).word(), word(128));
    let code = counting() + mcopy(0, 90, 16) + ret(0, 16);
    assert_eq!(execute(PLENTY, &code).output, [[90, 91, 92, 93, 94, 95].as_slice(), &[0; 10]].concat());
}

#[test]
fn hashes() {
    for (offset, length, cost) in [(0, 0, 30), (0, 1, 36), (0, 32, 36), (0, 33, 42), (7, 80, 48), (0, 96, 48)]
    {
        let arguments = [word(offset), word(length)];
        let code = counting() + Code::operation(op::KECCAK256, arguments);
        let bytes: Vec<u8> = (offset..offset + length).map(|byte| byte as u8).collect();
        assert_eq!(execute(PLENTY, &(code.clone() + return_top())).word(), keccak(&bytes));
        let gas = execute(PLENTY, &counting()).gas_used + pushes(&arguments) + cost;
        assert_eq!((execute(gas, &code).gas_used, execute(gas - 1, &code).exit), (gas, Exit::OutOfGas));
    }
    let empty = hex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    assert_eq!(keccak(&[]), empty, "the mock hashes as Ethereum does");
}

#[test]
fn a_nested_frame_has_memory_of_its_own_and_it_is_zero() {
    // The arena behind the caller's memory is full of an earlier callee's bytes.
    let setup = Setup::default();
    let mut caller = setup.start(PLENTY, &mstore(0, U256::MAX));
    assert!(matches!(caller.next(), Interrupt::Exit(Exit::Stop, _)));
    let mut nested = |code: Code| {
        let input = setup.start(PLENTY, &code).frame.input().clone();
        let mut frame = caller.frame.nested(input);
        match parhelion_evm::interpreter::run(&mut caller.machine, &mut frame, &mut caller.world) {
            Interrupt::Exit(_, output) => caller.machine.memory(output.start, output.length).to_vec(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(nested(mstore(0, U256::MAX) + mstore(96, U256::MAX) + ret(0, 32)), [0xff; 32]);
    assert_eq!(nested(mload(0) + return_top()), [0; 32]);
    assert_eq!(nested(mstore8(0, 1) + ret(1, 127)), [0; 127]);
    assert_eq!(nested(push(0) + op::POP + op::MSIZE + return_top()), [0; 32]);
    assert_eq!(caller.machine.memory(0, 32), [0xff; 32], "the caller's memory is untouched");
}
