//! Our executor, natively, over accounts in memory.

use crate::case::{Account, CHAIN_ID, Case, Transaction};
use crate::keys;
use crate::outcome::{Done, Log, Outcome, Status};
use crate::steps::{Step, Steps, Way, digest};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rlp::{Encodable, Header};
use parhelion_conformance::ledger::{self, Accounts, Memory, State, Translations};
use parhelion_emulator::Native;
use parhelion_executor::evm::crypto::Crypto;
use parhelion_executor::evm::interpreter::CallScheme;
use parhelion_executor::evm::machine;
use parhelion_executor::evm::{self, H160, gas};
use parhelion_executor::observe::{self, Begin, Observation};
use parhelion_executor::{BlockValues, Call, Ledger, Limits, Options, Report, Watched};
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Contract, Layout as _};
use parhelion_wire::address::AccountKey;
use parhelion_wire::event::{Event, Outcome as Ended, Receipt, Records};
use parhelion_wire::transaction::{AuthorizationList, Envelope, Signature};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

/// What a case may touch. Tables are zeroed for each run, so they are no larger than cases need.
const LIMITS: Limits = Limits {
    // More frames than there may be, so that one too many shows.
    machine: machine::Limits { frames: 1_100, ..Limits::OFF_CHAIN.machine },
    accounts: 2_000,
    storage_keys: 4_000,
    transient_keys: 8_000,
    cells: 4_000,
    ..Limits::OFF_CHAIN
};

/// A case in our formats.
pub(crate) struct Prepared {
    accounts: Accounts,
    translations: Translations,
    payload: Vec<u8>,
}

/// Writes the accounts as the program would have left them, translates their code and encodes the transaction.
///
/// # Errors
/// Those of the layouts.
pub(crate) fn prepare(case: &Case) -> Result<Prepared, ProgramError> {
    let mut accounts = Accounts::new();
    for (address, account) in &case.accounts {
        let state = State {
            nonce: account.nonce,
            balance: to_evm(account.balance),
            code: account.code.to_vec(),
            storage: account.storage.iter().map(|(key, value)| (to_evm(*key), to_evm(*value))).collect(),
        };
        ledger::store(&mut accounts, to_h160(address), &state, case.rules.fork())?;
    }
    let coinbase = to_h160(&case.block.coinbase);
    if !accounts.contains_key(&AccountKey::Balance(coinbase)) {
        // The chain wants its operator's Balance account to exist.
        let is_contract = accounts.contains_key(&AccountKey::Contract(coinbase));
        let zero = evm::U256::zero();
        ledger::store_balance(&mut accounts, coinbase, u64::from(is_contract), &zero, is_contract)?;
    }
    let translations = ledger::translate(&accounts)?;
    Ok(Prepared { accounts, translations, payload: payload(&case.transaction) })
}

impl Prepared {
    /// The same accounts, for another transaction.
    pub(crate) fn set_transaction(&mut self, transaction: &Transaction) {
        self.payload = payload(transaction);
    }

    /// The hash of an account's code, if that is no delegation.
    pub(crate) fn code_hash(&self, address: &Address) -> Option<B256> {
        let contract = Contract::view(self.accounts.get(&AccountKey::Contract(to_h160(address)))?).ok()?;
        contract.delegate().is_none().then(|| B256::from(contract.code_hash().0))
    }
}

/// Native cryptography that remembers who signed: there are few different authorizations, and recovering is slow.
struct Remembering;

impl Crypto for Remembering {
    fn keccak256(&self, parts: &[&[u8]]) -> [u8; 32] {
        Native.keccak256(parts)
    }

    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        Native.sha256(parts)
    }

    fn secp256k1_recover(&self, hash: &[u8; 32], recovery_id: u8, r_s: &[u8; 64]) -> Option<[u8; 64]> {
        /// Most keys to remember.
        const KEPT_MAX: usize = 10_000;
        type Known = HashMap<([u8; 32], u8, [u8; 64]), Option<[u8; 64]>>;
        thread_local! {
            static KNOWN: RefCell<Known> = RefCell::default();
        }
        KNOWN.with_borrow_mut(|known| {
            if known.len() >= KEPT_MAX {
                known.clear();
            }
            let recover = || Native.secp256k1_recover(hash, recovery_id, r_s);
            *known.entry((*hash, recovery_id, *r_s)).or_insert_with(recover)
        })
    }

    fn bn254_add(&self, points: &[u8; 128]) -> Option<[u8; 64]> {
        Native.bn254_add(points)
    }

    fn bn254_mul(&self, factors: &[u8; 96]) -> Option<[u8; 64]> {
        Native.bn254_mul(factors)
    }

    fn bn254_pairing(&self, pairs: &[u8]) -> Option<bool> {
        Native.bn254_pairing(pairs)
    }

    fn bls12_381_g1_add(&self, a: &[u8; 96], b: &[u8; 96]) -> Option<[u8; 96]> {
        Native.bls12_381_g1_add(a, b)
    }

    fn bls12_381_g1_mul(&self, point: &[u8; 96], scalar: &[u8; 32]) -> Option<[u8; 96]> {
        Native.bls12_381_g1_mul(point, scalar)
    }

    fn bls12_381_g2_add(&self, a: &[u8; 192], b: &[u8; 192]) -> Option<[u8; 192]> {
        Native.bls12_381_g2_add(a, b)
    }

    fn bls12_381_g2_mul(&self, point: &[u8; 192], scalar: &[u8; 32]) -> Option<[u8; 192]> {
        Native.bls12_381_g2_mul(point, scalar)
    }

    fn bls12_381_g1_decompress(&self, point: &[u8; 48]) -> Option<[u8; 96]> {
        Native.bls12_381_g1_decompress(point)
    }

    fn bls12_381_pairing(&self, g1: &[[u8; 96]], g2: &[[u8; 192]]) -> Option<[u8; 576]> {
        Native.bls12_381_pairing(g1, g2)
    }
}

/// Runs a case, with translations of the stored code or without.
pub(crate) fn run(case: &Case, prepared: &Prepared, is_translated: bool) -> Outcome {
    let none = Translations::new();
    let translations = if is_translated { &prepared.translations } else { &none };
    let block = block(case);
    let mut memory = Memory::new(&prepared.accounts, translations, block.slot, case.block.prevrandao.0);
    match execute(&mut memory, case, &block, &prepared.payload) {
        Ok((receipt, report)) => {
            done(case, memory, &receipt, report).map_or_else(Outcome::Rejected, Outcome::Done)
        }
        Err(ProgramError::HeapLimit | ProgramError::TableLimit) => {
            Outcome::Unsupported("the run exceeds the executor's limits")
        }
        Err(error) => Outcome::Rejected(error.name().to_owned()),
    }
}

/// The same transaction as a call, as `eth_call` and estimates run it: what accounts are afterwards is not known.
pub(crate) fn call(case: &Case, prepared: &Prepared) -> Outcome {
    let none = Translations::new();
    let (block, transaction) = (block(case), &case.transaction);
    let memory = Memory::new(&prepared.accounts, &none, block.slot, case.block.prevrandao.0);
    let access_list = if transaction.kind == 0 { &[][..] } else { &transaction.access_list };
    let access_list: Vec<_> = access_list
        .iter()
        .map(|(address, keys)| (to_h160(address), keys.iter().map(|key| to_evm((*key).into())).collect()))
        .collect();
    let signed = if transaction.kind == 4 { authorizations(transaction) } else { list(&[]) };
    let tip = if transaction.kind >= 2 { transaction.priority_fee } else { u64::MAX };
    let gas_price = transaction.gas_price.min(case.block.base_fee.saturating_add(tip));
    let run = || {
        let call = Call {
            from: to_h160(&transaction.sender),
            to: transaction.to.as_ref().map(to_h160),
            value: to_evm(transaction.value),
            data: &transaction.data,
            gas_limit: transaction.gas_limit,
            gas_price: gas_price.into(),
            rent_gas_price: None,
            nonce: Some(transaction.nonce),
            access_list: &access_list,
            authorizations: AuthorizationList::from_rlp(&signed)?,
        };
        parhelion_executor::call(memory, Remembering, &block, &options(case), &call)
    };
    match run() {
        Ok(report) => ran(case, report).map_or_else(Outcome::Rejected, |done| Outcome::Done(Box::new(done))),
        Err(error) => Outcome::Rejected(error.name().to_owned()),
    }
}

/// What a tracer is told of a case's plain run.
pub(crate) fn steps(case: &Case, prepared: &Prepared) -> Steps {
    let none = Translations::new();
    let block = block(case);
    let memory = Memory::new(&prepared.accounts, &none, block.slot, case.block.prevrandao.0);
    let mut told = Told::default();
    let watched =
        Watched { ledger: memory, watch: |observation: &Observation<'_>| told.observe(observation) };
    // What it comes to is compared elsewhere.
    let _ = execute(watched, case, &block, &prepared.payload);
    told.steps
}

/// What our executor tells.
#[derive(Default)]
struct Told {
    steps: Steps,
    /// The refund counter before the first opcode: what authorizations gave back (EIP-7702), which revm counts elsewhere.
    refund: Option<i64>,
}

impl Told {
    fn observe(&mut self, observation: &Observation<'_>) {
        if self.steps.is_full() {
            return;
        }
        match observation {
            Observation::Begin(begin) => self.steps.push(begun(begin)),
            Observation::Opcode(opcode) => {
                let refund = opcode.refund - *self.refund.get_or_insert(opcode.refund);
                self.steps.push(Step::Opcode {
                    depth: opcode.depth,
                    pc: opcode.pc,
                    opcode: opcode.opcode,
                    gas: opcode.gas,
                    refund,
                    stack: digest(&opcode.stack.iter().map(|word| word.0).collect::<Vec<_>>()),
                    memory: digest(opcode.memory),
                    return_data: digest(opcode.return_data),
                });
            }
            Observation::End(end) => {
                let status = if end.exit.is_success() {
                    Status::Success
                } else if end.exit.is_revert() {
                    Status::Revert
                } else {
                    Status::Halt
                };
                self.steps.end(status, end.gas, end.output);
            }
            // revm tells it behind the opcode, in its own way: accounts show what came of it.
            Observation::SelfDestruct { .. } => {}
        }
    }
}

fn begun(begin: &Begin<'_>) -> Step {
    let way = match begin.way {
        observe::Way::Call(CallScheme::Call) => Way::Call,
        observe::Way::Call(CallScheme::CallCode) => Way::CallCode,
        observe::Way::Call(CallScheme::DelegateCall) => Way::DelegateCall,
        observe::Way::Call(CallScheme::StaticCall) => Way::StaticCall,
        observe::Way::Create => Way::Create,
        observe::Way::Create2 => Way::Create2,
    };
    let address = |address: H160| Address::from(address.0);
    let callee = match way {
        Way::Create | Way::Create2 => None,
        _ => begin.address.zip(begin.code_address).map(|(own, code)| (address(own), address(code))),
    };
    Step::Begin {
        way,
        caller: address(begin.caller),
        callee,
        value: to_alloy(&begin.value),
        gas: begin.gas,
        input: digest(begin.input),
    }
}

fn execute<'c>(
    ledger: impl Ledger<'c>,
    case: &Case,
    block: &BlockValues,
    payload: &'c [u8],
) -> Result<(Receipt, Report), ProgramError> {
    let sender = to_h160(&case.transaction.sender);
    let signature = Signature { r: [1; 32], s: [1; 32], y_parity: 0 };
    let envelope = Envelope { sender, signature, payload };
    parhelion_executor::execute(ledger, Remembering, block, &options(case), &envelope)
}

fn options(case: &Case) -> Options {
    let fork = case.rules.fork();
    let evm_gas_max = if fork >= evm::fork::Fork::Osaka { gas::TRANSACTION_MAX } else { gas::LIMIT_MAX };
    Options { limits: LIMITS, evm_gas_max, fork }
}

fn done(case: &Case, memory: Memory<'_>, receipt: &Receipt, report: Report) -> Result<Box<Done>, String> {
    let text = |error: ProgramError| error.name().to_owned();
    let mut accounts = BTreeMap::new();
    for (address, state) in ledger::states(&memory.into_accounts()).map_err(text)? {
        let account = Account {
            nonce: state.nonce,
            balance: to_alloy(&state.balance),
            code: state.code.into(),
            storage: state.storage.iter().map(|(key, value)| (to_alloy(key), to_alloy(value))).collect(),
        };
        accounts.insert(Address::from(address.0), account);
    }
    // Here the coinbase has the base fee too; elsewhere it is burned.
    let burned = U256::from(case.block.base_fee) * U256::from(receipt.gas_used);
    let coinbase = accounts.entry(case.block.coinbase).or_default();
    coinbase.balance = coinbase.balance.checked_sub(burned).ok_or("the coinbase lacks the base fee")?;
    accounts.retain(|_, account| !account.is_empty());
    Ok(Box::new(Done { accounts, ..ran(case, report)? }))
}

/// What a report tells; of accounts it tells nothing.
fn ran(case: &Case, report: Report) -> Result<Done, String> {
    let mut logs = Vec::new();
    for record in Records(&report.records) {
        if let Event::Log(log) = record.map_err(|_| "the report is malformed")? {
            let topics = log.topics.iter().map(B256::from).collect();
            let data = Bytes::copy_from_slice(log.data);
            logs.push(Log { address: Address::from(log.address.0), topics, data });
        }
    }
    let status = match report.outcome {
        Ended::Success => Status::Success,
        Ended::Revert => Status::Revert,
        Ended::Halt => Status::Halt,
        Ended::OutOfRentGas => return Err("out of rent gas, and rent is free".to_owned()),
        Ended::Cancelled => return Err("cancelled, and nothing ran in steps".to_owned()),
    };
    let is_creation = case.transaction.to.is_none() && status == Status::Success;
    Ok(Done {
        status,
        exit: Some(format!("{:?}", report.exit)),
        gas_used: report.gas_used,
        output: Some(if is_creation { Bytes::new() } else { report.output.into() }),
        logs,
        accounts: BTreeMap::new(),
    })
}

fn block(case: &Case) -> BlockValues {
    BlockValues {
        chain_id: CHAIN_ID,
        base_fee: case.block.base_fee,
        gas_limit: case.block.gas_limit,
        slot: case.block.number,
        timestamp: case.block.timestamp,
        coinbase: to_h160(&case.block.coinbase),
        blob_base_fee: BlockValues::NO_BLOBS,
    }
}

/// The bytes that the sender signs.
fn payload(transaction: &Transaction) -> Vec<u8> {
    let mut fields = Vec::new();
    if transaction.kind != 0 {
        CHAIN_ID.encode(&mut fields);
    }
    transaction.nonce.encode(&mut fields);
    if transaction.kind >= 2 {
        transaction.priority_fee.encode(&mut fields);
    }
    transaction.gas_price.encode(&mut fields);
    transaction.gas_limit.encode(&mut fields);
    match &transaction.to {
        Some(to) => to.encode(&mut fields),
        None => fields.push(0x80),
    }
    transaction.value.encode(&mut fields);
    transaction.data.encode(&mut fields);
    if transaction.kind == 0 {
        CHAIN_ID.encode(&mut fields);
        fields.extend([0x80, 0x80]);
    } else {
        let items = transaction.access_list.iter().map(|(address, keys)| {
            let mut item = Vec::new();
            address.encode(&mut item);
            keys.encode(&mut item);
            list(&item)
        });
        fields.extend(list(&items.collect::<Vec<_>>().concat()));
    }
    if transaction.kind == 4 {
        fields.extend(authorizations(transaction));
    }
    let prefix = if transaction.kind == 0 { vec![] } else { vec![transaction.kind] };
    [prefix, list(&fields)].concat()
}

fn authorizations(transaction: &Transaction) -> Vec<u8> {
    let mut items = Vec::new();
    for authorization in &transaction.authorizations {
        let Some(signature) = keys::sign(authorization) else { continue };
        let mut item = Vec::new();
        authorization.chain_id.encode(&mut item);
        authorization.address.encode(&mut item);
        authorization.nonce.encode(&mut item);
        signature.y_parity.encode(&mut item);
        signature.r.encode(&mut item);
        signature.s.encode(&mut item);
        items.extend(list(&item));
    }
    list(&items)
}

/// The RLP list of encoded items.
fn list(items: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(items.len() + 9);
    Header { list: true, payload_length: items.len() }.encode(&mut out);
    out.extend_from_slice(items);
    out
}

const fn to_evm(value: U256) -> evm::U256 {
    evm::U256(value.into_limbs())
}

const fn to_alloy(value: &evm::U256) -> U256 {
    U256::from_limbs(value.0)
}

fn to_h160(address: &Address) -> H160 {
    H160(address.0.0)
}
