//! Calls as deep as they go: 1024 frames and more gas than any other case has.

use super::assembler::Assembler;
use super::values::{self, chance, one_of};
use parhelion_executor::evm::opcode as op;

/// Gas that reaches the depth: of each call a 64th stays behind.
pub(crate) const GAS: u64 = 40_000_000_000_000;

/// A contract that does little, calls itself or a neighbour with all its gas, and shows what came of it. Without
/// loops, so that all that gas is never used.
pub(crate) fn program(a: &mut Assembler<'_>) {
    let is_create = chance(a.rng, 25);
    if is_create {
        // Init code that is this very code.
        a.ops(&[op::CODESIZE, op::PUSH0, op::PUSH0, op::CODECOPY]);
        a.ops(&[op::CODESIZE, op::PUSH0, op::PUSH0, op::CREATE]);
    } else {
        let opcode = one_of(a.rng, &[op::CALL, op::CALL, op::STATICCALL, op::DELEGATECALL, op::CALLCODE]);
        if opcode != op::STATICCALL {
            let key = values::key(a.rng);
            a.push_small(1);
            a.push(key);
            a.op(op::TLOAD);
            a.op(op::ADD);
            a.push(key);
            a.op(op::TSTORE);
        }
        a.ops(&[op::PUSH0, op::PUSH0, op::PUSH0, op::PUSH0]);
        if opcode == op::CALL || opcode == op::CALLCODE {
            let value = a.rng.u64(0..8) / 7;
            a.push_small(value);
        }
        let neighbour = values::contract(a.rng.u64(0..2));
        a.push(neighbour.into_word().into());
        a.ops(&[op::GAS, opcode]);
    }
    // One deeper: 0 at the bottom.
    a.op(op::PUSH0);
    a.op(op::MLOAD);
    a.op(op::ADD);
    a.ops(&[op::RETURNDATASIZE, op::ADD]);
    if chance(a.rng, 50) {
        a.ops(&[op::DUP1, op::PUSH0, op::SSTORE]);
    }
    a.ops(&[op::PUSH0, op::MSTORE]);
    a.push_small(32);
    let opcode = if chance(a.rng, 85) { op::RETURN } else { op::REVERT };
    a.ops(&[op::PUSH0, opcode]);
}
