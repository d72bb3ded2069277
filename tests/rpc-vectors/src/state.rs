//! The state at the end of the chain, in the accounts of the program.

use alloy_primitives::{Address, B256, Bytes, U256};
use anyhow::{Context as _, Result};
use parhelion_conformance::ledger::{Accounts, State, store};
use parhelion_executor::evm::fork::Fork;
use parhelion_sdk::convert::{to_h160, to_wire_u256};
use serde::Deserialize;
use std::collections::BTreeMap;

/// `headstate.json`: what `geth dump` writes.
#[derive(Deserialize)]
struct Dump {
    accounts: BTreeMap<Address, DumpedAccount>,
}

#[derive(Deserialize)]
struct DumpedAccount {
    /// Decimal.
    balance: String,
    nonce: u64,
    #[serde(default)]
    code: Bytes,
    /// Values in hex, without `0x` and without leading zeros.
    #[serde(default)]
    storage: BTreeMap<B256, String>,
}

/// The data of all accounts.
///
/// # Errors
/// When the file is not of this format.
pub(crate) fn accounts(head_state: &[u8]) -> Result<Accounts> {
    let dump: Dump = serde_json::from_slice(head_state).context("chain/headstate.json")?;
    let mut accounts = Accounts::new();
    for (address, account) in &dump.accounts {
        let state = account.state().with_context(|| format!("chain/headstate.json: account {address}"))?;
        store(&mut accounts, to_h160(*address), &state, Fork::Osaka)
            .map_err(|error| anyhow::anyhow!("account {address}: {}", error.text()))?;
    }
    Ok(accounts)
}

impl DumpedAccount {
    fn state(&self) -> Result<State> {
        let mut storage = BTreeMap::new();
        for (key, value) in &self.storage {
            let value = U256::from_str_radix(value, 16)?;
            if !value.is_zero() {
                storage.insert(to_wire_u256(U256::from_be_bytes(key.0)), to_wire_u256(value));
            }
        }
        let balance = to_wire_u256(U256::from_str_radix(&self.balance, 10)?);
        Ok(State { nonce: self.nonce, balance, code: self.code.to_vec(), storage })
    }
}
