//! Precompile vectors: an input, and what the precompile of each fork makes of it.

use crate::block::{BLOCK, CHAIN_ID, COINBASE};
use crate::sender::recover;
use crate::skip::Rule;
use crate::state::is_sampled;
use crate::suite::{Sink, Verdict};
use crate::vm::{self, Run, Vm};
use crate::{Arguments, state};
use alloy_primitives::{Bytes, U256};
use alloy_rlp::{Encodable as _, Header};
use anyhow::{Result, anyhow, ensure};
use parhelion_conformance::ledger::{self, Accounts, Memory, Translations};
use parhelion_emulator::Native;
use parhelion_executor::evm::fork::Fork;
use parhelion_executor::evm::gas::{self, Intrinsic, TransactionShape};
use parhelion_executor::evm::precompile::{self, Budget, Outcome};
use parhelion_executor::evm::{self, H160};
use parhelion_executor::{Options, Report};
use parhelion_wire::ProgramError;
use parhelion_wire::event::{self, Receipt};
use parhelion_wire::transaction::{Envelope, SignedTransaction};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Case {
    name: String,
    input: Bytes,
    /// Where a fork is missing, it has no precompile at this address, or no gas limit pays for the call.
    results: BTreeMap<String, Expected>,
}

#[derive(Deserialize)]
struct Expected {
    success: bool,
    #[serde(default)]
    output: Bytes,
    #[serde(default)]
    gas: i64,
}

/// The forks that the vectors tell about.
const FORKS: [&str; 3] = ["Cancun", "Prague", "Osaka"];

/// More gas than any case takes.
const GAS_MAX: i64 = i64::MAX / 4;

/// The precompile that a file's folder names: `precompiles/0xNN_name/file.json`.
pub(crate) fn number(path: &str) -> Option<u16> {
    let (_, path) = path.split_once("precompiles/0x")?;
    let (number, _) = path.split_once('_')?;
    u16::from_str_radix(number, 16).ok()
}

/// Runs every case of a file.
pub(crate) fn run(
    number: u16,
    bytes: &[u8],
    arguments: &Arguments,
    vm: &mut Option<Vm>,
    sink: &mut Sink<'_>,
) -> Result<()> {
    let cases: Vec<Case> = serde_json::from_slice(bytes)?;
    for case in &cases {
        for fork_name in FORKS {
            let Some(fork) = state::fork_of(fork_name) else { continue };
            let (group, name) = (format!("precompiles, {fork_name}"), format!("{} {fork_name}", case.name));
            let expected = case.results.get(fork_name);
            sink.case(&group, &name, || check(number, fork, &case.input, expected));
            if let (Fork::Osaka, Some(vm)) = (fork, &mut *vm)
                && is_sampled(&name, arguments.vm_sample)
            {
                let (group, name) = (format!("{group}, in the VM"), format!("{name}, in the VM"));
                sink.case(&group, &name, || run_in_vm(number, &case.input, expected, vm));
            }
        }
    }
    Ok(())
}

/// Calls the precompile with all the gas there is, with what it costs and with less.
fn check(number: u16, fork: Fork, input: &[u8], expected: Option<&Expected>) -> Result<Verdict> {
    let call = |gas: i64, compute_units: u64| {
        precompile::run(number, fork, input, &Budget { gas, compute_units }, &Native)
    };
    let is_there = precompile::number_of(&address(number), fork) == Some(number);
    let Some(expected) = expected else {
        ensure!(!is_there || call(GAS_MAX, u64::MAX) == Outcome::OutOfGas, "there is a precompile");
        return Ok(Verdict::Passed);
    };
    ensure!(is_there, "there is no precompile");
    let found = call(GAS_MAX, u64::MAX);
    if !expected.success {
        ensure!(found == Outcome::Failure, "it gave {found:?}");
        return Ok(Verdict::Passed);
    }
    let right = Outcome::Return { gas: expected.gas, output: expected.output.to_vec() };
    ensure!(found == right, "it gave {found:?}, not {right:?}");
    let less = [call(expected.gas - 1, u64::MAX), call(expected.gas, 0)];
    ensure!(less.iter().all(|less| *less == Outcome::OutOfGas), "it runs with less than it costs");
    Ok(Verdict::Passed)
}

/// Sends the input to the precompile in a transaction: natively and in the VM, which must come to the same, and to what
/// is expected.
fn run_in_vm(number: u16, input: &[u8], expected: Option<&Expected>, vm: &mut Vm) -> Result<Verdict> {
    let bytes = transaction(number, input);
    let signed = SignedTransaction::decode(&bytes).map_err(program_error)?;
    let payload = signed.payload();
    let sender = recover(&signed, &payload).map_err(program_error)?;
    let envelope = Envelope { sender, signature: signed.signature, payload: &payload };
    let (before, none) = (genesis(sender).map_err(program_error)?, Translations::new());
    let mut memory = Memory::new(&before, &none, BLOCK.slot, [0; 32]);
    memory.lamports = vm::LAMPORTS;
    let result = parhelion_executor::execute(&mut memory, Native, &BLOCK, &Options::ON_CHAIN, &envelope);
    if let Err(ProgramError::HeapLimit | ProgramError::TableLimit) = result {
        return Ok(Verdict::Skipped(Rule::TooLargeForSolana));
    }
    let (used, slot_hashes) = (memory.used(), memory.slot_hashes());
    let after = memory.into_accounts();
    let (translations, result) = (&none, &result);
    let repeated = vm.repeat(&Run {
        block: &BLOCK,
        envelope: &envelope,
        used: &used,
        before: &before,
        after: &after,
        translations,
        slot_hashes: &slot_hashes,
        result,
    })?;
    let (receipt, report) = result.as_ref().map_err(|error| program_error(*error))?;
    let cost = precompile::cost(number, Fork::Osaka, input);
    let fits =
        cost.is_none_or(|cost| cost.compute_units <= Options::ON_CHAIN.limits.precompile_compute_units);
    compare(input, expected.filter(|_| fits), receipt, report)?;
    Ok(match repeated {
        vm::Outcome::TooLarge => Verdict::Skipped(Rule::TooLargeForSolana),
        vm::Outcome::Same if !fits => Verdict::Skipped(Rule::PrecompileTooLarge),
        vm::Outcome::Same => Verdict::Passed,
    })
}

/// Compares what came of the transaction with what is expected of the precompile. A call that fails, or that no gas
/// limit pays for, takes all gas.
fn compare(input: &[u8], expected: Option<&Expected>, receipt: &Receipt, report: &Report) -> Result<()> {
    let shape = TransactionShape { data: input, ..TransactionShape::default() };
    let Intrinsic { initial, floor } = gas::intrinsic(&shape, Fork::Osaka);
    let paid = expected.and_then(|expected| {
        let gas = initial.saturating_add(expected.gas.try_into().ok()?);
        (expected.success && gas <= gas::TRANSACTION_MAX).then_some((gas.max(floor), &expected.output))
    });
    let right = match paid {
        Some((gas, output)) => (event::Outcome::Success, gas, &output[..]),
        None => (event::Outcome::Halt, gas::TRANSACTION_MAX, &[][..]),
    };
    let found = (receipt.outcome, receipt.gas_used, &report.output[..]);
    ensure!(found == right, "the transaction gave {found:02x?}, not {right:02x?}");
    Ok(())
}

/// The address of a precompile.
fn address(number: u16) -> H160 {
    let mut address = H160::zero();
    address.0[18..].copy_from_slice(&number.to_be_bytes());
    address
}

/// A transaction to the precompile, with all the gas that one may have. Its signature was made by nobody: r is the x
/// coordinate of secp256k1's generator, and some key fits it.
fn transaction(number: u16, input: &[u8]) -> Vec<u8> {
    const R: U256 = U256::from_limbs([
        0x59f2_815b_16f8_1798,
        0x029b_fcdb_2dce_28d9,
        0x55a0_6295_ce87_0b07,
        0x79be_667e_f9dc_bbac,
    ]);
    // EIP-155.
    let v = 35 + 2 * CHAIN_ID;
    let (to, no_fee, no_value) = (&address(number).0[..], 0u8, 0u8);
    let mut fields = Vec::new();
    0u64.encode(&mut fields);
    no_fee.encode(&mut fields);
    gas::TRANSACTION_MAX.encode(&mut fields);
    to.encode(&mut fields);
    no_value.encode(&mut fields);
    input.encode(&mut fields);
    v.encode(&mut fields);
    R.encode(&mut fields);
    U256::ONE.encode(&mut fields);
    let mut bytes = Vec::new();
    Header { list: true, payload_length: fields.len() }.encode(&mut bytes);
    [bytes, fields].concat()
}

/// The sender, and the one who gets the fees.
fn genesis(sender: H160) -> Result<Accounts, ProgramError> {
    let mut accounts = Accounts::new();
    for address in [sender, COINBASE] {
        ledger::store_balance(&mut accounts, address, 0, &evm::U256::from(1u64 << 60), false)?;
    }
    Ok(accounts)
}

fn program_error(error: ProgramError) -> anyhow::Error {
    anyhow!("{}: {}", error.name(), error.text())
}
