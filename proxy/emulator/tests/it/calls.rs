//! eth_call: outcomes, prices, and what it does not charge.

use crate::cluster::{BASE_FEE, Chain, Wallet, refusal};
use crate::rounds::call;
use alloy_primitives::{Address, B256, Bytes, U256};
use parhelion_assembler::{Code, log1, mstore, push, return_top, revert, sstore};
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
