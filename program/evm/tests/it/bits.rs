//! LT to CLZ: comparisons and bits.

use crate::host::World;
use crate::run::{Setup, bit, check_all, hex, minus, word};
use parhelion_assembler::clz;
use parhelion_evm::U256;
use parhelion_evm::exit::Exit;
use parhelion_evm::fork::Fork;
use parhelion_evm::host::Env;
use parhelion_evm::opcode as op;

const MAX: U256 = U256::MAX;

#[test]
fn comparisons() {
    let (yes, no) = (word(1), word(0));
    let lowest = bit(255);
    check_all(&[
        (op::LT, [word(1), word(2)], yes, 3),
        (op::LT, [word(2), word(1)], no, 3),
        (op::LT, [word(2), word(2)], no, 3),
        (op::LT, [word(1), MAX], yes, 3),
        (op::GT, [word(2), word(1)], yes, 3),
        (op::GT, [word(1), word(2)], no, 3),
        (op::GT, [bit(64), word(u64::MAX)], yes, 3),
        (op::SLT, [minus(1), word(0)], yes, 3),
        (op::SLT, [word(0), minus(1)], no, 3),
        (op::SLT, [lowest, lowest - 1], yes, 3),
        (op::SLT, [minus(2), minus(1)], yes, 3),
        (op::SGT, [word(0), minus(1)], yes, 3),
        (op::SGT, [minus(1), word(0)], no, 3),
        (op::SGT, [lowest - 1, lowest], yes, 3),
        (op::EQ, [MAX, MAX], yes, 3),
        (op::EQ, [bit(255), word(0)], no, 3),
    ]);
    check_all(&[
        (op::ISZERO, [word(0)], yes, 3),
        (op::ISZERO, [word(1)], no, 3),
        (op::ISZERO, [bit(255)], no, 3),
    ]);
}

#[test]
fn bitwise_operations() {
    let pattern = hex("8899aabbccddeeff00112233445566778899aabbccddeeff0011223344556677");
    check_all(&[
        (op::AND, [word(0b1100), word(0b1010)], word(0b1000), 3),
        (op::OR, [word(0b1100), word(0b1010)], word(0b1110), 3),
        (op::XOR, [word(0b1100), word(0b1010)], word(0b0110), 3),
        (op::XOR, [pattern, pattern], word(0), 3),
        (op::BYTE, [word(0), pattern], word(0x88), 3),
        (op::BYTE, [word(31), pattern], word(0x77), 3),
        (op::BYTE, [word(32), pattern], word(0), 3),
        (op::BYTE, [bit(64), pattern], word(0), 3),
    ]);
    check_all(&[(op::NOT, [word(0)], MAX, 3), (op::NOT, [bit(255)], bit(255) - 1, 3)]);
}

#[test]
fn shifts_of_eip_145() {
    check_all(&[
        (op::SHL, [word(0), word(1)], word(1), 3),
        (op::SHL, [word(255), word(1)], bit(255), 3),
        (op::SHL, [word(256), MAX], word(0), 3),
        (op::SHL, [bit(255), MAX], word(0), 3),
        (op::SHR, [word(1), word(2)], word(1), 3),
        (op::SHR, [word(255), MAX], word(1), 3),
        (op::SHR, [word(256), MAX], word(0), 3),
        (op::SHR, [bit(64), MAX], word(0), 3),
        (op::SAR, [word(1), minus(2)], minus(1), 3),
        (op::SAR, [word(255), bit(255)], MAX, 3),
        (op::SAR, [word(256), bit(255)], MAX, 3),
        (op::SAR, [bit(128), bit(255)], MAX, 3),
        (op::SAR, [word(254), bit(255) - 1], word(1), 3),
        (op::SAR, [word(256), bit(255) - 1], word(0), 3),
    ]);
}

#[test]
fn leading_zeros_of_eip_7939() {
    check_all(&[
        (op::CLZ, [word(0)], word(256), 5),
        (op::CLZ, [word(1)], word(255), 5),
        (op::CLZ, [bit(255) - 1], word(1), 5),
        (op::CLZ, [bit(255)], word(0), 5),
        (op::CLZ, [MAX], word(0), 5),
    ]);
}

#[test]
fn leading_zeros_are_counted_from_osaka_on() {
    for (fork, exit) in
        [(Fork::Cancun, Exit::InvalidOpcode), (Fork::Prague, Exit::InvalidOpcode), (Fork::Osaka, Exit::Stop)]
    {
        let world = World { env: Env { fork, ..Env::default() }, ..World::default() };
        assert_eq!(Setup::from(world).exit(&clz(1)), exit, "{fork:?}");
    }
}
