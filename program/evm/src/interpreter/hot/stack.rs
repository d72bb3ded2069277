//! PUSH, DUP, SWAP, POP.

use super::handler::{advanced, dropped, enter, handler, next, pushed, word};
use crate::U256;

handler!(
    /// POP.
    pop(pc, sp, gas, cpu, table) {
        let gas = enter!(POP, pc, sp, gas, cpu, table);
        next!(advanced!(pc, F::OPCODE), dropped!(sp, 1), gas, cpu, table)
    }
);

handler!(
    /// PUSH0 (EIP-3855).
    push0(pc, sp, gas, cpu, table) {
        let gas = enter!(PUSH0, pc, sp, gas, cpu, table);
        next!(advanced!(pc, F::OPCODE), pushed!(sp, U256([0; 4])), gas, cpu, table)
    }
);

macro_rules! push {
    ($($name:ident $op:ident $n:literal;)+) => {$(
        handler!(#[doc = concat!(stringify!($op), ".")] $name(pc, sp, gas, cpu, table) {
            let gas = enter!($op, pc, sp, gas, cpu, table);
            let bytes = advanced!(pc, F::OPCODE);
            // SAFETY: 32 readable bytes follow the opcode (the padding).
            let word = unsafe { super::memory::read::<$n>(bytes) };
            next!(advanced!(pc, F::OPCODE + $n), pushed!(sp, word), gas, cpu, table)
        });
    )+};
}

macro_rules! dup {
    ($($name:ident $op:ident $n:literal;)+) => {$(
        handler!(#[doc = concat!(stringify!($op), ".")] $name(pc, sp, gas, cpu, table) {
            let gas = enter!($op, pc, sp, gas, cpu, table);
            let word = word!(sp, $n - 1);
            next!(advanced!(pc, F::OPCODE), pushed!(sp, word), gas, cpu, table)
        });
    )+};
}

macro_rules! swap {
    ($($name:ident $op:ident $n:literal;)+) => {$(
        handler!(#[doc = concat!(stringify!($op), ".")] $name(pc, sp, gas, cpu, table) {
            let gas = enter!($op, pc, sp, gas, cpu, table);
            // A limb at a time: both words at once do not fit the registers.
            let mut limb = 0;
            while limb < 4 {
                let (top, other) = (word!(sp, 0).0[limb], word!(sp, $n).0[limb]);
                word!(sp, 0).0[limb] = other;
                word!(sp, $n).0[limb] = top;
                limb += 1;
            }
            next!(advanced!(pc, F::OPCODE), sp, gas, cpu, table)
        });
    )+};
}

push! {
    push1 PUSH1 1; push3 PUSH3 3; push4 PUSH4 4; push5 PUSH5 5; push6 PUSH6 6; push7 PUSH7 7; push8 PUSH8 8;
    push9 PUSH9 9; push10 PUSH10 10; push11 PUSH11 11; push12 PUSH12 12; push13 PUSH13 13; push14 PUSH14 14;
    push15 PUSH15 15; push16 PUSH16 16; push17 PUSH17 17; push18 PUSH18 18; push19 PUSH19 19; push20 PUSH20 20;
    push21 PUSH21 21; push22 PUSH22 22; push23 PUSH23 23; push24 PUSH24 24; push25 PUSH25 25; push26 PUSH26 26;
    push27 PUSH27 27; push28 PUSH28 28; push29 PUSH29 29; push30 PUSH30 30; push31 PUSH31 31; push32 PUSH32 32;
}

dup! {
    dup1 DUP1 1; dup2 DUP2 2; dup3 DUP3 3; dup4 DUP4 4; dup5 DUP5 5; dup6 DUP6 6; dup7 DUP7 7; dup8 DUP8 8;
    dup9 DUP9 9; dup10 DUP10 10; dup11 DUP11 11; dup12 DUP12 12; dup13 DUP13 13; dup14 DUP14 14; dup15 DUP15 15;
    dup16 DUP16 16;
}

swap! {
    swap1 SWAP1 1; swap2 SWAP2 2; swap3 SWAP3 3; swap4 SWAP4 4; swap5 SWAP5 5; swap6 SWAP6 6; swap7 SWAP7 7;
    swap8 SWAP8 8; swap9 SWAP9 9; swap10 SWAP10 10; swap11 SWAP11 11; swap12 SWAP12 12; swap13 SWAP13 13;
    swap14 SWAP14 14; swap15 SWAP15 15; swap16 SWAP16 16;
}
