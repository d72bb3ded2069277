//! Chain and emulator do the same. `Chain::run` compares receipts, events and every account's bytes; the tests here
//! choose what to run, and check the account list itself.

use crate::token::{GAS, Token, approveCall, transferCall, transferFromCall};
use alloy_consensus::{TxEip2930, TxEip7702, TxLegacy};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, TxKind, U256};
use parhelion_assembler::Code;
use parhelion_executor::evm::opcode as op;
use parhelion_harness::chain::{Chain, Proof, SOL, refusal};
use parhelion_harness::wallet::{BASE_FEE, CHAIN_ID, Wallet};
use parhelion_solana::Features;
use parhelion_wire::ProgramError;
use parhelion_wire::event::Outcome;

/// A chain with a funded wallet.
fn funded() -> (Chain, Wallet) {
    let mut chain = Chain::new().unwrap();
    let wallet = Wallet::new(1);
    chain.deposit(wallet.address(), 1000 * SOL).unwrap();
    (chain, wallet)
}

/// Deploys code and gives its address.
fn deploy(chain: &mut Chain, wallet: &mut Wallet, code: &Code) -> Address {
    let address = wallet.address().create(wallet.nonce);
    let done = chain.run(&wallet.send(None, U256::ZERO, code.init_code(), GAS)).unwrap();
    assert_eq!(done.receipt.outcome, Outcome::Success);
    address
}

#[test]
fn a_transfer_by_both_proofs() {
    let (mut chain, mut wallet) = funded();
    let to = Wallet::new(2).address();
    for proof in [Proof::Planned, Proof::Syscall] {
        let value = U256::from(123_456_789_012_345u64);
        let before = chain.balance(to).1;
        let done = chain.run_with(&wallet.send(Some(to), value, [], 2_000_000), proof).unwrap();
        assert!(done.receipt.outcome.is_success());
        assert_eq!(chain.balance(to).1, before + value);
        assert_eq!(done.transactions, 1);
    }
    assert_eq!(chain.balance(wallet.address()).0, 2);
}

#[test]
fn a_transfer_to_an_existing_account_costs_21000_gas_and_to_a_fresh_one_its_rent() {
    let (mut chain, mut wallet) = funded();
    let to = Wallet::new(2).address();
    let fresh = chain.run(&wallet.send(Some(to), U256::from(1), [], 2_000_000)).unwrap().receipt;
    let existing = chain.run(&wallet.send(Some(to), U256::from(1), [], 21_000)).unwrap().receipt;
    assert_eq!((existing.gas_used, existing.rent_gas), (21_000, 0));
    assert_eq!(fresh.gas_used - fresh.rent_gas, 21_000);
    assert!(fresh.rent_gas > 100_000);
}

#[test]
fn an_erc20_from_deployment_to_transfer_from() {
    let mut token = Token::deploy().unwrap();
    let spender = Wallet::new(3);
    token.chain.deposit(spender.address(), 10 * SOL).unwrap();
    let mut owner = token.owner.clone();
    let (holder, fresh) = (Wallet::new(4).address(), Wallet::new(5).address());
    for value in [1, 2] {
        let done = token.call(&mut owner, &transferCall { to: holder, value: U256::from(value) }).unwrap();
        assert_eq!(done.receipt.outcome, Outcome::Success);
        assert_eq!(done.report.output.last(), Some(&1), "transfer returns true");
        assert!(done.report.records.len() > 100, "a Transfer event");
    }
    token.call(&mut owner, &approveCall { spender: spender.address(), value: U256::from(100) }).unwrap();
    let mut spender = spender;
    let from = owner.address();
    let done =
        token.call(&mut spender, &transferFromCall { from, to: fresh, value: U256::from(100) }).unwrap();
    assert_eq!(done.receipt.outcome, Outcome::Success);
    let done = token.call(&mut spender, &transferFromCall { from, to: fresh, value: U256::from(1) }).unwrap();
    assert_eq!(done.receipt.outcome, Outcome::Revert, "the allowance is spent");
    assert_eq!(done.report.output[..4], [0xfb, 0x8f, 0x41, 0xb2], "ERC20InsufficientAllowance");
}

#[test]
fn a_holder_whose_balance_becomes_zero_gives_its_rent_back() {
    let mut token = Token::deploy().unwrap();
    let mut holder = Wallet::new(4);
    token.chain.deposit(holder.address(), 10 * SOL).unwrap();
    token.give(holder.address(), 7).unwrap();
    let to = token.owner.address();
    let before = token.chain.balance(holder.address()).1;
    let done = token.call(&mut holder, &transferCall { to, value: U256::from(7) }).unwrap();
    let fee = U256::from(done.receipt.gas_used) * U256::from(BASE_FEE);
    let after = token.chain.balance(holder.address()).1;
    assert!(after > before - fee, "the Cell's rent came back: {before} - {fee} < {after}");
    assert_eq!(done.uses.iter().filter(|used| used.is_written && used.after.is_none()).count(), 1);
}

#[test]
fn the_account_list_is_exact() {
    let mut token = Token::deploy().unwrap();
    token.give(Wallet::new(4).address(), 1).unwrap();
    let mut owner = token.owner.clone();
    let to = Wallet::new(4).address();
    let call = alloy_sol_types::SolCall::abi_encode(&transferCall { to, value: U256::from(1) });
    let transaction = owner.send(Some(token.address), U256::ZERO, call, GAS);
    let (_, _, uses) = token.chain.emulate(&transaction).unwrap();
    let operator = token.chain.operator.keypair.insecure_clone();
    for position in 0..uses.len() {
        let mut fewer = uses.clone();
        let removed = fewer.remove(position);
        let instructions = token.chain.by_syscall(&transaction, &fewer);
        let failure = token.chain.send_as(&[&operator], &instructions).unwrap_err();
        assert_eq!(refusal(&failure).unwrap(), ProgramError::AccountMissing, "without {removed:?}");
        if removed.is_written {
            let mut read_only = uses.clone();
            read_only[position].is_written = false;
            let instructions = token.chain.by_syscall(&transaction, &read_only);
            let failure = token.chain.send_as(&[&operator], &instructions).unwrap_err();
            assert_eq!(refusal(&failure).unwrap(), ProgramError::ReadOnlyAccount, "read-only {removed:?}");
        }
    }
    token.chain.run(&transaction).unwrap();
}

#[test]
fn every_way_to_end() {
    let (mut chain, mut wallet) = funded();
    // Little enough for the endless loop to end within one Solana transaction.
    let gas_limit = 60_000;
    for (code, outcome) in [
        (Code::new().op(op::STOP), Outcome::Success),
        (Code::new().push(42).return_top(), Outcome::Success),
        (Code::new().push(0).push(0).op(op::REVERT), Outcome::Revert),
        (Code::new().op(op::INVALID), Outcome::Halt),
        (Code::new().op(op::ADD), Outcome::Halt),
        (Code::new().push(3).op(op::JUMP), Outcome::Halt),
        (Code::new().op(op::JUMPDEST).push(0).op(op::JUMP), Outcome::Halt),
        (Code::new().sstore(1, 1).op(op::INVALID), Outcome::Halt),
    ] {
        let address = deploy(&mut chain, &mut wallet, &code);
        let done = chain.run(&wallet.send(Some(address), U256::ZERO, [], gas_limit)).unwrap();
        assert_eq!(done.receipt.outcome, outcome, "{code:?}");
        if outcome == Outcome::Halt {
            assert_eq!(done.receipt.gas_used, gas_limit, "a halt takes all gas");
        }
    }
}

#[test]
fn out_of_rent_gas_changes_nothing_and_says_so() {
    let (mut chain, mut wallet) = funded();
    let address = deploy(&mut chain, &mut wallet, &Code::new().sstore(1, 1));
    let done = chain.run(&wallet.send(Some(address), U256::ZERO, [], 100_000)).unwrap();
    assert_eq!(done.receipt.outcome, Outcome::OutOfRentGas);
    assert!(done.receipt.gas_used < 100_000, "only what the EVM used is paid");
    let done = chain.run(&wallet.send(Some(address), U256::ZERO, [], 2_000_000)).unwrap();
    assert_eq!(done.receipt.outcome, Outcome::Success);
}

#[test]
fn storage_in_one_cell_and_in_many() {
    let (mut chain, mut wallet) = funded();
    let code = Code::new()
        .sstore(0, 1)
        .sstore(1, 2)
        .sstore(255, 3)
        .sstore(256, 4)
        .sstore([0xff; 32], 5)
        .sstore(1, 0);
    let address = deploy(&mut chain, &mut wallet, &code);
    for _ in 0..2 {
        let done = chain.run(&wallet.send(Some(address), U256::ZERO, [], GAS)).unwrap();
        assert_eq!(done.receipt.outcome, Outcome::Success);
    }
    let reading = Code::new().push(256).op(op::SLOAD).return_top();
    let reader = deploy(&mut chain, &mut wallet, &reading);
    let done = chain.run(&wallet.send(Some(reader), U256::ZERO, [], GAS)).unwrap();
    assert_eq!(done.report.output, [0; 32], "storage belongs to its contract");
}

#[test]
fn calls_creations_and_self_destruction() {
    let (mut chain, mut wallet) = funded();
    // Calls the address in its call data with all its value, and returns the result.
    let caller = Code::new()
        .push(0)
        .push(0)
        .push(0)
        .push(0)
        .op(op::CALLVALUE)
        .push(0)
        .op(op::CALLDATALOAD)
        .op(op::GAS)
        .op(op::CALL)
        .return_top();
    let caller = deploy(&mut chain, &mut wallet, &caller);
    for (to, result) in [(Address::repeat_byte(0x77), 1), (Address::with_last_byte(4), 1)] {
        chain.know(to);
        let input = B256::left_padding_from(to.as_slice());
        let done = chain.run(&wallet.send(Some(caller), U256::from(5), input, GAS)).unwrap();
        assert_eq!(done.report.output.last(), Some(&result), "{to}");
        assert_eq!(chain.balance(to).1, U256::from(5));
    }
    // Creates a contract whose init code destroys itself at once: it never exists, and its value is burned.
    let doomed = Code::new().op(op::ADDRESS).op(op::SELFDESTRUCT);
    let word = B256::right_padding_from(doomed.bytes());
    let creator = Code::new()
        .push(word.0)
        .push(0)
        .op(op::MSTORE)
        .push(doomed.bytes().len() as u64)
        .push(0)
        .op(op::CALLVALUE)
        .op(op::CREATE)
        .return_top();
    let creator = deploy(&mut chain, &mut wallet, &creator);
    let done = chain.run(&wallet.send(Some(creator), U256::from(9), [], GAS)).unwrap();
    assert_eq!(done.receipt.outcome, Outcome::Success);
    let created = creator.create(1);
    assert_eq!(Address::from_slice(&done.report.output[12..]), created);
    assert_eq!(chain.balance(created), (0, U256::ZERO));
}

#[test]
fn transaction_types_and_their_hashes() {
    let (mut chain, mut wallet) = funded();
    let to = Wallet::new(2).address();
    chain.run(&wallet.send(Some(to), U256::from(1), [], 2_000_000)).unwrap();
    let (gas_price, gas_limit, value) = (BASE_FEE + 7, 50_000, U256::from(3));
    for chain_id in [None, Some(CHAIN_ID)] {
        let to = TxKind::Call(to);
        let legacy =
            TxLegacy { chain_id, nonce: wallet.nonce, gas_price, gas_limit, to, value, input: [].into() };
        let transaction = wallet.sign(legacy);
        wallet.nonce += 1;
        let done = chain.run(&transaction).unwrap();
        assert_eq!(done.receipt.transaction_hash.0, transaction.hash().0);
        assert_eq!(done.receipt.effective_gas_price.low_u128(), gas_price);
    }
    let access_list =
        AccessList(vec![AccessListItem { address: to, storage_keys: vec![B256::ZERO, B256::ZERO] }]);
    let listed = TxEip2930 {
        chain_id: CHAIN_ID,
        nonce: wallet.nonce,
        gas_price,
        gas_limit,
        to: TxKind::Call(to),
        value,
        access_list,
        input: [].into(),
    };
    let transaction = wallet.sign(listed);
    let done = chain.run(&transaction).unwrap();
    assert_eq!(done.receipt.transaction_hash.0, transaction.hash().0);
    assert_eq!(done.receipt.gas_used, 21_000 + 2400 + 2 * 1900);
}

#[test]
fn a_delegation_runs_the_code_of_another() {
    let (mut chain, mut wallet) = funded();
    let code = Code::new().op(op::ADDRESS).return_top();
    let target = deploy(&mut chain, &mut wallet, &code);
    let authority = Wallet::new(8);
    let authorization =
        alloy_eips::eip7702::Authorization { chain_id: U256::from(CHAIN_ID), address: target, nonce: 0 };
    let signed = authority.authorize(authorization);
    let transaction = wallet.sign(TxEip7702 {
        chain_id: CHAIN_ID,
        nonce: wallet.nonce,
        gas_limit: GAS,
        max_fee_per_gas: BASE_FEE,
        max_priority_fee_per_gas: 0,
        to: authority.address(),
        value: U256::ZERO,
        access_list: AccessList::default(),
        authorization_list: vec![signed],
        input: [].into(),
    });
    wallet.nonce += 1;
    let done = chain.run(&transaction).unwrap();
    assert_eq!(done.receipt.outcome, Outcome::Success);
    assert_eq!(Address::from_slice(&done.report.output[12..]), authority.address(), "as itself");
    assert_eq!(chain.balance(authority.address()).0, 1, "the authority's nonce is used");
    // The account still sends transactions (EIP-3607 exempts delegations).
    chain.deposit(authority.address(), SOL).unwrap();
    let mut authority = authority;
    authority.nonce = 1;
    chain.run(&authority.send(Some(target), U256::ZERO, [], 100_000)).unwrap();
}

#[test]
fn the_largest_contract_is_deployed() {
    let (mut chain, mut wallet) = funded();
    let code = Code::new().raw(&[op::JUMPDEST; 24_576]);
    let gas = 400_000_000;
    let transaction = wallet.send(None, U256::ZERO, code.init_code(), gas);
    let done = chain.run(&transaction).unwrap();
    assert_eq!(done.receipt.outcome, Outcome::Success);
    let too_large = Code::new().raw(&[op::JUMPDEST; 24_577]);
    let done = chain.run(&wallet.send(None, U256::ZERO, too_large.init_code(), gas)).unwrap();
    assert_eq!(done.receipt.outcome, Outcome::Halt, "EIP-170");
}

#[test]
fn output_of_any_length_and_outcome() {
    let (mut chain, mut wallet) = funded();
    // Fills memory with ones, and ends with as much of it as the call data says. The comparison is in `Chain::run`.
    for (ending, outcome) in [(op::RETURN, Outcome::Success), (op::REVERT, Outcome::Revert)] {
        let ones =
            (0..64).fold(Code::new(), |code, word| code.push([0xff; 32]).push(32 * word).op(op::MSTORE));
        let address = deploy(&mut chain, &mut wallet, &ones.push(0).op(op::CALLDATALOAD).push(0).op(ending));
        for length in [0usize, 1, 32, 1023, 1024, 1025, 2048] {
            let input = U256::from(length).to_be_bytes::<32>();
            let done = chain.run(&wallet.send(Some(address), U256::ZERO, input, GAS)).unwrap();
            assert_eq!((done.receipt.outcome, done.report.output), (outcome, vec![0xff; length]));
        }
    }
}

#[test]
fn envelopes_of_every_size_land() {
    let (mut chain, mut wallet) = funded();
    let hash = Code::new().op(op::CALLDATASIZE).return_top();
    let address = deploy(&mut chain, &mut wallet, &hash);
    // Directly with proof and by recovery, through a holder, beyond 64 KiB, and the most that the proxy accepts.
    for (length, transactions) in [(3000, 1), (3400, 1), (5000, 2), (70_000, 19), (130_900, 34)] {
        let done = chain.run(&wallet.send(Some(address), U256::ZERO, vec![0; length], GAS)).unwrap();
        assert_eq!(done.receipt.outcome, Outcome::Success);
        assert_eq!(U256::from_be_slice(&done.report.output), U256::from(length));
        assert_eq!(done.transactions, transactions, "{length}");
    }
}

#[test]
fn the_same_under_all_features() {
    let mut chain = Chain::with_features(Features::All).unwrap();
    let mut wallet = Wallet::new(1);
    chain.deposit(wallet.address(), 1000 * SOL).unwrap();
    let address = deploy(&mut chain, &mut wallet, &Code::new().sstore(1, 1).push(7).return_top());
    let done = chain.run(&wallet.send(Some(address), U256::ZERO, [], GAS)).unwrap();
    assert_eq!(done.report.output.last(), Some(&7));
}

#[test]
fn a_run_that_needs_more_than_the_heap_is_refused_before_anything_is_spent() {
    let (mut chain, mut wallet) = funded();
    let code = Code::new().push(1).push(60 * 1024).op(op::MSTORE);
    let address = deploy(&mut chain, &mut wallet, &code);
    let transaction = wallet.send(Some(address), U256::ZERO, [], GAS);
    assert_eq!(chain.emulate(&transaction).err(), Some(ProgramError::HeapLimit));
}
