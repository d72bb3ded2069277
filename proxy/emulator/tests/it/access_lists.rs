//! eth_createAccessList.

use crate::cluster::{BASE_FEE, Chain, Wallet};
use crate::rounds::call;
use alloy_primitives::{Address, B256, U256};
use parhelion_assembler::{Code, balance, push, return_top, revert, sload, sstore};
use parhelion_core::emulator::{Call, Emulator};
use parhelion_evm::opcode as op;
use parhelion_wire::event::Outcome;

fn key(number: u64) -> B256 {
    U256::from(number).into()
}

/// Calls an address with enough gas and drops the result.
fn calls(address: Address) -> Code {
    let zero = || push(0);
    zero()
        + zero()
        + zero()
        + zero()
        + zero()
        + push(address.into_array())
        + push(100_000)
        + op::CALL
        + op::POP
}

/// The list as pairs.
async fn list(chain: &Chain, call: &Call) -> Vec<(Address, Vec<B256>)> {
    let outcome = chain.emulator.access_list(call).await.unwrap();
    outcome.access_list.0.into_iter().map(|item| (item.address, item.storage_keys)).collect()
}

#[tokio::test]
async fn everything_that_is_touched_is_listed_but_what_is_warm_anyhow() {
    let chain = Chain::new();
    let wallet = Wallet::rich(&chain);
    let other = chain.contract(2, &(sload(5) + sstore(9, 1)), &[]);
    let somebody = Address::repeat_byte(0x77);
    let precompile = Address::with_last_byte(4);
    let code = sload(3)
        + balance(somebody.into_array())
        + balance(wallet.address().into_array())
        + calls(other)
        + calls(precompile);
    let contract = chain.contract(1, &code, &[]);
    let call = Call { from: Some(wallet.address()), ..call(contract) };
    let expected = vec![(contract, vec![key(3)]), (other, vec![key(5), key(9)]), (somebody, vec![])];
    assert_eq!(list(&chain, &call).await, expected);
    // The caller's own list stays in it.
    let listed = Call {
        access_list: [(Address::repeat_byte(0xee), vec![key(1)])]
            .map(|(address, storage_keys)| alloy_eips::eip2930::AccessListItem { address, storage_keys })
            .to_vec()
            .into(),
        ..call
    };
    let mut expected = expected;
    expected.push((Address::repeat_byte(0xee), vec![key(1)]));
    assert_eq!(list(&chain, &listed).await, expected);
}

#[tokio::test]
async fn a_plain_transfer_has_an_empty_list() {
    let chain = Chain::new();
    let wallet = Wallet::rich(&chain);
    let transfer =
        Call { from: Some(wallet.address()), value: Some(U256::from(1)), ..call(Address::repeat_byte(5)) };
    assert_eq!(list(&chain, &transfer).await, []);
}

#[tokio::test]
async fn what_fails_has_its_list_too() {
    let chain = Chain::new();
    let contract = chain.contract(1, &(sload(1) + revert(0, 0)), &[]);
    let outcome = chain.emulator.access_list(&call(contract)).await.unwrap();
    assert_eq!(outcome.execution.outcome, Outcome::Revert);
    assert_eq!(outcome.access_list.0[0].storage_keys, [key(1)]);
}

#[tokio::test]
async fn the_list_has_what_any_of_the_runs_touches() {
    let chain = Chain::new();
    // Touches key 2 if key 1 was cheap (GAS before and behind it differ by less than 1,000), and key 0 if it was not.
    let costs =
        Code::new().op(op::GAS) + sload(1) + op::POP + op::GAS + push(0) + op::ADD + op::SWAP1 + op::SUB;
    let code = push(1_000) + costs + op::LT;
    let warm = chain.contract(3, &(code + sload_if()), &[]);
    let keys = list(&chain, &call(warm)).await;
    assert_eq!(keys, [(warm, vec![key(0), key(1), key(2)])]);
}

/// Loads key 2 or 0, as the word on top says.
fn sload_if() -> Code {
    push(1) + op::SHL + op::SLOAD
}

#[tokio::test]
async fn the_gas_is_that_of_a_transaction_with_the_list() {
    let chain = Chain::new();
    let wallet = Wallet::rich(&chain);
    let contract = chain.contract(1, &(sload(1) + return_top()), &[(1, 1)]);
    let asked =
        Call { from: Some(wallet.address()), gas_price: Some(U256::from(BASE_FEE)), ..call(contract) };
    let outcome = chain.emulator.access_list(&asked).await.unwrap();
    let listed = Call { access_list: outcome.access_list, ..asked };
    let plain = chain.emulator.call(&listed).await.unwrap().gas_used;
    assert_eq!(outcome.execution.gas_used, plain);
}
