//! Translated code: how records are read, and their handlers.

use super::handler::{Form, Handler, Table};
use super::{arithmetic, between, blocks, cold, control, environment, hash, memory, sequences, stack};
use crate::host::Host;
use crate::opcode as op;
use crate::translation::record::{self as r, SCALE};
use core::marker::PhantomData;

/// Code as records.
pub(super) enum Translated {}

impl Form for Translated {
    const CHECKED: bool = false;
    const OPCODE: usize = 2;

    #[inline(always)]
    unsafe fn offset(pc: *const u8) -> usize {
        const { assert!(SCALE as usize == 8) };
        // The scale is the size of a function pointer on sBPF and on the hosts that the emulator runs on.
        // SAFETY: by this function's contract.
        usize::from(u16::from_le(unsafe { pc.cast::<u16>().read_unaligned() }))
    }
}

const _: () = assert!(size_of::<usize>() == SCALE as usize);

/// Reads an operand `$offset` bytes behind the record's number.
macro_rules! operand {
    ($type:ident, $pc:ident, $offset:expr) => {
        // SAFETY: the record has this operand: the translator wrote it.
        $type::from_le(unsafe { $pc.add(2 + $offset).cast::<$type>().read_unaligned() })
    };
}

/// The word that the record's DUP copies.
macro_rules! copied {
    ($pc:ident, $sp:ident) => {
        copied!(@ $sp, usize::from(operand!(u16, $pc, 0)))
    };
    (@ $sp:ident, $place:expr) => {{
        let place: usize = $place;
        // SAFETY: the block's BEGIN has found as many words on the stack as its opcodes take.
        unsafe { &*$sp.byte_sub(place).cast_const() }
    }};
}

pub(super) use {copied, operand};

/// The handlers for a host.
pub(super) struct Handlers<H>(PhantomData<H>);

/// Puts handlers into the table: `records { module { RECORD handler } }` and `module { OPCODE handler }`.
macro_rules! table {
    (
        records { $($records:ident { $($record:ident $handler:ident)* })* }
        $($module:ident { $($op:ident $name:ident)* })*
    ) => {
        const fn handlers<H: Host>() -> [Handler<H>; r::COUNT] {
            let mut table: [Handler<H>; r::COUNT] = [control::undefined::<H, Translated>; r::COUNT];
            $($(table[op::$op as usize] = $module::$name::<H, Translated>;)*)*
            $($(table[r::$record as usize] = $records::$handler::<H, Translated>;)*)*
            table
        }
    };
}

table! {
    records {
        blocks {
            BEGIN begin JUMP_TO jump_to JUMPI_TO jumpi_to JUMP_IF_ZERO jump_if_zero JUMP_IF_EQ jump_if_eq
            JUMP_IF_NE jump_if_ne JUMP_IF_LT jump_if_lt JUMP_IF_GE jump_if_ge JUMP_IF_GT jump_if_gt
            JUMP_IF_LE jump_if_le JUMP_IF_SLT jump_if_slt JUMP_IF_SGE jump_if_sge SELECT select LEAVE leave
            POP_JUMP pop_jump DUP_JUMPI_TO dup_jumpi_to DUP_JUMP_IF_ZERO dup_jump_if_zero
            DUP_JUMP_IF_LT dup_jump_if_lt DUP_JUMP_IF_GE dup_jump_if_ge DUP_JUMP_IF_GT dup_jump_if_gt
            DUP_JUMP_IF_LE dup_jump_if_le DUP_JUMP_IF_EQ dup_jump_if_eq DUP_JUMP_IF_NE dup_jump_if_ne
            SELECT_BELOW select_below JUMP_IF_SHORT jump_if_short
        }
        sequences {
            PUSH_8 push_8 PUSH_16 push_16 PUSH_32 push_32 PUSH_64 push_64 PUSH_160 push_160 PUSH_256 push_256
            GAS_AND gas_and ADD_16 add_16 SUB_FROM_16 sub_from_16 MUL_16 mul_16 AND_16 and_16 EQ_16 eq_16
            LT_16 lt_16 GT_16 gt_16 SHL_16 shl_16 SHR_16 shr_16 SHR_224 shr_224 MLOAD_16 mload_16
            MSTORE_16 mstore_16 AND_160 and_160 DUP_ADD dup_add DUP_SUB dup_sub DUP_MUL dup_mul
            DUP_AND dup_and DUP_LT dup_lt DUP_GT dup_gt DUP_EQ dup_eq DUP_MLOAD dup_mload
            DUP_MSTORE dup_mstore SWAP_POP swap_pop POP_2 pop_2 IS_NONZERO is_nonzero DUP_AND_160 dup_and_160
            AND_LOW and_low DUP_AND_LOW dup_and_low SWAP_MSTORE swap_mstore KEEP_MSTORE keep_mstore
            DUP_ADD_16 dup_add_16 SWAP1_SWAP2 swap1_swap2 SWAP2_SWAP1 swap2_swap1 INSERT_16 insert_16
            INSERT_16_BELOW insert_16_below MSTORE_AND_16 mstore_and_16 KEEP_MSTORE_16 keep_mstore_16
            KECCAK256_AT keccak256_at KECCAK256_OF keccak256_of KECCAK256_BELOW keccak256_below
            SELECTOR selector SUB_BELOW sub_below SUB_DUP sub_dup
        }
    }
    arithmetic {
        ADD add MUL mul SUB sub DIV div SDIV sdiv MOD rem SMOD smod ADDMOD addmod MULMOD mulmod
        SIGNEXTEND signextend LT lt GT gt SLT slt SGT sgt EQ eq AND and OR or XOR xor NOT not BYTE byte
        SHL shl SHR shr SAR sar
    }
    environment {
        ADDRESS address CALLER caller CALLVALUE callvalue CALLDATALOAD calldataload CALLDATASIZE calldatasize
        CODESIZE codesize RETURNDATASIZE returndatasize
    }
    hash { KECCAK256 keccak256 }
    memory { MLOAD mload MSTORE mstore }
    stack {
        POP pop PUSH0 push0
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
    const ALL: [Handler<H>; r::COUNT] = {
        let mut table = handlers::<H>();
        table[op::JUMP as usize] = blocks::jump::<H, Translated>;
        table[op::JUMPI as usize] = blocks::jumpi::<H, Translated>;
        table[op::ISZERO as usize] = sequences::iszero::<H, Translated>;
        table
    };

    /// The table.
    #[inline(always)]
    #[allow(clippy::needless_borrow)] // the borrow of the constant is what makes it a static
    pub(super) fn table() -> Table<H> {
        // SAFETY: a constant array with a handler for every record.
        unsafe { Table::new(const { (&Self::ALL).as_ptr() }) }
    }
}
