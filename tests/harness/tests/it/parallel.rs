//! Unrelated transactions have no writable account in common, so the runtime may run them at the same time.

use crate::token::{GAS, Token, transferCall};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use parhelion_harness::chain::SOL;
use parhelion_harness::wallet::Wallet;
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::collections::BTreeSet;

#[test]
fn token_transfers_of_different_people_by_different_operators_share_no_writable_account() {
    let mut token = Token::deploy().unwrap();
    let people: Vec<Wallet> = (10..14).map(Wallet::new).collect();
    for person in &people {
        token.chain.deposit(person.address(), 10 * SOL).unwrap();
        token.give(person.address(), 100).unwrap();
    }
    let second_operator = Keypair::new_from_array([9; 32]);
    token.chain.airdrop(second_operator.pubkey(), 100 * SOL);
    let second_coinbase = Address::repeat_byte(0xc1);
    token.chain.deposit(second_coinbase, 0).unwrap();

    let mut writable = Vec::new();
    for (from, to, coinbase) in [(0, 1, token.chain.operator.coinbase), (2, 3, second_coinbase)] {
        token.chain.operator.coinbase = coinbase;
        if coinbase == second_coinbase {
            token.chain.operator.keypair = second_operator.insecure_clone();
        }
        let call = transferCall { to: people[to].address(), value: U256::from(1) }.abi_encode();
        let transaction = people[from].clone().send(Some(token.address), U256::ZERO, call, GAS);
        let (_, report, uses) = token.chain.emulate(&transaction).unwrap();
        let plan = token.chain.plan(&transaction, &report, &uses).unwrap();
        let metas = plan.last.iter().flat_map(|instruction| &instruction.accounts);
        let set: BTreeSet<_> = metas.filter(|meta| meta.is_writable).map(|meta| meta.pubkey).collect();
        assert!(set.len() >= 5, "operator, two balances, two cells: {set:?}");
        writable.push(set);
        token.chain.run(&transaction).unwrap();
    }
    let common: Vec<_> = writable[0].intersection(&writable[1]).collect();
    assert!(common.is_empty(), "both write {common:?}");
}
