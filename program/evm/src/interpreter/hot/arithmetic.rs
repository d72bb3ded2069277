//! Arithmetic, comparisons and bits (Yellow Paper, groups 0s and 10s).

use super::handler::{advanced, dropped, enter, handler, next, word};
use crate::{U256, arith};

/// Takes two words and leaves one.
macro_rules! binary {
    ($($name:ident $op:ident $function:expr;)+) => {$(
        handler!(#[doc = concat!(stringify!($op), ".")] $name(pc, sp, gas, cpu, table) {
            let gas = enter!($op, pc, sp, gas, cpu, table);
            let result: U256 = $function(&word!(sp, 0), &word!(sp, 1));
            word!(sp, 1) = result;
            next!(advanced!(pc, F::OPCODE), dropped!(sp, 1), gas, cpu, table)
        });
    )+};
}

/// Takes two words and leaves a truth value.
macro_rules! compare {
    ($($name:ident $op:ident $function:expr;)+) => {$(
        handler!(#[doc = concat!(stringify!($op), ".")] $name(pc, sp, gas, cpu, table) {
            let gas = enter!($op, pc, sp, gas, cpu, table);
            let result: bool = $function(&word!(sp, 0), &word!(sp, 1));
            word!(sp, 1) = U256([u64::from(result), 0, 0, 0]);
            next!(advanced!(pc, F::OPCODE), dropped!(sp, 1), gas, cpu, table)
        });
    )+};
}

/// Takes three words and leaves one.
macro_rules! ternary {
    ($($name:ident $op:ident $function:expr;)+) => {$(
        handler!(#[doc = concat!(stringify!($op), ".")] $name(pc, sp, gas, cpu, table) {
            let gas = enter!($op, pc, sp, gas, cpu, table);
            let result: U256 = $function(&word!(sp, 0), &word!(sp, 1), &word!(sp, 2));
            word!(sp, 2) = result;
            next!(advanced!(pc, F::OPCODE), dropped!(sp, 2), gas, cpu, table)
        });
    )+};
}

binary! {
    add ADD arith::add;
    mul MUL arith::mul;
    sub SUB arith::sub;
    div DIV arith::div;
    sdiv SDIV arith::sdiv;
    rem MOD arith::rem;
    smod SMOD arith::smod;
    signextend SIGNEXTEND arith::signextend;
    and AND arith::and;
    or OR arith::or;
    xor XOR arith::xor;
    byte BYTE arith::byte;
    shl SHL arith::shl;
    shr SHR arith::shr;
    sar SAR arith::sar;
}

compare! {
    lt LT arith::lt;
    gt GT arith::gt;
    slt SLT arith::slt;
    sgt SGT arith::sgt;
    eq EQ arith::eq;
}

ternary! {
    addmod ADDMOD arith::addmod;
    mulmod MULMOD arith::mulmod;
}

handler!(
    /// NOT.
    not(pc, sp, gas, cpu, table) {
        let gas = enter!(NOT, pc, sp, gas, cpu, table);
        word!(sp, 0) = arith::not(&word!(sp, 0));
        next!(advanced!(pc, F::OPCODE), sp, gas, cpu, table)
    }
);
