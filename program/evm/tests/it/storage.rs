//! SLOAD, SSTORE, TLOAD, TSTORE.

use crate::host::World;
use crate::run::{OTHER, PLENTY, SELF, Setup, bit, execute, word};
use parhelion_assembler::{Code, sload, sstore, tload, tstore};
use parhelion_evm::U256;
use parhelion_evm::exit::Exit;
use parhelion_evm::opcode as op;

const KEY: U256 = U256([7, 0, 0, 1 << 63]);

/// A world with one storage value as it was before the transaction, and as it is now.
fn stored(original: u64, current: u64, is_warm: bool) -> Setup {
    let mut world = World::default();
    world.original.insert((SELF, KEY), word(original));
    world.storage.insert((SELF, KEY), word(current));
    world.warm_storage.extend(is_warm.then_some((SELF, KEY)));
    world.into()
}

#[test]
fn loads_cost_2100_the_first_time_and_100_then() {
    stored(5, 6, false).check(op::SLOAD, &[KEY], word(6), 2100);
    stored(5, 6, true).check(op::SLOAD, &[KEY], word(6), 100);
    stored(5, 6, true).check(op::SLOAD, &[KEY + 1], word(0), 2100);
    let twice = sload(KEY) + sload(KEY);
    assert_eq!(stored(5, 6, false).execute(PLENTY, &twice).gas_used, 3 + 2100 + 3 + 100);
}

#[test]
fn storage_belongs_to_the_account_that_runs() {
    let mut world = World::default();
    world.original.insert((OTHER, KEY), word(9));
    world.warm_storage.insert((OTHER, KEY));
    world.transient.insert((OTHER, KEY), word(9));
    let setup = Setup::from(world);
    setup.check(op::SLOAD, &[KEY], word(0), 2100);
    setup.check(op::TLOAD, &[KEY], word(0), 100);
    let done = setup.execute(PLENTY, &(sstore(KEY, 1) + tstore(KEY, 2)));
    assert_eq!((done.world.current(&(SELF, KEY)), done.world.current(&(OTHER, KEY))), (word(1), word(9)));
    assert_eq!(done.world.transient[&(OTHER, KEY)], word(9));
}

#[test]
fn stores_cost_what_eip_2200_as_amended_says() {
    // Before the transaction, now, new; gas of a warm key, refund (EIP-3529, "SSTORE refunds").
    for (original, current, new, gas, refund) in [
        (0, 0, 0, 100, 0),
        (0, 0, 1, 20_000, 0),
        (0, 1, 0, 100, 19_900),
        (0, 1, 1, 100, 0),
        (0, 1, 2, 100, 0),
        (1, 1, 1, 100, 0),
        (1, 1, 0, 2900, 4800),
        (1, 1, 2, 2900, 0),
        (1, 0, 0, 100, 0),
        (1, 0, 1, 100, 2800 - 4800),
        (1, 0, 2, 100, -4800),
        (1, 2, 0, 100, 4800),
        (1, 2, 1, 100, 2800),
        (1, 2, 2, 100, 0),
        (1, 2, 3, 100, 0),
    ] {
        let what = format!("{original} {current} {new}");
        // What is on the stack before takes 6 gas, and the last of the gas may not be touched: see below.
        let (arguments, stipend) = (pushes_of(new), 2300);
        for (is_warm, gas) in [(true, gas), (false, gas + 2100)] {
            let setup = stored(original, current, is_warm);
            let limit = arguments + gas.max(stipend + 1);
            let done = setup.execute(limit, &sstore(KEY, new));
            assert_eq!((done.exit, done.gas_used), (Exit::Stop, arguments + gas), "{what}");
            assert_eq!(done.world.current(&(SELF, KEY)), word(new), "{what}");
            assert_eq!(done.world.refund, refund, "{what}");
            assert!(done.world.warm_storage.contains(&(SELF, KEY)));
            let short = setup.execute(limit - 1, &sstore(KEY, new));
            assert_eq!((short.exit, short.world.refund), (Exit::OutOfGas, 0), "{what}");
            assert_eq!(short.world.current(&(SELF, KEY)), word(current), "{what}");
        }
    }
}

/// What pushing the key and a value costs.
fn pushes_of(value: u64) -> i64 {
    if value == 0 { 5 } else { 6 }
}

#[test]
fn a_store_needs_more_than_the_stipend() {
    let setup = stored(1, 1, true);
    assert_eq!(setup.execute(6 + 2300, &sstore(KEY, 1)).exit, Exit::OutOfGas);
    assert_eq!(setup.execute(6 + 2301, &sstore(KEY, 1)).exit, Exit::Stop);
}

#[test]
fn transient_storage_costs_100() {
    Setup::default().check(op::TLOAD, &[KEY], word(0), 100);
    let done = Setup::default().costs(op::TSTORE, &[KEY, bit(200)], 100);
    assert_eq!(done.world.transient[&(SELF, KEY)], bit(200));
    assert_eq!((done.world.storage.len(), done.world.warm_storage.len(), done.world.refund), (0, 0, 0));
    Setup::from(done.world).check(op::TLOAD, &[KEY], bit(200), 100);
    let code = tstore(1, 2) + tstore(1, 3) + tload(1) + Code::new().return_top();
    assert_eq!(execute(PLENTY, &code).word(), word(3));
}

#[test]
fn stores_are_state_changes_and_loads_are_none() {
    let setup = Setup { is_static: true, ..stored(1, 1, false) };
    for code in [sstore(KEY, 1), sstore(KEY, 2), tstore(KEY, 0), tstore(KEY, 1)] {
        let done = setup.execute(PLENTY, &code);
        assert_eq!((done.exit, &done.world), (Exit::StaticViolation, &setup.world), "{code:x?}");
    }
    assert_eq!(setup.exit(&(sload(KEY) + tload(KEY))), Exit::Stop);
}
