//! Roots and hashes as Ethereum makes them.

use alloy_primitives::{Address, B256, Bytes, Log, U256, keccak256};
use alloy_rlp::Encodable;
use alloy_trie::TrieAccount;
use alloy_trie::root::{state_root_unhashed, storage_root_unhashed};
use anyhow::{Result, anyhow};
use parhelion_conformance::ledger::State;
use parhelion_executor::evm;
use parhelion_executor::evm::H160;
use parhelion_wire::event::{Event, Records};
use std::collections::BTreeMap;

/// A 256-bit integer of the other crate.
pub(crate) const fn to_alloy(value: &evm::U256) -> U256 {
    U256::from_limbs(value.0)
}

/// The root of the state trie. Empty accounts do not exist (EIP-161).
pub(crate) fn state_root(states: &BTreeMap<H160, State>) -> B256 {
    let exists = |state: &State| state.nonce != 0 || !state.balance.is_zero() || !state.code.is_empty();
    state_root_unhashed(states.iter().filter(|(_, state)| exists(state)).map(|(address, state)| {
        let storage = state.storage.iter();
        let storage = storage.map(|(key, value)| (B256::from(key.to_big_endian()), to_alloy(value)));
        let account = TrieAccount {
            nonce: state.nonce,
            balance: to_alloy(&state.balance),
            storage_root: storage_root_unhashed(storage),
            code_hash: keccak256(&state.code),
        };
        (Address::from(address.0), account)
    }))
}

/// Keccak-256 of the RLP list of the logs in a report.
pub(crate) fn logs_hash(records: &[u8]) -> Result<B256> {
    let mut logs = Vec::new();
    for record in Records(records) {
        if let Event::Log(log) = record.map_err(|_| anyhow!("the report is malformed"))? {
            let topics = log.topics.iter().map(B256::from).collect();
            logs.push(Log::new_unchecked(log.address.0.into(), topics, Bytes::copy_from_slice(log.data)));
        }
    }
    let mut encoded = Vec::new();
    logs.encode(&mut encoded);
    Ok(keccak256(&encoded))
}
