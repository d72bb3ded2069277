//! A strict RLP reader over borrowed bytes (Yellow Paper, appendix B).
//!
//! Ethereum accepts only the canonical encoding of a transaction, and a transaction's hash is taken over its bytes,
//! so this reader rejects everything else: lengths that are not minimal, single bytes below 0x80 with a prefix,
//! integers with leading zeros, bytes left over. It allocates nothing and reads every byte at most once.

use primitive_types::{H160, U256};

/// The bytes are not canonical RLP of the expected shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RlpError;

/// Reads items from the front of a byte string.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

/// One item: a byte string or the payload of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A byte string.
    Bytes(&'a [u8]),
    /// A list's payload: its items one after another.
    List(&'a [u8]),
}

impl<'a> Reader<'a> {
    /// Reads from `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Reads one list that must take up all of `bytes`, and gives a reader of its items.
    ///
    /// # Errors
    /// When `bytes` is not exactly one canonical list.
    pub fn whole_list(bytes: &'a [u8]) -> Result<Self, RlpError> {
        let mut reader = Self::new(bytes);
        let items = reader.list()?;
        reader.end()?;
        Ok(items)
    }

    /// The bytes that were not read yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether every byte was read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Asserts that every byte was read.
    ///
    /// # Errors
    /// When bytes are left over.
    pub const fn end(&self) -> Result<(), RlpError> {
        if self.rest.is_empty() { Ok(()) } else { Err(RlpError) }
    }

    /// Reads the next item.
    ///
    /// # Errors
    /// When there is none or it is not canonical.
    pub fn item(&mut self) -> Result<Item<'a>, RlpError> {
        let (&first, rest) = self.rest.split_first().ok_or(RlpError)?;
        match first {
            0..=0x7f => {
                let (item, rest) = self.rest.split_at(1);
                self.rest = rest;
                Ok(Item::Bytes(item))
            }
            0x80..=0xb7 => {
                let item = self.take(rest, usize::from(first - 0x80))?;
                match item {
                    [byte] if *byte < 0x80 => Err(RlpError),
                    _ => Ok(Item::Bytes(item)),
                }
            }
            0xb8..=0xbf => {
                let (length, rest) = long_length(rest, usize::from(first - 0xb7))?;
                Ok(Item::Bytes(self.take(rest, length)?))
            }
            0xc0..=0xf7 => Ok(Item::List(self.take(rest, usize::from(first - 0xc0))?)),
            0xf8..=0xff => {
                let (length, rest) = long_length(rest, usize::from(first - 0xf7))?;
                Ok(Item::List(self.take(rest, length)?))
            }
        }
    }

    fn take(&mut self, rest: &'a [u8], length: usize) -> Result<&'a [u8], RlpError> {
        let (item, rest) = rest.split_at_checked(length).ok_or(RlpError)?;
        self.rest = rest;
        Ok(item)
    }

    /// Reads a byte string.
    ///
    /// # Errors
    /// When the next item is none.
    pub fn bytes(&mut self) -> Result<&'a [u8], RlpError> {
        match self.item()? {
            Item::Bytes(bytes) => Ok(bytes),
            Item::List(_) => Err(RlpError),
        }
    }

    /// Reads a list and gives a reader of its items.
    ///
    /// # Errors
    /// When the next item is no list.
    pub fn list(&mut self) -> Result<Self, RlpError> {
        match self.item()? {
            Item::List(items) => Ok(Self::new(items)),
            Item::Bytes(_) => Err(RlpError),
        }
    }

    /// Reads an unsigned integer of at most 64 bits.
    ///
    /// # Errors
    /// When the next item is no canonical integer or does not fit.
    pub fn u64(&mut self) -> Result<u64, RlpError> {
        let bytes = self.integer(8)?;
        Ok(bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    /// Reads an unsigned integer of at most 256 bits.
    ///
    /// # Errors
    /// When the next item is no canonical integer or does not fit.
    pub fn u256(&mut self) -> Result<U256, RlpError> {
        let bytes = self.integer(32)?;
        if bytes.len() <= 8 {
            let low = bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
            return Ok(U256([low, 0, 0, 0]));
        }
        let mut padded = [0; 32];
        // The length is at most 32.
        let start = padded.len() - bytes.len();
        padded[start..].copy_from_slice(bytes);
        Ok(crate::number::from_be_bytes(&padded))
    }

    fn integer(&mut self, length_max: usize) -> Result<&'a [u8], RlpError> {
        let bytes = self.bytes()?;
        if bytes.len() > length_max || bytes.first() == Some(&0) {
            return Err(RlpError);
        }
        Ok(bytes)
    }

    /// Reads a 20-byte address.
    ///
    /// # Errors
    /// When the next item is not a string of 20 bytes.
    pub fn address(&mut self) -> Result<H160, RlpError> {
        self.array().map(H160)
    }

    /// Reads a byte string of exactly `N` bytes.
    ///
    /// # Errors
    /// When the next item is none.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], RlpError> {
        self.bytes()?.try_into().map_err(|_| RlpError)
    }
}

/// Reads the length of a long item, `size` bytes big-endian: more than 55 and without leading zeros.
fn long_length(rest: &[u8], size: usize) -> Result<(usize, &[u8]), RlpError> {
    let (bytes, rest) = rest.split_at_checked(size).ok_or(RlpError)?;
    // No byte string in memory needs more than eight bytes of length: `size` is at most 8 by construction.
    if bytes.first() == Some(&0) {
        return Err(RlpError);
    }
    let length = bytes.iter().fold(0u64, |value, &byte| value << 8 | u64::from(byte));
    if length <= 55 {
        return Err(RlpError);
    }
    Ok((usize::try_from(length).map_err(|_| RlpError)?, rest))
}

/// An item's prefix or a short integer as RLP, in a buffer of its own: at most 9 bytes for a prefix, 33 for an
/// integer of 256 bits.
#[derive(Clone, Copy, Debug)]
pub struct Encoded {
    bytes: [u8; 33],
    length: u8,
}

impl Encoded {
    /// The encoded bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// A list's prefix for a payload of `length` bytes.
    #[must_use]
    pub fn list_prefix(length: usize) -> Self {
        match length {
            0..=55 => Self::from_parts(&[0xc0 | length as u8], &[]),
            56..=0xff => Self::from_parts(&[0xf8, length as u8], &[]),
            0x100..=0xffff => Self::from_parts(&[0xf9, (length >> 8) as u8, length as u8], &[]),
            _ => {
                let bytes = (length as u64).to_be_bytes();
                let significant = trim(&bytes);
                Self::from_parts(&[0xf7 + significant.len() as u8], significant)
            }
        }
    }

    /// An integer, from its big-endian bytes (at most 32; leading zeros are dropped).
    #[must_use]
    pub fn integer(big_endian: &[u8]) -> Self {
        if let Ok(whole @ [1..=0xff, ..]) = <&[u8; 32]>::try_from(big_endian) {
            // A part of a signature is nearly always this long: copied eight bytes at a time.
            let mut bytes = [0xa0; 33];
            bytes[1..].copy_from_slice(whole);
            return Self { bytes, length: 33 };
        }
        match trim(big_endian) {
            [byte] if *byte < 0x80 => Self::from_parts(&[], &[*byte]),
            significant => Self::from_parts(&[0x80 + significant.len() as u8], significant),
        }
    }

    fn from_parts(prefix: &[u8], body: &[u8]) -> Self {
        let mut bytes = [0; 33];
        let source = prefix.iter().chain(body);
        for (target, &byte) in bytes.iter_mut().zip(source) {
            *target = byte;
        }
        Self { bytes, length: (prefix.len() + body.len()).min(33) as u8 }
    }
}

/// Drops leading zeros.
fn trim(big_endian: &[u8]) -> &[u8] {
    let zeros = big_endian.iter().take_while(|&&byte| byte == 0).count();
    big_endian.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_items_are_read() {
        assert_eq!(Reader::new(&[0x00]).bytes(), Ok(&[0u8][..]));
        assert_eq!(Reader::new(&[0x80]).bytes(), Ok(&[][..]));
        assert_eq!(Reader::new(&[0x81, 0x80]).bytes(), Ok(&[0x80][..]));
        assert_eq!(Reader::new(&[0x82, 1, 0]).u64(), Ok(256));
        assert_eq!(Reader::new(&[0x80]).u64(), Ok(0));
        assert!(Reader::whole_list(&[0xc0]).is_ok());
    }

    #[test]
    fn what_is_not_canonical_is_rejected() {
        for bytes in [
            &[][..],
            &[0x81, 0x7f],       // a single byte below 0x80 stands for itself
            &[0x82, 1],          // cut short
            &[0xb8, 0x37],       // 55 bytes have a short prefix
            &[0xb9, 0x00, 0x38], // leading zero in the length
            &[0xbf, 255, 255, 255, 255, 255, 255, 255, 255], // longer than memory
            &[0xf8, 0x01, 0x00],
        ] {
            assert_eq!(Reader::new(bytes).item(), Err(RlpError), "{bytes:02x?}");
        }
        assert_eq!(Reader::new(&[0x00]).u64(), Err(RlpError), "zero is the empty string");
        assert_eq!(Reader::new(&[0x82, 0, 1]).u64(), Err(RlpError), "leading zero");
        assert_eq!(Reader::new(&[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0]).u64(), Err(RlpError), "65 bits");
        assert!(Reader::whole_list(&[0xc0, 0x00]).is_err(), "bytes left over");
    }

    #[test]
    fn prefixes_and_integers_read_back() {
        for length in [0usize, 1, 55, 56, 255, 256, 65_535, 65_536] {
            let prefix = Encoded::list_prefix(length);
            let mut bytes = [0u8; 70_000];
            let start = prefix.as_slice().len();
            bytes[..start].copy_from_slice(prefix.as_slice());
            let list = Reader::whole_list(&bytes[..start + length]).expect("canonical");
            assert_eq!(list.rest().len(), length);
        }
        for value in [U256::zero(), U256::from(0x7f), U256::from(0x80), U256::from(256), U256::MAX] {
            let encoded = Encoded::integer(&value.to_big_endian());
            assert_eq!(Reader::new(encoded.as_slice()).u256(), Ok(value));
        }
    }
}
