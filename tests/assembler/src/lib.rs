//! A bytecode DSL for tests: opcodes by name, pushes as short as they can be.
//!
//! Code that leaves a word on the stack is an argument of other code, and a number is the PUSH of it:
//!
//! ```
//! use parhelion_assembler::{add, mul, return_top};
//!
//! // return 7 + 2 * 3
//! let code = add(7, mul(2, 3)) + return_top();
//! assert_eq!(code.bytes(), [0x60, 3, 0x60, 2, 0x02, 0x60, 7, 0x01, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]);
//! ```
#![forbid(unsafe_code)]

mod functions;

pub use functions::*;

use parhelion_evm::opcode as op;
use parhelion_evm::{H160, U256};
use std::ops::Add;

/// Code under construction.
///
/// ```
/// use parhelion_assembler::Code;
/// use parhelion_evm::opcode as op;
///
/// // return 2 + 3
/// let code = Code::new().push(3).push(2).op(op::ADD).return_top();
/// assert_eq!(code.bytes(), [0x60, 3, 0x60, 2, 0x01, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Code(Vec<u8>);

impl Code {
    /// No code.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An opcode and its arguments, the first of which is on top.
    #[must_use]
    pub fn operation<T: Into<Self>>(
        opcode: u8,
        arguments: impl IntoIterator<Item = T, IntoIter: DoubleEndedIterator>,
    ) -> Self {
        arguments.into_iter().rev().fold(Self::new(), |code, argument| code + argument.into()).op(opcode)
    }

    /// Appends an opcode.
    #[must_use]
    pub fn op(mut self, opcode: u8) -> Self {
        self.0.push(opcode);
        self
    }

    /// Appends the shortest PUSH of a number, or code that leaves a word.
    #[must_use]
    pub fn push(self, word: impl Into<Self>) -> Self {
        self + word.into()
    }

    /// Appends bytes as they are.
    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// The code, `count` times over.
    #[must_use]
    pub fn times(self, count: usize) -> Self {
        Self(self.0.repeat(count))
    }

    /// SSTORE of a value.
    #[must_use]
    pub fn sstore(self, key: impl Into<Self>, value: impl Into<Self>) -> Self {
        self.push(value).push(key).op(op::SSTORE)
    }

    /// Returns the top word.
    #[must_use]
    pub fn return_top(self) -> Self {
        self.push(0).op(op::MSTORE).push(32).push(0).op(op::RETURN)
    }

    /// The code.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Init code that deploys this code.
    #[must_use]
    pub fn init_code(&self) -> Vec<u8> {
        // PUSH2 length, DUP1, PUSH1 12, PUSH0, CODECOPY, PUSH0, RETURN, and the code at 12
        let length = (self.0.len() as u16).to_be_bytes();
        let prefix = [
            op::PUSH1 + 1,
            length[0],
            length[1],
            op::DUP1,
            op::PUSH1,
            12,
            op::PUSH0,
            op::CODECOPY,
            op::PUSH0,
        ];
        [&prefix[..], &[op::RETURN, op::STOP, op::STOP], &self.0].concat()
    }
}

impl From<[u8; 32]> for Code {
    /// The shortest PUSH of a big-endian number.
    fn from(word: [u8; 32]) -> Self {
        let digits = word.iter().position(|&byte| byte != 0).map_or(&[][..], |first| &word[first..]);
        Self::new().op(op::PUSH0 + digits.len() as u8).raw(digits)
    }
}

impl From<U256> for Code {
    /// The shortest PUSH of the number.
    fn from(word: U256) -> Self {
        word.to_big_endian().into()
    }
}

impl From<u64> for Code {
    /// The shortest PUSH of the number.
    fn from(number: u64) -> Self {
        U256::from(number).into()
    }
}

impl From<[u8; 20]> for Code {
    /// The shortest PUSH of an address.
    fn from(address: [u8; 20]) -> Self {
        parhelion_evm::from_address(&H160(address)).into()
    }
}

impl From<H160> for Code {
    /// The shortest PUSH of the address.
    fn from(address: H160) -> Self {
        address.0.into()
    }
}

impl Add for Code {
    type Output = Self;

    fn add(self, next: Self) -> Self {
        self.raw(&next.0)
    }
}

impl Add<u8> for Code {
    type Output = Self;

    /// Appends an opcode.
    fn add(self, opcode: u8) -> Self {
        self.op(opcode)
    }
}
