//! A bytecode DSL for tests: opcodes by name, pushes as short as they can be.

use alloy_primitives::U256;
use parhelion_executor::evm::opcode as op;

/// Code under construction.
///
/// ```
/// use parhelion_harness::assembler::Code;
/// use parhelion_executor::evm::opcode as op;
///
/// // return 2 + 3
/// let code = Code::new().push(3).push(2).op(op::ADD).return_top();
/// assert_eq!(code.bytes(), [0x60, 3, 0x60, 2, 0x01, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Code(Vec<u8>);

impl Code {
    /// No code.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an opcode.
    #[must_use]
    pub fn op(mut self, opcode: u8) -> Self {
        self.0.push(opcode);
        self
    }

    /// Appends the shortest PUSH of a number.
    #[must_use]
    pub fn push(mut self, number: impl TryInto<U256>) -> Self {
        let number = number.try_into().unwrap_or_default();
        let bytes = number.to_be_bytes_trimmed_vec();
        self.0.push(op::PUSH0 + bytes.len() as u8);
        self.0.extend(bytes);
        self
    }

    /// Appends bytes as they are.
    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// SSTORE of a value.
    #[must_use]
    pub fn sstore(self, key: impl TryInto<U256>, value: impl TryInto<U256>) -> Self {
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
