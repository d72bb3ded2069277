//! eth_estimateGas is exact: a transaction with that limit succeeds, with one gas less it does not.

use crate::cluster::{BASE_FEE, COINBASE, Chain, Wallet, draft, refusal};
use crate::rounds::call;
use alloy_consensus::{TxEip1559, TxEip7702};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use parhelion_assembler::{Code, call as call_code, delegatecall, lt, mstore, push, revert, sstore};
use parhelion_core::emulator::{Call, Emulator, EmulatorError, Estimate};
use parhelion_core::transaction::Transaction;
use parhelion_evm::opcode as op;
use parhelion_wire::ProgramError;
use parhelion_wire::event::Outcome;

/// Runs `condition`; reverts when it leaves zero.
fn require(condition: impl Into<Code>) -> Code {
    let condition = condition.into();
    let target = condition.bytes().len() as u64;
    // The destination is behind PUSH2, JUMPI, and a revert of 3 bytes.
    let [high, low] = (target as u16 + 3 + 1 + 3).to_be_bytes();
    condition + Code::new().raw(&[op::PUSH1 + 1, high, low]) + op::JUMPI + revert(0, 0) + op::JUMPDEST
}

/// Calls an address with all gas, and reverts if that fails.
fn forward(to: Address, value: u64) -> Code {
    require(call_code(Code::new().op(op::GAS), to.into_array(), value, 0, 0, 0, 0))
}

/// Whether a signed transaction succeeds with a gas limit.
async fn succeeds(chain: &Chain, wallet: &Wallet, transaction: &Transaction) -> bool {
    match chain.emulator.emulate(transaction, COINBASE).await {
        Ok(emulation) => emulation.execution.outcome == Outcome::Success,
        Err(EmulatorError::Refused(refusal)) if refusal.error == ProgramError::IntrinsicGasTooLow => false,
        Err(error) => panic!("{} {error}", wallet.address()),
    }
}

/// Estimates a transaction as wallets do, with its price and without, and tries it.
#[track_caller]
fn check(chain: &Chain, what: &str, template: &TxEip1559) -> Estimate {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let wallet = Wallet::rich(chain);
    let request = Call {
        from: Some(wallet.address()),
        to: template.to.to().copied(),
        value: Some(template.value),
        data: template.input.clone(),
        access_list: template.access_list.clone(),
        ..Call::default()
    };
    let priced = Call { gas_price: Some(U256::from(BASE_FEE)), ..request.clone() };
    runtime.block_on(async {
        let estimate = chain.emulator.estimate(&request).await.unwrap();
        assert_eq!(chain.emulator.estimate(&priced).await.unwrap(), estimate, "{what}: with a price");
        let with = |gas_limit| wallet.sign(TxEip1559 { gas_limit, ..template.clone() });
        assert!(succeeds(chain, &wallet, &with(estimate.gas_limit)).await, "{what}: {estimate:?}");
        assert!(
            !succeeds(chain, &wallet, &with(estimate.gas_limit - 1)).await,
            "{what}: {estimate:?} is too much"
        );
        estimate
    })
}

const SOMEBODY: Address = Address::repeat_byte(0x50);
/// A Balance, a Contract, and a Cell of one value.
const BALANCE_RENT: u64 = 5080 * (128 + 48);

#[test]
fn transfers() {
    let chain = Chain::new();
    let template = TxEip1559 { value: U256::from(5), ..draft(Some(SOMEBODY), 0) };
    let estimate = check(&chain, "to nobody yet", &template);
    assert_eq!(estimate.gas_limit - estimate.rent_gas, 21_000);
    assert_eq!(estimate.rent_gas, BALANCE_RENT);
    chain.balance(SOMEBODY, 0, U256::from(1));
    assert_eq!(check(&chain, "to somebody", &template), Estimate { gas_limit: 21_000, rent_gas: 0 });
    // EIP-7623: 10 gas a token is more than what the call costs.
    let with_data = TxEip1559 { input: Bytes::from(vec![1; 100]), ..template.clone() };
    assert_eq!(check(&chain, "with data", &with_data).gas_limit, 21_000 + 4000);
    let item = AccessListItem { address: SOMEBODY, storage_keys: vec![B256::ZERO] };
    let listed = TxEip1559 { access_list: AccessList(vec![item]), ..template };
    assert_eq!(check(&chain, "with an access list", &listed).gas_limit, 21_000 + 2400 + 1900);
}

#[test]
fn storage_and_its_rent() {
    let chain = Chain::new();
    let run = |number: u8, what: &str, code: Code, storage: &[(u64, u64)]| {
        check(&chain, what, &draft(Some(chain.contract(number, &code, storage)), 0))
    };
    let one = run(1, "a new Cell", sstore(1, 1), &[]);
    let neighbours = run(2, "a Cell of two values", sstore(1, 1) + sstore(2, 1), &[]);
    let apart = run(3, "two Cells", sstore(1, 1) + sstore(256, 1), &[]);
    assert_eq!((neighbours.rent_gas - one.rent_gas, apart.rent_gas), (33 * 5080, 2 * one.rent_gas));
    let changed = run(4, "a change", sstore(1, 2), &[(1, 1)]);
    assert_eq!(changed, Estimate { gas_limit: 21_000 + 6 + 5000, rent_gas: 0 });
    // What is needed is more than what is used in the end: the refund comes last.
    let cleared = run(5, "a refund", sstore(1, 0) + sstore(2, 0), &[(1, 1), (2, 1), (3, 1)]);
    assert_eq!(cleared, Estimate { gas_limit: 21_000 + 2 * (5 + 5000), rent_gas: 0 });
    // EIP-2200: the store itself needs more gas than it uses.
    let same = run(6, "the stipend rule", sstore(1, 1), &[(1, 1)]);
    assert_eq!(same, Estimate { gas_limit: 21_000 + 6 + 2301, rent_gas: 0 });
}

#[test]
fn nested_calls_need_a_64th_more_at_each_level() {
    let chain = Chain::new();
    // 30,000 turns of an empty loop, and a change of storage. No new state: the gas that pays its rent would be
    // there for the callees, too.
    let work = push(30_000)
        + op::JUMPDEST
        + push(1)
        + op::SWAP1
        + op::SUB
        + op::DUP1
        + push(3)
        + op::JUMPI
        + sstore(1, 1);
    let mut target = chain.contract(1, &work, &[(1, 5)]);
    let mut last = check(&chain, "the work itself", &draft(Some(target), 0));
    for level in 2..6 {
        target = chain.contract(level, &forward(target, 0), &[]);
        let nested = check(&chain, &format!("level {level}"), &draft(Some(target), 0));
        assert!(nested.gas_limit > last.gas_limit + (last.gas_limit - 21_000) / 64, "level {level}");
        last = nested;
    }
    let delegating = require(delegatecall(Code::new().op(op::GAS), [1; 20], 0, 0, 0, 0));
    check(&chain, "a delegate call", &draft(Some(chain.contract(9, &delegating, &[])), 0));
}

#[test]
fn gas_that_only_has_to_be_there() {
    let chain = Chain::new();
    // Half a million gas must be left, although nothing uses it.
    let guarded = chain.contract(1, &require(lt(500_000, Code::new().op(op::GAS))), &[]);
    check(&chain, "a guard", &draft(Some(guarded), 0));
    // A callee that gets value gets the stipend, too.
    chain.balance(SOMEBODY, 0, U256::from(1));
    let paying = chain.contract(2, &forward(SOMEBODY, 5), &[]);
    check(&chain, "a stipend", &TxEip1559 { value: U256::from(5), ..draft(Some(paying), 0) });
    // The inner call may fail, and does with little gas: then the outer one succeeds all the same.
    let work = chain.contract(3, &sstore(1, 1), &[]);
    let careless = call_code(Code::new().op(op::GAS), work.into_array(), 0, 0, 0, 0, 0) + op::POP;
    let careless = chain.contract(4, &careless, &[]);
    let wallet = Wallet::rich(&chain);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let request = Call { from: Some(wallet.address()), ..call(careless) };
    let estimate = runtime.block_on(chain.emulator.estimate(&request)).unwrap();
    let transaction = wallet.sign(draft(Some(careless), estimate.gas_limit));
    assert!(runtime.block_on(succeeds(&chain, &wallet, &transaction)));
}

#[test]
fn creations() {
    let chain = Chain::new();
    for (what, code) in [
        ("one byte", Code::new().op(op::STOP)),
        ("a kilobyte", Code::new().op(op::JUMPDEST).times(1000)),
        ("beyond the growth limit", Code::new().op(op::JUMPDEST).times(12_000)),
    ] {
        let template = TxEip1559 { input: code.init_code().into(), to: TxKind::Create, ..draft(None, 0) };
        let estimate = check(&chain, what, &template);
        assert!(estimate.rent_gas > 5080 * code.bytes().len() as u64);
    }
    let nothing = TxEip1559 { input: Bytes::from_static(&[op::STOP]), ..draft(None, 0) };
    check(&chain, "a contract of no code", &nothing);
}

#[tokio::test]
async fn authorizations_of_others_and_of_the_sender() {
    let chain = Chain::new();
    let (wallet, other) = (Wallet::rich(&chain), Wallet::new(2));
    chain.balance(other.address(), 0, U256::from(1));
    let delegate = chain.contract(1, &sstore(1, 1), &[]);
    // The sender's own nonce is used up before its authorization is looked at (EIP-7702).
    for (what, authority, nonce) in [("another", &other, 0), ("the sender", &wallet, 1)] {
        let authorization_list = vec![authority.authorize(delegate, nonce)];
        let request = Call {
            from: Some(wallet.address()),
            authorization_list: authorization_list.clone(),
            ..call(authority.address())
        };
        let estimate = chain.emulator.estimate(&request).await.unwrap();
        let with = |gas_limit| {
            wallet.sign(TxEip7702 {
                chain_id: crate::cluster::CHAIN_ID,
                nonce: 0,
                gas_limit,
                max_fee_per_gas: BASE_FEE.into(),
                max_priority_fee_per_gas: 0,
                to: authority.address(),
                value: U256::ZERO,
                access_list: AccessList::default(),
                authorization_list: authorization_list.clone(),
                input: Bytes::new(),
            })
        };
        assert!(succeeds(&chain, &wallet, &with(estimate.gas_limit)).await, "{what}: {estimate:?}");
        assert!(!succeeds(&chain, &wallet, &with(estimate.gas_limit - 1)).await, "{what}: {estimate:?}");
    }
}

#[tokio::test]
async fn what_cannot_succeed_says_why() {
    let chain = Chain::new();
    let wallet = Wallet::rich(&chain);
    let reverting = chain.contract(1, &(mstore(0, 5) + revert(0, 32)), &[]);
    let halting = chain.contract(2, &Code::new().op(op::INVALID), &[]);
    let endless = chain.contract(3, &(Code::new().op(op::JUMPDEST) + push(0) + op::JUMP), &[]);
    let storing = chain.contract(4, &sstore(1, 1), &[]);
    match chain.emulator.estimate(&call(reverting)).await {
        Err(EmulatorError::Reverted { output }) => assert_eq!(output[..], U256::from(5).to_be_bytes::<32>()),
        other => panic!("{other:?}"),
    }
    match chain.emulator.estimate(&call(halting)).await {
        Err(EmulatorError::Halted { reason }) => assert_eq!(reason, "invalid opcode"),
        other => panic!("{other:?}"),
    }
    let from = |to| Call { from: Some(wallet.address()), ..call(to) };
    let allowance_of = async |call: &Call| match chain.emulator.estimate(call).await {
        Err(EmulatorError::GasExceedsAllowance { allowance }) => allowance,
        other => panic!("{other:?}"),
    };
    // The block's limit, the call's own, and what the sender can pay.
    assert_eq!(allowance_of(&from(endless)).await, crate::cluster::BLOCK_GAS_LIMIT);
    assert_eq!(allowance_of(&Call { gas: Some(60_000), ..from(storing) }).await, 60_000, "not the rent");
    assert_eq!(allowance_of(&Call { gas: Some(20_999), ..from(storing) }).await, 20_999, "not the start");
    chain.balance(SOMEBODY, 0, U256::from(BASE_FEE) * U256::from(50_000));
    let poor = Call { from: Some(SOMEBODY), gas_price: Some(U256::from(BASE_FEE)), ..call(storing) };
    assert_eq!(allowance_of(&poor).await, 50_000);
    let value = Call { value: Some(U256::from(BASE_FEE) * U256::from(20_000)), ..poor.clone() };
    assert_eq!(allowance_of(&value).await, 30_000);
    let too_much = Call { value: Some(U256::MAX), ..poor };
    assert_eq!(refusal(chain.emulator.estimate(&too_much).await).0, ProgramError::InsufficientFunds);
}
