//! State tests: a pre-state, a transaction, and the root of the state that it leaves.

use crate::sender::recover;
use crate::skip::Rule;
use crate::suite::{Sink, Verdict};
use crate::vm::{self, Outcome, Run, Vm};
use crate::witness::Witness;
use crate::{Arguments, reason, root};
use alloy_eips::eip4844::fake_exponential;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use anyhow::{Context as _, Result, anyhow};
use parhelion_conformance::ledger::{self, Accounts, Memory, State, Translations};
use parhelion_emulator::Native;
use parhelion_executor::evm::fork::Fork;
use parhelion_executor::evm::machine::Machine;
use parhelion_executor::evm::{self, H160, gas, machine};
use parhelion_executor::observe::Observation;
use parhelion_executor::steps::{self, Held, Step};
use parhelion_executor::{BlockValues, Limits, Options, Report, Watched};
use parhelion_wire::ProgramError;
use parhelion_wire::address::AccountKey;
use parhelion_wire::event::Receipt;
use parhelion_wire::transaction::{Envelope, SignedTransaction};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A file of state tests.
type File = BTreeMap<String, StateTest>;

#[derive(Deserialize)]
struct StateTest {
    env: Env,
    pre: BTreeMap<Address, Account>,
    transaction: TransactionOf,
    post: BTreeMap<String, Vec<Post>>,
    #[serde(default)]
    config: Config,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Env {
    current_coinbase: Address,
    current_gas_limit: U256,
    current_number: U256,
    current_timestamp: U256,
    current_random: B256,
    current_base_fee: U256,
    #[serde(default)]
    current_excess_blob_gas: U256,
}

#[derive(Deserialize)]
struct Account {
    balance: U256,
    nonce: U256,
    code: Bytes,
    storage: BTreeMap<U256, U256>,
}

/// Of the transaction only what its bytes do not say.
#[derive(Deserialize)]
struct TransactionOf {
    sender: Address,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    chainid: Option<U256>,
    blob_schedule: BTreeMap<String, BlobSchedule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlobSchedule {
    base_fee_update_fraction: U256,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Post {
    hash: B256,
    logs: B256,
    indexes: Indexes,
    txbytes: Bytes,
    expect_exception: Option<String>,
    state: Option<BTreeMap<Address, Account>>,
}

#[derive(Deserialize)]
struct Indexes {
    data: usize,
    gas: usize,
    value: usize,
}

/// Runs every case of a file.
pub(crate) fn run(
    bytes: &[u8],
    arguments: &Arguments,
    vm: &mut Option<Vm>,
    sink: &mut Sink<'_>,
) -> Result<()> {
    let file: File = serde_json::from_slice(bytes)?;
    for (name, test) in &file {
        for (fork_name, posts) in &test.post {
            let Some(fork) = fork_of(fork_name) else {
                sink.case("state, other forks", name, || Ok(Verdict::Skipped(Rule::OtherFork)));
                continue;
            };
            let group = format!("state, {fork_name}");
            for post in posts {
                let Indexes { data, gas, value } = post.indexes;
                let name = format!("{name} {fork_name} d{data}g{gas}v{value}");
                let in_sample = is_sampled(&name, arguments.steps_sample);
                for form in Form::ALL.into_iter().filter(|form| in_sample || !form.is_sampled()) {
                    let (group, name) = (format!("{group}{}", form.text()), format!("{name}{}", form.text()));
                    sink.case(&group, &name, || run_case(test, fork_name, fork, post, form));
                    if let (Fork::Osaka, Some(vm)) = (fork, &mut *vm)
                        && !form.is_sampled()
                        && is_sampled(&name, arguments.vm_sample)
                    {
                        let (group, name) = (format!("{group}, in the VM"), format!("{name}, in the VM"));
                        sink.case(&group, &name, || run_in_vm(test, fork_name, post, form, vm));
                    }
                }
            }
        }
    }
    Ok(())
}

/// How stored code runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As it is.
    Plain,
    /// By its translation.
    Translated,
    /// As it is, and the whole transaction in steps.
    Steps,
    /// By its translation, and the whole transaction in steps.
    TranslatedSteps,
    /// As it is, opcode by opcode, and watched.
    Watched,
}

impl Form {
    const ALL: [Self; 5] = [Self::Plain, Self::Translated, Self::Steps, Self::TranslatedSteps, Self::Watched];

    /// Whether a sample of the cases runs so, and only natively.
    const fn is_sampled(self) -> bool {
        !matches!(self, Self::Plain | Self::Translated)
    }

    /// Whether the transaction runs in steps.
    const fn has_steps(self) -> bool {
        matches!(self, Self::Steps | Self::TranslatedSteps)
    }

    /// For the names of cases.
    const fn text(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Translated => ", translated",
            Self::Steps => ", in steps",
            Self::TranslatedSteps => ", translated, in steps",
            Self::Watched => ", watched",
        }
    }

    /// The translations of stored codes, for this form.
    fn translations(self, accounts: &Accounts) -> Result<Translations> {
        match self {
            Self::Plain | Self::Steps | Self::Watched => Ok(Translations::new()),
            Self::Translated | Self::TranslatedSteps => ledger::translate(accounts).map_err(program_error),
        }
    }
}

/// Whether a case is among one in `sample`, by the hash of its name.
pub(crate) fn is_sampled(name: &str, sample: u64) -> bool {
    let hash = keccak256(name);
    let number = u64::from_be_bytes(*hash.first_chunk().unwrap_or(&[0; 8]));
    number.is_multiple_of(sample.max(1))
}

/// Repeats a case in the VM: as natively, with the limits of the chain.
fn run_in_vm(test: &StateTest, fork_name: &str, post: &Post, form: Form, vm: &mut Vm) -> Result<Verdict> {
    let (before, block) = (genesis(test, Fork::Osaka)?, block(test, fork_name, Fork::Osaka)?);
    let Ok(signed) = SignedTransaction::decode(&post.txbytes) else {
        return Ok(Verdict::Skipped(Rule::NotDecoded));
    };
    let payload = signed.payload();
    let sender = H160(test.transaction.sender.0.0);
    let envelope = Envelope { sender, signature: signed.signature, payload: &payload };
    let none = Translations::new();
    let mut memory = Memory::new(&before, &none, block.slot, test.env.current_random.0);
    (memory.newest_is_random, memory.lamports) = (true, vm::LAMPORTS);
    let result = parhelion_executor::execute(&mut memory, Native, &block, &Options::ON_CHAIN, &envelope);
    if let Err(ProgramError::HeapLimit | ProgramError::TableLimit) = result {
        return Ok(Verdict::Skipped(Rule::TooLargeForSolana));
    }
    let (used, slot_hashes) = (memory.used(), memory.slot_hashes());
    let after = memory.into_accounts();
    let translations = form.translations(&before)?;
    let run = Run {
        block: &block,
        envelope: &envelope,
        used: &used,
        before: &before,
        after: &after,
        translations: &translations,
        slot_hashes: &slot_hashes,
        result: &result,
    };
    Ok(match vm.repeat(&run)? {
        Outcome::Same => Verdict::Passed,
        Outcome::TooLarge => Verdict::Skipped(Rule::TooLargeForSolana),
    })
}

/// The rules of a fork by its name.
pub(crate) fn fork_of(name: &str) -> Option<Fork> {
    match name {
        "Cancun" => Some(Fork::Cancun),
        "Prague" => Some(Fork::Prague),
        "Osaka" => Some(Fork::Osaka),
        _ => None,
    }
}

fn run_case(test: &StateTest, fork_name: &str, fork: Fork, post: &Post, form: Form) -> Result<Verdict> {
    if let Some(rule) = skipped(post) {
        return Ok(Verdict::Skipped(rule));
    }
    let (before, block) = (genesis(test, fork)?, block(test, fork_name, fork)?);
    let translations = form.translations(&before)?;
    let mut memory = Memory::new(&before, &translations, block.slot, test.env.current_random.0);
    let sender = &test.transaction.sender;
    let manner = if form == Form::Watched { Manner::Watched } else { Manner::AtOnce };
    let mut result = execute(&mut memory, &block, fork, post, sender, manner);
    if let (true, Ok((receipt, _))) = (form.has_steps(), &result) {
        let used = receipt.gas_used;
        memory = Memory::new(&before, &translations, block.slot, test.env.current_random.0);
        result = execute(&mut memory, &block, fork, post, sender, Manner::InSteps { used });
    }
    let impossible = impossible_account(test, &memory).or_else(|| gas_above_all(post));
    let verdict = judge(result, memory, &block, post)?;
    Ok(match (verdict, impossible) {
        (Verdict::Failed(_), Some(rule)) => Verdict::Skipped(rule),
        (verdict, _) => verdict,
    })
}

/// Compares what came of a run with what the test expects.
fn judge(
    result: Result<(Receipt, Vec<u8>), ProgramError>,
    memory: Memory<'_>,
    block: &BlockValues,
    post: &Post,
) -> Result<Verdict> {
    let (receipt, records) = match (result, &post.expect_exception) {
        (Ok(done), None) => done,
        (Ok(_), Some(expected)) => return Ok(Verdict::Failed(format!("it was accepted, not {expected}"))),
        (Err(error), None) => {
            return Ok(Verdict::Failed(format!("it was rejected: {} ({})", error.name(), error.text())));
        }
        (Err(error), Some(expected)) if reason::is_expected(error, expected) => return Ok(Verdict::Passed),
        (Err(error), Some(expected)) => {
            return Ok(Verdict::Failed(format!("it was rejected for {}, not {expected}", error.name())));
        }
    };
    let mut states = ledger::states(&memory.into_accounts()).map_err(program_error)?;
    burn_base_fee(&mut states, &receipt, block)?;
    let (hash, logs) = (root::state_root(&states), root::logs_hash(&records)?);
    if (hash, logs) == (post.hash, post.logs) {
        return Ok(Verdict::Passed);
    }
    let mut text = format!("{:?}, gas used {}", receipt.outcome, receipt.gas_used);
    if logs != post.logs {
        text += "\nthe logs differ";
    }
    if hash != post.hash {
        text += "\nthe state differs";
        text += &difference(&states, post);
    }
    Ok(Verdict::Failed(text))
}

/// The rule by which a case is skipped.
fn skipped(post: &Post) -> Option<Rule> {
    if post.txbytes.first() == Some(&3) && post.expect_exception.is_none() {
        return Some(Rule::BlobTransaction);
    }
    if post.expect_exception.as_deref() == Some("TransactionException.GAS_LIMIT_EXCEEDS_MAXIMUM") {
        return Some(Rule::GasLimitAboveCap);
    }
    None
}

/// The rule that excuses a failure: the run looked at an account such as cannot come about here. (Where it did not
/// look, the account does no harm.)
fn impossible_account(test: &StateTest, memory: &Memory<'_>) -> Option<Rule> {
    test.pre.iter().find_map(|(address, account)| {
        let address = H160(address.0.0);
        let is_bare = account.nonce.is_zero() && account.code.is_empty();
        let has_storage = account.storage.values().any(|value| !value.is_zero());
        if is_bare && has_storage && memory.has_loaded(&AccountKey::Contract(address)) {
            return Some(Rule::StorageOnly);
        }
        let is_empty = is_bare && account.balance.is_zero();
        let is_seen = [AccountKey::Balance(address), AccountKey::Contract(address)];
        (is_empty && is_seen.iter().any(|key| memory.has_loaded(key))).then_some(Rule::EmptyAccount)
    })
}

/// The rule that excuses a failure: the run had less gas than the transaction wants.
fn gas_above_all(post: &Post) -> Option<Rule> {
    let signed = SignedTransaction::decode(&post.txbytes).ok()?;
    (signed.transaction.gas_limit > gas::LIMIT_MAX).then_some(Rule::GasLimitAboveAll)
}

/// The accounts before the transaction.
fn genesis(test: &StateTest, fork: Fork) -> Result<Accounts> {
    let mut accounts = Accounts::new();
    for (address, account) in &test.pre {
        ledger::store(&mut accounts, H160(address.0.0), &state_of(account)?, fork).map_err(program_error)?;
    }
    let coinbase = H160(test.env.current_coinbase.0.0);
    if !accounts.contains_key(&AccountKey::Balance(coinbase)) {
        // The chain wants its operator's Balance account to exist.
        let is_contract = accounts.contains_key(&AccountKey::Contract(coinbase));
        let nonce = u64::from(is_contract);
        ledger::store_balance(&mut accounts, coinbase, nonce, &evm::U256::zero(), is_contract)
            .map_err(program_error)?;
    }
    Ok(accounts)
}

fn state_of(account: &Account) -> Result<State> {
    let storage = account.storage.iter().filter(|(_, value)| !value.is_zero());
    Ok(State {
        nonce: small(account.nonce, "a nonce")?,
        balance: to_evm(account.balance),
        code: account.code.to_vec(),
        storage: storage.map(|(key, value)| (to_evm(*key), to_evm(*value))).collect(),
    })
}

/// The values of the block.
fn block(test: &StateTest, fork_name: &str, fork: Fork) -> Result<BlockValues> {
    // EIP-4844 and EIP-7691, for tests that do not say.
    let fraction = if fork == Fork::Cancun { 3_338_477 } else { 5_007_716 };
    let fraction = match test.config.blob_schedule.get(fork_name) {
        Some(schedule) => schedule.base_fee_update_fraction.try_into().context("the blob schedule")?,
        None => fraction,
    };
    let env = &test.env;
    let excess = env.current_excess_blob_gas.try_into().context("the excess blob gas")?;
    Ok(BlockValues {
        chain_id: small(test.config.chainid.unwrap_or(U256::ONE), "the chain id")?,
        base_fee: small(env.current_base_fee, "the base fee")?,
        gas_limit: small(env.current_gas_limit, "the block gas limit")?,
        slot: small(env.current_number, "the block number")?,
        timestamp: small(env.current_timestamp, "the timestamp")?,
        coinbase: H160(env.current_coinbase.0.0),
        blob_base_fee: fake_exponential(1, excess, fraction).into(),
    })
}

/// Tests go up to a thousand frames with a megabyte of memory each.
const LIMITS: Limits = Limits {
    machine: machine::Limits { memory_bytes: 2 << 30, ..Limits::OFF_CHAIN.machine },
    ..Limits::OFF_CHAIN
};

/// In which way a transaction runs.
#[derive(Clone, Copy)]
enum Manner {
    AtOnce,
    /// In steps, all of which together use so much gas.
    InSteps {
        used: u64,
    },
    Watched,
}

/// Decodes, validates and runs the transaction.
fn execute(
    memory: &mut Memory<'_>,
    block: &BlockValues,
    fork: Fork,
    post: &Post,
    expected_sender: &Address,
    manner: Manner,
) -> Result<(Receipt, Vec<u8>), ProgramError> {
    let signed = SignedTransaction::decode(&post.txbytes)?;
    let payload = signed.payload();
    let sender = recover(&signed, &payload)?;
    if sender.0 != expected_sender.0.0 {
        return Err(ProgramError::WrongSender);
    }
    let envelope = Envelope { sender, signature: signed.signature, payload: &payload };
    let evm_gas_max = if fork >= Fork::Osaka { gas::TRANSACTION_MAX } else { gas::LIMIT_MAX };
    let options = Options { limits: LIMITS, evm_gas_max, fork };
    let (receipt, report) = match manner {
        Manner::InSteps { used } => execute_in_steps(memory, block, &options, &envelope, used)?,
        Manner::AtOnce => parhelion_executor::execute(memory, Native, block, &options, &envelope)?,
        Manner::Watched => {
            let mut witness = Witness::default();
            let watch = |observation: &Observation<'_>| witness.observe(observation);
            let ledger = Watched { ledger: memory, watch };
            let done = parhelion_executor::execute(ledger, Native, block, &options, &envelope)?;
            witness.finish();
            done
        }
    };
    Ok((receipt, report.records))
}

/// Pauses of a run in steps.
const PAUSES: u64 = 6;

/// Room for a checkpoint; of what is not used there is no memory.
const CHECKPOINT: usize = 256 << 20;

/// Runs a transaction that uses so much gas, with pauses spread over it, and one before it is written.
fn execute_in_steps(
    memory: &mut Memory<'_>,
    block: &BlockValues,
    options: &Options,
    envelope: &Envelope<'_>,
    used: u64,
) -> Result<(Receipt, Report), ProgramError> {
    let mut run = steps::begin(&mut *memory, Native, block, options, envelope)?;
    let all = run.gas_left;
    let used = used.saturating_sub(run.intrinsic_gas);
    let mut pauses: Vec<u64> =
        (1..=PAUSES).map(|pause| all.saturating_sub(used * pause / (PAUSES + 1))).collect();
    pauses.push(0);
    let mut checkpoint = vec![0; CHECKPOINT];
    let mut machine = Machine::new(&options.limits.machine);
    let mut held = Held { run: &mut run, checkpoint: &mut checkpoint, machine: &mut machine };
    // One more than there are pauses: each step ends at another one.
    for _ in 0..=pauses.len() {
        // Numbers of the block are those of the first step.
        let now = BlockValues {
            slot: block.slot + u64::from(held.run.steps),
            timestamp: block.timestamp + u64::from(held.run.steps),
            ..*block
        };
        if let Step::Done(done) = steps::step(memory, Native, &now, options, envelope, &mut held, &pauses)? {
            return Ok(*done);
        }
    }
    Err(ProgramError::CheckpointMalformed)
}

/// Takes the base fee away from the coinbase, which has it on this chain. A coinbase that self-destructed has lost
/// all.
fn burn_base_fee(states: &mut BTreeMap<H160, State>, receipt: &Receipt, block: &BlockValues) -> Result<()> {
    let burned = evm::U256::from(block.base_fee) * evm::U256::from(receipt.gas_used);
    let Some(coinbase) = states.get_mut(&block.coinbase) else { return Ok(()) };
    if coinbase.balance.is_zero() {
        return Ok(());
    }
    coinbase.balance = coinbase
        .balance
        .checked_sub(burned)
        .ok_or_else(|| anyhow!("the coinbase has less than the base fee"))?;
    Ok(())
}

/// What differs from the expected state, if the test tells it.
fn difference(states: &BTreeMap<H160, State>, post: &Post) -> String {
    let Some(expected) = &post.state else { return String::new() };
    let mut text = String::new();
    for (address, account) in expected {
        let Ok(wanted) = state_of(account) else { continue };
        let found = states.get(&H160(address.0.0)).cloned().unwrap_or_default();
        if found.nonce != wanted.nonce {
            text += &format!("\n{address} nonce {} instead of {}", found.nonce, wanted.nonce);
        }
        if found.balance != wanted.balance {
            text += &format!("\n{address} balance {} instead of {}", found.balance, wanted.balance);
        }
        if found.code != wanted.code {
            text +=
                &format!("\n{address} code of {} bytes instead of {}", found.code.len(), wanted.code.len());
        }
        let keys: std::collections::BTreeSet<_> = found.storage.keys().chain(wanted.storage.keys()).collect();
        for key in keys {
            let value = |state: &State| state.storage.get(key).copied().unwrap_or_default();
            if value(&found) != value(&wanted) {
                text +=
                    &format!("\n{address} [{key:#x}] {:#x} instead of {:#x}", value(&found), value(&wanted));
            }
        }
    }
    for (address, state) in states {
        if !expected.contains_key(&Address::from(address.0)) && *state != State::default() {
            text += &format!("\n{address:#x} should not exist: {state:?}");
        }
    }
    text
}

/// A 256-bit integer of the other crate.
pub(crate) const fn to_evm(value: U256) -> evm::U256 {
    evm::U256(value.into_limbs())
}

fn small(value: U256, what: &str) -> Result<u64> {
    value.try_into().with_context(|| format!("{what} exceeds 64 bits"))
}

fn program_error(error: ProgramError) -> anyhow::Error {
    anyhow!("{}: {}", error.name(), error.text())
}
