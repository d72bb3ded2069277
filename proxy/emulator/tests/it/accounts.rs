//! The accounts that a run touches, before it and behind it.

use crate::cluster::{BASE_FEE, CHAIN_ID, COINBASE, Chain, SLOT, Wallet};
use crate::rounds::call;
use alloy_consensus::TxEip7702;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rpc_types_eth::BlockOverrides;
use parhelion_assembler::{Code, balance, create, extcodesize, mstore, push, revert, sload, sstore};
use parhelion_core::emulator::{Call, Emulator, Overrides, Recording, TraceRequest};
use parhelion_core::store::Executed;
use parhelion_core::touched::{Image, TouchedAccounts};
use parhelion_evm::opcode as op;
use std::sync::Arc;

const GAS: u64 = 1_000_000;

fn accounts(recording: Recording) -> TouchedAccounts {
    match recording {
        Recording::Accounts(accounts) | Recording::CallsAndAccounts(_, accounts) => accounts,
        other => panic!("{other:?}"),
    }
}

async fn touched(chain: &Chain, call: &Call) -> TouchedAccounts {
    accounts(chain.emulator.trace(call, TraceRequest::Accounts).await.unwrap().recording)
}

fn key(number: u64) -> B256 {
    U256::from(number).into()
}

/// Calls an address with this value and drops the result.
fn invoke(opcode: u8, to: Address, value: Option<u64>) -> Code {
    let value = value.map_or_else(Code::new, push);
    push(0) + push(0) + push(0) + push(0) + value + push(to.into_array()) + push(50_000) + opcode + op::POP
}

/// Creates a contract whose init code sends its one wei to whoever creates it, and destroys itself.
fn create_for_a_moment() -> Code {
    mstore(0, U256::to_be_bytes::<32>(&(U256::from(0x33ff) << 240))) + create(1, 0, 2) + op::POP
}

#[tokio::test]
async fn what_is_touched_is_as_it_was_before() {
    let chain = Chain::new();
    let (sender, stranger, asked) =
        (Address::repeat_byte(0x51), Address::repeat_byte(0x61), Address::repeat_byte(0x71));
    chain.balance(sender, 4, U256::from(100));
    chain.balance(stranger, 0, U256::from(6));
    let fails = sstore(7, 1) + revert(0, 0);
    let failing = chain.contract(2, &fails, &[(7, 8)]);
    // Has no gas for the SLOAD behind the first one.
    let exhausted = chain.contract(3, &(sload(1) + sload(2)), &[(1, 2)]);
    let code = sload(1)
        + op::POP
        + sload(600)
        + op::POP
        + sstore(2, 9)
        + balance(stranger.into_array())
        + op::POP
        + extcodesize(asked.into_array())
        + op::POP
        + invoke(op::CALL, failing, Some(0))
        + (push(0) + push(0) + push(0) + push(0) + push(exhausted.into_array()) + push(2_110))
        + op::STATICCALL
        + op::STOP;
    let outer = chain.contract(1, &code, &[(1, 5), (2, 6)]);
    let asks = Call { from: Some(sender), value: Some(U256::from(3)), ..call(outer) };
    let found = touched(&chain, &asks).await;
    let expected = [sender, outer, stranger, asked, failing, exhausted, Address::ZERO];
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), expected);

    let of = |address: Address| &found[&address];
    assert_eq!((of(sender).before.state.nonce, of(sender).before.state.balance), (4, U256::from(100)));
    assert_eq!((of(sender).after.state.nonce, of(sender).after.state.balance), (5, U256::from(97)));
    let storage = [(key(1), key(5)), (key(2), key(6)), (key(600), key(0))];
    let image =
        Image { state: of(outer).before.state, code: code.bytes().to_vec().into(), storage: storage.into() };
    assert_eq!((of(outer).before.clone(), image.state.nonce, image.state.balance), (image, 1, U256::ZERO));
    assert_eq!((of(outer).after.state.balance, of(outer).after.storage[&key(2)]), (U256::from(3), key(9)));
    assert_eq!(
        (of(stranger).before.state.balance, &of(stranger).before),
        (U256::from(6), &of(stranger).after)
    );
    assert!(of(asked).before.is_empty() && of(Address::ZERO).before.is_empty());
    // What a frame did that failed is undone.
    assert_eq!((of(failing).before.storage[&key(7)], &of(failing).before), (key(8), &of(failing).after));
    assert_eq!(of(exhausted).before.storage, [(key(1), key(2))].into());

    // With the calls, of one run.
    let both = chain.emulator.trace(&asks, TraceRequest::CallsAndAccounts).await.unwrap();
    match both.recording {
        Recording::CallsAndAccounts(nodes, accounts) => assert_eq!((nodes.len(), accounts), (3, found)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn contracts_come_and_go() {
    let chain = Chain::new();
    let sender = Address::repeat_byte(0x51);
    chain.balance(sender, 9, U256::from(10));
    let code = create_for_a_moment() + push(0x6001_5ff3) + push(224) + op::SHL + push(0) + op::MSTORE;
    let code = code + create(2, 0, 4) + op::POP + op::STOP;
    let asks = Call { from: Some(sender), value: Some(U256::from(5)), ..Call::default() };
    let asks = Call { data: code.bytes().to_vec().into(), ..asks };
    let found = touched(&chain, &asks).await;
    let outer = sender.create(9);
    let (gone, child) = (outer.create(1), outer.create(2));
    assert!(found[&outer].before.is_empty() && found[&child].before.is_empty());
    let after = &found[&outer].after;
    assert_eq!((after.state.nonce, after.state.balance, after.code.len()), (3, U256::from(3), 0));
    let after = &found[&child].after;
    assert_eq!((after.state.nonce, after.state.balance, &after.code), (1, U256::from(2), &Bytes::from([0])));
    assert!(found[&gone].before.is_empty() && found[&gone].after.is_empty());
    assert_eq!(found[&sender].after.state.nonce, 10);
}

/// A call that does much, and a signed transaction that does the same, leave the same, as the one is put together from
/// what was heard and the other was written.
#[tokio::test]
async fn a_call_leaves_what_a_transaction_writes() {
    let chain = Chain::new();
    let (wallet, delegator, leaving) = (Wallet::rich(&chain), Wallet::new(2), Wallet::new(3));
    let payee = Address::repeat_byte(0x61);
    chain.balance(payee, 0, U256::from(1));
    let writes = chain.contract(4, &sstore(3, 30), &[]);
    let fails =
        chain.contract(5, &(invoke(op::CALL, payee, Some(1)) + sstore(1, 7) + revert(0, 0)), &[(1, 2)]);
    let code = sload(1)
        + op::POP
        + sstore(2, 20)
        + sstore(1, 0)
        + invoke(op::DELEGATECALL, writes, None)
        + invoke(op::CALL, payee, Some(11))
        + invoke(op::CALL, fails, Some(12))
        + invoke(op::CALL, delegator.address(), Some(13))
        + create_for_a_moment()
        + op::STOP;
    let outer = chain.contract(6, &code, &[(1, 10), (2, 2), (3, 3)]);
    chain.balance_of_contract(outer, 5, U256::from(100));
    for (wallet, nonce) in [(&delegator, 7), (&leaving, 8)] {
        chain.delegation(wallet.address(), fails);
        chain.balance_of_contract(wallet.address(), nonce, U256::from(1));
    }
    let authorization_list = vec![
        delegator.authorize(writes, 7),
        leaving.authorize(Address::ZERO, 8),
        // This one's nonce is used up.
        leaving.authorize(writes, 8),
    ];
    let transaction = TxEip7702 {
        chain_id: CHAIN_ID,
        gas_limit: 2 * GAS,
        max_fee_per_gas: BASE_FEE.into(),
        to: outer,
        value: U256::from(50),
        authorization_list: authorization_list.clone(),
        ..TxEip7702::default()
    };
    let executed = chain.executed(wallet.sign(transaction)).await;
    let written = chain.emulator.trace_executed(&executed, TraceRequest::Accounts).await.unwrap();
    let block = BlockOverrides { coinbase: Some(COINBASE), ..BlockOverrides::default() };
    let asks = Call {
        from: Some(wallet.address()),
        gas: Some(2 * GAS),
        gas_price: Some(U256::from(BASE_FEE)),
        value: Some(U256::from(50)),
        authorization_list,
        overrides: Some(Arc::new(Overrides { block, ..Overrides::default() })),
        ..call(outer)
    };
    let called = chain.emulator.trace(&asks, TraceRequest::Accounts).await.unwrap();
    assert_eq!(called.execution.gas_used, written.execution.gas_used - written.execution.rent_gas);
    let (called, mut written) = (accounts(called.recording), accounts(written.recording));
    // But for the rent of what the delegator stores.
    let rent = U256::from(executed.rent_gas) * U256::from(BASE_FEE);
    written.get_mut(&wallet.address()).unwrap().after.state.balance += rent;
    written.get_mut(&COINBASE).unwrap().after.state.balance -= rent;
    assert_eq!(called, written);
    let delegation: Bytes = [&[0xef, 0x01, 0x00][..], &writes[..]].concat().into();
    let after = &called[&delegator.address()].after;
    assert_eq!((after.state.nonce, &after.code, after.storage[&key(3)]), (8, &delegation, key(30)));
    let after = &called[&leaving.address()].after;
    assert_eq!((after.state.nonce, after.code.len()), (9, 0));
    assert!(called[&outer.create(5)].after.is_empty());
    assert_eq!(called[&outer].after.state.nonce, 6);
}

impl Chain {
    /// A transaction as it would be executed.
    async fn executed(&self, transaction: parhelion_core::transaction::Transaction) -> Executed {
        let emulation = self.emulator.emulate(&transaction, COINBASE).await.unwrap();
        let execution = emulation.execution;
        assert!(execution.outcome.is_success(), "{}", execution.reason);
        Executed {
            transaction,
            block_number: SLOT,
            block_hash: B256::ZERO,
            block_timestamp: 0,
            index: 0,
            outcome: execution.outcome,
            gas_used: execution.gas_used,
            rent_gas: execution.rent_gas,
            cumulative_gas_used: execution.gas_used,
            effective_gas_price: U256::from(BASE_FEE),
            logs: execution.logs,
            first_log_index: 0,
            coinbase: COINBASE,
            signature: Default::default(),
            compute_units: 0,
            signatures: vec![],
            total_compute_units: 0,
        }
    }
}
