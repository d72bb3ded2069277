//! Ethereum transactions as data: what a workload is made of, for whatever runs it.

use crate::wallet::Wallet;
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;

/// The wallet that deploys and, mostly, calls.
pub const OWNER: u64 = 1;

/// Transactions in their order, some of which are measured.
///
/// Addresses of contracts follow from senders and nonces, so a script is known before anything runs.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The transactions.
    pub steps: Vec<Step>,
    /// Contracts that there are at the end.
    pub contracts: Vec<Address>,
}

/// A transaction of a script.
#[derive(Clone, Debug)]
pub struct Step {
    /// The number of the wallet that sends it.
    pub sender: u64,
    /// The callee; `None` for a creation.
    pub to: Option<Address>,
    /// Wei.
    pub value: U256,
    /// Call data or init code.
    pub input: Bytes,
    /// What it is measured as.
    pub workload: Option<&'static str>,
}

impl Script {
    /// Adds a transaction.
    pub fn step(&mut self, sender: u64, to: Option<Address>, value: U256, input: Vec<u8>) -> &mut Self {
        self.steps.push(Step { sender, to, value, input: input.into(), workload: None });
        self
    }

    /// Adds a creation by [`OWNER`]; gives the contract's address.
    pub fn deploy(&mut self, init_code: Vec<u8>) -> Address {
        let nonce = self.steps.iter().filter(|step| step.sender == OWNER).count() as u64;
        let contract = wallet(OWNER).create(nonce);
        self.step(OWNER, None, U256::ZERO, init_code);
        self.contracts.push(contract);
        contract
    }

    /// Adds a call.
    pub fn call(&mut self, sender: u64, to: Address, call: &impl SolCall) -> &mut Self {
        self.step(sender, Some(to), U256::ZERO, call.abi_encode())
    }

    /// Measures the newest transaction.
    pub fn measured(&mut self, workload: &'static str) {
        if let Some(step) = self.steps.last_mut() {
            step.workload = Some(workload);
        }
    }

    /// The numbers of all senders.
    #[must_use]
    pub fn senders(&self) -> std::collections::BTreeSet<u64> {
        self.steps.iter().map(|step| step.sender).collect()
    }
}

/// The address of a wallet.
#[must_use]
pub fn wallet(number: u64) -> Address {
    Wallet::new(number).address()
}
