//! What is run, and what came of it, as bytes.
//!
//! ```text
//! Case      head: caller 20, creates u8, to 20, gas limit u64, intrinsic gas u64, chain id u64, number u64,
//!           timestamp u64; input; count u32, accounts
//! Account   address 20, nonce u64, code length u32; padded code; jump map; translation; count u32, slots of 64
//! Measured  compute units u64, gas u64, is success u8, output
//! ```
//!
//! Numbers are little-endian, keys and values of storage big-endian; a field of variable length has a u32 in front.

use alloc::vec::Vec;

/// Who runs a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpreter {
    /// Ours, over the code as it is.
    Plain,
    /// Ours, over translated code.
    Translated,
    /// SputnikVM.
    Sputnik,
}

impl Interpreter {
    /// As instruction data.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// From instruction data.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Plain),
            1 => Some(Self::Translated),
            2 => Some(Self::Sputnik),
            _ => None,
        }
    }
}

/// A contract's body to run: a call, or a creation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case<'a> {
    /// Who calls.
    pub caller: [u8; 20],
    /// The callee; `None` for a creation.
    pub to: Option<[u8; 20]>,
    /// Gas of the transaction.
    pub gas_limit: u64,
    /// What of it is gone before the body runs.
    pub intrinsic_gas: u64,
    /// CHAINID.
    pub chain_id: u64,
    /// NUMBER.
    pub number: u64,
    /// TIMESTAMP.
    pub timestamp: u64,
    /// Call data or init code.
    pub input: &'a [u8],
    /// The accounts that it touches.
    pub accounts: Vec<Account<'a>>,
}

/// An account before the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account<'a> {
    /// Its address.
    pub address: [u8; 20],
    /// Its nonce.
    pub nonce: u64,
    /// Bytes of its code, padding not counted.
    pub code_length: u32,
    /// Its code, with the padding that our interpreter wants; empty where there is none.
    pub padded: &'a [u8],
    /// The code's jump-destination map.
    pub jump_map: &'a [u8],
    /// The code's translation.
    pub translation: &'a [u8],
    /// Keys and values of 32 bytes each.
    pub storage: &'a [[u8; 64]],
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Compute units.
    pub compute_units: u64,
    /// Gas used, the intrinsic gas included and refunds subtracted.
    pub gas_used: u64,
    /// Whether it ended well.
    pub is_success: bool,
    /// What it returned.
    pub output: Vec<u8>,
}

impl<'a> Case<'a> {
    /// As account data.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&self.caller);
        bytes.push(self.to.is_none().into());
        bytes.extend_from_slice(&self.to.unwrap_or_default());
        for number in [self.gas_limit, self.intrinsic_gas, self.chain_id, self.number, self.timestamp] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        write(&mut bytes, self.input);
        bytes.extend_from_slice(&(self.accounts.len() as u32).to_le_bytes());
        for account in &self.accounts {
            bytes.extend_from_slice(&account.address);
            bytes.extend_from_slice(&account.nonce.to_le_bytes());
            bytes.extend_from_slice(&account.code_length.to_le_bytes());
            write(&mut bytes, account.padded);
            write(&mut bytes, account.jump_map);
            write(&mut bytes, account.translation);
            write(&mut bytes, account.storage.as_flattened());
        }
        bytes
    }

    /// From account data; `None` when that is something else.
    #[must_use]
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let caller = reader.array()?;
        let [creates] = reader.array()?;
        let to = reader.array()?;
        let mut case = Self {
            caller,
            to: (creates == 0).then_some(to),
            gas_limit: reader.u64()?,
            intrinsic_gas: reader.u64()?,
            chain_id: reader.u64()?,
            number: reader.u64()?,
            timestamp: reader.u64()?,
            input: reader.bytes()?,
            accounts: Vec::new(),
        };
        let count = reader.u32()?;
        for _ in 0..count {
            case.accounts.push(Account {
                address: reader.array()?,
                nonce: reader.u64()?,
                code_length: reader.u32()?,
                padded: reader.bytes()?,
                jump_map: reader.bytes()?,
                translation: reader.bytes()?,
                storage: reader.bytes()?.as_chunks().0,
            });
        }
        Some(case)
    }
}

impl Measured {
    /// As return data.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&self.compute_units.to_le_bytes());
        bytes.extend_from_slice(&self.gas_used.to_le_bytes());
        bytes.push(self.is_success.into());
        bytes.extend_from_slice(&self.output);
        bytes
    }

    /// From return data; `None` when that is something else.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let (compute_units, gas_used) = (reader.u64()?, reader.u64()?);
        let [is_success] = reader.array()?;
        Some(Self { compute_units, gas_used, is_success: is_success != 0, output: reader.0.to_vec() })
    }
}

/// Adds a field of variable length.
fn write(bytes: &mut Vec<u8>, field: &[u8]) {
    bytes.extend_from_slice(&(field.len() as u32).to_le_bytes());
    bytes.extend_from_slice(field);
}

/// The bytes that are not read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.first_chunk().copied()
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.take(length as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_case_is_read_as_it_was_written() {
        let storage = [[3; 64], [4; 64]];
        let account = Account {
            address: [7; 20],
            nonce: 8,
            code_length: 1,
            padded: &[0x5b, 0],
            jump_map: &[1],
            translation: &[9, 9],
            storage: &storage,
        };
        let call = Case {
            caller: [1; 20],
            to: Some([2; 20]),
            gas_limit: 3,
            intrinsic_gas: 4,
            chain_id: 5,
            number: 6,
            timestamp: 7,
            input: &[1, 2, 3],
            accounts: vec![account, Account::default()],
        };
        let creation = Case { to: None, ..call.clone() };
        for case in [call, creation] {
            let bytes = case.encode();
            assert_eq!(Case::decode(&bytes), Some(case));
            assert_eq!(Case::decode(&bytes[..bytes.len() - 1]), None);
        }
    }

    #[test]
    fn what_came_of_it_is_read_as_it_was_written() {
        let measured = Measured { compute_units: 1, gas_used: 2, is_success: true, output: vec![3] };
        assert_eq!(Measured::decode(&measured.encode()), Some(measured));
    }

    #[test]
    fn interpreters_have_bytes() {
        for interpreter in [Interpreter::Plain, Interpreter::Translated, Interpreter::Sputnik] {
            assert_eq!(Interpreter::from_byte(interpreter.byte()), Some(interpreter));
        }
    }
}
