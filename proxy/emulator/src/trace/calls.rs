//! Records calls, creations and logs.

use super::{Budget, address, word};
use crate::watcher::Watcher;
use alloy_primitives::{Address, B256, Bytes, Log, U256};
use parhelion_evm::exit::Exit;
use parhelion_evm::fork::Fork;
use parhelion_evm::interpreter::CallScheme;
use parhelion_evm::{H160, gas, opcode as op, precompile};
use parhelion_executor::WITHDRAW_ADDRESS;
use parhelion_executor::observe::{Begin, End, Opcode, Way};
use revm::interpreter::InstructionResult;
use revm_inspectors::tracing::types::{CallKind, CallLog, CallTrace, CallTraceNode, TraceMemberOrder};

/// What a node and its parts take, besides bytes of data.
const NODE_BYTES: usize = size_of::<CallTraceNode>();
/// What a log takes, besides its data.
const LOG_BYTES: usize = size_of::<CallLog>() + 4 * 32;

/// A call or creation that has not ended.
#[derive(Clone, Debug)]
struct Open {
    /// Its node.
    node: usize,
    /// Whether an opcode of it ran.
    runs: bool,
}

/// The calls of a run so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    nodes: Vec<CallTraceNode>,
    open: Vec<Open>,
    logs: u64,
    budget: Budget,
}

impl Calls {
    /// All calls, if they are not too many.
    pub(super) fn finish(self) -> Option<Vec<CallTraceNode>> {
        self.budget.is_kept().then_some(self.nodes)
    }

    fn current(&mut self) -> Option<&mut CallTraceNode> {
        let node = self.open.last()?.node;
        self.nodes.get_mut(node)
    }

    /// A log that is about to be written. If it fails, so does its frame, and nobody will look at it.
    fn log(&mut self, opcode: &Opcode<'_>) {
        let below_top = |n: usize| opcode.stack.iter().rev().nth(n);
        let count = usize::from(opcode.opcode - op::LOG0);
        let topics: Vec<B256> =
            (2..2 + count).filter_map(below_top).map(|topic| word(topic).into()).collect();
        let (Some(start), Some(length)) = (below_top(0), below_top(1)) else { return };
        let (start, length) = (word(start).saturating_to::<usize>(), word(length).saturating_to::<usize>());
        if length as u64 > opcode.gas || !self.budget.take(LOG_BYTES + length) {
            return;
        }
        // Memory that is not there yet is zero.
        let mut data = vec![0; length];
        let there = opcode.memory.get(start.min(opcode.memory.len())..).unwrap_or_default();
        let there = &there[..there.len().min(length)];
        data[..there.len()].copy_from_slice(there);
        let log = Log::new_unchecked(address(&opcode.address), topics, data.into());
        let index = self.logs;
        if let Some(node) = self.current() {
            let position = node.children.len() as u64;
            node.ordering.push(TraceMemberOrder::Log(node.logs.len()));
            node.logs.push(CallLog::from(log).with_position(position).with_index(index));
            self.logs += 1;
        }
    }
}

impl Watcher for Calls {
    fn begin(&mut self, begin: &Begin<'_>) {
        if !self.budget.take(NODE_BYTES + begin.input.len()) {
            return;
        }
        let (idx, depth) = (self.nodes.len(), self.open.len());
        let to = begin.code_address.as_ref();
        let is_precompile = to.is_some_and(|to| precompile::number_of(to, Fork::Osaka).is_some());
        let (kind, caller, callee) = parties(begin);
        let parent = self.open.last().map(|open| open.node);
        let mut value = word(&begin.value);
        if let Some(parent) = parent.and_then(|parent| self.nodes.get_mut(parent)) {
            // What a delegate call sees as its value is its caller's; nothing moves.
            if kind == CallKind::DelegateCall {
                value = parent.trace.value;
            }
            parent.ordering.push(TraceMemberOrder::Call(parent.children.len()));
            parent.children.push(idx);
        }
        let trace = CallTrace {
            depth,
            caller,
            address: callee,
            maybe_precompile: Some(is_precompile),
            kind,
            value,
            data: Bytes::copy_from_slice(begin.input),
            gas_limit: begin.gas,
            ..CallTrace::default()
        };
        self.nodes.push(CallTraceNode { parent, idx, trace, ..CallTraceNode::default() });
        self.open.push(Open { node: idx, runs: false });
    }

    fn opcode(&mut self, opcode: &Opcode<'_>) {
        if let Some(open) = self.open.last_mut() {
            open.runs = true;
        }
        if (op::LOG0..=op::LOG4).contains(&opcode.opcode) {
            self.log(opcode);
        }
    }

    fn self_destruct(&mut self, contract: &H160, beneficiary: &H160, balance: &parhelion_evm::U256) {
        if let Some(node) = self.current() {
            node.trace.selfdestruct_address = Some(address(contract));
            node.trace.selfdestruct_refund_target = Some(address(beneficiary));
            node.trace.selfdestruct_transferred_value = Some(word(balance));
        }
    }

    fn end(&mut self, end: &End<'_>) {
        if !self.budget.take(end.output.len()) {
            return;
        }
        let depth = self.open.len();
        let Some(open) = self.open.pop() else { return };
        let Some(node) = self.nodes.get_mut(open.node) else { return };
        let trace = &mut node.trace;
        let status = if open.runs { result(end.exit) } else { result_without_run(end.exit, trace, depth) };
        trace.gas_used = trace.gas_limit.saturating_sub(end.gas);
        trace.status = Some(status);
        trace.success = status.is_ok();
        trace.output = Bytes::copy_from_slice(end.output);
    }

    fn wants_more(&self) -> bool {
        self.budget.is_kept()
    }
}

/// How a call is made, from whom, and to whom, as tracers name it.
fn parties(begin: &Begin<'_>) -> (CallKind, Address, Address) {
    let (caller, own) = (address(&begin.caller), begin.address.as_ref().map(address).unwrap_or_default());
    let code = begin.code_address.as_ref().map(address).unwrap_or_default();
    match begin.way {
        Way::Call(CallScheme::Call) => (CallKind::Call, caller, own),
        Way::Call(CallScheme::StaticCall) => (CallKind::StaticCall, caller, own),
        // The code runs for the contract that calls.
        Way::Call(CallScheme::CallCode) => (CallKind::CallCode, own, code),
        Way::Call(CallScheme::DelegateCall) => (CallKind::DelegateCall, own, code),
        Way::Create => (CallKind::Create, caller, own),
        Way::Create2 => (CallKind::Create2, caller, own),
    }
}

/// How a frame ended, in revm's words.
const fn result(exit: Exit) -> InstructionResult {
    match exit {
        Exit::Stop => InstructionResult::Stop,
        Exit::Return => InstructionResult::Return,
        Exit::SelfDestruct => InstructionResult::SelfDestruct,
        Exit::Revert => InstructionResult::Revert,
        Exit::OutOfGas => InstructionResult::OutOfGas,
        Exit::StackUnderflow => InstructionResult::StackUnderflow,
        Exit::StackOverflow => InstructionResult::StackOverflow,
        Exit::InvalidJump => InstructionResult::InvalidJump,
        Exit::InvalidOpcode => InstructionResult::OpcodeNotFound,
        Exit::StaticViolation => InstructionResult::StateChangeDuringStaticCall,
        Exit::ReturnDataOutOfBounds => InstructionResult::OutOfOffset,
        Exit::InitCodeTooLarge => InstructionResult::CreateInitCodeSizeLimit,
        Exit::CodeTooLarge => InstructionResult::CreateContractSizeLimit,
        Exit::InvalidCodePrefix => InstructionResult::CreateContractStartingWithEF,
        Exit::CreateCollision => InstructionResult::CreateCollision,
        Exit::PrecompileFailure => InstructionResult::PrecompileError,
    }
}

/// As [`result`], of what has no code or was refused before it ran.
fn result_without_run(exit: Exit, trace: &CallTrace, depth: usize) -> InstructionResult {
    match exit {
        Exit::Revert if depth > gas::CALL_DEPTH_MAX => InstructionResult::CallTooDeep,
        Exit::Revert if trace.address.0 == WITHDRAW_ADDRESS.0 => InstructionResult::Revert,
        Exit::Revert if trace.value > U256::ZERO => InstructionResult::OutOfFunds,
        Exit::Revert if trace.kind.is_any_create() => InstructionResult::NonceOverflow,
        Exit::OutOfGas => InstructionResult::PrecompileOOG,
        _ => result(exit),
    }
}
