//! STOP, RETURN, REVERT, INVALID, bytes that are no opcodes, SELFDESTRUCT.

use crate::host::World;
use crate::run::{OTHER, PLENTY, SELF, Setup, address, execute, word};
use parhelion_assembler::{Code, mstore, push, ret, revert, selfdestruct};
use parhelion_evm::U256;
use parhelion_evm::exit::Exit;
use parhelion_evm::interpreter::Interrupt;
use parhelion_evm::opcode as op;

#[test]
fn code_that_ends_stops() {
    for code in [Code::new(), Code::new().op(op::STOP), Code::new().op(op::STOP).op(op::INVALID)] {
        let done = execute(0, &code);
        assert_eq!((done.exit, done.gas_used, done.output), (Exit::Stop, 0, vec![]), "{code:x?}");
    }
}

#[test]
fn returned_and_reverted_bytes() {
    let value = U256::MAX / 3;
    for (ending, exit) in [(op::RETURN, Exit::Return), (op::REVERT, Exit::Revert)] {
        for (offset, length, cost) in
            [(0u64, 0, 0), (0, 32, 0), (7, 3, 0), (31, 1, 0), (0, 33, 3), (64, 32, 6)]
        {
            let mut memory = value.to_big_endian().to_vec();
            memory.resize(96, 0);
            let range = [word(offset), word(length)];
            let code = mstore(0, value) + Code::operation(ending, range);
            let gas = (2 + 3 + 3 + 3) + crate::run::pushes(&range) + cost;
            let done = execute(gas, &code);
            let bytes = memory[offset as usize..][..length as usize].to_vec();
            assert_eq!((done.exit, done.gas_used, done.output), (exit, gas, bytes), "{offset} {length}");
            assert_eq!(execute(gas - 1, &code).exit, Exit::OutOfGas);
            assert_eq!(execute(PLENTY, &code).gas_used, gas, "the rest goes back");
        }
    }
    assert_eq!(execute(4, &ret(0, 0)).exit, Exit::Return);
    assert_eq!(execute(3, &revert(0, 0)).exit, Exit::OutOfGas);
}

#[test]
fn every_other_byte_is_an_invalid_opcode() {
    for byte in 0..=255u8 {
        let is_invalid = op::TABLE[usize::from(byte)].is_none() || byte == op::INVALID;
        let interrupt = Setup::default().start(PLENTY, &(push(0).times(20) + byte)).next();
        let ended = matches!(interrupt, Interrupt::Exit(Exit::InvalidOpcode, _));
        assert_eq!(ended, is_invalid, "{byte:#x}: {interrupt:?}");
    }
    // The bytes that Osaka leaves free, so that the table cannot gain or lose one.
    for (first, last) in
        [(0x0c, 0x0f), (0x1f, 0x1f), (0x21, 0x2f), (0x4b, 0x4f), (0xa5, 0xef), (0xf6, 0xf9), (0xfb, 0xfc)]
    {
        for byte in first..=last {
            assert!(op::TABLE[byte].is_none(), "{byte:#x}");
        }
    }
    assert_eq!(op::TABLE.iter().filter(|row| row.is_none()).count(), 4 + 1 + 15 + 5 + 75 + 4 + 2);
}

#[test]
fn what_self_destruction_costs() {
    let rich = [(SELF, word(1))];
    // Whether the account has a balance, the beneficiary lives, the beneficiary is warm; gas.
    for (has_balance, lives, is_warm, gas) in [
        (false, false, false, 5000 + 2600),
        (false, false, true, 5000),
        (true, false, false, 5000 + 2600 + 25_000),
        (true, false, true, 5000 + 25_000),
        (true, true, false, 5000 + 2600),
        (true, true, true, 5000),
    ] {
        let mut world = World::default();
        world.balances.extend(rich.iter().filter(|_| has_balance).copied());
        world.balances.extend(lives.then_some((OTHER, word(1))));
        world.warm_accounts.extend(is_warm.then_some(OTHER));
        let setup = Setup::from(world);
        let code = selfdestruct(OTHER);
        let done = setup.execute(3 + gas, &code);
        assert_eq!((done.exit, done.gas_used), (Exit::SelfDestruct, 3 + gas));
        assert_eq!(done.world.destroyed, [(SELF, OTHER)]);
        assert!(done.world.warm_accounts.contains(&OTHER));
        let short = setup.execute(3 + gas - 1, &code);
        assert_eq!((short.exit, short.world.destroyed.len()), (Exit::OutOfGas, 0));
    }
}

#[test]
fn self_destruction_is_a_state_change() {
    let setup = Setup { is_static: true, ..Setup::default() };
    let done = setup.execute(PLENTY, &selfdestruct(address(OTHER)));
    assert_eq!((done.exit, done.world), (Exit::StaticViolation, World::default()));
}
