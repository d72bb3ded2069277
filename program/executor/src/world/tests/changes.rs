//! Each kind of change, undone alone and in nested checkpoints.

use super::StorageByKey;
use super::memory::{Accounts, Hashes, Memory};
use crate::limits::Limits;
use crate::withdraw::WITHDRAW_SELECTOR;
use crate::world::{CodeOf, State, World};
use alloc::vec::Vec;
use parhelion_evm::host::Host;
use parhelion_evm::{H160, U256};
use parhelion_wire::WEI_PER_LAMPORT;

const RICH: H160 = H160([1; 20]);
const CONTRACT: H160 = H160([2; 20]);
const NOBODY: H160 = H160([3; 20]);

type TestWorld<'c> = World<'c, Memory<'c>, Hashes>;

fn accounts() -> Accounts {
    Accounts::default()
        .balance(RICH, 5, 3 * WEI_PER_LAMPORT, false)
        .code(CONTRACT, &[0x5b])
        .storage(CONTRACT, &[(1, 10)])
}

/// Everything that undoing restores, as far as the world has loaded it.
#[derive(Debug, PartialEq, Eq)]
struct Snapshot {
    accounts: Vec<(H160, bool, State)>,
    slots: Vec<(U256, bool, U256)>,
    transient: U256,
    report: Vec<u8>,
    counters: (u32, usize, i64, U256),
}

fn snapshot(world: &mut TestWorld<'_>) -> Snapshot {
    let contract = world.accounts.id(&CONTRACT).unwrap();
    Snapshot {
        accounts: world.accounts.rows().iter().map(|row| (row.address, row.is_warm, row.state)).collect(),
        slots: world.storage.slots().iter().map(|slot| (slot.key, slot.is_warm, slot.value)).collect(),
        transient: world.transient_storage(contract, &U256::one()),
        report: world.report.clone(),
        counters: (world.logs, world.withdrawals.len(), world.refund, world.burned),
    }
}

/// A change that can be made several times, each time with another number.
type Change = for<'c> fn(&mut TestWorld<'c>, u64);

const CHANGES: [(&str, Change); 12] = [
    ("nonce", |world, n| {
        let id = world.load_balance(&RICH).unwrap();
        world.change(id).unwrap().nonce += n;
    }),
    ("balance", |world, n| {
        let [from, to] = [RICH, NOBODY].map(|address| world.load_balance(&address).unwrap());
        assert_eq!(world.transfer(from, to, &n.into()), Ok(true));
    }),
    ("credit", |world, n| {
        let id = world.load_balance(&NOBODY).unwrap();
        world.credit(id, &n.into()).unwrap();
    }),
    ("code", |world, n| {
        let (id, _) = world.load_contract(&NOBODY).unwrap();
        world.deploy(id, &[0x5b].repeat(n as usize)).unwrap();
    }),
    ("delegation", |world, n| {
        let (id, _) = world.load_contract(&RICH).unwrap();
        world.change(id).unwrap().code = CodeOf::Delegate(H160([n as u8; 20]));
    }),
    ("storage", |world, n| {
        let id = world.accounts.id(&CONTRACT).unwrap();
        world.set_value(id, &U256::one(), &n.into()).unwrap();
    }),
    ("transient storage", |world, n| {
        let id = world.accounts.id(&CONTRACT).unwrap();
        world.set_transient_storage(id, &U256::one(), &n.into()).unwrap();
    }),
    ("a warm address", |world, n| {
        assert_eq!(world.access_account(&[RICH, CONTRACT, NOBODY][n as usize % 3]), Ok(true));
    }),
    ("a warm storage key", |world, n| {
        let id = world.accounts.id(&CONTRACT).unwrap();
        assert_eq!(world.access_key(id, &n.into()), Ok(true));
    }),
    ("a log", |world, n| {
        world.log(&CONTRACT, &[n.into(), n.into()], b"data").unwrap();
    }),
    ("the refund counter", |world, n| world.refund(n as i64 * 100)),
    ("a withdrawal", |world, _| {
        let input = [&WITHDRAW_SELECTOR[..], &[9; 32]].concat();
        assert_eq!(world.withdraw(&RICH, &WEI_PER_LAMPORT.into(), &input), Ok(true));
    }),
];

/// Loads what the changes touch, so that snapshots differ in values and not in what is known.
fn prepared(accounts: &Accounts) -> TestWorld<'_> {
    let mut world = accounts.world(Limits::ON_CHAIN);
    for address in [RICH, CONTRACT, NOBODY] {
        world.load_contract(&address).unwrap();
        world.load_balance(&address).unwrap();
    }
    let id = world.accounts.id(&CONTRACT).unwrap();
    for key in 1..4 {
        world.value(id, &U256::from(key)).unwrap();
    }
    world
}

#[test]
fn each_change_is_undone() {
    let accounts = accounts();
    for (name, change) in CHANGES {
        let mut world = prepared(&accounts);
        let before = snapshot(&mut world);
        let checkpoint = world.checkpoint();
        change(&mut world, 1);
        assert_ne!(snapshot(&mut world), before, "{name} changes something");
        world.undo_to(&checkpoint).unwrap();
        assert_eq!(snapshot(&mut world), before, "{name}");
    }
}

#[test]
fn nested_checkpoints_are_undone_one_by_one() {
    let accounts = accounts();
    for (name, change) in CHANGES {
        let mut world = prepared(&accounts);
        let mut stack = Vec::new();
        for n in 1..4 {
            stack.push((world.checkpoint(), snapshot(&mut world)));
            change(&mut world, n);
        }
        for (checkpoint, before) in stack.into_iter().rev() {
            world.undo_to(&checkpoint).unwrap();
            assert_eq!(snapshot(&mut world), before, "{name}");
        }
    }
}

#[test]
fn what_a_callee_kept_is_undone_with_its_caller() {
    let accounts = accounts();
    for (name, change) in CHANGES {
        let mut world = prepared(&accounts);
        let before = snapshot(&mut world);
        let caller = world.checkpoint();
        // The callee's checkpoint is simply forgotten: its changes are the caller's now.
        world.checkpoint();
        change(&mut world, 1);
        let kept = snapshot(&mut world);
        // A second callee fails.
        let second = world.checkpoint();
        change(&mut world, 2);
        world.undo_to(&second).unwrap();
        assert_eq!(snapshot(&mut world), kept, "{name}: the first callee's stays");
        // The caller goes on.
        change(&mut world, 3);
        world.undo_to(&caller).unwrap();
        assert_eq!(snapshot(&mut world), before, "{name}");
    }
}

#[test]
fn self_destruction_is_undone_with_its_transfer_and_its_burning() {
    let accounts = accounts();
    // The beneficiary, and how much of the contract's wei is burned.
    for (beneficiary, burned) in [(NOBODY, 0), (CONTRACT, 7u64)] {
        let mut world = prepared(&accounts);
        let id = world.load_balance(&CONTRACT).unwrap();
        world.change(id).unwrap().is_created = true;
        world.credit(id, &7.into()).unwrap();
        let before = snapshot(&mut world);
        let checkpoint = world.checkpoint();
        world.self_destruct(id, &beneficiary).unwrap();
        let state = world.account(id).unwrap().state;
        assert_eq!((state.is_destroyed, state.balance, world.burned), (true, U256::zero(), burned.into()));
        world.undo_to(&checkpoint).unwrap();
        assert_eq!(snapshot(&mut world), before);
    }
}

#[test]
fn a_contract_of_an_earlier_transaction_only_sends_its_wei() {
    let accounts = accounts();
    for (beneficiary, left) in [(NOBODY, 0u64), (CONTRACT, 7)] {
        let mut world = prepared(&accounts);
        let id = world.load_balance(&CONTRACT).unwrap();
        world.credit(id, &7.into()).unwrap();
        world.self_destruct(id, &beneficiary).unwrap();
        let state = world.account(id).unwrap().state;
        assert_eq!((state.is_destroyed, state.balance, world.burned), (false, left.into(), U256::zero()));
        assert_eq!(Host::balance(&mut world, &beneficiary), Ok(7.into()));
    }
}

#[test]
fn what_was_first_loaded_in_a_failed_call_keeps_its_value() {
    let accounts = accounts();
    // The row is changed before nonce and balance, or the code, are loaded in the same call.
    let mut world = accounts.world(Limits::ON_CHAIN);
    let (id, code) = world.load_contract(&CONTRACT).unwrap();
    let checkpoint = world.checkpoint();
    world.change(id).unwrap().code = CodeOf::None;
    world.load_balance(&CONTRACT).unwrap();
    world.undo_to(&checkpoint).unwrap();
    let state = world.account(id).unwrap().state;
    assert_eq!((state.nonce, state.code), (1, code), "EIP-161: a contract's nonce");

    let mut world = accounts.world(Limits::ON_CHAIN);
    let id = world.load_balance(&RICH).unwrap();
    let checkpoint = world.checkpoint();
    world.change(id).unwrap().nonce = 99;
    assert_eq!(world.load_contract(&RICH), Ok((id, CodeOf::None)));
    world.undo_to(&checkpoint).unwrap();
    assert_eq!(Host::balance(&mut world, &RICH), Ok((3 * WEI_PER_LAMPORT).into()));
    assert_eq!(world.account(id).unwrap().state.nonce, 5);

    let mut world = accounts.world(Limits::ON_CHAIN);
    let id = world.accounts.id(&CONTRACT).unwrap();
    let checkpoint = world.checkpoint();
    world.set_value(id, &U256::one(), &77.into()).unwrap();
    world.undo_to(&checkpoint).unwrap();
    assert_eq!(world.value(id, &U256::one()), Ok(10.into()));
}

#[test]
fn a_row_that_one_frame_writes_often_is_saved_once() {
    let accounts = accounts();
    let mut world = accounts.world(Limits { undo_entries: 2, ..Limits::ON_CHAIN });
    let id = world.load_balance(&CONTRACT).unwrap();
    world.checkpoint();
    for value in 0..1000u64 {
        assert_eq!(world.set_value(id, &U256::one(), &value.into()), Ok(()), "{value}");
        world.change(id).unwrap().nonce = value;
    }
}
