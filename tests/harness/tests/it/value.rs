//! Value comes in, moves and leaves; `Chain` asserts after each step that the vault covers all balances.

use crate::token::GAS;
use alloy_primitives::U256;
use parhelion_assembler::Code;
use parhelion_executor::evm::opcode as op;
use parhelion_harness::chain::{Chain, SOL};
use parhelion_harness::wallet::{BASE_FEE, Wallet};
use parhelion_sdk::withdraw::{WITHDRAW_PRECOMPILE, lamports_to_wei, withdraw_call};
use parhelion_wire::event::{Event, Outcome, Records};
use solana_address::Address;

fn funded() -> (Chain, Wallet) {
    let mut chain = Chain::new().unwrap();
    let wallet = Wallet::new(1);
    chain.deposit(wallet.address(), 10 * SOL).unwrap();
    (chain, wallet)
}

#[test]
fn a_deposit_credits_a_wei_for_each_billionth_of_a_lamport() {
    let (chain, wallet) = funded();
    assert_eq!(chain.balance(wallet.address()), (0, lamports_to_wei(10 * SOL)));
}

#[test]
fn a_withdrawal_pays_a_solana_account() {
    let (mut chain, mut wallet) = funded();
    let payee = Address::new_from_array([0x55; 32]);
    let (to, input) = withdraw_call(&payee);
    let value = lamports_to_wei(SOL);
    let done = chain.run(&wallet.send(Some(to), value, input, 200_000)).unwrap();
    assert_eq!(done.receipt.outcome, Outcome::Success);
    assert_eq!(chain.account(&payee.to_bytes()).unwrap().lamports, SOL);
    let fee = U256::from(done.receipt.gas_used) * U256::from(BASE_FEE);
    assert_eq!(chain.balance(wallet.address()).1, lamports_to_wei(10 * SOL) - value - fee);
    assert_eq!(chain.balance(WITHDRAW_PRECOMPILE).1, U256::ZERO, "nothing stays there");
    let events: Vec<_> = Records(&done.report.records).collect();
    assert!(
        matches!(events[..], [Ok(Event::Withdrawal(one))] if one.lamports == SOL && one.payee == [0x55; 32])
    );
}

#[test]
fn a_withdrawal_that_cannot_be_paid_reverts_and_costs_only_gas() {
    let (mut chain, mut wallet) = funded();
    let payee = Address::new_from_array([0x55; 32]);
    let (to, input) = withdraw_call(&payee);
    let vault = withdraw_call(&Address::from(chain.deployment.vault)).1;
    let system = withdraw_call(&Address::from([0; 32])).1;
    for (value, input, why) in [
        (lamports_to_wei(SOL) + U256::from(1), input.clone(), "no whole number of lamports"),
        (U256::ZERO, input.clone(), "nothing"),
        (lamports_to_wei(1), input.clone(), "less than the rent exemption of a new account"),
        (lamports_to_wei(SOL), input.slice(..35), "short call data"),
        (lamports_to_wei(SOL), vault, "the vault itself"),
        (lamports_to_wei(SOL), system, "the System program"),
    ] {
        let before = chain.balance(wallet.address()).1;
        let done = chain.run(&wallet.send(Some(to), value, input, 200_000)).unwrap();
        assert_eq!(done.receipt.outcome, Outcome::Revert, "{why}");
        let fee = U256::from(done.receipt.gas_used) * U256::from(BASE_FEE);
        assert_eq!(chain.balance(wallet.address()).1, before - fee, "{why}");
    }
    assert_eq!(chain.account(&payee.to_bytes()), None);
}

#[test]
fn a_withdrawal_in_a_call_that_reverts_never_happened() {
    let (mut chain, mut wallet) = funded();
    // Passes its call data and value on to the withdraw precompile, then reverts.
    let code = Code::new()
        .op(op::CALLDATASIZE)
        .push(0)
        .push(0)
        .op(op::CALLDATACOPY)
        .push(0)
        .push(0)
        .op(op::CALLDATASIZE)
        .push(0)
        .op(op::CALLVALUE)
        .push(WITHDRAW_PRECOMPILE.into_array())
        .op(op::GAS)
        .op(op::CALL)
        .push(0)
        .op(op::MSTORE)
        .push(32)
        .push(0);
    let payee = Address::new_from_array([0x55; 32]);
    let (_, input) = withdraw_call(&payee);
    for (ending, outcome, paid) in
        [(op::REVERT, Outcome::Revert, None), (op::RETURN, Outcome::Success, Some(SOL))]
    {
        let address = wallet.address().create(wallet.nonce);
        let code = code.clone().op(ending);
        chain.run(&wallet.send(None, U256::ZERO, code.init_code(), GAS)).unwrap();
        let done = chain.run(&wallet.send(Some(address), lamports_to_wei(SOL), input.clone(), GAS)).unwrap();
        assert_eq!((done.receipt.outcome, done.report.output.last()), (outcome, Some(&1)));
        assert_eq!(chain.account(&payee.to_bytes()).map(|account| account.lamports), paid);
    }
}

#[test]
fn fees_go_to_the_operators_address_to_the_wei() {
    let (mut chain, mut wallet) = funded();
    let coinbase = chain.operator.coinbase;
    let before = chain.balance(coinbase).1;
    let to = Wallet::new(2).address();
    let sender_before = chain.balance(wallet.address()).1;
    let done = chain.run(&wallet.send(Some(to), U256::from(77), [], 2_000_000)).unwrap();
    let fee = U256::from(done.receipt.gas_used) * U256::from(BASE_FEE);
    assert_eq!(chain.balance(coinbase).1, before + fee);
    assert_eq!(chain.balance(wallet.address()).1, sender_before - fee - U256::from(77));
}
