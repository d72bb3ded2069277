//! Branches, loops, jumps, and what ends a frame.

use super::assembler::{Assembler, Label};
use super::snippets;
use super::values::{self, chance, one_of};
use alloy_primitives::U256;
use parhelion_executor::evm::opcode as op;

/// Pushes what a jump may depend on.
pub(crate) fn condition(a: &mut Assembler<'_>) {
    match a.rng.u8(0..8) {
        0 => {
            let truth = a.rng.u64(0..2);
            a.push_small(truth);
        }
        1..4 => {
            let opcode = one_of(a.rng, &[op::LT, op::GT, op::SLT, op::SGT, op::EQ]);
            a.apply(opcode);
        }
        4 | 5 => a.apply(op::ISZERO),
        6 => {
            a.op(op::GAS);
            a.push_small(1);
            a.op(op::AND);
        }
        _ => a.ensure(1),
    }
    for _ in 0..a.rng.u8(0..6) / 3 {
        if a.available() > 0 {
            a.op(op::ISZERO);
        }
    }
    if a.available() == 0 {
        a.push_any();
    }
}

/// Jumps to a label if the top of the stack says so.
pub(crate) fn jump_if(a: &mut Assembler<'_>, label: Label) {
    let width = if chance(a.rng, 90) { 2 } else { a.rng.usize(2..=32) };
    a.push_label(label, width, U256::ZERO);
    a.op(op::JUMPI);
}

/// A branch, a loop or a jump.
pub(crate) fn control(a: &mut Assembler<'_>) {
    let count = a.rng.usize(1..6);
    match a.rng.u8(0..10) {
        0..4 => {
            let over = a.label();
            condition(a);
            jump_if(a, over);
            a.neutral(|a| snippets::body(a, count));
            a.destination(over);
        }
        4..7 => {
            let times = a.rng.u64(1..12);
            a.push_small(times);
            let again = a.label();
            a.destination(again);
            a.neutral(|a| snippets::body(a, count));
            a.push_small(1);
            a.ops(&[op::SWAP1, op::SUB, op::DUP1]);
            jump_if(a, again);
            a.op(op::POP);
        }
        7 => {
            // A computed jump forward, over bytes that look like code.
            let over = a.label();
            let by = a.rng.u64(0..70_000);
            a.push_label(over, 3, U256::ZERO.wrapping_sub(U256::from(by % 3)));
            a.push_small(by % 3);
            a.ops(&[op::ADD, op::JUMP]);
            let junk: Vec<u8> = (0..a.rng.usize(0..8)).map(|_| a.rng.u8(..)).collect();
            // A PUSH would swallow the destination.
            a.raw(
                &junk.into_iter().filter(|byte| !(op::PUSH1..=op::PUSH32).contains(byte)).collect::<Vec<_>>(),
            );
            a.destination(over);
        }
        8 => {
            // A subroutine.
            let (subroutine, back) = (a.label(), a.label());
            a.push_label(back, 2, U256::ZERO);
            a.push_label(subroutine, 2, U256::ZERO);
            a.op(op::JUMP);
            let height = a.height();
            a.set_height(height - 1);
            a.destination(back);
            a.subroutines.push(subroutine);
        }
        _ => {
            // If, and else.
            let (other, over) = (a.label(), a.label());
            condition(a);
            jump_if(a, other);
            a.neutral(|a| snippets::body(a, count));
            a.push_label(over, 2, U256::ZERO);
            a.op(op::JUMP);
            a.destination(other);
            a.neutral(|a| snippets::body(a, count));
            a.destination(over);
        }
    }
}

/// An opcode that ends the frame.
pub(crate) fn terminal(a: &mut Assembler<'_>) {
    match a.rng.u8(0..12) {
        0 => a.op(op::STOP),
        1..4 => {
            let opcode = one_of(a.rng, &[op::RETURN, op::REVERT]);
            let (offset, size) = (values::offset(a.rng), values::size(a.rng));
            a.push(size);
            a.push(offset);
            a.op(opcode);
        }
        4 => a.raw(&[op::INVALID]),
        5 => {
            // No opcode of any fork, of a later one, or of a machine of its own.
            let byte = one_of(a.rng, &[0x0c, 0x1e, 0x21, 0x4b, 0xa5, 0xd0, 0xe0, 0xef, 0xf6, 0xfb]);
            a.raw(&[byte]);
        }
        6 => {
            a.push_any();
            a.op(op::JUMP);
        }
        _ => {
            let address = values::address(a.rng);
            a.push(address.into_word().into());
            a.op(op::SELFDESTRUCT);
        }
    }
}
