//! A function for each opcode: its arguments in the order of the specification, the first on top.

use crate::Code;
use parhelion_evm::opcode as op;

macro_rules! functions {
    ($($name:ident $opcode:ident $($argument:ident)*;)+) => {
        $(#[doc = concat!(stringify!($opcode), " of ", stringify!($($argument),*), ".")]
        #[must_use]
        pub fn $name($($argument: impl Into<Code>),*) -> Code {
            let arguments: &[Code] = &[$($argument.into()),*];
            Code::operation(op::$opcode, arguments.iter().cloned())
        })+
    };
}

functions! {
    add ADD a b;
    mul MUL a b;
    sub SUB a b;
    div DIV a b;
    sdiv SDIV a b;
    modulo MOD a b;
    smod SMOD a b;
    addmod ADDMOD a b n;
    mulmod MULMOD a b n;
    exp EXP base exponent;
    signextend SIGNEXTEND bytes value;
    lt LT a b;
    gt GT a b;
    slt SLT a b;
    sgt SGT a b;
    eq EQ a b;
    iszero ISZERO a;
    and AND a b;
    or OR a b;
    xor XOR a b;
    not NOT a;
    byte BYTE index value;
    shl SHL shift value;
    shr SHR shift value;
    sar SAR shift value;
    clz CLZ value;
    keccak256 KECCAK256 offset length;
    balance BALANCE address;
    calldataload CALLDATALOAD offset;
    calldatacopy CALLDATACOPY target source length;
    codecopy CODECOPY target source length;
    extcodesize EXTCODESIZE address;
    extcodecopy EXTCODECOPY address target source length;
    extcodehash EXTCODEHASH address;
    returndatacopy RETURNDATACOPY target source length;
    blockhash BLOCKHASH number;
    mload MLOAD offset;
    mstore MSTORE offset value;
    mstore8 MSTORE8 offset value;
    mcopy MCOPY target source length;
    sload SLOAD key;
    sstore SSTORE key value;
    tload TLOAD key;
    tstore TSTORE key value;
    jump JUMP destination;
    jumpi JUMPI destination condition;
    log0 LOG0 offset length;
    log1 LOG1 offset length topic;
    log2 LOG2 offset length first second;
    log3 LOG3 offset length first second third;
    log4 LOG4 offset length first second third fourth;
    create CREATE value offset length;
    create2 CREATE2 value offset length salt;
    call CALL gas address value input input_length output output_length;
    callcode CALLCODE gas address value input input_length output output_length;
    delegatecall DELEGATECALL gas address input input_length output output_length;
    staticcall STATICCALL gas address input input_length output output_length;
    ret RETURN offset length;
    revert REVERT offset length;
    selfdestruct SELFDESTRUCT beneficiary;
}

/// The shortest PUSH of a number.
#[must_use]
pub fn push(word: impl Into<Code>) -> Code {
    word.into()
}

/// Returns the top word.
#[must_use]
pub fn return_top() -> Code {
    Code::new().return_top()
}
