//! Bytecode, stored once for each code hash.

use super::header::{Header, Layout, layout};
use super::{split_prefix, split_prefix_mut};
use crate::error::ProgramError;
use bytemuck::{Pod, Zeroable};
use primitive_types::H256;

/// The fixed part of a [`Code`] account: 48 bytes.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct CodePrefix {
    header: Header,
    code_length: [u8; 4],
    reserved: [u8; 4],
    code_hash: [u8; 32],
}

layout!(CodePrefix, Code, 48);

/// A view of a Code account: the bytecode and its jump-destination map.
///
/// ```text
///  0        8             12         16          48     48+n          81+n
///  ├ header ┼ code length ┼ reserved ┼ code hash ┼ code ┼ 33 zeros ┼ jump map, 1 bit a code byte ┤
/// ```
///
/// Behind the code stand 33 zero bytes: running off the code reads STOP, and a PUSH32 at its very end reads its
/// immediate, without a bounds check. Bit `i` of the map is set when code byte `i` is a JUMPDEST and no immediate.
/// The account is never written after its creation.
#[derive(Clone, Copy, Debug)]
pub struct Code<'a> {
    prefix: &'a CodePrefix,
    tail: &'a [u8],
}

impl<'a> Code<'a> {
    /// Zero bytes behind the code.
    pub const PADDING: usize = 33;

    /// The account's length for a code of `code_length` bytes.
    #[must_use]
    pub const fn account_length(code_length: usize) -> usize {
        size_of::<CodePrefix>() + code_length + Self::PADDING + code_length.div_ceil(8)
    }

    /// A checked view.
    ///
    /// # Errors
    /// [`ProgramError::WrongLength`], [`ProgramError::WrongKind`] or [`ProgramError::WrongVersion`].
    pub fn view(data: &'a [u8]) -> Result<Self, ProgramError> {
        let (prefix, tail) = split_prefix::<CodePrefix>(data)?;
        let code = Self { prefix, tail };
        if data.len() != Self::account_length(code.len()) {
            return Err(ProgramError::WrongLength);
        }
        Ok(code)
    }

    /// Writes a Code account into `data`, which must have [`Self::account_length`] bytes: everything but the jump
    /// map, which is returned (zeroed) to be filled by the caller.
    ///
    /// # Errors
    /// [`ProgramError::WrongLength`].
    pub fn create(
        data: &'a mut [u8],
        slot: u64,
        hash: H256,
        code: &[u8],
    ) -> Result<&'a mut [u8], ProgramError> {
        if data.len() != Self::account_length(code.len()) {
            return Err(ProgramError::WrongLength);
        }
        let prefix = CodePrefix::create(data, slot)?;
        prefix.code_length = (code.len() as u32).to_le_bytes();
        prefix.code_hash = hash.0;
        let (_, tail) = split_prefix_mut::<CodePrefix>(data)?;
        let (target, rest) = tail.split_at_mut(code.len());
        target.copy_from_slice(code);
        rest.fill(0);
        Ok(&mut rest[Self::PADDING..])
    }

    /// Keccak-256 of the code.
    #[must_use]
    pub const fn hash(&self) -> H256 {
        H256(self.prefix.code_hash)
    }

    /// The code's length in bytes.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // empty code has no account
    pub const fn len(&self) -> usize {
        u32::from_le_bytes(self.prefix.code_length) as usize
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &'a [u8] {
        &self.tail[..self.len()]
    }

    /// The code with its [`Self::PADDING`].
    #[must_use]
    pub fn padded_code(&self) -> &'a [u8] {
        &self.tail[..self.len() + Self::PADDING]
    }

    /// The jump-destination map.
    #[must_use]
    pub fn jump_map(&self) -> &'a [u8] {
        &self.tail[self.len() + Self::PADDING..]
    }
}

/// Room at a code address, reserved because an account grows by at most 10,240 bytes an instruction: 40 bytes and
/// then zeros up to the reserved length.
///
/// ```text
///  0        8       40
///  ├ header ┼ payer ┼ zeros …
/// ```
///
/// It is of another kind than [`Code`], so it is never mistaken for code. The payer may release it; a deployment
/// of the code turns it into a [`Code`] account, whoever paid for the room.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct CodeReservation {
    header: Header,
    payer: [u8; 32],
}

layout!(CodeReservation, CodeReservation, 40);

impl CodeReservation {
    /// Checks the prefix of `data` and gives the reservation's payer.
    ///
    /// # Errors
    /// [`ProgramError::WrongLength`], [`ProgramError::WrongKind`] or [`ProgramError::WrongVersion`].
    pub fn payer_of(data: &[u8]) -> Result<crate::Pubkey, ProgramError> {
        Ok(split_prefix::<Self>(data)?.0.payer)
    }

    /// Sets the payer.
    pub const fn set_payer(&mut self, payer: crate::Pubkey) {
        self.payer = payer;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_created_code_account_reads_back() {
        let code = [0x60, 0x5b, 0x5b];
        let mut data = [0xffu8; Code::account_length(3)];
        let map = Code::create(&mut data, 7, H256([9; 32]), &code).expect("fits");
        map[0] = 0b100;
        let view = Code::view(&data).expect("valid");
        assert_eq!((view.code(), view.jump_map(), view.hash()), (&code[..], &[0b100][..], H256([9; 32])));
        assert_eq!(&view.padded_code()[3..], &[0; 33]);
        assert_eq!(Code::view(&data[..data.len() - 1]).err(), Some(ProgramError::WrongLength));
        assert_eq!(CodeReservation::payer_of(&data).err(), Some(ProgramError::WrongKind));
    }
}
