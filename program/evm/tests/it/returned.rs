//! RETURNDATACOPY (EIP-211).

use crate::run::{PLENTY, Setup, bit, word};
use parhelion_assembler::{mstore, ret, returndatacopy};
use parhelion_evm::U256;
use parhelion_evm::exit::Exit;

fn setup() -> Setup {
    Setup { return_data: &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], ..Setup::default() }
}

#[test]
fn within_the_data_it_copies() {
    for (target, source, length, expected) in [
        (0u64, 0u64, 10u64, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xff][..]),
        (1, 7, 3, &[0xff, 8, 9, 10, 0xff]),
        (0, 10, 0, &[0xff]),
        (0, 0, 0, &[0xff]),
    ] {
        let code =
            mstore(0, U256::MAX) + returndatacopy(target, source, length) + ret(0, expected.len() as u64);
        assert_eq!(setup().execute(PLENTY, &code).output, expected);
    }
}

#[test]
fn beyond_the_data_it_halts() {
    for (source, length) in [
        (word(0), word(11)),
        (word(1), word(10)),
        (word(10), word(1)),
        (word(11), word(0)),
        (word(u64::MAX), word(0)),
        (word(u64::MAX), word(1)),
        (word(u64::MAX), word(11)),
        (bit(64), word(0)),
        (U256::MAX, word(0)),
        (U256::MAX, word(1)),
    ] {
        let done = setup().execute(PLENTY, &returndatacopy(0, source, length));
        assert_eq!(done.exit, Exit::ReturnDataOutOfBounds, "{source:x} {length}");
    }
}
