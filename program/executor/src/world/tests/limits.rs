//! Every table has a maximum: what goes beyond is refused, up to it everything fits.

use super::StorageByKey;
use super::memory::{Accounts, Hashes, Memory};
use crate::ProgramError;
use crate::limits::Limits;
use crate::world::World;
use parhelion_evm::host::Host;
use parhelion_evm::{H160, U256};
use parhelion_wire::event::Log;

const SOMEBODY: H160 = H160([1; 20]);

/// Fills a table by one more row.
type Fill = for<'c> fn(&mut World<'c, Memory<'c>, Hashes>, u64) -> Result<(), ProgramError>;

/// What the tables hold in these tests, apart from the one that is tried.
const ROOMY: Limits = Limits { undo_entries: 1000, ..Limits::ON_CHAIN };

/// Fills with `room` rows, and then one too many.
fn fill(limits: Limits, room: u64, fill: Fill, error: ProgramError) {
    let accounts = Accounts::default();
    let mut world = accounts.world(limits);
    world.accounts.id(&SOMEBODY).unwrap();
    for row in 0..room {
        assert_eq!(fill(&mut world, row), Ok(()), "row {row} of {room}");
    }
    assert_eq!(fill(&mut world, room), Err(error), "one more than {room}");
}

#[test]
fn a_full_table_refuses_one_more() {
    use ProgramError::{HeapLimit, TableLimit};
    let account: Fill = |world, n| world.accounts.id(&parhelion_evm::to_address(&(n + 1).into())).map(drop);
    // SOMEBODY is an account, too.
    fill(Limits { accounts: 20, ..ROOMY }, 19, account, TableLimit);
    let key: Fill = |world, n| world.value(0, &n.into()).map(drop);
    fill(Limits { storage_keys: 20, ..ROOMY }, 20, key, TableLimit);
    let cell: Fill = |world, n| world.value(0, &(U256::from(n) << 8)).map(drop);
    fill(Limits { cells: 20, ..ROOMY }, 20, cell, TableLimit);
    let transient: Fill = |world, n| world.set_transient_storage(0, &n.into(), &U256::one());
    fill(Limits { transient_keys: 20, ..ROOMY }, 20, transient, TableLimit);
    let undo: Fill = |world, n| {
        world.checkpoint();
        world.set_value(0, &U256::one(), &n.into())
    };
    fill(Limits { undo_entries: 20, ..ROOMY }, 20, undo, TableLimit);
    let log: Fill = |world, _| world.log(&SOMEBODY, &[U256::one()], &[0; 8]);
    let log_length = Log::PREFIX + 32 + 4 + 8;
    fill(Limits { report_bytes: 20 * log_length, ..ROOMY }, 20, log, TableLimit);
    fill(Limits { report_bytes: 20 * log_length - 1, ..ROOMY }, 19, log, TableLimit);
    let code: Fill = |world, _| world.count_code_bytes(10);
    fill(Limits { code_bytes: 200, ..ROOMY }, 20, code, HeapLimit);
    fill(Limits { code_bytes: 199, ..ROOMY }, 19, code, HeapLimit);
}

#[test]
fn a_full_table_still_finds_its_rows() {
    let accounts = Accounts::default();
    let mut world = accounts.world(Limits { accounts: 8, storage_keys: 8, ..ROOMY });
    for n in 0..8u64 {
        let address = parhelion_evm::to_address(&(n + 1).into());
        assert_eq!(world.accounts.id(&address), Ok(n as u16));
        world.set_value(0, &n.into(), &(n + 1).into()).unwrap();
    }
    for n in (0..8u64).rev() {
        assert_eq!(world.accounts.id(&parhelion_evm::to_address(&(n + 1).into())), Ok(n as u16));
        assert_eq!(world.value(0, &n.into()), Ok((n + 1).into()));
    }
}
