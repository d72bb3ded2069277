//! Code as it is: a handler for each opcode.

use super::handler::{Form, Handler, Table};
use super::{arithmetic, between, cold, control, environment, hash, memory, stack};
use crate::host::Host;
use crate::opcode as op;
use core::marker::PhantomData;

/// Code as bytes.
pub(super) enum Plain {}

impl Form for Plain {
    const CHECKED: bool = true;
    const OPCODE: usize = 1;

    #[inline(always)]
    unsafe fn offset(pc: *const u8) -> usize {
        // SAFETY: by this function's contract.
        usize::from(unsafe { *pc }) * size_of::<usize>()
    }
}

/// The handlers for a host.
pub(super) struct Handlers<H>(PhantomData<H>);

/// Puts handlers into the table.
macro_rules! table {
    ($($module:ident { $($op:ident $name:ident)* })*) => {
        const fn handlers<H: Host>() -> [Handler<H>; 256] {
            let mut table: [Handler<H>; 256] = [control::undefined::<H, Plain>; 256];
            $($(table[op::$op as usize] = $module::$name::<H, Plain>;)*)*
            table
        }

        /// Opcodes with a handler.
        #[cfg(test)]
        const HANDLED: &[u8] = &[$($(op::$op,)*)*];
    };
}

table! {
    arithmetic {
        ADD add MUL mul SUB sub DIV div SDIV sdiv MOD rem SMOD smod ADDMOD addmod MULMOD mulmod
        SIGNEXTEND signextend LT lt GT gt SLT slt SGT sgt EQ eq AND and OR or XOR xor NOT not BYTE byte
        SHL shl SHR shr SAR sar
    }
    control { ISZERO iszero JUMP jump JUMPI jumpi JUMPDEST jumpdest PUSH2 push2 INVALID undefined }
    environment {
        ADDRESS address CALLER caller CALLVALUE callvalue CALLDATALOAD calldataload CALLDATASIZE calldatasize
        CODESIZE codesize RETURNDATASIZE returndatasize PC position GAS gas
    }
    hash { KECCAK256 keccak256 }
    memory { MLOAD mload MSTORE mstore }
    stack {
        POP pop PUSH0 push0
        PUSH1 push1 PUSH3 push3 PUSH4 push4 PUSH5 push5 PUSH6 push6 PUSH7 push7 PUSH8 push8 PUSH9 push9
        PUSH10 push10 PUSH11 push11 PUSH12 push12 PUSH13 push13 PUSH14 push14 PUSH15 push15 PUSH16 push16
        PUSH17 push17 PUSH18 push18 PUSH19 push19 PUSH20 push20 PUSH21 push21 PUSH22 push22 PUSH23 push23
        PUSH24 push24 PUSH25 push25 PUSH26 push26 PUSH27 push27 PUSH28 push28 PUSH29 push29 PUSH30 push30
        PUSH31 push31 PUSH32 push32
        DUP1 dup1 DUP2 dup2 DUP3 dup3 DUP4 dup4 DUP5 dup5 DUP6 dup6 DUP7 dup7 DUP8 dup8 DUP9 dup9 DUP10 dup10
        DUP11 dup11 DUP12 dup12 DUP13 dup13 DUP14 dup14 DUP15 dup15 DUP16 dup16
        SWAP1 swap1 SWAP2 swap2 SWAP3 swap3 SWAP4 swap4 SWAP5 swap5 SWAP6 swap6 SWAP7 swap7 SWAP8 swap8
        SWAP9 swap9 SWAP10 swap10 SWAP11 swap11 SWAP12 swap12 SWAP13 swap13 SWAP14 swap14 SWAP15 swap15
        SWAP16 swap16
    }
    between { SLOAD sload SSTORE sstore LOG0 log0 LOG1 log1 LOG2 log2 LOG3 log3 LOG4 log4 }
    cold {
        STOP stop EXP exp CLZ clz BALANCE balance ORIGIN origin CALLDATACOPY calldatacopy
        CODECOPY codecopy GASPRICE gasprice EXTCODESIZE extcodesize EXTCODECOPY extcodecopy
        RETURNDATACOPY returndatacopy EXTCODEHASH extcodehash BLOCKHASH blockhash COINBASE coinbase
        TIMESTAMP timestamp NUMBER number PREVRANDAO prevrandao GASLIMIT gaslimit CHAINID chainid
        SELFBALANCE selfbalance BASEFEE basefee BLOBHASH blobhash BLOBBASEFEE blobbasefee MSTORE8 mstore8
        MSIZE msize TLOAD tload TSTORE tstore MCOPY mcopy CREATE create CALL call CALLCODE callcode RETURN ret DELEGATECALL delegatecall
        CREATE2 create2 STATICCALL staticcall REVERT revert SELFDESTRUCT selfdestruct
    }
}

impl<H: Host> Handlers<H> {
    const ALL: [Handler<H>; 256] = handlers::<H>();

    /// The table.
    #[inline(always)]
    #[allow(clippy::needless_borrow)] // the borrow of the constant is what makes it a static
    pub(super) fn table() -> Table<H> {
        // SAFETY: a constant array of 256 handlers.
        unsafe { Table::new(const { (&Self::ALL).as_ptr() }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_opcode_has_one_handler() {
        let mut handled = HANDLED.to_vec();
        handled.sort_unstable();
        let opcodes: alloc::vec::Vec<u8> =
            (0..=255).filter(|&byte| op::TABLE[usize::from(byte)].is_some()).collect();
        assert_eq!(handled, opcodes);
    }
}
