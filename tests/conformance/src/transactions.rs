//! Transaction tests: bytes that are a valid transaction, with its sender and hash, or are not.

use crate::block::{BLOCK, COINBASE};
use crate::reason;
use crate::sender::recover;
use crate::state::fork_of;
use crate::suite::{Sink, Verdict};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use anyhow::Result;
use parhelion_conformance::ledger::{self, Accounts, Memory};
use parhelion_emulator::Native;
use parhelion_executor::Options;
use parhelion_executor::evm::crypto::Crypto;
use parhelion_executor::evm::fork::Fork;
use parhelion_executor::evm::gas::{self, TransactionShape};
use parhelion_executor::evm::{self, H160};
use parhelion_wire::ProgramError;
use parhelion_wire::transaction::{Envelope, SignedTransaction, Transaction};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct TransactionTest {
    txbytes: Bytes,
    result: BTreeMap<String, Expected>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Expected {
    sender: Option<Address>,
    hash: Option<B256>,
    intrinsic_gas: Option<U256>,
    exception: Option<String>,
}

/// A valid transaction.
struct Valid {
    sender: H160,
    hash: [u8; 32],
    intrinsic_gas: u64,
}

/// Runs every case of a file.
pub(crate) fn run(bytes: &[u8], sink: &mut Sink<'_>) -> Result<()> {
    let file: BTreeMap<String, TransactionTest> = serde_json::from_slice(bytes)?;
    for (name, test) in &file {
        let known = test.result.iter().filter_map(|(name, expected)| Some((name, fork_of(name)?, expected)));
        let mut cases: Vec<_> = known.collect();
        if cases.is_empty() {
            // Older tests end with London or Shanghai, from which Cancun took these rules over.
            cases.extend(
                test.result.iter().next_back().map(|(name, expected)| (name, Fork::Cancun, expected)),
            );
        }
        for (fork_name, fork, expected) in cases {
            let name = format!("{name} {fork_name}");
            sink.case("transactions", &name, || Ok(run_case(&test.txbytes, fork, expected)));
        }
    }
    Ok(())
}

fn run_case(bytes: &[u8], fork: Fork, expected: &Expected) -> Verdict {
    match (validate(bytes, fork), &expected.exception) {
        (Ok(_), Some(exception)) => Verdict::Failed(format!("it was accepted, not {exception}")),
        (Err(error), None) => Verdict::Failed(format!("it was rejected: {}", error.name())),
        (Err(error), Some(exception)) if reason::is_expected(error, exception) => Verdict::Passed,
        (Err(error), Some(exception)) => {
            Verdict::Failed(format!("it was rejected for {}, not {exception}", error.name()))
        }
        (Ok(valid), None) => {
            let as_expected = expected.sender.is_none_or(|sender| sender.0.0 == valid.sender.0)
                && expected.hash.is_none_or(|hash| hash.0 == valid.hash)
                && expected.hash.is_none_or(|hash| hash == keccak256(bytes))
                && expected.intrinsic_gas.is_none_or(|gas| gas == U256::from(valid.intrinsic_gas));
            if as_expected {
                Verdict::Passed
            } else {
                Verdict::Failed(format!(
                    "sender {:#x}, hash {}, intrinsic gas {}",
                    valid.sender,
                    B256::from(valid.hash),
                    valid.intrinsic_gas
                ))
            }
        }
    }
}

/// Validates a transaction as the program does, for a sender who has everything it takes.
fn validate(bytes: &[u8], fork: Fork) -> Result<Valid, ProgramError> {
    let signed = SignedTransaction::decode(bytes)?;
    let payload = signed.payload();
    let sender = recover(&signed, &payload)?;
    let envelope = Envelope { sender, signature: signed.signature, payload: &payload };
    let transaction = envelope.transaction()?;
    let mut accounts = Accounts::new();
    let all = evm::U256::MAX;
    ledger::store_balance(&mut accounts, sender, transaction.nonce, &all, false)?;
    if sender != COINBASE {
        ledger::store_balance(&mut accounts, COINBASE, 0, &evm::U256::zero(), false)?;
    }
    let translations = ledger::Translations::new();
    let options = Options { fork, ..Options::OFF_CHAIN };
    let memory = Memory::new(&accounts, &translations, 1, [0; 32]);
    let hash = transaction.hash(&signed.signature, |parts: &[&[u8]]| Native.keccak256(parts));
    match parhelion_executor::execute(memory, Native, &BLOCK, &options, &envelope) {
        // The sender has all that 256 bits can hold. If that covers the gas, only gas and value together exceed it,
        // which makes no transaction malformed.
        Err(ProgramError::InsufficientFunds) if covers_gas(&transaction) => {}
        Ok((receipt, _)) if receipt.transaction_hash == hash => {}
        Ok(_) => return Err(ProgramError::MalformedTransaction),
        Err(error) => return Err(error),
    }
    let shape = TransactionShape {
        data: transaction.data,
        creates: transaction.to.is_none(),
        access_addresses: transaction.access_list.addresses,
        access_storage_keys: transaction.access_list.storage_keys,
        authorizations: transaction.authorizations.count,
    };
    let intrinsic_gas = gas::intrinsic(&shape, fork).initial;
    Ok(Valid { sender, hash: hash.0, intrinsic_gas })
}

/// Whether gas limit times fee fits 256 bits.
fn covers_gas(transaction: &Transaction<'_>) -> bool {
    transaction.max_fee_per_gas.checked_mul(transaction.gas_limit.into()).is_some()
}
