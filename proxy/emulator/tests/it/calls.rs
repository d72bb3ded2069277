//! eth_call: outcomes, prices, and what it does not charge.

use crate::cluster::{BASE_FEE, Chain, Wallet, refusal};
use crate::rounds::call;
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, Bytes, U256};
use parhelion_assembler::{Code, log1, mstore, push, ret, return_top, revert, sstore, staticcall};
use parhelion_core::emulator::{Call, Emulator};
use parhelion_evm::opcode as op;
use parhelion_wire::ProgramError;
use parhelion_wire::event::Outcome;

#[tokio::test]
async fn outcomes_reasons_and_output() {
    let word = |number: u64| Bytes::from(U256::from(number).to_be_bytes::<32>());
    let chain = Chain::new();
    for (number, (code, outcome, reason, output)) in [
        (push(7) + return_top(), Outcome::Success, "success", word(7)),
        (Code::new().op(op::STOP), Outcome::Success, "success", Bytes::new()),
        (mstore(0, 9) + revert(0, 32), Outcome::Revert, "execution reverted", word(9)),
        (Code::new().op(op::INVALID), Outcome::Halt, "invalid opcode", Bytes::new()),
        (Code::new().op(op::POP), Outcome::Halt, "stack underflow", Bytes::new()),
        (Code::new().op(op::JUMPDEST) + push(0) + op::JUMP, Outcome::Halt, "out of gas", Bytes::new()),
    ]
    .into_iter()
    .enumerate()
    {
        let contract = chain.contract(number as u8 + 1, &code, &[]);
        let execution = chain.emulator.call(&call(contract)).await.unwrap();
        assert_eq!((execution.outcome, execution.reason, execution.output), (outcome, reason, output));
    }
}

#[tokio::test]
async fn nothing_is_charged_for_unless_a_price_is_named() {
    let chain = Chain::new();
    let stores = sstore(1, 1) + push(0) + op::GASPRICE + return_top();
    let contract = chain.contract(1, &stores, &[]);
    let poor = chain.emulator.call(&call(contract)).await.unwrap();
    assert_eq!((poor.outcome, poor.rent_gas), (Outcome::Success, 0), "no rent in a call");
    assert_eq!(U256::from_be_slice(&poor.output), U256::ZERO);
    let wallet = Wallet::rich(&chain);
    let price = |price: u64, tip: Option<u64>| Call {
        from: Some(wallet.address()),
        gas_price: Some(U256::from(price)),
        max_priority_fee_per_gas: tip.map(U256::from),
        ..call(contract)
    };
    // The cap, or the base fee and the tip if that is less.
    for (cap, tip, paid) in [
        (3 * BASE_FEE, None, 3 * BASE_FEE),
        (3 * BASE_FEE, Some(5), BASE_FEE + 5),
        (BASE_FEE + 1, Some(5), BASE_FEE + 1),
    ] {
        let execution = chain.emulator.call(&price(cap, tip)).await.unwrap();
        assert_eq!(U256::from_be_slice(&execution.output), U256::from(paid), "{cap} {tip:?}");
    }
    let nobody = Call { from: None, ..price(1, None) };
    assert_eq!(refusal(chain.emulator.call(&nobody).await).0, ProgramError::InsufficientFunds);
    let value = Call { value: Some(U256::from(1)), ..call(contract) };
    assert_eq!(refusal(chain.emulator.call(&value).await).0, ProgramError::InsufficientFunds);
}

#[tokio::test]
async fn the_base_fee_is_never_above_the_gas_price() {
    let chain = Chain::new();
    let tip = chain.contract(1, &(push(0) + op::BASEFEE + op::GASPRICE + op::SUB + return_top()), &[]);
    let fee = chain.contract(2, &(push(0) + op::BASEFEE + return_top()), &[]);
    let wallet = Wallet::rich(&chain);
    let priced =
        |to, price| Call { from: Some(wallet.address()), gas_price: Some(U256::from(price)), ..call(to) };
    for (asked, result) in [
        (call(tip), 0),
        (call(fee), 0),
        (priced(fee, 0), 0),
        (priced(fee, BASE_FEE), BASE_FEE),
        (priced(tip, BASE_FEE + 5), 5),
    ] {
        let execution = chain.emulator.call(&asked).await.unwrap();
        assert_eq!(U256::from_be_slice(&execution.output), U256::from(result), "{asked:?}");
    }
}

#[tokio::test]
async fn a_call_changes_nothing() {
    let chain = Chain::new();
    let counts = push(1) + push(0) + op::SLOAD + op::ADD + op::DUP1 + push(0) + op::SSTORE + return_top();
    let contract = chain.contract(1, &counts, &[(0, 5)]);
    for _ in 0..2 {
        let execution = chain.emulator.call(&call(contract)).await.unwrap();
        assert_eq!(U256::from_be_slice(&execution.output), U256::from(6));
    }
}

#[tokio::test]
async fn gas_is_bounded() {
    let chain = Chain::new();
    let contract = chain.contract(1, &(push(0) + op::GAS + return_top()), &[]);
    for (gas, left) in [
        (None, 50_000_000 - 21_000 - 4),
        (Some(100_000), 100_000 - 21_000 - 4),
        (Some(u64::MAX), 50_000_000 - 21_000 - 4),
    ] {
        let execution = chain.emulator.call(&Call { gas, ..call(contract) }).await.unwrap();
        assert_eq!(U256::from_be_slice(&execution.output), U256::from(left));
    }
    let short = Call { gas: Some(20_999), ..call(contract) };
    assert_eq!(refusal(chain.emulator.call(&short).await).0, ProgramError::IntrinsicGasTooLow);
}

/// Calls are tried with little gas and memory first. One that names an access list is not, and pays 2,400 gas for the address.
#[tokio::test]
async fn whether_a_call_is_tried_briefly_first_cannot_be_seen() {
    let chain = Chain::new();
    let countdown = |rounds: u64| {
        let next = Code::new().op(op::JUMPDEST) + push(1) + op::SWAP1 + op::SUB + op::DUP1;
        // A PUSH2 is in front of the destination.
        push(rounds) + next + push(3) + op::JUMPI
    };
    let forever = chain.contract(1, &(Code::new().op(op::JUMPDEST) + push(0) + op::JUMP), &[]);
    let fails = staticcall(200_000, forever.into_array(), 0, 0, 0, 0);
    // Of the lengths 1024, 32 and 1024: two million gas.
    let powers = [mstore(0, 1024), mstore(32, 32), mstore(64, 1024), mstore(1120, 1 << 63)];
    let powers = powers.into_iter().fold(Code::new(), |code, next| code + next);
    let precompile = powers.clone() + staticcall(Code::new().op(op::GAS), 5, 0, 2176, 0, 0);
    let poor_precompile = powers + staticcall(150_000, 5, 0, 2176, 0, 0);
    for (number, code, gas_min, output) in [
        (2, countdown(300), 7_000, 0),
        (3, countdown(5_000), 130_000, 0),
        (4, fails, 200_000, 0),
        (5, precompile, 2_000_000, 1),
        (6, poor_precompile, 150_000, 0),
        // More memory than is given at first.
        (7, mstore(100_000, 1) + push(0), 25_000, 0),
    ] {
        let seen = code + op::GAS + push(0) + op::MSTORE + push(32) + op::MSTORE;
        let contract = chain.contract(number, &(seen + ret(0, 64)), &[]);
        let tried = chain.emulator.call(&call(contract)).await.unwrap();
        let item = AccessListItem { address: Address::repeat_byte(9), storage_keys: vec![] };
        let listed = Call { access_list: AccessList(vec![item]), ..call(contract) };
        let listed = chain.emulator.call(&listed).await.unwrap();
        let words = |output: &Bytes| (U256::from_be_slice(&output[..32]), U256::from_be_slice(&output[32..]));
        let ((left, top), (left_listed, top_listed)) = (words(&tried.output), words(&listed.output));
        assert_eq!((tried.outcome, listed.outcome), (Outcome::Success, Outcome::Success), "{number}");
        assert_eq!((top, top_listed), (U256::from(output), U256::from(output)), "{number}");
        assert_eq!(left, left_listed + U256::from(2_400), "{number}");
        assert_eq!(tried.gas_used + 2_400, listed.gas_used, "{number}");
        assert!(tried.gas_used > 21_000 + gas_min, "{number}: {}", tried.gas_used);
    }
}

#[tokio::test]
async fn a_creating_call_gives_the_code_that_it_would_leave() {
    let chain = Chain::new();
    let code = push(42) + return_top();
    let create = Call { data: code.init_code().into(), ..Call::default() };
    let execution = chain.emulator.call(&create).await.unwrap();
    assert_eq!((execution.output.as_ref(), execution.outcome), (code.bytes(), Outcome::Success));
    assert_eq!(execution.created, Some(Address::ZERO.create(0)));
    let at = Call { nonce: Some(7), ..create };
    assert_eq!(chain.emulator.call(&at).await.unwrap().created, Some(Address::ZERO.create(7)));
}

#[tokio::test]
async fn logs_are_those_that_stay() {
    let chain = Chain::new();
    let logs = chain.contract(1, &(mstore(0, 3) + log1(31, 1, 77) + op::STOP), &[]);
    let reverts = chain.contract(2, &(log1(0, 0, 77) + revert(0, 0)), &[]);
    let log = chain.emulator.call(&call(logs)).await.unwrap().logs.pop().unwrap();
    assert_eq!((log.address, log.data.data.as_ref()), (logs, &[3u8][..]));
    assert_eq!(log.topics(), [B256::from(U256::from(77))]);
    assert!(chain.emulator.call(&call(reverts)).await.unwrap().logs.is_empty());
}
