//! What contracts' bodies do, by revm: the state that they find, what they return, and how many operations that takes.

use crate::script::{Script, Step, wallet};
use crate::wallet::CHAIN_ID;
use alloy_primitives::{Address, Bytes, TxKind, U256};
use anyhow::{Context as _, bail, ensure};
use parhelion_executor::evm::fork::Fork;
use parhelion_executor::evm::gas::{TransactionShape, intrinsic};
use parhelion_executor::evm::interpreter::Code;
use parhelion_executor::evm::{jump_map, translation};
use parhelion_interpreters::case::{self, Case};
use revm::context::result::ExecutionResult;
use revm::context::{BlockEnv, CfgEnv, Context, TxEnv};
use revm::database::{CacheDB, EmptyDB};
use revm::inspector::Inspector;
use revm::interpreter::Interpreter;
use revm::interpreter::interpreter::EthInterpreter;
use revm::primitives::hardfork::SpecId;
use revm::state::EvmState;
use revm::{DatabaseCommit as _, InspectEvm as _, MainBuilder as _, MainContext as _};
use std::collections::BTreeMap;

/// Gas of every transaction: the most that Osaka allows.
const GAS: u64 = 1 << 24;
/// The first block's time, in seconds since 1970.
const TIME: u64 = 1_800_000_000;
/// Seconds from one transaction to the next.
const BLOCK_TIME: u64 = 12;

/// One transaction's body: what it needs to run in a bare interpreter, and what has to come of it.
#[derive(Clone, Debug)]
pub struct Body {
    /// What it is measured as.
    pub workload: &'static str,
    /// EVM operations that it executes.
    pub operations: u64,
    /// Gas used, the intrinsic gas included and refunds subtracted.
    pub gas_used: u64,
    /// What it returns; nothing for a creation.
    pub output: Bytes,
    step: Step,
    number: u64,
    accounts: Vec<Account>,
}

/// An account before the run.
#[derive(Clone, Debug)]
struct Account {
    address: Address,
    nonce: u64,
    code_length: usize,
    padded: Vec<u8>,
    jump_map: Vec<u8>,
    translation: Vec<u8>,
    storage: Vec<[u8; 64]>,
}

/// Counts operations.
#[derive(Default)]
struct Counter(u64);

impl<C> Inspector<C, EthInterpreter> for Counter {
    fn step(&mut self, _: &mut Interpreter<EthInterpreter>, _: &mut C) {
        self.0 += 1;
    }
}

type Database = CacheDB<EmptyDB>;

/// Runs a script; gives the bodies of the steps that are measured and run code.
///
/// # Errors
/// When a step does not do what it should.
pub fn bodies(script: &Script) -> anyhow::Result<Vec<Body>> {
    let mut database = Database::new(EmptyDB::new());
    for number in script.senders() {
        database.cache.accounts.entry(wallet(number)).or_default().info.balance = U256::from(10u64.pow(18));
    }
    let mut nonces = BTreeMap::new();
    let mut found = Vec::new();
    for (step, number) in script.steps.iter().zip(1..) {
        let nonce = nonces.entry(step.sender).or_default();
        let (result, state, operations) = run(&mut database, step, *nonce, number)?;
        *nonce += 1;
        let ExecutionResult::Success { output, .. } = &result else {
            bail!("{:?}: {result:?}", step.workload);
        };
        let output = if step.to.is_some() { output.data().clone() } else { Bytes::new() };
        if let (Some(workload), true) = (step.workload, operations > 0) {
            let accounts = accounts(&database, &state)?;
            let gas_used = result.tx_gas_used();
            let step = step.clone();
            found.push(Body { workload, operations, gas_used, output, step, number, accounts });
        }
        database.commit(state);
    }
    Ok(found)
}

/// Runs a transaction; gives the state that it touched, and its operations.
fn run(
    database: &mut Database,
    step: &Step,
    nonce: u64,
    number: u64,
) -> anyhow::Result<(ExecutionResult, EvmState, u64)> {
    let mut config = CfgEnv::new_with_spec(SpecId::OSAKA);
    config.chain_id = CHAIN_ID;
    let mut block = BlockEnv {
        number: U256::from(number),
        timestamp: U256::from(time(number)),
        gas_limit: GAS,
        ..BlockEnv::default()
    };
    block.set_blob_excess_gas_and_price(0, 5_007_716);
    let transaction = TxEnv {
        caller: wallet(step.sender),
        gas_limit: GAS,
        kind: step.to.map_or(TxKind::Create, TxKind::Call),
        value: step.value,
        data: step.input.clone(),
        nonce,
        chain_id: Some(CHAIN_ID),
        ..TxEnv::default()
    };
    let context = Context::mainnet().with_db(&mut *database).with_cfg(config).with_block(block);
    let mut machine = context.build_mainnet_with_inspector(Counter::default());
    let ended = machine.inspect_tx(transaction).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    Ok((ended.result, ended.state, machine.inspector.0))
}

/// The accounts and keys of `state`, as they were before.
fn accounts(database: &Database, state: &EvmState) -> anyhow::Result<Vec<Account>> {
    let mut accounts = Vec::new();
    for (address, touched) in state {
        let Some(before) = database.cache.accounts.get(address) else { continue };
        let code = before.info.code.as_ref().map(|code| code.original_bytes()).unwrap_or_default();
        let mut account = Account::new(*address, before.info.nonce, &code)?;
        for key in touched.storage.keys() {
            let value = before.storage.get(key).copied().unwrap_or_default();
            let mut slot = [0; 64];
            slot[..32].copy_from_slice(&key.to_be_bytes::<32>());
            slot[32..].copy_from_slice(&value.to_be_bytes::<32>());
            account.storage.push(slot);
        }
        account.storage.sort_unstable();
        accounts.push(account);
    }
    accounts.sort_unstable_by_key(|account| account.address);
    Ok(accounts)
}

impl Account {
    fn new(address: Address, nonce: u64, code: &[u8]) -> anyhow::Result<Self> {
        let mut account = Self {
            address,
            nonce,
            code_length: code.len(),
            padded: Vec::new(),
            jump_map: vec![0; jump_map::length(code.len())],
            translation: Vec::new(),
            storage: Vec::new(),
        };
        if !code.is_empty() {
            account.padded = [code, &[0; Code::PADDING]].concat();
            jump_map::fill(&mut account.jump_map, code);
            let translated = translation::translate(code, &account.jump_map);
            account.translation = translated.context("the translation of a code is too long")?;
        }
        Ok(account)
    }

    fn as_case(&self) -> case::Account<'_> {
        case::Account {
            address: self.address.into_array(),
            nonce: self.nonce,
            code_length: self.code_length as u32,
            padded: &self.padded,
            jump_map: &self.jump_map,
            translation: &self.translation,
            storage: &self.storage,
        }
    }
}

impl Body {
    /// Whether it is a contract's creation, whose init code runs as it is.
    #[must_use]
    pub const fn is_creation(&self) -> bool {
        self.step.to.is_none()
    }

    /// As the program of the interpreters reads it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let shape = TransactionShape {
            data: &self.step.input,
            creates: self.is_creation(),
            ..TransactionShape::default()
        };
        let case = Case {
            caller: wallet(self.step.sender).into_array(),
            to: self.step.to.map(Address::into_array),
            gas_limit: GAS,
            intrinsic_gas: intrinsic(&shape, Fork::Osaka).initial,
            chain_id: CHAIN_ID,
            number: self.number,
            timestamp: time(self.number),
            input: &self.step.input,
            accounts: self.accounts.iter().map(Account::as_case).collect(),
        };
        case.encode()
    }

    /// Compares what came of it elsewhere.
    ///
    /// # Errors
    /// When that is something else.
    pub fn check(&self, measured: &case::Measured) -> anyhow::Result<()> {
        ensure!(measured.is_success, "it failed");
        ensure!(self.is_creation() || measured.output == self.output, "the output differs");
        let (gas, expected) = (measured.gas_used, self.gas_used);
        ensure!(gas == expected, "it used {gas} gas, and {expected} by revm");
        Ok(())
    }
}

/// The time of a block.
const fn time(number: u64) -> u64 {
    TIME + number * BLOCK_TIME
}
