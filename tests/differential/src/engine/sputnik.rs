//! SputnikVM (the `evm` crate), which knows the rules up to Cancun.

use super::precompiles;
use crate::case::{Account, CHAIN_ID, Case, Rules};
use crate::outcome::{Done, Log, Outcome, Status};
use alloy_primitives::{Address, B256, U256, keccak256};
use evm::GasMutState as _;
use evm::backend::{
    InMemoryAccount, InMemoryBackend, InMemoryEnvironment, OverlayedBackend, OverlayedChangeSet,
};
use evm::interpreter::etable::{Chained, Single};
use evm::interpreter::eval::{eval_call_create_trap, eval_codecopy};
use evm::interpreter::runtime::{RuntimeBackend, RuntimeEnvironment, TouchKind};
use evm::interpreter::trap::CallCreateTrap;
use evm::interpreter::{Control, ExitError, ExitException, ExitResult, ExitSucceed, Machine, Opcode};
use evm::standard::{
    Config, DispatchEtable, EtableResolver, Invoker, PrecompileSet, State, TransactArgs,
    TransactArgsCallCreate, TransactGasPrice, TransactValueCallCreate,
};
use evm::uint::{H160, H256, U256 as Word};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Why SputnikVM does not run a case.
fn unsupported(case: &Case, ours: &Outcome) -> Option<&'static str> {
    if case.rules != Rules::Cancun {
        return Some("SputnikVM has no later rules than Cancun's");
    }
    if !matches!(ours, Outcome::Done(_)) {
        return Some("SputnikVM leaves validation to its caller, and the transaction is invalid");
    }
    None
}

/// CODECOPY. SputnikVM's does not count memory in MSIZE that it fills with the zeros behind the code.
fn codecopy<'c, H: RuntimeBackend + RuntimeEnvironment>(
    machine: &mut Machine<State<'c>>,
    backend: &mut H,
    position: usize,
) -> Control<CallCreateTrap> {
    if let (Ok(offset), Ok(length)) = (machine.stack.peek(0), machine.stack.peek(2)) {
        // Its own CODECOPY finds out what does not fit.
        let _ = machine.memory.resize_offset(offset, length);
    }
    eval_codecopy(machine, backend, position)
}

/// CREATE2. SputnikVM's makes what is in front of init code part of memory even if the init code is empty.
fn create2<H>(machine: &mut Machine<State<'_>>, handle: &mut H, position: usize) -> Control<CallCreateTrap> {
    if machine.stack.peek(2) == Ok(Word::zero()) {
        // Its own CREATE2 finds out whether there is one.
        let _ = machine.stack.set(1, Word::zero());
    }
    eval_call_create_trap(machine, handle, position)
}

/// Runs a case that our executor took for valid.
pub(crate) fn run(case: &Case, ours: &Outcome) -> Outcome {
    if let Some(reason) = unsupported(case, ours) {
        return Outcome::Unsupported(reason);
    }
    let config = Config::cancun();
    let mut backend = OverlayedBackend::new(backend(case), &config.runtime);
    let gas_etable = Single::new(evm::standard::eval_gasometer);
    let mut execution = DispatchEtable::runtime();
    execution[usize::from(Opcode::CODECOPY.0)] = codecopy;
    execution[usize::from(Opcode::CREATE2.0)] = create2;
    let etable = Chained(gas_etable, execution);
    let resolver = EtableResolver::new(&Set, &etable);
    let invoker = Invoker::new(&resolver);
    let result = evm::transact(arguments(case, &config), Some(8), &mut backend, &invoker);
    if let Err(ExitError::Fatal(_)) = &result {
        return Outcome::Unsupported(
            "SputnikVM gives up a whole transaction for a size above 64 bits in a nested frame",
        );
    }
    let (before, changes) = backend.deconstruct();
    let logs = changes.logs.iter().map(|log| Log {
        address: to_address(log.address),
        topics: log.topics.iter().map(|topic| B256::from(topic.0)).collect(),
        data: log.data.clone().into(),
    });
    let logs = logs.collect();
    let accounts = accounts(before, &changes);
    let price = case.transaction.effective_gas_price(case.block.base_fee).unwrap_or(1);
    let done = match result {
        Ok(value) => {
            let output = match value.call_create {
                TransactValueCallCreate::Call { retval, .. } => retval.into(),
                TransactValueCallCreate::Create { .. } => alloy_primitives::Bytes::new(),
            };
            let gas_used = value.used_gas.low_u64();
            Done { status: Status::Success, exit: None, gas_used, output: Some(output), logs, accounts }
        }
        Err(error) => {
            let status = if error == ExitError::Reverted { Status::Revert } else { Status::Halt };
            // Of a failure it does not tell the gas: the sender has paid for it, and for nothing else.
            let balance = |accounts: &BTreeMap<Address, Account>| {
                accounts.get(&case.transaction.sender).map_or(U256::ZERO, |account| account.balance)
            };
            let paid = balance(&case.accounts).saturating_sub(balance(&accounts));
            let gas_used = (paid / U256::from(price)).saturating_to();
            Done { status, exit: None, gas_used, output: None, logs, accounts }
        }
    };
    Outcome::Done(Box::new(done))
}

fn arguments<'c>(case: &Case, config: &'c Config) -> TransactArgs<'c> {
    let transaction = &case.transaction;
    let data = transaction.data.to_vec();
    let access_list = if transaction.kind == 0 { &[][..] } else { &transaction.access_list };
    let access_list = access_list
        .iter()
        .map(|(address, keys)| (to_h160(address), keys.iter().map(|key| H256(key.0)).collect()));
    let price = Word::from(transaction.gas_price);
    TransactArgs {
        call_create: match &transaction.to {
            Some(to) => TransactArgsCallCreate::Call { address: to_h160(to), data },
            None => TransactArgsCallCreate::Create { init_code: data, salt: None },
        },
        caller: to_h160(&transaction.sender),
        value: to_word(transaction.value),
        gas_limit: transaction.gas_limit.into(),
        gas_price: match transaction.kind {
            0 | 1 => TransactGasPrice::Legacy(price),
            _ => TransactGasPrice::FeeMarket { max_priority: transaction.priority_fee.into(), max: price },
        },
        access_list: access_list.collect(),
        config,
    }
}

fn backend(case: &Case) -> InMemoryBackend {
    let number = case.block.number;
    let state = case.accounts.iter().map(|(address, account)| {
        let storage = account.storage.iter();
        let account = InMemoryAccount {
            balance: to_word(account.balance),
            code: account.code.to_vec(),
            nonce: account.nonce.into(),
            storage: storage.map(|(key, value)| (to_h256(*key), to_h256(*value))).collect(),
            transient_storage: BTreeMap::new(),
        };
        (to_h160(address), account)
    });
    InMemoryBackend {
        environment: InMemoryEnvironment {
            block_hashes: block_hashes(number),
            block_number: number.into(),
            block_coinbase: to_h160(&case.block.coinbase),
            block_timestamp: case.block.timestamp.into(),
            block_difficulty: Word::zero(),
            block_randomness: Some(H256(case.block.prevrandao.0)),
            block_gas_limit: case.block.gas_limit.into(),
            block_base_fee_per_gas: case.block.base_fee.into(),
            blob_base_fee_per_gas: Word::one(),
            blob_versioned_hashes: Vec::new(),
            chain_id: CHAIN_ID.into(),
        },
        state: state.collect(),
    }
}

/// The hashes of the last 256 blocks: that of the number in decimal.
fn block_hashes(number: u64) -> BTreeMap<Word, H256> {
    thread_local! {
        /// By the number of the block: cases have few different ones.
        static KNOWN: RefCell<BTreeMap<u64, BTreeMap<Word, H256>>> = RefCell::default();
    }
    let hash = |number: u64| (Word::from(number), H256(keccak256(number.to_string()).0));
    let make = || (number.saturating_sub(256)..number).map(hash).collect();
    KNOWN.with_borrow_mut(|known| known.entry(number).or_insert_with(make).clone())
}

/// The accounts afterwards.
fn accounts(mut backend: InMemoryBackend, changes: &OverlayedChangeSet) -> BTreeMap<Address, Account> {
    backend.apply_overlayed(changes);
    let accounts = backend.state.into_iter().map(|(address, account)| {
        let storage = account.storage.iter();
        let account = Account {
            nonce: account.nonce.low_u64(),
            balance: U256::from_limbs(account.balance.0),
            code: account.code.into(),
            storage: storage
                .map(|(key, value)| (U256::from_be_bytes(key.0), U256::from_be_bytes(value.0)))
                .filter(|(_, value)| !value.is_zero())
                .collect(),
        };
        (to_address(address), account)
    });
    accounts.filter(|(_, account)| !account.is_empty()).collect()
}

/// The precompiles that all engines have, by revm's implementations.
struct Set;

impl<H: RuntimeBackend> PrecompileSet<State<'_>, H> for Set {
    fn execute(
        &self,
        code_address: H160,
        input: &[u8],
        state: &mut State<'_>,
        _: &mut H,
    ) -> Option<(ExitResult, Vec<u8>)> {
        let precompile = precompiles::set(Rules::Cancun).get(&to_address(code_address))?;
        let gas = evm::interpreter::runtime::GasState::gas(state).low_u64();
        let failed = |exception: ExitException| Some((exception.into(), Vec::new()));
        let Ok(output) = precompile.execute(input, gas, 0) else {
            return failed(ExitException::Other("precompile".into()));
        };
        if !output.status.is_success() || state.record_gas(output.gas_used.into()).is_err() {
            return failed(ExitException::OutOfGas);
        }
        Some((ExitSucceed::Returned.into(), output.bytes.to_vec()))
    }

    fn on_transaction(&self, _: &mut State<'_>, handler: &mut H) {
        for address in precompiles::set(Rules::Cancun).addresses() {
            handler.mark_hot(to_h160(address), TouchKind::Access);
        }
    }
}

fn to_word(value: U256) -> Word {
    Word(value.into_limbs())
}

fn to_h256(value: U256) -> H256 {
    H256(value.to_be_bytes())
}

fn to_h160(address: &Address) -> H160 {
    H160(address.0.0)
}

fn to_address(address: H160) -> Address {
    Address::from(address.0)
}
