//! Values as bytes in accounts: explicit, little-endian, without gaps, pointers or lengths that nobody wrote.
//!
//! For data whose shape varies, such as the checkpoint of a run; accounts of a fixed shape are views
//! ([`crate::account::Layout`]). A structure lists its fields once ([`stored!`](crate::stored!)), so writing and reading
//! cannot disagree about their order.

use crate::account::{read_u256, write_u256};
use crate::error::ProgramError;
use primitive_types::{H160, H256, U256};

/// Where bytes are written.
#[derive(Debug)]
pub struct Writer<'b> {
    rest: &'b mut [u8],
    length: usize,
}

/// Where bytes are read.
#[derive(Clone, Debug)]
pub struct Reader<'b> {
    rest: &'b [u8],
}

/// A value that can be written and read back.
pub trait Stored: Sized {
    /// Writes the value.
    ///
    /// # Errors
    /// [`ProgramError::CheckpointLimit`] when there is no room.
    fn put(&self, out: &mut Writer<'_>) -> Result<(), ProgramError>;

    /// Reads a value.
    ///
    /// # Errors
    /// [`ProgramError::CheckpointMalformed`].
    fn take(input: &mut Reader<'_>) -> Result<Self, ProgramError>;
}

impl<'b> Writer<'b> {
    /// Writes from the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'b mut [u8]) -> Self {
        Self { rest: bytes, length: 0 }
    }

    /// Bytes written so far.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.length
    }

    /// Writes a value.
    ///
    /// # Errors
    /// Those of [`Stored::put`].
    #[inline(always)]
    pub fn put<T: Stored>(&mut self, value: &T) -> Result<(), ProgramError> {
        value.put(self)
    }

    /// Writes so many bytes.
    ///
    /// # Errors
    /// [`ProgramError::CheckpointLimit`] when there is no room.
    #[inline(always)]
    pub fn array<const N: usize>(&mut self, bytes: &[u8; N]) -> Result<(), ProgramError> {
        let rest = core::mem::take(&mut self.rest);
        let (target, rest) = rest.split_first_chunk_mut().ok_or(ProgramError::CheckpointLimit)?;
        *target = *bytes;
        self.rest = rest;
        self.length = self.length.wrapping_add(N);
        Ok(())
    }

    /// Writes bytes; whoever reads them knows how many.
    ///
    /// # Errors
    /// [`ProgramError::CheckpointLimit`] when there is no room.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), ProgramError> {
        let rest = core::mem::take(&mut self.rest);
        let (target, rest) = rest.split_at_mut_checked(bytes.len()).ok_or(ProgramError::CheckpointLimit)?;
        target.copy_from_slice(bytes);
        self.rest = rest;
        self.length = self.length.wrapping_add(bytes.len());
        Ok(())
    }

    /// Writes bytes with their length in front.
    ///
    /// # Errors
    /// [`ProgramError::CheckpointLimit`] when there is no room.
    pub fn counted(&mut self, bytes: &[u8]) -> Result<(), ProgramError> {
        self.put(&(bytes.len() as u32))?;
        self.bytes(bytes)
    }

    /// Writes values with their number in front.
    ///
    /// # Errors
    /// Those of [`Stored::put`].
    pub fn list<T: Stored>(&mut self, values: &[T]) -> Result<(), ProgramError> {
        self.put(&(values.len() as u32))?;
        values.iter().try_for_each(|value| value.put(self))
    }
}

impl<'b> Reader<'b> {
    /// Reads from the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Reads a value.
    ///
    /// # Errors
    /// Those of [`Stored::take`].
    #[inline(always)]
    pub fn take<T: Stored>(&mut self) -> Result<T, ProgramError> {
        T::take(self)
    }

    /// Reads so many bytes.
    ///
    /// # Errors
    /// [`ProgramError::CheckpointMalformed`] when there are fewer.
    #[inline(always)]
    pub fn array<const N: usize>(&mut self) -> Result<&'b [u8; N], ProgramError> {
        let (front, rest) = self.rest.split_first_chunk().ok_or(ProgramError::CheckpointMalformed)?;
        self.rest = rest;
        Ok(front)
    }

    /// Reads so many bytes.
    ///
    /// # Errors
    /// [`ProgramError::CheckpointMalformed`] when there are fewer.
    pub fn bytes(&mut self, length: usize) -> Result<&'b [u8], ProgramError> {
        let (front, rest) = self.rest.split_at_checked(length).ok_or(ProgramError::CheckpointMalformed)?;
        self.rest = rest;
        Ok(front)
    }

    /// Reads bytes with their length in front.
    ///
    /// # Errors
    /// [`ProgramError::CheckpointMalformed`].
    pub fn counted(&mut self) -> Result<&'b [u8], ProgramError> {
        let length: u32 = self.take()?;
        self.bytes(length as usize)
    }

    /// Reads values with their number in front, and hands them over one by one.
    ///
    /// # Errors
    /// Those of [`Stored::take`] and of `each`.
    pub fn list<T: Stored>(
        &mut self,
        mut each: impl FnMut(T) -> Result<(), ProgramError>,
    ) -> Result<(), ProgramError> {
        let count: u32 = self.take()?;
        for _ in 0..count {
            each(self.take()?)?;
        }
        Ok(())
    }
}

/// Implements [`Stored`] for a structure: its fields, in the order in which they are stored.
#[macro_export]
macro_rules! stored {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::stored::Stored for $name {
            fn put(&self, out: &mut $crate::stored::Writer<'_>) -> core::result::Result<(), $crate::ProgramError> {
                $(out.put(&self.$field)?;)+
                Ok(())
            }

            fn take(input: &mut $crate::stored::Reader<'_>) -> core::result::Result<Self, $crate::ProgramError> {
                Ok(Self { $($field: input.take()?),+ })
            }
        }
    };
}

macro_rules! integers {
    ($($name:ident)+) => {$(
        impl Stored for $name {
            #[inline(always)]
            fn put(&self, out: &mut Writer<'_>) -> Result<(), ProgramError> {
                out.array(&self.to_le_bytes())
            }

            #[inline(always)]
            fn take(input: &mut Reader<'_>) -> Result<Self, ProgramError> {
                Ok(Self::from_le_bytes(*input.array()?))
            }
        }
    )+};
}
integers!(u8 u16 u32 u64 i64);

impl Stored for bool {
    #[inline(always)]
    fn put(&self, out: &mut Writer<'_>) -> Result<(), ProgramError> {
        out.array(&[u8::from(*self)])
    }

    #[inline(always)]
    fn take(input: &mut Reader<'_>) -> Result<Self, ProgramError> {
        Ok(*input.array()? != [0])
    }
}

impl<const N: usize> Stored for [u8; N] {
    #[inline(always)]
    fn put(&self, out: &mut Writer<'_>) -> Result<(), ProgramError> {
        out.array(self)
    }

    #[inline(always)]
    fn take(input: &mut Reader<'_>) -> Result<Self, ProgramError> {
        input.array().copied()
    }
}

impl Stored for U256 {
    #[inline(always)]
    fn put(&self, out: &mut Writer<'_>) -> Result<(), ProgramError> {
        let mut bytes = [0; 32];
        write_u256(&mut bytes, self);
        out.array(&bytes)
    }

    #[inline(always)]
    fn take(input: &mut Reader<'_>) -> Result<Self, ProgramError> {
        Ok(read_u256(input.array()?))
    }
}

macro_rules! hashes {
    ($($name:ident)+) => {$(
        impl Stored for $name {
            #[inline(always)]
            fn put(&self, out: &mut Writer<'_>) -> Result<(), ProgramError> {
                out.array(&self.0)
            }

            #[inline(always)]
            fn take(input: &mut Reader<'_>) -> Result<Self, ProgramError> {
                Ok(Self(*input.array()?))
            }
        }
    )+};
}
hashes!(H160 H256);

impl<T: Stored> Stored for Option<T> {
    fn put(&self, out: &mut Writer<'_>) -> Result<(), ProgramError> {
        out.put(&self.is_some())?;
        self.as_ref().map_or(Ok(()), |value| value.put(out))
    }

    fn take(input: &mut Reader<'_>) -> Result<Self, ProgramError> {
        Ok(if input.take()? { Some(input.take()?) } else { None })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Row {
        number: u16,
        amount: U256,
        address: Option<H160>,
    }
    stored!(Row { number, amount, address });

    fn rows() -> Vec<Row> {
        [None, Some(H160([3; 20]))]
            .map(|address| Row { number: 0x0102, amount: U256([1, 2, 3, 4]), address })
            .to_vec()
    }

    #[test]
    fn what_was_written_reads_back_and_nothing_is_written_beyond_the_room() {
        let mut bytes = [0xff; 200];
        let mut out = Writer::new(&mut bytes);
        out.list(&rows()).expect("fits");
        out.counted(b"tail").expect("fits");
        let length = out.length();
        assert_eq!(&bytes[..8], &[2, 0, 0, 0, 2, 1, 1, 0], "numbers are little-endian, without gaps");
        let mut input = Reader::new(&bytes[..length]);
        let mut read = Vec::new();
        input
            .list(|row: Row| {
                read.push(row);
                Ok(())
            })
            .expect("rows");
        assert_eq!((read, input.counted()), (rows(), Ok(&b"tail"[..])));
        assert_eq!(input.take::<u8>(), Err(ProgramError::CheckpointMalformed));
        for room in 0..length {
            let mut bytes = std::vec![0; room];
            let mut out = Writer::new(&mut bytes);
            let result = out.list(&rows()).and_then(|()| out.counted(b"tail"));
            assert_eq!(result, Err(ProgramError::CheckpointLimit));
            let mut input = Reader::new(&bytes);
            assert!(input.list(|_: Row| Ok(())).and_then(|()| input.counted().map(drop)).is_err());
        }
    }
}
