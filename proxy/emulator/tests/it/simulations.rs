//! Simulated blocks: what calls leave is what transactions leave, and what the next ones see.

use crate::cluster::{BASE_FEE, BLOCK_GAS_LIMIT, CHAIN_ID, COINBASE, Chain, Wallet, draft};
use crate::rounds::call;
use alloy_consensus::{Header, TxEip1559, TxEip7702};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rpc_types_eth::state::{AccountOverride, StateOverride, StateOverridesBuilder};
use parhelion_assembler::{
    Code, add, balance, blockhash, create, create2, extcodehash, log0, mstore, push, return_top,
    selfdestruct, sload, sstore,
};
use parhelion_core::emulator::{Call, Emulator, Execution};
use parhelion_core::simulation::{PlannedBlock, SimulatedBlock, Simulation, SimulationError, plan};
use parhelion_evm::opcode as op;
use parhelion_wire::event::Outcome;

/// Also covers the rent that only transactions pay.
const GAS: u64 = 16_000_000;
const PARENT: u64 = 1_000;

fn simulation(blocks: Vec<PlannedBlock>) -> Simulation {
    let parent = Header {
        number: PARENT,
        timestamp: 5_000,
        gas_limit: BLOCK_GAS_LIMIT,
        beneficiary: COINBASE,
        ..Header::default()
    };
    let blocks = plan(&parent, blocks).unwrap();
    let parent_hash = parent.hash_slow();
    Simulation { parent, parent_hash, blocks, validates: false, traces_transfers: false }
}

fn block(calls: Vec<Call>) -> PlannedBlock {
    PlannedBlock { calls, ..PlannedBlock::default() }
}

async fn simulate(chain: &Chain, blocks: Vec<PlannedBlock>) -> Vec<SimulatedBlock> {
    chain.emulator.simulate(simulation(blocks)).await.unwrap()
}

async fn refused(chain: &Chain, simulation: Simulation) -> String {
    chain.emulator.simulate(simulation).await.unwrap_err().to_string()
}

fn word(block: &SimulatedBlock, place: usize) -> U256 {
    let execution = &block.calls[place].execution;
    assert_eq!(execution.outcome, Outcome::Success, "{}", execution.reason);
    U256::from_be_slice(&execution.output)
}

/// Calls an address with all gas that there is, and drops the result.
fn pay(to: Address, wei: u64) -> Code {
    let nothing = push(0) + push(0) + push(0) + push(0);
    nothing + push(wei) + push(to.into_array()) + push(100_000) + op::CALL + op::POP
}

/// The address of whose code runs.
fn own() -> Code {
    Code::new().op(op::ADDRESS)
}

/// Adds one to a slot.
fn count(slot: u64) -> Code {
    sstore(slot, add(sload(slot), 1))
}

/// Tells a word about the state by a log, so that others see it.
fn tells(word: Code) -> Code {
    mstore(0, word) + log0(0, 32)
}

/// What must be the same of a transaction and a call: a call pays no rent.
fn essence(execution: &Execution) -> (Outcome, u64, Vec<alloy_primitives::Log>, Option<Address>) {
    let evm_gas = execution.gas_used - execution.rent_gas;
    (execution.outcome, evm_gas, execution.logs.clone(), execution.created)
}

/// The same as transactions, one after another, and as calls of one block: each does the same in both.
#[tokio::test]
async fn calls_leave_what_transactions_leave() {
    let chain = Chain::new();
    let (wallet, other) = (Wallet::rich(&chain), Wallet::new(2));
    let (nobody, heir) = (Address::repeat_byte(0x99), Address::repeat_byte(0x98));
    let fails = chain.contract(2, &(count(1) + pay(nobody, 1) + push(0) + push(0) + op::REVERT), &[]);
    // PUSH1 1, PUSH0, RETURN: leaves STOP. PUSH20 heir, SELFDESTRUCT: leaves nothing, not even itself.
    let init = mstore(0, 0x6001_5ff3);
    let dies = [&[0x73][..], &heir[..], &[0xff]].concat();
    let worker = Address::repeat_byte(1);
    let code = count(1)
        + sstore(2, 0)
        + tells(sload(1))
        + pay(nobody, 5)
        + pay(fails, 3)
        + tells(balance(nobody.into_array()))
        + tells(balance(own()))
        + init
        + create(7, 28, 4)
        + op::POP
        + create2(1, 28, 4, sload(1))
        + op::POP
        + tells(extcodehash(worker.create(1).into_array()))
        + tells(balance(worker.create(2).into_array()));
    assert_eq!(chain.contract(1, &code, &[(1, 40), (2, 9)]), worker);
    let delegate = chain.contract(3, &(count(1) + tells(sload(1))), &[]);
    let ends = chain.contract(4, &(tells(balance(own())) + selfdestruct(heir.into_array())), &[]);
    let reads =
        chain.contract(5, &(tells(balance(heir.into_array())) + tells(balance(ends.into_array()))), &[]);

    let data = |bytes: &[u8]| Bytes::copy_from_slice(bytes);
    let to = |to: Address, value: u64| (Some(to), value, Bytes::new(), false);
    let steps: Vec<(Option<Address>, u64, Bytes, bool)> = vec![
        to(worker, 1000),
        to(worker, 0),
        (None, 11, data(&dies), false),
        to(reads, 0),
        to(ends, 6),
        to(ends, 2),
        to(reads, 0),
        to(fails, 0),
        (Some(other.address()), 0, Bytes::new(), true),
        to(other.address(), 0),
        (None, 0, data(&code.init_code()), false),
        to(wallet.address().create(10), 50),
        to(worker, 0),
    ];
    let (mut transactions, mut calls) = (Vec::new(), Vec::new());
    for ((to, value, input, authorizes), nonce) in steps.into_iter().zip(0_u64..) {
        let value = U256::from(value);
        let authorization_list = if authorizes { vec![other.authorize(delegate, 0)] } else { vec![] };
        let plain = TxEip1559 { nonce, value, input: input.clone(), ..draft(to, GAS) };
        transactions.push(if authorizes {
            wallet.sign(TxEip7702 {
                chain_id: CHAIN_ID,
                nonce,
                gas_limit: GAS,
                max_fee_per_gas: BASE_FEE.into(),
                max_priority_fee_per_gas: 0,
                to: to.unwrap(),
                value,
                access_list: plain.access_list,
                authorization_list: authorization_list.clone(),
                input: input.clone(),
            })
        } else {
            wallet.sign(plain)
        });
        calls.push(Call {
            from: Some(wallet.address()),
            to,
            gas: Some(GAS),
            gas_price: Some(U256::from(BASE_FEE)),
            value: Some(value),
            data: input,
            nonce: Some(nonce),
            authorization_list,
            ..Call::default()
        });
    }
    let landed = chain.emulator.emulate_together(&transactions, COINBASE).await.unwrap();
    assert_eq!(landed.len(), transactions.len());
    let simulated = chain
        .emulator
        .simulate(Simulation { validates: true, ..simulation(vec![block(calls)]) })
        .await
        .unwrap();
    for (index, (landed, call)) in landed.iter().zip(&simulated[0].calls).enumerate() {
        assert_eq!(essence(&landed.execution), essence(&call.execution), "step {index}");
        assert_eq!(call.execution.rent_gas, 0);
    }
    let last = &simulated[0].calls.last().unwrap().execution;
    assert_eq!(U256::from_be_slice(&last.logs[0].data.data), U256::from(43), "the worker counts");
}

#[tokio::test]
async fn nonces_go_up_value_moves_and_gas_is_paid() {
    let chain = Chain::new();
    let (from, to) = (Address::repeat_byte(0x11), Address::repeat_byte(0x22));
    let (price, start) = (U256::from(3), U256::from(10_000_000));
    let asks = |address: Address| balance(address.into_array()) + return_top();
    let mine = chain.contract(1, &asks(from), &[]);
    let coinbase = chain.contract(2, &asks(COINBASE), &[]);
    let theirs = chain.contract(3, &asks(to), &[]);
    let pays = Call {
        from: Some(from),
        value: Some(U256::from(5)),
        gas: Some(50_000),
        gas_price: Some(price),
        ..call(to)
    };
    let mut paying = block(vec![pays.clone(), pays, call(mine), call(coinbase), call(theirs)]);
    paying.state = StateOverridesBuilder::default().with_balance(from, start).build();
    let [block] = &simulate(&chain, vec![paying]).await[..] else { panic!("one block") };
    let fee = U256::from(3 * 21_000);
    assert_eq!(word(block, 2), start - U256::from(10) - fee * U256::from(2));
    assert_eq!(word(block, 3), U256::from(1) + fee * U256::from(2));
    assert_eq!(word(block, 4), U256::from(10));
    let nonces: Vec<u64> =
        block.calls.iter().map(|call| alloy_consensus::Transaction::nonce(&call.transaction)).collect();
    assert_eq!(nonces[..2], [0, 1]);
    assert_eq!(block.header.gas_used, block.calls.iter().map(|call| call.execution.gas_used).sum::<u64>());
    // On chain nothing has changed.
    assert_eq!(chain.emulator.account(to).await.unwrap().balance, U256::ZERO);
}

#[tokio::test]
async fn overrides_last_and_blocks_see_each_other() {
    let chain = Chain::new();
    let counter =
        chain.contract(1, &(count(1) + add(sload(1), sload(300)) + return_top()), &[(1, 5), (300, 70)]);
    let clock = chain.contract(
        2,
        &(add(Code::new().op(op::NUMBER), Code::new().op(op::TIMESTAMP)) + return_top()),
        &[],
    );
    let last = chain.contract(3, &(blockhash(PARENT + 2) + return_top()), &[]);
    let key = B256::from(U256::from(1));
    let slot = |value: u64| [(key, B256::from(U256::from(value)))].into_iter().collect();
    let change = |change: AccountOverride| [(counter, change)].into_iter().collect::<StateOverride>();
    let with = |state: StateOverride, calls: Vec<Call>| PlannedBlock { state, ..block(calls) };
    let whole = change(AccountOverride { state: Some(slot(20)), ..AccountOverride::default() });
    let single = change(AccountOverride { state_diff: Some(slot(40)), ..AccountOverride::default() });
    let mut gap = block(vec![call(counter)]);
    gap.block.number = Some(U256::from(PARENT + 6));
    let blocks = simulate(
        &chain,
        vec![
            block(vec![call(counter), call(counter), call(clock)]),
            with(single.clone(), vec![call(counter)]),
            with(whole, vec![call(counter), call(last)]),
            with(single, vec![call(counter)]),
            gap,
        ],
    )
    .await;
    assert_eq!((word(&blocks[0], 0), word(&blocks[0], 1)), (U256::from(76), U256::from(77)));
    assert_eq!(word(&blocks[0], 2), U256::from(PARENT + 1 + 5_012));
    assert_eq!(word(&blocks[1], 0), U256::from(111));
    assert_eq!(word(&blocks[2], 0), U256::from(21), "the other slot is not there any more");
    assert_eq!(word(&blocks[2], 1), U256::from_be_bytes(blocks[1].hash.0));
    assert_eq!(word(&blocks[3], 0), U256::from(41));
    assert_eq!((blocks.len(), word(&blocks[5], 0)), (6, U256::from(42)));
    for pair in blocks.windows(2) {
        assert_eq!(pair[1].header.parent_hash, pair[0].hash);
        assert_eq!(pair[1].header.number, pair[0].header.number + 1);
    }
}

#[tokio::test]
async fn transfers_are_logs_on_demand() {
    let chain = Chain::new();
    let from = Address::repeat_byte(0x11);
    let (inner, nobody) = (Address::repeat_byte(2), Address::repeat_byte(0x99));
    let outer = chain.contract(1, &(log0(0, 0) + pay(inner, 4) + pay(nobody, 3)), &[]);
    chain.contract(2, &(pay(nobody, 2) + push(0) + push(0) + op::REVERT), &[]);
    chain.balance(from, 0, U256::from(9));
    let pays = Call { from: Some(from), value: Some(U256::from(9)), ..call(outer) };
    let asked = simulation(vec![block(vec![pays])]);
    let traced = Simulation { traces_transfers: true, ..asked.clone() };
    let simulated = chain.emulator.simulate(traced).await.unwrap();
    let shown = &simulated[0].calls[0];
    let transfers = Address::repeat_byte(0xee);
    let addresses: Vec<Address> = shown.logs.iter().map(|log| log.address).collect();
    assert_eq!(addresses, [transfers, outer, transfers]);
    assert_eq!(shown.logs[2].data.topics()[1..], [outer.into_word(), nobody.into_word()]);
    assert_eq!(shown.execution.logs.len(), 1, "receipts do not have them");
    let plain = chain.emulator.simulate(asked).await.unwrap();
    assert_eq!((plain[0].calls[0].logs.len(), plain[0].hash), (1, simulated[0].hash));
}

#[tokio::test]
async fn what_cannot_be_in_a_block_is_refused() {
    let chain = Chain::new();
    let wallet = Wallet::rich(&chain);
    let contract = chain.contract(1, &push(1), &[]);
    let strict = |call: Call| Simulation { validates: true, ..simulation(vec![block(vec![call])]) };
    let price = Some(U256::from(BASE_FEE));
    let from = |address| Call { from: Some(address), gas_price: price, gas: Some(GAS), ..call(contract) };
    let mine = from(wallet.address());
    for (call, text) in [
        (Call { nonce: Some(1), ..mine.clone() }, "nonce too high"),
        (Call { gas_price: None, ..mine.clone() }, "max fee per gas less than block base fee"),
        (from(contract), "nonce too high"),
        (Call { gas: Some(20_000), ..mine.clone() }, "intrinsic gas too low: have 20000, want 21000"),
        (Call { gas: Some(BLOCK_GAS_LIMIT + 1), ..mine.clone() }, "block gas limit reached"),
        (from(Address::repeat_byte(0x77)), "insufficient funds"),
    ] {
        let call = if call.from == Some(contract) { Call { nonce: Some(9), ..call } } else { call };
        let told = refused(&chain, strict(call)).await;
        assert!(told.contains(text), "{told}");
    }
    let told = refused(&chain, strict(from(contract))).await;
    assert!(told.contains("sender not an eoa"), "{told}");
    assert_eq!(
        simulate(&chain, vec![block(vec![Call { gas_price: None, ..from(contract) }])]).await.len(),
        1
    );
    let mut dear = block(vec![]);
    dear.block.base_fee = Some(U256::from(1) << 64);
    let told = refused(&chain, simulation(vec![dear])).await;
    assert!(told.contains("the block override 'baseFee' is 18446744073709551616"), "{told}");
    let mut replaces = block(vec![]);
    replaces.state = StateOverridesBuilder::default().with_code(Address::with_last_byte(1), [1]).build();
    let error = chain.emulator.simulate(simulation(vec![replaces])).await.unwrap_err();
    assert!(matches!(error, SimulationError::Precompile { .. }), "{error}");
}

#[tokio::test]
async fn all_calls_together_have_as_much_gas_as_one() {
    let chain = Chain::new();
    let burns = chain.contract(1, &Code::new().op(op::INVALID), &[]);
    let all = Call { gas: Some(40_000_000), ..call(burns) };
    let blocks = simulate(&chain, vec![block(vec![all.clone(), all.clone()])]).await;
    let used: Vec<u64> = blocks[0].calls.iter().map(|call| call.execution.gas_used).collect();
    assert_eq!(used, [40_000_000, 10_000_000]);
    let told =
        refused(&chain, simulation(vec![block(vec![all.clone()]), block(vec![all.clone(), all])])).await;
    assert!(told.contains("have 0, want 21000"), "{told}");
}
