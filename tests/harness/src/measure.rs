//! Scripts on the chain, measured: everything that a transaction costs.

use crate::chain::{Chain, Done, Proof, SOL};
use crate::row::Row;
use crate::script::{Script, wallet};
use crate::wallet::Wallet;
use crate::workloads::Workload;
use alloy_primitives::{Address, B256};
use anyhow::{Context, ensure};
use parhelion_wire::address::AccountKey;
use std::collections::{BTreeMap, BTreeSet};

/// Gas for everything here, rent included.
const GAS: u64 = 400_000_000;
/// Seconds from one transaction to the next.
const BLOCK_TIME: u32 = 12;
/// How far ahead of the real time the clock is: it stands still, whatever the measuring takes.
const AHEAD: u32 = 1_000_000;

/// Whether code runs as it is or translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    Translated,
}

/// The rows of a workload, each form and proof on a chain of its own.
///
/// # Errors
/// When a step does not do what it should.
pub fn measure(workload: &Workload) -> anyhow::Result<Vec<Row>> {
    let proofs: &[Proof] =
        if workload.with_syscall { &[Proof::Planned, Proof::Syscall] } else { &[Proof::Planned] };
    let forms: &[Form] =
        if workload.script.contracts.is_empty() { &[Form::Plain] } else { &[Form::Plain, Form::Translated] };
    let mut rows = Vec::new();
    for &proof in proofs {
        for &form in forms {
            rows.extend(run(&workload.script, form, proof).with_context(|| workload.title)?);
        }
    }
    Ok(rows)
}

/// Runs a script on a new chain.
fn run(script: &Script, form: Form, proof: Proof) -> anyhow::Result<Vec<Row>> {
    let mut chain = Chain::new()?;
    chain.advance_time(AHEAD);
    let mut wallets = BTreeMap::new();
    for number in script.senders() {
        chain.deposit(wallet(number), 100 * SOL)?;
        wallets.insert(number, Wallet::new(number));
    }
    let mut rows = Vec::new();
    let mut translated = BTreeSet::new();
    for step in &script.steps {
        let wallet = wallets.get_mut(&step.sender).context("every sender has a wallet")?;
        let transaction = wallet.send(step.to, step.value, step.input.clone(), GAS);
        chain.advance_time(BLOCK_TIME);
        // A creation runs its init code as it is, and is measured once.
        let measured =
            step.workload.filter(|_| form == Form::Plain && proof == Proof::Planned || step.to.is_some());
        if form == Form::Translated && measured.is_some() {
            translate(&chain, &script.contracts, &mut translated);
        }
        let proof = if measured.is_some() && step.to.is_some() { proof } else { Proof::Planned };
        let untranslated = untranslated(&chain, &script.contracts);
        let done = chain.run_with(&transaction, proof)?;
        ensure!(done.receipt.outcome.is_success(), "{:?}: {:?}", step.workload, done.receipt);
        if let Some(name) = measured {
            let code = match form {
                _ if !step.to.is_some_and(|to| script.contracts.contains(&to)) => "–",
                Form::Plain => "plain",
                Form::Translated if is_any_used(&chain, &untranslated, &done) => "partly translated",
                Form::Translated => "translated",
            };
            rows.push(row(&chain, name, code, proof, &done)?);
        }
    }
    Ok(rows)
}

/// Translates the code of the contracts that there are. One whose translation does not get done runs as it is.
fn translate(chain: &Chain, contracts: &[Address], tried: &mut BTreeSet<B256>) {
    for contract in contracts {
        if let Ok(hash) = chain.code_hash(*contract)
            && tried.insert(hash)
            && let Err(error) = chain.translate(*contract)
        {
            eprintln!("  {contract} is not translated: {error:#}");
        }
    }
}

/// The contracts that there are and whose code is not translated.
fn untranslated(chain: &Chain, contracts: &[Address]) -> Vec<Address> {
    let is_plain = |contract: &Address| matches!(chain.is_translated(*contract), Ok(false));
    contracts.iter().copied().filter(is_plain).collect()
}

/// Whether a transaction used one of the contracts.
fn is_any_used(chain: &Chain, contracts: &[Address], done: &Done) -> bool {
    let account = |contract: Address| chain.address(&AccountKey::Contract(contract.into_array().into()));
    contracts.iter().any(|&contract| done.uses.iter().any(|used| used.address == account(contract)))
}

fn row(chain: &Chain, workload: &str, code: &str, proof: Proof, done: &Done) -> anyhow::Result<Row> {
    // With a base fee of 1 gwei and no tip, a unit of rent gas is a lamport.
    let rent_bytes = done.receipt.rent_gas / chain.rent_per_byte()?;
    let proof = match (proof, done.transactions) {
        (Proof::Planned, 1) => "secp256k1 instruction",
        _ => "syscall",
    };
    Ok(Row {
        workload: workload.into(),
        proof: proof.into(),
        code: code.into(),
        compute_units: done.compute_units,
        compute_units_in_all: done.compute_units_in_all,
        transactions: done.transactions as u64,
        accounts: done.accounts as u64,
        rent_bytes,
        sputnik: None,
    })
}
