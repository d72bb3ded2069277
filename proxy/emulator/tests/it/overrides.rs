//! What a call sees instead of what is on chain.

use crate::cluster::{BASE_FEE, Chain};
use crate::rounds::call;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rpc_types_eth::BlockOverrides;
use alloy_rpc_types_eth::state::{StateOverride, StateOverridesBuilder};
use parhelion_assembler::{Code, balance, extcodehash, push, return_top, sload, sstore};
use parhelion_core::emulator::{Call, Emulator, EmulatorError, Overrides};
use parhelion_evm::opcode as op;
use parhelion_wire::event::Outcome;
use std::sync::Arc;

fn with(call: Call, state: impl Into<StateOverride>, block: BlockOverrides) -> Call {
    Call { overrides: Some(Arc::new(Overrides { state: state.into(), block })), ..call }
}

fn state() -> StateOverridesBuilder {
    StateOverridesBuilder::default()
}

/// The word that a call returns.
async fn word(chain: &Chain, call: Call) -> U256 {
    let execution = chain.emulator.call(&call).await.unwrap();
    assert_eq!(execution.outcome, Outcome::Success, "{}", execution.reason);
    U256::from_be_slice(&execution.output)
}

fn returning(code: Code) -> Code {
    code + return_top()
}

fn key(number: u64) -> B256 {
    U256::from(number).into()
}

#[tokio::test]
async fn balances_and_nonces_are_seen_where_there_are_none_and_where_there_are() {
    let chain = Chain::new();
    let (nobody, somebody) = (Address::repeat_byte(0x11), Address::repeat_byte(0x22));
    chain.balance(somebody, 3, U256::from(5));
    for address in [nobody, somebody] {
        let asks = chain.contract(1, &returning(balance(address.into_array())), &[]);
        let before = word(&chain, call(asks)).await;
        let changed =
            with(call(asks), state().with_balance(address, U256::from(77)), BlockOverrides::default());
        assert_eq!(word(&chain, changed).await, U256::from(77));
        assert_eq!(word(&chain, call(asks)).await, before, "only that call sees it");
    }
    // The nonce decides where a contract is created; the balance pays for it.
    let creates = Call {
        from: Some(nobody),
        data: (Code::new().op(op::ADDRESS) + return_top()).bytes().to_vec().into(),
        value: Some(U256::from(9)),
        ..Call::default()
    };
    let state = state().with_nonce(nobody, 41).with_balance(nobody, U256::from(9));
    let execution = chain.emulator.call(&with(creates, state, BlockOverrides::default())).await.unwrap();
    assert_eq!(execution.created, Some(nobody.create(41)));
}

#[tokio::test]
async fn code_is_seen_in_the_place_of_none_of_another_and_of_a_delegation() {
    let chain = Chain::new();
    let seven = returning(push(7));
    let old = chain.contract(1, &returning(push(1)), &[]);
    let delegated = Address::repeat_byte(2);
    chain.delegation(delegated, old);
    let nobody = Address::repeat_byte(3);
    for address in [old, delegated, nobody] {
        let state = state().with_code(address, seven.bytes().to_vec());
        assert_eq!(word(&chain, with(call(address), state, BlockOverrides::default())).await, U256::from(7));
    }
    // The hash and the size that others see.
    let hash = chain.contract(4, &returning(extcodehash(nobody.into_array())), &[]);
    let state_of = |code: &[u8]| state().with_code(nobody, code.to_vec()).with_balance(nobody, U256::from(1));
    let seen = word(&chain, with(call(hash), state_of(seven.bytes()), BlockOverrides::default())).await;
    assert_eq!(B256::from(seen), keccak256(seven.bytes()));
    let seen = word(&chain, with(call(hash), state_of(&[]), BlockOverrides::default())).await;
    assert_eq!(B256::from(seen), keccak256([]));
    // A contract that loses its code does nothing; a delegation runs the delegate's.
    let none = with(call(old), state().with_code(old, Bytes::new()), BlockOverrides::default());
    assert_eq!(chain.emulator.call(&none).await.unwrap().output, Bytes::new());
    let delegates = state().with_7702_delegation_designator(nobody, old);
    assert_eq!(word(&chain, with(call(nobody), delegates, BlockOverrides::default())).await, U256::from(1));
}

#[tokio::test]
async fn storage_is_changed_or_replaced() {
    let chain = Chain::new();
    // Two keys of one Cell and one of another, as the digits of a number.
    let digit = |key: u64, worth: u64| push(worth) + sload(key) + op::MUL;
    let code = digit(1, 100) + digit(2, 10) + op::ADD + digit(1_000, 1) + op::ADD;
    let contract = chain.contract(1, &returning(code), &[(1, 1), (2, 2), (1_000, 3)]);
    assert_eq!(word(&chain, call(contract)).await, U256::from(123));
    let values = |values: &[(u64, u64)]| -> Vec<(B256, B256)> {
        values.iter().map(|(at, value)| (key(*at), key(*value))).collect()
    };
    let diff = |changes: &[(u64, u64)]| {
        with(call(contract), state().with_state_diff(contract, values(changes)), BlockOverrides::default())
    };
    let all = |changes: &[(u64, u64)]| {
        with(call(contract), state().with_state(contract, values(changes)), BlockOverrides::default())
    };
    assert_eq!(word(&chain, diff(&[(2, 9)])).await, U256::from(193));
    assert_eq!(word(&chain, diff(&[(1, 0), (1_000, 8)])).await, U256::from(28));
    assert_eq!(word(&chain, diff(&[(3, 5)])).await, U256::from(123));
    assert_eq!(word(&chain, all(&[(2, 9)])).await, U256::from(90));
    assert_eq!(word(&chain, all(&[(1_000, 4)])).await, U256::from(4));
    assert_eq!(word(&chain, all(&[])).await, U256::ZERO);
    // The second time all of the real Cells are predicted, and are hidden all the same.
    assert_eq!(word(&chain, all(&[])).await, U256::ZERO);
    assert_eq!(word(&chain, call(contract)).await, U256::from(123));
}

#[tokio::test]
async fn the_block_is_another_one() {
    let chain = Chain::new();
    let coinbase = Address::repeat_byte(0xcb);
    let hash = B256::repeat_byte(0xab);
    let block = BlockOverrides {
        number: Some(U256::from(1_000)),
        time: Some(2_000),
        gas_limit: Some(3_000_000),
        coinbase: Some(coinbase),
        random: Some(hash),
        base_fee: Some(U256::from(5)),
        blob_base_fee: Some(U256::from(6)),
        block_hash: Some([(999, hash)].into()),
        ..BlockOverrides::default()
    };
    let rows: [(Code, U256); 8] = [
        (Code::new().op(op::NUMBER), U256::from(1_000)),
        (Code::new().op(op::TIMESTAMP), U256::from(2_000)),
        (Code::new().op(op::GASLIMIT), U256::from(3_000_000)),
        (Code::new().op(op::COINBASE), U256::from_be_slice(&coinbase[..])),
        (Code::new().op(op::PREVRANDAO), hash.into()),
        (Code::new().op(op::BASEFEE), U256::from(5)),
        (Code::new().op(op::BLOBBASEFEE), U256::from(6)),
        (push(999) + op::BLOCKHASH, hash.into()),
    ];
    for (number, (code, expected)) in rows.into_iter().enumerate() {
        let contract = chain.contract(number as u8 + 1, &returning(code), &[]);
        let call = Call { gas_price: Some(U256::from(BASE_FEE)), ..call(contract) };
        let rich = state().with_balance(Address::ZERO, U256::MAX);
        assert_eq!(word(&chain, with(call, rich, block.clone())).await, expected, "row {number}");
    }
}

#[tokio::test]
async fn numbers_of_the_block_are_seen_exactly_or_refused() {
    let chain = Chain::new();
    let (most, above) = (U256::from(u64::MAX), U256::from(1) << 64);
    let number = |number| BlockOverrides { number: Some(number), ..BlockOverrides::default() };
    let base_fee = |fee| BlockOverrides { base_fee: Some(fee), ..BlockOverrides::default() };
    let blob_base_fee = |fee| BlockOverrides { blob_base_fee: Some(fee), ..BlockOverrides::default() };
    let [shows_number, shows_fee, shows_blob_fee] = [(1, op::NUMBER), (2, op::BASEFEE), (3, op::BLOBBASEFEE)]
        .map(|(contract, code)| call(chain.contract(contract, &returning(Code::new().op(code)), &[])));
    for (asked, block, seen) in [
        (&shows_number, number(most), most),
        (&shows_fee, base_fee(most), most),
        (&shows_blob_fee, blob_base_fee(U256::MAX), U256::MAX),
    ] {
        assert_eq!(word(&chain, with(asked.clone(), state(), block)).await, seen);
    }
    for (asked, block, name) in
        [(&shows_number, number(above), "number"), (&shows_fee, base_fee(above), "baseFee")]
    {
        let error = chain.emulator.call(&with(asked.clone(), state(), block)).await.unwrap_err().to_string();
        let expected = format!("the block override '{name}' is {above}: on this chain it is at most {most}");
        assert_eq!(error, expected);
    }
}

#[tokio::test]
async fn estimates_see_them_too() {
    let chain = Chain::new();
    let poor = Address::repeat_byte(9);
    let contract = chain.contract(1, &sstore(1, 1), &[(1, 0)]);
    let asked = Call { from: Some(poor), gas_price: Some(U256::from(2 * BASE_FEE)), ..call(contract) };
    assert!(matches!(
        chain.emulator.estimate(&asked).await.unwrap_err(),
        EmulatorError::Refused(_) | EmulatorError::GasExceedsAllowance { .. }
    ));
    let rich = with(asked, state().with_balance(poor, U256::MAX >> 1), BlockOverrides::default());
    let gas = chain.emulator.estimate(&rich).await.unwrap().gas_limit;
    // Setting a value that is set already costs less.
    let set = state().with_balance(poor, U256::MAX >> 1).with_state_diff(contract, [(key(1), key(1))]);
    let less = chain.emulator.estimate(&with(rich, set, BlockOverrides::default())).await.unwrap().gas_limit;
    assert!(less < gas, "{less} < {gas}");
}
