//! eth_createAccessList: what a call touches, as an access list (EIP-2930).
//!
//! What is warm costs other gas, and code may do something else with other gas. So the call runs again with the list that
//! was found, until a run finds nothing new.

use crate::shell::Shell;
use crate::watcher::Watcher;
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256};
use parhelion_core::emulator::{AccessListOutcome, Call, EmulatorError};
use parhelion_evm::fork::Fork;
use parhelion_evm::{H160, U256, opcode as op, precompile, to_address};
use parhelion_executor::observe::{Begin, Opcode};
use std::collections::{BTreeMap, BTreeSet};

/// Runs at most. The list only grows, and nearly always the second run finds nothing new.
const RUNS_MAX: usize = 16;

/// Collects what is touched, as geth does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Touches {
    /// Addresses with the storage keys of each.
    found: BTreeMap<H160, BTreeSet<U256>>,
    /// Sender and callee, which are warm anyhow.
    warm: Option<[H160; 2]>,
}

impl Touches {
    fn touch(&mut self, word: Option<&U256>) {
        let Some(address) = word.map(to_address) else { return };
        let is_warm = self.warm.is_some_and(|warm| warm.contains(&address))
            || precompile::number_of(&address, Fork::Osaka).is_some();
        if !is_warm {
            self.found.entry(address).or_default();
        }
    }

    fn touch_slot(&mut self, address: H160, key: Option<&U256>) {
        if let Some(key) = key {
            self.found.entry(address).or_default().insert(*key);
        }
    }

    fn list(&self) -> AccessList {
        let word = |key: &U256| B256::from(key.to_big_endian());
        let items = self.found.iter().map(|(address, keys)| AccessListItem {
            address: Address::from(address.0),
            storage_keys: keys.iter().map(word).collect(),
        });
        AccessList(items.collect())
    }
}

impl Watcher for Touches {
    fn opcode(&mut self, opcode: &Opcode<'_>) {
        let below_top = |n: usize| opcode.stack.iter().rev().nth(n);
        match opcode.opcode {
            op::SLOAD | op::SSTORE => self.touch_slot(opcode.address, below_top(0)),
            op::EXTCODECOPY | op::EXTCODEHASH | op::EXTCODESIZE | op::BALANCE | op::SELFDESTRUCT => {
                self.touch(below_top(0));
            }
            op::CALL | op::CALLCODE | op::DELEGATECALL | op::STATICCALL => self.touch(below_top(1)),
            _ => {}
        }
    }

    fn begin(&mut self, begin: &Begin<'_>) {
        // The outermost frame is the first one that begins.
        self.warm.get_or_insert([begin.caller, begin.address.unwrap_or(begin.caller)]);
    }
}

impl Shell {
    /// What a call touches, and what it does when that is warm.
    pub(crate) async fn list_accesses(&self, call: &Call) -> Result<AccessListOutcome, EmulatorError> {
        let gas_limit = self.allowance(call).await?;
        let mut call = call.clone();
        let mut runs = 0;
        loop {
            let prepared = crate::estimate::prepared(&call, gas_limit);
            // What the call lists itself stays in the list.
            let listed = Touches { found: found(&call.access_list), warm: None };
            let (execution, touches) = self.watch_call(&call, prepared, listed).await?;
            let list = touches.list();
            runs += 1;
            if list == call.access_list || runs == RUNS_MAX {
                return Ok(AccessListOutcome { access_list: list, execution });
            }
            call.access_list = list;
        }
    }
}

fn found(list: &AccessList) -> BTreeMap<H160, BTreeSet<U256>> {
    let mut found: BTreeMap<H160, BTreeSet<U256>> = BTreeMap::new();
    for item in &list.0 {
        let keys = item.storage_keys.iter().map(|key| U256::from_big_endian(&key.0));
        found.entry(H160(item.address.into_array())).or_default().extend(keys);
    }
    found
}
