//! One operation of 256-bit arithmetic to measure, as bytes.
//!
//! ```text
//! instruction   0x10, operation u8, library u8
//! account       three operands, 32 bytes each
//! return data   compute units u64 of ROUNDS calls, result 32 bytes
//! ```
//!
//! Numbers are little-endian.

/// How often the operation is called.
pub const ROUNDS: u64 = 64;

/// The first byte of the instruction.
pub(crate) const TAG: u8 = 0x10;

/// An operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// a + b.
    Add,
    /// a - b.
    Sub,
    /// a * b.
    Mul,
    /// a / b.
    Div,
    /// (a + b) % c.
    AddMod,
    /// (a * b) % c.
    MulMod,
    /// a ** b.
    Exp,
    /// b << a.
    Shl,
    /// b >> a.
    Shr,
    /// b >> a with the sign.
    Sar,
    /// Byte a of b, from the most significant one.
    Byte,
}

/// Whose arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// program/evm.
    Ours,
    /// The crate ruint.
    Ruint,
    /// The crate primitive-types.
    PrimitiveTypes,
}

impl Operation {
    const ALL: [Self; 11] = [
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
        Self::AddMod,
        Self::MulMod,
        Self::Exp,
        Self::Shl,
        Self::Shr,
        Self::Sar,
        Self::Byte,
    ];

    /// As instruction data.
    #[must_use]
    pub fn instruction(self, library: Library) -> [u8; 3] {
        [TAG, self as u8, library as u8]
    }

    /// From instruction data.
    pub(crate) fn from_instruction(instruction: &[u8]) -> Option<(Self, Library)> {
        let &[TAG, operation, library] = instruction else { return None };
        let library = match library {
            0 => Library::Ours,
            1 => Library::Ruint,
            2 => Library::PrimitiveTypes,
            _ => return None,
        };
        Self::ALL.get(usize::from(operation)).map(|operation| (*operation, library))
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    /// Compute units of all calls: nothing but what the function does.
    pub compute_units: u64,
    /// The result, its least significant limb first.
    pub result: [u64; 4],
}

impl Calls {
    /// As return data.
    #[must_use]
    pub fn encode(&self) -> [u8; 40] {
        let [a, b, c, d] = self.result;
        let mut bytes = [0; 40];
        for (chunk, number) in bytes.as_chunks_mut().0.iter_mut().zip([self.compute_units, a, b, c, d]) {
            *chunk = number.to_le_bytes();
        }
        bytes
    }

    /// From return data; `None` when that is something else. The runtime leaves zeros at the end out.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut padded = [0; 40];
        padded.get_mut(..bytes.len())?.copy_from_slice(bytes);
        let (numbers, _) = padded.as_chunks();
        let [compute_units, a, b, c, d] = <[[u8; 8]; 5]>::try_from(numbers).ok()?.map(u64::from_le_bytes);
        Some(Self { compute_units, result: [a, b, c, d] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_read_as_they_were_written() {
        for operation in Operation::ALL {
            for library in [Library::Ours, Library::Ruint, Library::PrimitiveTypes] {
                let read = Operation::from_instruction(&operation.instruction(library));
                assert_eq!(read, Some((operation, library)));
            }
        }
    }

    #[test]
    fn results_are_read_as_they_were_written() {
        let calls = Calls { compute_units: 1, result: [2, 3, 0, 0] };
        assert_eq!(Calls::decode(&calls.encode()), Some(calls));
        assert_eq!(Calls::decode(&calls.encode()[..24]), Some(calls));
    }
}
