//! revm, with the mainnet's rules.

use super::ours::Prepared;
use super::precompiles;
use crate::case::{Account, Authorization, CHAIN_ID, Case, Rules};
use crate::keys;
use crate::outcome::{Done, Log, Outcome, Status};
use crate::steps::{Step, Steps, Way, digest};
use alloy_primitives::{B256, Bytes, TxKind, U256};
use revm::bytecode::Bytecode;
use revm::context::either::Either;
use revm::context::result::{EVMError, ExecutionResult};
use revm::context::transaction::{
    AccessList, AccessListItem, Authorization as SetCode, RecoveredAuthority, RecoveredAuthorization,
};
use revm::context::{BlockEnv, CfgEnv, Context, ContextTr, CreateScheme, TxEnv};
use revm::database::{CacheDB, EmptyDB};
use revm::handler::{EthPrecompiles, MainnetContext, MainnetEvm};
use revm::inspector::NoOpInspector;
use revm::interpreter::interpreter_types::{Jumps as _, ReturnData as _};
use revm::interpreter::{
    CallInputs, CallOutcome, CallScheme, CreateInputs, CreateOutcome, Interpreter, InterpreterResult,
};
use revm::primitives::hardfork::SpecId;
use revm::state::{AccountInfo, EvmState};
use revm::{ExecuteEvm as _, InspectEvm as _, Inspector, MainBuilder as _, MainContext as _};
use std::collections::BTreeMap;

/// Runs a case; what was prepared for our executor has the code hashes.
pub(crate) fn run(case: &Case, prepared: &Prepared) -> Outcome {
    let mut machine = machine(case, prepared, NoOpInspector);
    match machine.transact(transaction(case)) {
        Ok(ended) => Outcome::Done(Box::new(done(case, ended.result, &ended.state))),
        Err(EVMError::Transaction(reason)) => Outcome::Rejected(format!("{reason}")),
        Err(error) => Outcome::Rejected(format!("revm failed: {error}")),
    }
}

/// What an inspector is told of a case's run.
pub(crate) fn steps(case: &Case, prepared: &Prepared) -> Steps {
    let mut machine = machine(case, prepared, Watch::default());
    // What it comes to is compared elsewhere.
    let _ = machine.inspect_one_tx(transaction(case));
    machine.into_inspector().steps
}

type World = MainnetContext<CacheDB<EmptyDB>>;

fn machine<I>(case: &Case, prepared: &Prepared, inspector: I) -> MainnetEvm<World, I> {
    let spec = match case.rules {
        Rules::Cancun => SpecId::CANCUN,
        Rules::Prague => SpecId::PRAGUE,
        Rules::Osaka => SpecId::OSAKA,
    };
    let mut config = CfgEnv::new_with_spec(spec);
    config.chain_id = CHAIN_ID;
    let context =
        Context::mainnet().with_db(database(case, prepared)).with_cfg(config).with_block(block(case));
    let mut machine = context.build_mainnet_with_inspector(inspector);
    machine.precompiles = EthPrecompiles { precompiles: precompiles::set(case.rules), spec };
    machine
}

/// Keeps what revm tells.
#[derive(Default)]
struct Watch {
    steps: Steps,
    /// What the frames outside of the running one have in their refund counters, each with those outside of it.
    outer_refunds: Vec<i64>,
    /// The same with the running frame's.
    refund: i64,
}

impl Watch {
    fn begin(&mut self, step: impl FnOnce() -> Step) {
        self.outer_refunds.push(self.refund);
        if !self.steps.is_full() {
            self.steps.push(step());
        }
    }

    /// The end of a call or creation, whether it did anything or was refused.
    fn end(&mut self, result: &InterpreterResult, is_refused: bool) {
        self.outer_refunds.pop();
        let status = match result.result {
            ended if ended.is_halt() => Status::Halt,
            ended if ended.is_revert() || is_refused => Status::Revert,
            _ => Status::Success,
        };
        self.steps.end(status, result.gas.remaining(), &result.output);
    }
}

impl<C: ContextTr> Inspector<C> for Watch {
    fn step(&mut self, interpreter: &mut Interpreter, _: &mut C) {
        if self.steps.is_full() {
            return;
        }
        self.refund = self.outer_refunds.last().copied().unwrap_or_default() + interpreter.gas.refunded();
        self.steps.push(Step::Opcode {
            depth: self.outer_refunds.len(),
            pc: interpreter.bytecode.pc(),
            opcode: interpreter.bytecode.opcode(),
            gas: interpreter.gas.remaining(),
            refund: self.refund,
            stack: digest(&interpreter.stack.data().iter().map(U256::as_limbs).collect::<Vec<_>>()),
            memory: digest(&*interpreter.memory.context_memory()),
            return_data: digest(&**interpreter.return_data.buffer()),
        });
    }

    fn call(&mut self, context: &mut C, inputs: &mut CallInputs) -> Option<CallOutcome> {
        let way = match inputs.scheme {
            CallScheme::Call => Way::Call,
            CallScheme::CallCode => Way::CallCode,
            CallScheme::DelegateCall => Way::DelegateCall,
            CallScheme::StaticCall => Way::StaticCall,
        };
        self.begin(|| Step::Begin {
            way,
            caller: inputs.caller,
            callee: Some((inputs.target_address, inputs.bytecode_address)),
            value: inputs.value.get(),
            gas: inputs.gas_limit,
            input: digest(&*inputs.input.as_bytes(context)),
        });
        None
    }

    fn call_end(&mut self, _: &mut C, _: &CallInputs, outcome: &mut CallOutcome) {
        self.end(&outcome.result, false);
    }

    fn create(&mut self, _: &mut C, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        let way =
            if matches!(inputs.scheme(), CreateScheme::Create2 { .. }) { Way::Create2 } else { Way::Create };
        self.begin(|| Step::Begin {
            way,
            caller: inputs.caller(),
            callee: None,
            value: inputs.value(),
            gas: inputs.gas_limit(),
            input: digest(&**inputs.init_code()),
        });
        None
    }

    fn create_end(&mut self, _: &mut C, _: &CreateInputs, outcome: &mut CreateOutcome) {
        // revm calls a creation that is refused for its creator's nonce (EIP-2681) a success without an address.
        self.end(&outcome.result, outcome.address.is_none());
    }
}

fn database(case: &Case, prepared: &Prepared) -> CacheDB<EmptyDB> {
    // EmptyDB's block hashes are those of the state tests: the hash of the number in decimal.
    let mut database = CacheDB::new(EmptyDB::new());
    for (address, account) in &case.accounts {
        let code = Bytecode::new_raw(account.code.clone());
        let hash = prepared.code_hash(address).unwrap_or_else(|| code.hash_slow());
        let info = AccountInfo::new(account.balance, account.nonce, hash, code);
        database.insert_account_info(*address, info);
        for (key, value) in &account.storage {
            // An EmptyDB has no errors.
            let _ = database.insert_account_storage(*address, *key, *value);
        }
    }
    database
}

fn block(case: &Case) -> BlockEnv {
    let mut block = BlockEnv {
        number: U256::from(case.block.number),
        beneficiary: case.block.coinbase,
        timestamp: U256::from(case.block.timestamp),
        gas_limit: case.block.gas_limit,
        basefee: case.block.base_fee,
        prevrandao: Some(case.block.prevrandao),
        ..BlockEnv::default()
    };
    // No excess: a blob base fee of 1.
    block.set_blob_excess_gas_and_price(0, 5_007_716);
    block
}

fn transaction(case: &Case) -> TxEnv {
    let transaction = &case.transaction;
    let items = transaction.access_list.iter();
    let items = items.map(|(address, keys)| AccessListItem { address: *address, storage_keys: keys.clone() });
    let authorization_list = if transaction.kind == 4 {
        transaction.authorizations.iter().map(|item| Either::Right(recovered(item))).collect()
    } else {
        Vec::new()
    };
    TxEnv {
        tx_type: transaction.kind,
        caller: transaction.sender,
        gas_limit: transaction.gas_limit,
        gas_price: u128::from(transaction.gas_price),
        kind: transaction.to.map_or(TxKind::Create, TxKind::Call),
        value: transaction.value,
        data: transaction.data.clone(),
        nonce: transaction.nonce,
        chain_id: Some(CHAIN_ID),
        access_list: if transaction.kind == 0 { AccessList::default() } else { AccessList(items.collect()) },
        gas_priority_fee: (transaction.kind >= 2).then(|| u128::from(transaction.priority_fee)),
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list,
    }
}

/// Signatures are a matter of ours: revm is told who signed.
fn recovered(item: &Authorization) -> RecoveredAuthorization {
    let inner = SetCode { chain_id: U256::from(item.chain_id), address: item.address, nonce: item.nonce };
    RecoveredAuthorization::new_unchecked(inner, RecoveredAuthority::Valid(keys::address(item.key)))
}

fn done(case: &Case, result: ExecutionResult, state: &EvmState) -> Done {
    let gas_used = result.tx_gas_used();
    let (status, logs, output) = match result {
        ExecutionResult::Success { logs, output, .. } => {
            let output = if case.transaction.to.is_none() { Bytes::new() } else { output.into_data() };
            (Status::Success, logs, output)
        }
        ExecutionResult::Revert { output, logs, .. } => (Status::Revert, logs, output),
        ExecutionResult::Halt { logs, .. } => (Status::Halt, logs, Bytes::new()),
    };
    let logs = logs.into_iter().map(|log| Log {
        address: log.address,
        topics: log.data.topics().to_vec(),
        data: log.data.data.clone(),
    });
    Done {
        status,
        exit: None,
        gas_used,
        output: Some(output),
        logs: logs.collect(),
        accounts: accounts(case, state),
    }
}

/// The accounts afterwards.
fn accounts(case: &Case, state: &EvmState) -> BTreeMap<alloy_primitives::Address, Account> {
    let mut accounts = case.accounts.clone();
    for (address, changed) in state {
        if !changed.is_touched() {
            continue;
        }
        if changed.is_selfdestructed() {
            accounts.remove(address);
            continue;
        }
        let account = accounts.entry(*address).or_default();
        account.nonce = changed.info.nonce;
        account.balance = changed.info.balance;
        if changed.info.code_hash == B256::ZERO || changed.info.is_empty_code_hash() {
            account.code = Bytes::new();
        } else if let Some(code) = &changed.info.code {
            account.code = code.original_bytes();
        }
        if changed.is_created() {
            account.storage.clear();
        }
        for (key, slot) in &changed.storage {
            if slot.present_value.is_zero() {
                account.storage.remove(key);
            } else {
                account.storage.insert(*key, slot.present_value);
            }
        }
    }
    accounts.retain(|_, account| !account.is_empty());
    accounts
}
