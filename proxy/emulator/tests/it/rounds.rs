//! The loop around a run: what it asks the cluster for, and when it stops asking.

use crate::cluster::{Chain, SLOT, slot_hash};
use alloy_primitives::{Address, U256};
use parhelion_assembler::{Code, add, blockhash, push, return_top, shl, sload};
use parhelion_core::cluster::ClusterError;
use parhelion_core::emulator::{Call, Emulator, EmulatorError};
use parhelion_evm::opcode as op;
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Balance, Layout};
use parhelion_wire::address::AccountKey;

/// A call without anything.
pub(crate) fn call(to: Address) -> Call {
    Call { to: Some(to), ..Call::default() }
}

#[tokio::test]
async fn a_run_fetches_what_it_misses_and_a_second_one_all_at_once() {
    let chain = Chain::new();
    let two_cells = add(sload(1), sload(256)) + return_top();
    let contract = chain.contract(1, &two_cells, &[(1, 30), (256, 12)]);
    // What every such call needs; the code, and its translation, if there is one; a Cell; another Cell.
    let execution = chain.emulator.call(&call(contract)).await.unwrap();
    assert_eq!(U256::from_be_slice(&execution.output), U256::from(42));
    let reads = chain.reads();
    assert_eq!(reads.iter().map(Vec::len).collect::<Vec<_>>(), [5, 7, 8, 9]);
    for (before, after) in reads.iter().zip(&reads[1..]) {
        assert!(before.iter().all(|address| after.contains(address)), "one run sees one state");
    }
    chain.emulator.call(&call(contract)).await.unwrap();
    assert_eq!(chain.reads().iter().map(Vec::len).collect::<Vec<_>>(), [9], "remembered");
    // A function that was not called before begins anew.
    let other = Call { data: [1, 2, 3, 4].into(), ..call(contract) };
    chain.emulator.call(&other).await.unwrap();
    assert_eq!(chain.reads().len(), 4);
}

#[tokio::test]
async fn what_is_remembered_may_be_wrong() {
    let chain = Chain::new();
    // Reads the Cell of the key in the call data.
    let code = sload(shl(8, push(0) + op::CALLDATALOAD)) + return_top();
    let contract = chain.contract(1, &code, &[(0x100, 1), (0x200, 2)]);
    for key in [1u64, 2, 3] {
        let data = U256::from(key).to_be_bytes::<32>().into();
        let execution = chain.emulator.call(&Call { data, ..call(contract) }).await.unwrap();
        assert_eq!(U256::from_be_slice(&execution.output), U256::from(key % 3));
    }
}

/// Reads as many Cells as the call data says.
fn reader() -> Code {
    // n, JUMPDEST at 2: decrement, SLOAD(n << 8), loop while n.
    let code = push(0) + op::CALLDATALOAD + op::JUMPDEST + push(1) + op::SWAP1 + op::SUB;
    let load = Code::new().op(op::DUP1) + push(8) + op::SHL + op::SLOAD + op::POP;
    code + load + op::DUP1 + push(2) + op::JUMPI
}

#[tokio::test]
async fn a_run_that_keeps_asking_is_stopped() {
    let chain = Chain::new();
    let contract = chain.contract(1, &reader(), &[]);
    let with = |cells: u64| Call { data: U256::from(cells).to_be_bytes::<32>().into(), ..call(contract) };
    // One round for the first accounts, one for the code, one for each Cell: 400 in all.
    assert!(chain.emulator.call(&with(398)).await.is_ok());
    let fresh = Chain::new();
    fresh.contract(1, &reader(), &[]);
    let result = fresh.emulator.call(&with(10_000)).await;
    assert!(matches!(result, Err(EmulatorError::TooManyAccounts)), "{result:?}");
    // A round reads all it knows of, 99 accounts at a time.
    let rounds = fresh.reads().iter().filter(|read| read.len() < 99).count();
    assert!((396..=400).contains(&rounds), "{rounds}");
}

#[tokio::test]
async fn slot_hashes_are_read_when_they_are_asked_for() {
    let chain = Chain::new();
    let plain = chain.contract(1, &(push(1) + op::NUMBER + return_top()), &[]);
    let random = chain.contract(2, &(Code::new() + op::PREVRANDAO + return_top()), &[]);
    let hash = chain.contract(3, &(blockhash(push(0) + op::CALLDATALOAD) + return_top()), &[]);
    let run = async |to, number: u64| {
        let call = Call { data: U256::from(number).to_be_bytes::<32>().into(), ..call(to) };
        let output = chain.emulator.call(&call).await.unwrap().output;
        (<[u8; 32]>::try_from(&output[..]).unwrap(), chain.slot_hash_reads())
    };
    assert_eq!(run(plain, 0).await, (U256::from(SLOT).to_be_bytes(), 0));
    assert_eq!(run(random, 0).await, (slot_hash(SLOT - 1), 1));
    for (number, value, reads) in [
        (SLOT - 1, slot_hash(SLOT - 1), 1),
        (SLOT - 100, slot_hash(SLOT - 100), 1),
        (SLOT - 101, [0; 32], 1), // older than the sysvar
        (990, [0; 32], 1),        // skipped
        (SLOT, [0; 32], 0),       // the EVM itself knows
        (SLOT - 257, [0; 32], 0),
    ] {
        assert_eq!(run(hash, number).await, (value, reads), "{number}");
    }
}

#[tokio::test]
async fn what_the_cluster_says_is_passed_on() {
    let chain = Chain::new();
    let contract = chain.contract(1, &Code::new().op(op::STOP), &[]);
    *chain.memory.failure.lock().unwrap() = Some(ClusterError::Unreachable("timeout".into()));
    let text = "the Solana cluster does not answer: timeout; check --solana-url and try again";
    assert_eq!(chain.emulator.call(&call(contract)).await.unwrap_err().to_string(), text);
    assert_eq!(chain.emulator.estimate(&call(contract)).await.unwrap_err().to_string(), text);
    assert_eq!(chain.emulator.settings().await.unwrap_err().to_string(), text);
    assert_eq!(chain.emulator.account(contract).await.unwrap_err().to_string(), text);
    *chain.memory.failure.lock().unwrap() = None;
    assert!(chain.emulator.call(&call(contract)).await.is_ok(), "a failure is not remembered");
}

#[tokio::test]
async fn a_chain_without_settings_says_so() {
    let text = "the chain's state cannot be read: there is no Config account: is the program deployed and initialised?";
    let chain = Chain::without_config();
    assert_eq!(chain.emulator.settings().await.unwrap_err().to_string(), text);
    assert_eq!(chain.emulator.call(&call(Address::ZERO)).await.unwrap_err().to_string(), text);
    // An account of somebody else's at its address is none.
    let address = parhelion_core::cluster::Cluster::deployment(&*chain.memory).config;
    chain.put_at(address, [5; 32].into(), vec![1; 100]);
    assert_eq!(chain.emulator.settings().await.unwrap_err().to_string(), text);
}

#[tokio::test]
async fn damaged_accounts_are_told() {
    let chain = Chain::new();
    let address = Address::repeat_byte(9);
    let key = AccountKey::Balance(address.into_array().into());
    let mut newer = vec![0; size_of::<Balance>()];
    Balance::create(&mut newer, 0).unwrap();
    newer[1] = 200;
    for (data, error) in [
        (vec![1], ProgramError::WrongLength),
        (vec![0xaa; size_of::<Balance>()], ProgramError::WrongKind),
        (newer, ProgramError::WrongVersion),
    ] {
        chain.put(&key, data);
        let read = chain.emulator.account(address).await.unwrap_err();
        assert_eq!(read.to_string(), format!("the chain's state cannot be read: {}", error.text()));
        let from = Call { from: Some(address), ..call(address) };
        assert_eq!(crate::cluster::refusal(chain.emulator.call(&from).await).0, error);
    }
}
