//! The opcodes that are rare: they end the chain, and their operation runs on a
//! [`super::super::context::Context`] before the next one.

use super::super::context::Result;
use super::super::operations::{calls, copies, ending, environment, state, values};
use super::cpu::Cpu;
use super::handler::{advanced, handler};
use crate::exit::Exit;
use crate::host::Host;
use crate::opcode::{self as op, info};

/// Defines handlers that postpone an operation, which charges the static gas first.
macro_rules! cold {
    ($($name:ident $op:ident $operation:expr;)+) => {$(
        handler!(#[doc = concat!(stringify!($op), ".")] $name(pc, sp, gas, cpu, _table) {
            /// # Safety
            /// None: `Context` checks.
            unsafe fn operation<H: Host>(cpu: &mut Cpu<'_, '_, '_, H>) -> Result<(), H::Error> {
                cpu.with_context(|cx| {
                    cx.charge(const { info(op::$op).gas as i64 })?;
                    $operation(cx)
                })
            }
            cpu.postpone(operation::<H>, advanced!(pc, F::OPCODE), sp, gas)
        });
    )+};
}

cold! {
    stop STOP |_| Err(Exit::Stop.into());
    exp EXP values::exp;
    clz CLZ values::clz;
    balance BALANCE environment::balance;
    origin ORIGIN values::origin;
    calldatacopy CALLDATACOPY copies::calldatacopy;
    codecopy CODECOPY copies::codecopy;
    gasprice GASPRICE values::gasprice;
    extcodesize EXTCODESIZE environment::extcodesize;
    extcodecopy EXTCODECOPY copies::extcodecopy;
    returndatacopy RETURNDATACOPY copies::returndatacopy;
    extcodehash EXTCODEHASH environment::extcodehash;
    blockhash BLOCKHASH environment::blockhash;
    coinbase COINBASE values::coinbase;
    timestamp TIMESTAMP values::timestamp;
    number NUMBER values::number;
    prevrandao PREVRANDAO environment::prevrandao;
    gaslimit GASLIMIT values::gaslimit;
    chainid CHAINID values::chainid;
    selfbalance SELFBALANCE environment::selfbalance;
    basefee BASEFEE values::basefee;
    blobhash BLOBHASH values::blobhash;
    blobbasefee BLOBBASEFEE values::blobbasefee;
    mstore8 MSTORE8 copies::mstore8;
    msize MSIZE values::msize;
    tload TLOAD state::tload;
    tstore TSTORE state::tstore;
    mcopy MCOPY copies::mcopy;
    create CREATE |cx| calls::create(cx, false);
    create2 CREATE2 |cx| calls::create(cx, true);
    call CALL |cx| calls::call(cx, op::CALL);
    callcode CALLCODE |cx| calls::call(cx, op::CALLCODE);
    delegatecall DELEGATECALL |cx| calls::call(cx, op::DELEGATECALL);
    staticcall STATICCALL |cx| calls::call(cx, op::STATICCALL);
    ret RETURN |cx| ending::returning(cx, Exit::Return);
    revert REVERT |cx| ending::returning(cx, Exit::Revert);
    selfdestruct SELFDESTRUCT ending::selfdestruct;
}
