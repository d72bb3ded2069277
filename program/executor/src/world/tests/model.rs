//! Random operations and nested checkpoints, against a model that copies the whole state at each checkpoint.

use super::StorageByKey;
use super::memory::{Accounts, Hashes, Memory, keccak};
use crate::limits::Limits;
use crate::withdraw::{WITHDRAW_ADDRESS, WITHDRAW_SELECTOR};
use crate::world::codes::designator;
use crate::world::{Checkpoint, CodeOf, EMPTY_CODE_HASH, World};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;
use parhelion_evm::gas::StorageChange;
use parhelion_evm::host::Host;
use parhelion_evm::{H160, H256, U256};
use parhelion_wire::WEI_PER_LAMPORT;
use parhelion_wire::event::{Event, Records, Withdrawal};
use proptest::prelude::*;

/// The addresses: an account with wei, one without anything, contracts with and without a Balance, a delegation,
/// a precompile, the withdraw precompile.
const ADDRESSES: [H160; 7] = [
    H160([1; 20]),
    H160([2; 20]),
    H160([3; 20]),
    H160([4; 20]),
    H160([5; 20]),
    H160([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4]),
    WITHDRAW_ADDRESS,
];
/// Wei of those that have some.
const WEALTH: u64 = 5 * WEI_PER_LAMPORT;
/// The tables of the chain, with room for every code and log of a case.
const LIMITS: Limits = Limits { report_bytes: 1 << 20, code_bytes: 1 << 20, ..Limits::ON_CHAIN };
/// Stored codes, and two that only creations deploy.
const CODES: [&[u8]; 4] = [&[0x5b], &[0x5b, 0x00], &[0x60, 0x00], &[0x5b; 70]];
/// Two Cells' worth of storage keys.
const KEYS: [u64; 5] = [0, 1, 255, 256, 300];

fn accounts() -> Accounts {
    Accounts::default()
        .balance(ADDRESSES[0], 7, WEALTH, false)
        .code(ADDRESSES[2], CODES[0])
        .balance(ADDRESSES[3], 1, WEALTH, true)
        .code(ADDRESSES[3], CODES[1])
        .balance(ADDRESSES[4], 2, WEALTH, true)
        .delegation(ADDRESSES[4], ADDRESSES[2])
        .storage(ADDRESSES[2], &[(0, 10), (255, 20)])
        .storage(ADDRESSES[3], &[(0, 30), (256, 40), (300, 50)])
}

/// The state of an address in the model.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Account {
    nonce: u64,
    balance: U256,
    code: CodeOf,
    is_created: bool,
    is_destroyed: bool,
}

type Key = (H160, u64);

/// The model: everything that a checkpoint covers, in the open.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Model {
    accounts: BTreeMap<H160, Account>,
    original: BTreeMap<Key, u64>,
    storage: BTreeMap<Key, u64>,
    transient: BTreeMap<Key, u64>,
    warm_accounts: BTreeSet<H160>,
    warm_storage: BTreeSet<Key>,
    /// Address, topics, data.
    logs: Vec<(H160, u8, Vec<u8>)>,
    withdrawals: Vec<Withdrawal>,
    refund: i64,
    burned: U256,
}

impl Model {
    fn new() -> Self {
        let account = |nonce, wei: u64, code| Account {
            nonce,
            balance: wei.into(),
            code,
            is_created: false,
            is_destroyed: false,
        };
        let states = [
            account(7, WEALTH, CodeOf::None),
            account(0, 0, CodeOf::None),
            // EIP-161: a contract without a Balance account has nonce 1.
            account(1, 0, CodeOf::Hash(keccak(CODES[0]))),
            account(1, WEALTH, CodeOf::Hash(keccak(CODES[1]))),
            account(2, WEALTH, CodeOf::Delegate(ADDRESSES[2])),
            account(0, 0, CodeOf::None),
            account(0, 0, CodeOf::None),
        ];
        let (c, d) = (ADDRESSES[2], ADDRESSES[3]);
        let original =
            BTreeMap::from([((c, 0), 10), ((c, 255), 20), ((d, 0), 30), ((d, 256), 40), ((d, 300), 50)]);
        Self {
            accounts: ADDRESSES.into_iter().zip(states).collect(),
            storage: original.clone(),
            original,
            transient: BTreeMap::new(),
            warm_accounts: BTreeSet::new(),
            warm_storage: BTreeSet::new(),
            logs: Vec::new(),
            withdrawals: Vec::new(),
            refund: 0,
            burned: U256::zero(),
        }
    }

    fn account(&mut self, address: H160) -> &mut Account {
        self.accounts.get_mut(&address).unwrap()
    }

    fn balance(&self, address: H160) -> U256 {
        self.accounts[&address].balance
    }

    fn transfer(&mut self, from: H160, to: H160, value: U256) -> bool {
        let Some(rest) = self.balance(from).checked_sub(value) else { return false };
        self.account(from).balance = rest;
        self.account(to).balance += value;
        true
    }

    fn visible_code(&self, address: H160) -> Vec<u8> {
        match self.accounts[&address].code {
            CodeOf::None => Vec::new(),
            CodeOf::Delegate(delegate) => designator(&delegate).to_vec(),
            CodeOf::Hash(hash) => {
                CODES.iter().find(|code| keccak(code) == hash).map_or(Vec::new(), |code| code.to_vec())
            }
        }
    }

    fn code_hash(&self, address: H160) -> H256 {
        match self.accounts[&address].code {
            CodeOf::Hash(hash) => hash,
            CodeOf::Delegate(_) => keccak(&self.visible_code(address)),
            CodeOf::None if self.is_empty(address) => H256::zero(),
            CodeOf::None => EMPTY_CODE_HASH,
        }
    }

    fn is_empty(&self, address: H160) -> bool {
        let account = &self.accounts[&address];
        account.code.is_empty() && account.nonce == 0 && account.balance.is_zero()
    }
}

/// An operation on the world.
#[derive(Clone, Debug)]
enum Operation {
    Transfer(H160, H160, u64),
    Nonce(H160),
    Create(H160),
    Deploy(H160, usize),
    Delegate(H160, Option<H160>),
    Destroy(H160, H160),
    Withdraw(H160, u64),
    Store(H160, u64, u64),
    StoreTransient(H160, u64, u64),
    Warm(H160),
    WarmKey(H160, u64),
    Log(H160, u8, u8),
    Refund(i64),
    ReadBalance(H160),
    ReadCode(H160),
    ReadEmpty(H160),
    ReadStorage(H160, u64),
    ReadTransient(H160, u64),
    Checkpoint,
    /// The newest checkpoint's changes stay.
    Keep,
    /// The newest checkpoint's changes are undone.
    Undo,
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    let who = || proptest::sample::select(&ADDRESSES[..]);
    let account = || proptest::sample::select(&ADDRESSES[..5]);
    let key = || proptest::sample::select(&KEYS[..]);
    prop_oneof![
        3 => (who(), who(), 0..WEALTH).prop_map(|(from, to, value)| Transfer(from, to, value)),
        2 => account().prop_map(Nonce),
        2 => account().prop_map(Create),
        2 => (account(), 0..CODES.len()).prop_map(|(address, code)| Deploy(address, code)),
        1 => (account(), proptest::option::of(account())).prop_map(|(address, to)| Delegate(address, to)),
        2 => (account(), who()).prop_map(|(address, to)| Destroy(address, to)),
        1 => (account(), 0..3u64).prop_map(|(address, lamports)| Withdraw(address, lamports)),
        4 => (account(), key(), 0..3u64).prop_map(|(address, key, value)| Store(address, key, value)),
        3 => (account(), key(), 0..3u64).prop_map(|(address, key, value)| StoreTransient(address, key, value)),
        1 => who().prop_map(Warm),
        1 => (account(), key()).prop_map(|(address, key)| WarmKey(address, key)),
        2 => (account(), 0..=4u8, any::<u8>()).prop_map(|(address, topics, length)| Log(address, topics, length)),
        1 => (-10..10i64).prop_map(Refund),
        1 => who().prop_map(ReadBalance),
        1 => who().prop_map(ReadCode),
        1 => who().prop_map(ReadEmpty),
        2 => (account(), key()).prop_map(|(address, key)| ReadStorage(address, key)),
        1 => (account(), key()).prop_map(|(address, key)| ReadTransient(address, key)),
        7 => Just(Checkpoint),
        3 => Just(Keep),
        4 => Just(Undo),
    ]
}

/// The world, its checkpoints, and the model with its copies.
struct Pair<'c> {
    world: World<'c, Memory<'c>, Hashes>,
    model: Model,
    checkpoints: Vec<(Checkpoint, Model)>,
}

impl Pair<'_> {
    /// Does the same to both, and compares what can be read on the way.
    fn run(&mut self, operation: &Operation) {
        let Self { world, model, checkpoints } = self;
        match *operation {
            Operation::Transfer(from, to, value) => {
                let (ids, value) =
                    ([from, to].map(|address| world.load_balance(&address).unwrap()), value.into());
                assert_eq!(world.transfer(ids[0], ids[1], &value), Ok(model.transfer(from, to, value)));
            }
            Operation::Nonce(address) => {
                let id = world.load_balance(&address).unwrap();
                world.change(id).unwrap().nonce += 1;
                model.account(address).nonce += 1;
            }
            Operation::Create(address) => {
                let (_, code) = world.load_contract(&address).unwrap();
                let id = world.load_balance(&address).unwrap();
                let account = model.account(address);
                assert_eq!((code, world.account(id).unwrap().state.nonce), (account.code, account.nonce));
                if (code, account.nonce) == (CodeOf::None, 0) {
                    let state = world.change(id).unwrap();
                    (state.is_created, state.nonce) = (true, 1);
                    state.code = CodeOf::Hash(EMPTY_CODE_HASH);
                    (account.is_created, account.nonce) = (true, 1);
                    account.code = CodeOf::Hash(EMPTY_CODE_HASH);
                }
            }
            Operation::Deploy(address, code) => {
                let (id, _) = world.load_contract(&address).unwrap();
                world.deploy(id, CODES[code]).unwrap();
                model.account(address).code = CodeOf::Hash(keccak(CODES[code]));
            }
            Operation::Delegate(address, delegate) => {
                let (id, _) = world.load_contract(&address).unwrap();
                let code = delegate.map_or(CodeOf::None, CodeOf::Delegate);
                world.change(id).unwrap().code = code;
                model.account(address).code = code;
            }
            Operation::Destroy(address, beneficiary) => {
                let id = world.load_balance(&address).unwrap();
                world.self_destruct(id, &beneficiary).unwrap();
                let (balance, is_created) = (model.balance(address), model.account(address).is_created);
                if address != beneficiary {
                    assert!(model.transfer(address, beneficiary, balance));
                } else if is_created {
                    // EIP-6780: only what is created in this transaction can burn its wei.
                    model.account(address).balance = U256::zero();
                    model.burned += balance;
                }
                model.account(address).is_destroyed |= is_created;
            }
            Operation::Withdraw(address, lamports) => {
                let input = [&WITHDRAW_SELECTOR[..], &[9; 32]].concat();
                let value = U256::from(lamports * WEI_PER_LAMPORT);
                let rest = model.balance(address).checked_sub(value);
                let rest = rest.filter(|_| lamports > 0 && model.withdrawals.len() < 8);
                assert_eq!(world.withdraw(&address, &value, &input), Ok(rest.is_some()));
                if let Some(rest) = rest {
                    model.account(address).balance = rest;
                    model.withdrawals.push(Withdrawal { from: address, payee: [9; 32], lamports });
                }
            }
            Operation::Store(address, key, value) => {
                let id = world.accounts.id(&address).unwrap();
                world.set_value(id, &key.into(), &value.into()).unwrap();
                model.storage.insert((address, key), value);
            }
            Operation::StoreTransient(address, key, value) => {
                let id = world.accounts.id(&address).unwrap();
                world.set_transient_storage(id, &key.into(), &value.into()).unwrap();
                model.transient.insert((address, key), value);
            }
            Operation::Warm(address) => {
                let is_precompile = address == ADDRESSES[5];
                let is_first = !is_precompile && model.warm_accounts.insert(address);
                assert_eq!(world.access_account(&address), Ok(is_first));
            }
            Operation::WarmKey(address, key) => {
                let id = world.accounts.id(&address).unwrap();
                let is_first = model.warm_storage.insert((address, key));
                assert_eq!(world.access_key(id, &key.into()), Ok(is_first));
            }
            Operation::Log(address, topics, length) => {
                let data = alloc::vec![length; length.into()];
                let words = [U256::from(length); 4];
                world.log(&address, &words[..topics.into()], &data).unwrap();
                model.logs.push((address, topics, data));
            }
            Operation::Refund(gas) => {
                world.refund(gas);
                model.refund += gas;
            }
            Operation::ReadBalance(address) => {
                assert_eq!(Host::balance(world, &address), Ok(model.balance(address)));
            }
            Operation::ReadCode(address) => {
                assert_eq!(world.code(&address).unwrap(), model.visible_code(address));
                assert_eq!(world.code_hash(&address), Ok(model.code_hash(address)));
            }
            Operation::ReadEmpty(address) => {
                assert_eq!(world.is_empty(&address), Ok(model.is_empty(address)));
            }
            Operation::ReadStorage(address, key) => {
                let id = world.accounts.id(&address).unwrap();
                let of = |map: &BTreeMap<Key, u64>| map.get(&(address, key)).copied().unwrap_or(0).into();
                let change = StorageChange { original: of(&model.original), current: of(&model.storage) };
                assert_eq!(world.change_of(id, &key.into()), Ok(change));
                assert_eq!(world.value(id, &key.into()), Ok(change.current));
            }
            Operation::ReadTransient(address, key) => {
                let id = world.accounts.id(&address).unwrap();
                let value = model.transient.get(&(address, key)).copied().unwrap_or(0);
                assert_eq!(world.transient_storage(id, &key.into()), value.into());
            }
            Operation::Checkpoint => checkpoints.push((world.checkpoint(), model.clone())),
            Operation::Keep => drop(checkpoints.pop()),
            Operation::Undo => {
                if let Some((checkpoint, before)) = checkpoints.pop() {
                    world.undo_to(&checkpoint).unwrap();
                    *model = before;
                }
            }
        }
    }

    /// Compares everything.
    fn compare(&mut self) {
        let reads = ADDRESSES.into_iter().flat_map(|address| {
            let keys = KEYS.into_iter().flat_map(move |key| {
                [Operation::ReadStorage(address, key), Operation::ReadTransient(address, key)]
            });
            [Operation::ReadBalance(address), Operation::ReadCode(address), Operation::ReadEmpty(address)]
                .into_iter()
                .chain(keys)
        });
        for read in reads {
            self.run(&read);
        }
        let Self { world, model, .. } = self;
        for row in world.accounts.rows() {
            let (state, account) = (row.state, &model.accounts[&row.address]);
            let flags = (state.nonce, state.is_created, state.is_destroyed);
            assert_eq!(flags, (account.nonce, account.is_created, account.is_destroyed), "{}", row.address);
            assert_eq!(row.is_warm, model.warm_accounts.contains(&row.address), "{}", row.address);
        }
        for slot in world.storage.slots() {
            let address = world.account(slot.account).unwrap().address;
            assert_eq!(slot.is_warm, model.warm_storage.contains(&(address, slot.key.low_u64())));
        }
        let mut logs = Vec::new();
        let mut withdrawals = Vec::new();
        for record in Records(&world.report) {
            match record.unwrap() {
                Event::Log(log) => logs.push((log.address, log.topics.len() as u8, log.data.to_vec())),
                Event::Withdrawal(withdrawal) => withdrawals.push(withdrawal),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((logs.len(), &logs), (world.logs as usize, &model.logs));
        assert_eq!((&world.withdrawals, &withdrawals), (&model.withdrawals, &model.withdrawals));
        assert_eq!((world.refund, world.burned), (model.refund, model.burned));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn undoing_is_as_if_it_had_never_happened(operations in proptest::collection::vec(operation(), 1..120)) {
        let accounts = accounts();
        let mut pair = Pair {
            world: accounts.world(LIMITS),
            model: Model::new(),
            checkpoints: Vec::new(),
        };
        for operation in &operations {
            pair.run(operation);
        }
        pair.compare();
        // And everything that is still open is undone.
        while !pair.checkpoints.is_empty() {
            pair.run(&Operation::Undo);
            pair.compare();
        }
    }
}
