//! Cases at random, from a seed.
//!
//! Most code comes from an assembler that keeps the stack in order ([`assembler`], [`snippets`], [`control`]), with the sequences
//! that the translator fuses ([`fused`]), calls among a handful of contracts ([`calls`]), some of it mutated afterwards
//! ([`mutate`]), some compiled contracts ([`compiled`]), and some bytes at random.

mod assembler;
mod calls;
mod compiled;
mod control;
mod deep;
mod fused;
mod mutate;
mod snippets;
mod values;

use crate::case::{Account, Authorization, Block, CHAIN_ID, Case, Rules, Transaction};
use crate::keys;
use crate::outcome::Done;
use alloy_primitives::{Address, B256, Bytes, U256};
use assembler::Assembler;
use fastrand::Rng;
use parhelion_executor::evm::gas::{self, TransactionShape};
use parhelion_executor::evm::opcode as op;
use std::collections::BTreeMap;
use values::{COINBASE, CONTRACTS, RICH, address, chance, contract, one_of};

/// The case of a number.
pub(crate) fn case(rng: &mut Rng) -> Case {
    let rules = one_of(rng, &[Rules::Cancun, Rules::Cancun, Rules::Prague, Rules::Osaka, Rules::Osaka]);
    // EIP-7825 caps the gas of Osaka's transactions far below what the depth takes.
    let is_deep = rules != Rules::Osaka && rng.u16(0..600) == 0;
    let mut accounts = contracts(rng, rules, is_deep);
    eoas(rng, rules, &mut accounts);
    let block = block(rng, is_deep);
    let transaction = transaction(rng, rules, is_deep, &block, &accounts);
    accounts.retain(|_, account| !account.is_empty());
    Case { rules, block, accounts, transaction }
}

/// The same case with less gas than it used, so that it runs out somewhere.
pub(crate) fn with_less_gas(rng: &mut Rng, case: &Case, done: &Done) -> Option<Case> {
    let least = least_gas(&case.transaction, case.rules);
    // The refund of the end counts too.
    let most = done.gas_used.saturating_add(done.gas_used / 4).min(case.transaction.gas_limit);
    let mut case = case.clone();
    case.transaction.gas_limit = rng.u64(least..most.max(least.saturating_add(1)));
    Some(case).filter(|_| most > least)
}

/// Gas without which a transaction is invalid.
fn least_gas(transaction: &Transaction, rules: Rules) -> u64 {
    let lists = if transaction.kind == 0 { &[][..] } else { &transaction.access_list };
    let authorizations = if transaction.kind == 4 { transaction.authorizations.len() } else { 0 };
    let shape = TransactionShape {
        data: &transaction.data,
        creates: transaction.to.is_none(),
        access_addresses: lists.len() as u32,
        access_storage_keys: lists.iter().map(|(_, keys)| keys.len() as u32).sum(),
        authorizations: authorizations as u32,
    };
    let intrinsic = gas::intrinsic(&shape, rules.fork());
    intrinsic.initial.max(intrinsic.floor)
}

fn contracts(rng: &mut Rng, rules: Rules, is_deep: bool) -> BTreeMap<Address, Account> {
    let count = if is_deep { 2 } else { rng.u64(2..=CONTRACTS) };
    let mut codes: Vec<Vec<u8>> = Vec::new();
    for _ in 0..count {
        let code = code(rng, rules, is_deep, &codes);
        codes.push(code);
    }
    let mut accounts = BTreeMap::new();
    for (code, number) in codes.into_iter().zip(0..) {
        let storage = (0..rng.usize(0..5)).map(|_| (values::key(rng), values::stored(rng)));
        let storage = storage.filter(|(_, value)| !value.is_zero()).collect();
        let nonce = match rng.u8(0..40) {
            0 => one_of(rng, &[u64::MAX, u64::MAX - 1, u64::MAX - 2, 127, 128, 255, 256, 65_536]),
            _ => rng.u64(1..4),
        };
        let balance = match rng.u8(0..4) {
            0 => U256::ZERO,
            _ => U256::from(rng.u64(..)),
        };
        accounts.insert(contract(number), Account { nonce, balance, code: code.into(), storage });
    }
    accounts
}

/// The code of a contract. None begins with 0xef, which cannot be deployed (EIP-3541).
fn code(rng: &mut Rng, rules: Rules, is_deep: bool, others: &[Vec<u8>]) -> Vec<u8> {
    let mut code = any_code(rng, rules, is_deep, others);
    if let Some(first @ 0xef) = code.first_mut() {
        *first = op::INVALID;
    }
    code
}

fn any_code(rng: &mut Rng, rules: Rules, is_deep: bool, others: &[Vec<u8>]) -> Vec<u8> {
    if !is_deep && chance(rng, 4) {
        return mutate::random(rng);
    }
    if !is_deep && chance(rng, 5) {
        let mut code = one_of(rng, compiled::codes()).to_vec();
        if rng.bool() {
            let other = one_of(rng, compiled::codes());
            mutate::mutate(rng, &mut code, other);
        }
        return code;
    }
    let mut assembler = Assembler::new(rng, rules, 0);
    if is_deep {
        deep::program(&mut assembler);
        return assembler.finish();
    }
    snippets::program(&mut assembler);
    let mut code = assembler.finish();
    if chance(rng, 15) {
        let other = if others.is_empty() { code.clone() } else { others[rng.usize(..others.len())].clone() };
        mutate::mutate(rng, &mut code, &other);
    }
    code
}

/// Accounts that nobody deployed code to, some of which delegate to a contract.
fn eoas(rng: &mut Rng, rules: Rules, accounts: &mut BTreeMap<Address, Account>) {
    let ether = U256::from(1_000_000_000_000_000_000u64);
    let mut sender = Account { nonce: rng.u64(0..3), balance: ether * ether, ..Account::default() };
    delegate(rng, rules, &mut sender, 5);
    accounts.insert(keys::address(0), sender);
    accounts.insert(RICH, Account { balance: ether, ..Account::default() });
    if rng.bool() {
        accounts.insert(COINBASE, Account { balance: U256::from(rng.u64(..)), ..Account::default() });
    }
    for key in 1..keys::COUNT {
        let mut account = Account { nonce: rng.u64(0..3), ..Account::default() };
        if rng.bool() {
            account.balance = U256::from(rng.u64(..));
        }
        delegate(rng, rules, &mut account, 60);
        accounts.insert(keys::address(key), account);
    }
    if chance(rng, 5) {
        // Something in the way of a creation.
        let mut account =
            Account { nonce: rng.u64(0..2), balance: U256::from(rng.u8(..)), ..Account::default() };
        if rng.bool() {
            account.nonce = 1;
            account.code = Bytes::from_static(&[0x5b, 0x00]);
        }
        let creator = contract(rng.u64(..));
        let nonce = accounts.get(&creator).map_or(1, |account| account.nonce);
        accounts.insert(creator.create(nonce), account);
    }
}

/// Delegates at times (EIP-7702).
fn delegate(rng: &mut Rng, rules: Rules, account: &mut Account, percent: u8) {
    if rules != Rules::Cancun && chance(rng, percent) {
        let delegate = address(rng);
        account.code = [&[0xef, 0x01, 0x00][..], delegate.as_slice()].concat().into();
        account.nonce = account.nonce.max(1);
        if rng.bool() {
            account.storage.insert(U256::from(rng.u8(0..4)), U256::from(rng.u8(1..4)));
        }
    }
}

fn block(rng: &mut Rng, is_deep: bool) -> Block {
    Block {
        number: one_of(rng, &[1, 200, 256, 257, 1_000_000]),
        timestamp: 1_700_000_000 + rng.u64(0..1000),
        coinbase: if chance(rng, 95) { COINBASE } else { contract(rng.u64(..)) },
        gas_limit: if is_deep { 2 * deep::GAS } else { 30_000_000 },
        base_fee: rng.u64(1..50),
        prevrandao: B256::from(U256::from_limbs([rng.u64(..), rng.u64(..), rng.u64(..), rng.u64(..)])),
    }
}

fn transaction(
    rng: &mut Rng,
    rules: Rules,
    is_deep: bool,
    block: &Block,
    accounts: &BTreeMap<Address, Account>,
) -> Transaction {
    let sender = keys::address(0);
    let nonce = accounts.get(&sender).map_or(0, |account| account.nonce);
    let kind = match rng.u8(0..10) {
        0..4 => 0,
        4 => 1,
        5..8 => 2,
        _ if rules == Rules::Cancun => 2,
        _ => 4,
    };
    // EIP-170's limit costs five million gas to reach.
    let is_large = !is_deep && kind != 4 && rng.u16(0..1000) == 0;
    let to = match rng.u8(0..20) {
        _ if is_deep => Some(contract(0)),
        _ if is_large => None,
        0 | 1 if kind != 4 => None,
        2 => Some(address(rng)),
        // Most of these delegate to a contract.
        3 if rules != Rules::Cancun => Some(keys::address(rng.u8(..))),
        _ => Some(contract(rng.u64(0..2))),
    };
    let data = match to {
        Some(to) => call_data(rng, accounts.get(&to)),
        None if is_large => {
            let [high, low] = rng.u16(24_574..24_579).to_be_bytes();
            vec![op::PUSH1 + 1, high, low, op::PUSH0, op::RETURN]
        }
        None => init_code(rng, rules),
    };
    let priority_fee = rng.u64(0..20);
    let signed = if kind == 4 { rng.usize(1..4) } else { 0 };
    let mut transaction = Transaction {
        kind,
        sender,
        nonce,
        to,
        value: if to.is_none() && chance(rng, 80) {
            U256::ZERO
        } else {
            values::value(rng) % (U256::ONE << 100)
        },
        data: data.into(),
        gas_limit: 0,
        gas_price: block.base_fee + priority_fee + rng.u64(0..50),
        priority_fee,
        access_list: access_list(rng, if kind == 0 { 0 } else { 4 }),
        authorizations: authorizations(rng, signed, accounts),
    };
    let least = least_gas(&transaction, rules);
    transaction.gas_limit = match rng.u8(0..20) {
        _ if is_deep => deep::GAS,
        _ if is_large => least + 4_930_000 + rng.u64(0..20_000),
        0 => least + rng.u64(0..100),
        1 | 2 => least + rng.u64(0..3_000),
        3..6 => least + rng.u64(0..40_000),
        6..15 => least + rng.u64(50_000..400_000),
        15..19 => least + rng.u64(400_000..1_000_000),
        _ => least + rng.u64(0..2_000_000),
    };
    if chance(rng, 1) {
        spoil(rng, rules, &mut transaction, block, least);
    }
    transaction
}

/// Makes a transaction invalid, or nearly so.
fn spoil(rng: &mut Rng, rules: Rules, transaction: &mut Transaction, block: &Block, least: u64) {
    match rng.u8(0..7) {
        0 => transaction.nonce = transaction.nonce.wrapping_add(one_of(rng, &[1, u64::MAX])),
        1 => transaction.gas_limit = least - 1,
        2 => transaction.gas_limit = least,
        3 => transaction.gas_price = block.base_fee - rng.u64(0..=1),
        4 => transaction.priority_fee = transaction.gas_price + rng.u64(0..2),
        5 => transaction.value = U256::MAX >> rng.usize(100..140),
        // EIP-7825's cap bounds only the EVM's part here, so Osaka's transactions stay below it.
        _ if rules == Rules::Osaka => transaction.gas_limit = gas::TRANSACTION_MAX,
        _ => transaction.gas_limit = block.gas_limit + rng.u64(0..2),
    }
}

/// Words, behind a selector that the callee knows if it is a compiled contract.
fn call_data(rng: &mut Rng, callee: Option<&Account>) -> Vec<u8> {
    let selectors = callee.map(|account| compiled::selectors(&account.code)).unwrap_or_default();
    let mut data = match selectors.as_slice() {
        [] => Vec::new(),
        known => one_of(rng, known).to_vec(),
    };
    for _ in 0..rng.usize(0..6) {
        let word = values::word(rng);
        // Few numbers above an address's are taken by compiled code.
        let word = if data.len() % 32 == 4 && rng.bool() { word >> 96 } else { word };
        data.extend(word.to_be_bytes::<32>());
    }
    if chance(rng, 20) {
        data.truncate(rng.usize(0..=data.len()));
    }
    data
}

fn init_code(rng: &mut Rng, rules: Rules) -> Vec<u8> {
    match rng.u8(0..40) {
        0 => vec![0; rng.usize(49_150..49_155)],
        1 => mutate::random(rng),
        _ => calls::init_code(&mut Assembler::new(rng, rules, 0)),
    }
}

fn access_list(rng: &mut Rng, items_max: usize) -> Vec<(Address, Vec<B256>)> {
    let item = |rng: &mut Rng| {
        let keys = (0..rng.usize(0..4)).map(|_| B256::from(values::key(rng))).collect();
        (address(rng), keys)
    };
    (0..rng.usize(0..=items_max)).map(|_| item(rng)).collect()
}

fn authorizations(rng: &mut Rng, count: usize, accounts: &BTreeMap<Address, Account>) -> Vec<Authorization> {
    let authorization = |rng: &mut Rng| {
        let key = rng.u8(0..keys::COUNT);
        let nonce = accounts.get(&keys::address(key)).map_or(0, |account| account.nonce);
        // The sender's nonce is used up before authorizations are looked at.
        let is_sender = key == 0;
        let nonce = match rng.u8(0..20) {
            0 => nonce.wrapping_sub(1),
            1..4 => nonce.wrapping_add(1),
            4 => u64::MAX,
            _ => nonce.wrapping_add(u64::from(is_sender)),
        };
        Authorization {
            chain_id: one_of(rng, &[0, CHAIN_ID, CHAIN_ID, CHAIN_ID, 2]),
            address: if chance(rng, 20) { Address::ZERO } else { address(rng) },
            nonce,
            key,
        }
    };
    (0..count).map(|_| authorization(rng)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Outcome, Status};

    #[test]
    fn a_seed_gives_the_same_case_again() {
        for seed in 0..200 {
            let make = || case(&mut Rng::with_seed(seed));
            assert_eq!(make(), make());
        }
    }

    #[test]
    fn most_programs_keep_their_stack_in_order() {
        let mut accepted = 0;
        for seed in 0..300 {
            let case = case(&mut Rng::with_seed(seed));
            let Some((Outcome::Done(done), _)) = crate::run::alone(&case) else { continue };
            accepted += usize::from(done.status != Status::Halt);
        }
        assert!(accepted > 100, "only {accepted} of 300 cases end well");
    }
}
