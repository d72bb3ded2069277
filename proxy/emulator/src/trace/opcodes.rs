//! Records opcodes, as geth's struct logger does.
//!
//! What an opcode cost and what SLOAD read is known when the next one of its frame is about to run, or when the frame ends.

use super::{Budget, address, word};
use crate::watcher::Watcher;
use alloy_primitives::{Address, B256, Bytes, hex};
use alloy_rpc_types_trace::geth::{GethDefaultTracingOptions, StructLog};
use parhelion_evm::exit::Exit;
use parhelion_evm::{gas, opcode as op};
use parhelion_executor::observe::{Begin, End, Opcode, Way};
use std::collections::{BTreeMap, HashMap};

/// A call or creation that has not ended.
#[derive(Clone, Debug)]
struct Open {
    creates: bool,
    /// Its newest entry, and the storage key that it reads.
    newest: Option<(usize, Option<(Address, B256)>)>,
    /// Gas that came back from a callee since.
    returned: u64,
}

/// The opcodes of a run so far.
#[derive(Clone, Debug)]
pub(super) struct Opcodes {
    options: GethDefaultTracingOptions,
    logs: Vec<StructLog>,
    open: Vec<Open>,
    /// What was seen of each contract's storage.
    storage: HashMap<Address, BTreeMap<B256, B256>>,
    budget: Budget,
}

impl Opcodes {
    pub(super) fn new(options: GethDefaultTracingOptions) -> Self {
        Self {
            options,
            logs: Vec::new(),
            open: Vec::new(),
            storage: HashMap::new(),
            budget: Budget::default(),
        }
    }

    /// All opcodes, if they are not too many.
    pub(super) fn finish(self) -> Option<Vec<StructLog>> {
        self.budget.is_kept().then_some(self.logs)
    }

    /// Whether another entry is wanted; a limit of 0 is none.
    fn has_room(&self) -> bool {
        let limit = self.options.limit.filter(|limit| *limit > 0);
        limit.is_none_or(|limit| (self.logs.len() as u64) < limit)
    }

    /// The opcode before this one, of the same frame, has run.
    fn settle(&mut self, gas_now: u64, top: Option<&parhelion_evm::U256>) {
        let Some(open) = self.open.last_mut() else { return };
        let returned = std::mem::take(&mut open.returned);
        let Some((entry, reads)) = open.newest.take() else { return };
        let Some(log) = self.logs.get_mut(entry) else { return };
        log.gas_cost = log.gas.saturating_sub(gas_now.saturating_sub(returned));
        if let (Some((contract, key)), Some(value)) = (reads, top) {
            let seen = self.storage.entry(contract).or_default();
            seen.insert(key, word(value).into());
            log.storage = self.budget.take(64 * seen.len()).then(|| seen.clone());
        }
    }

    /// Notes what SSTORE writes; gives what SLOAD is going to read.
    fn storage_use(&mut self, opcode: &Opcode<'_>, log: &mut StructLog) -> Option<(Address, B256)> {
        let contract = address(&opcode.address);
        match (opcode.opcode, opcode.stack) {
            (op::SLOAD, [.., key]) => Some((contract, word(key).into())),
            (op::SSTORE, [.., value, key]) => {
                let seen = self.storage.entry(contract).or_default();
                seen.insert(word(key).into(), word(value).into());
                log.storage = self.budget.take(64 * seen.len()).then(|| seen.clone());
                None
            }
            _ => None,
        }
    }
}

impl Watcher for Opcodes {
    fn begin(&mut self, begin: &Begin<'_>) {
        let creates = matches!(begin.way, Way::Create | Way::Create2);
        self.open.push(Open { creates, newest: None, returned: 0 });
    }

    fn opcode(&mut self, opcode: &Opcode<'_>) {
        self.settle(opcode.gas, opcode.stack.last());
        if !self.has_room() {
            return;
        }
        let options = &self.options;
        let has_stack = options.is_stack_enabled();
        let bytes = size_of::<StructLog>()
            + if has_stack { 32 * opcode.stack.len() } else { 0 }
            + if options.is_memory_enabled() { 3 * opcode.memory.len() } else { 0 }
            + if options.is_return_data_enabled() { opcode.return_data.len() } else { 0 };
        if !self.budget.take(bytes) {
            return;
        }
        let chunks = || opcode.memory.chunks(32).map(hex::encode_prefixed).collect();
        let mut log = StructLog {
            pc: opcode.pc as u64,
            op: op::name(opcode.opcode).into(),
            gas: opcode.gas,
            depth: opcode.depth as u64,
            stack: has_stack.then(|| opcode.stack.iter().map(word).collect()),
            memory: options.is_memory_enabled().then(chunks),
            return_data: options.is_return_data_enabled().then(|| Bytes::copy_from_slice(opcode.return_data)),
            refund_counter: u64::try_from(opcode.refund).ok().filter(|refund| *refund > 0),
            ..StructLog::default()
        };
        let reads = if options.is_storage_enabled() { self.storage_use(opcode, &mut log) } else { None };
        if let Some(open) = self.open.last_mut() {
            open.newest = Some((self.logs.len(), reads));
        }
        self.logs.push(log);
    }

    fn end(&mut self, end: &End<'_>) {
        let Some(open) = self.open.last() else { return };
        let newest = open.newest.as_ref().map(|(entry, _)| *entry);
        // What a deployment costs is not the cost of the RETURN before it.
        let deposit = if open.creates && end.exit.is_success() {
            end.output.len() as u64 * gas::CODE_DEPOSIT_BYTE.unsigned_abs()
        } else {
            0
        };
        let gas_left = match newest.and_then(|entry| self.logs.get(entry)) {
            // Only running out of gas is a matter of the opcode's cost.
            Some(log) if end.exit.is_halt() && end.exit != Exit::OutOfGas => log.gas,
            _ => end.gas.saturating_add(deposit),
        };
        self.settle(gas_left, None);
        if let Some(log) = newest.and_then(|entry| self.logs.get_mut(entry))
            && end.exit.is_halt()
        {
            log.error = Some(end.exit.text().into());
        }
        self.open.pop();
        if let Some(caller) = self.open.last_mut() {
            caller.returned = caller.returned.saturating_add(end.gas);
        }
    }

    fn wants_more(&self) -> bool {
        self.budget.is_kept()
    }
}
