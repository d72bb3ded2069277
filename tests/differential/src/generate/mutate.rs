//! Code made of other code.

use super::values::{chance, one_of};
use fastrand::Rng;
use parhelion_executor::evm::opcode as op;

/// Changes some bytes of `code`; `other` is code to take pieces from.
pub(crate) fn mutate(rng: &mut Rng, code: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..rng.usize(1..6) {
        mutate_once(rng, code, other);
    }
}

fn mutate_once(rng: &mut Rng, code: &mut Vec<u8>, other: &[u8]) {
    if code.is_empty() {
        code.extend_from_slice(other);
        return;
    }
    let at = rng.usize(0..code.len());
    match rng.u8(0..10) {
        0 => code[at] ^= 1 << rng.u8(0..8),
        1 => code[at] = rng.u8(..),
        // Another opcode, a neighbour mostly.
        2 => code[at] = code[at].wrapping_add(one_of(rng, &[1, 255, 16, 240])),
        3 => code[at] = op::JUMPDEST,
        4 => code.insert(at, rng.u8(..)),
        5 => {
            let end = code.len().min(at + rng.usize(1..6));
            code.drain(at..end);
        }
        6 => code.truncate(at),
        7 => {
            // Twice.
            let end = code.len().min(at + rng.usize(1..40));
            let piece = code[at..end].to_vec();
            code.splice(at..at, piece);
        }
        _ => {
            let from = rng.usize(0..=other.len());
            let end = other.len().min(from + rng.usize(1..80));
            let piece = other[from..end].to_vec();
            let until = if rng.bool() { at } else { code.len().min(at + piece.len()) };
            code.splice(at..until, piece);
        }
    }
    code.truncate(6_000);
}

/// Bytes at random: opcodes mostly.
pub(crate) fn random(rng: &mut Rng) -> Vec<u8> {
    let length = match rng.u8(0..10) {
        0..6 => rng.usize(1..60),
        6..9 => rng.usize(1..300),
        _ => rng.usize(1..1500),
    };
    let is_mild = rng.bool();
    (0..length)
        .map(|_| match rng.u8(0..10) {
            // What pushes, so that there is something on the stack.
            0..5 if is_mild => {
                one_of(rng, &[op::PUSH0, op::PUSH1, op::PUSH1 + 1, op::CALLER, op::DUP1, op::GAS])
            }
            5..8 => {
                let byte = rng.u8(..);
                if op::TABLE[usize::from(byte)].is_some() || chance(rng, 5) { byte } else { op::JUMPDEST }
            }
            _ => rng.u8(..),
        })
        .collect()
}
