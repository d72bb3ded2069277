//! The lists in a transaction: EIP-2930 access lists and EIP-7702 authorizations.
//!
//! A list is walked once while the transaction is decoded, so that its shape is known to be valid and its items are
//! counted (intrinsic gas needs the counts); iterating over it later cannot fail.

use super::Signature;
use crate::Hash;
use crate::rlp::{Encoded, Reader, RlpError};
use primitive_types::{H160, U256};

/// A validated EIP-2930 access list.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccessList<'a> {
    items: &'a [u8],
    /// How many addresses it lists.
    pub addresses: u32,
    /// How many storage keys it lists.
    pub storage_keys: u32,
}

/// An address and its storage keys.
#[derive(Clone, Copy, Debug)]
pub struct AccessListItem<'a> {
    /// The address.
    pub address: H160,
    /// Its storage keys.
    pub storage_keys: StorageKeys<'a>,
}

/// The storage keys of an [`AccessListItem`].
#[derive(Clone, Copy, Debug)]
pub struct StorageKeys<'a>(Reader<'a>);

impl<'a> AccessList<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, RlpError> {
        let mut items = reader.list()?;
        let mut list = Self { items: items.rest(), addresses: 0, storage_keys: 0 };
        while !items.is_empty() {
            let mut keys = read_item(&mut items)?.storage_keys.0;
            list.addresses += 1;
            while !keys.is_empty() {
                keys.array::<32>()?;
                list.storage_keys += 1;
            }
        }
        Ok(list)
    }

    /// Whether nothing is listed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.addresses == 0
    }

    /// The items, in their order.
    pub fn iter(&self) -> impl Iterator<Item = AccessListItem<'a>> + use<'a> {
        let mut items = Reader::new(self.items);
        core::iter::from_fn(move || read_item(&mut items).ok())
    }
}

fn read_item<'a>(items: &mut Reader<'a>) -> Result<AccessListItem<'a>, RlpError> {
    let mut item = items.list()?;
    let address = item.address()?;
    let storage_keys = StorageKeys(item.list()?);
    item.end()?;
    Ok(AccessListItem { address, storage_keys })
}

impl Iterator for StorageKeys<'_> {
    type Item = U256;

    fn next(&mut self) -> Option<U256> {
        self.0.array::<32>().ok().map(|key| crate::number::from_be_bytes(&key))
    }
}

/// A validated EIP-7702 authorization list.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuthorizationList<'a> {
    items: &'a [u8],
    /// How many authorizations it holds.
    pub count: u32,
}

/// One EIP-7702 authorization. Its shape is valid; whether it takes effect is decided when it is applied.
#[derive(Clone, Copy, Debug)]
pub struct Authorization {
    /// The chain it is for; 0 means every chain.
    pub chain_id: U256,
    /// Whose code the authority takes.
    pub address: H160,
    /// The authority's nonce.
    pub nonce: u64,
    /// The authority's signature, ranges not checked.
    pub signature: Signature,
}

impl<'a> AuthorizationList<'a> {
    /// A list on its own, from its RLP bytes.
    ///
    /// # Errors
    /// When the bytes are no authorization list.
    pub fn from_rlp(bytes: &'a [u8]) -> Result<Self, RlpError> {
        let mut reader = Reader::new(bytes);
        let list = Self::decode(&mut reader)?;
        reader.end()?;
        Ok(list)
    }

    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, RlpError> {
        let mut items = reader.list()?;
        let mut list = Self { items: items.rest(), count: 0 };
        while !items.is_empty() {
            Authorization::read(&mut items)?;
            list.count += 1;
        }
        Ok(list)
    }

    /// The authorizations, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Authorization> + use<'a> {
        let mut items = Reader::new(self.items);
        core::iter::from_fn(move || Authorization::read(&mut items).ok())
    }
}

impl Authorization {
    fn read(items: &mut Reader<'_>) -> Result<Self, RlpError> {
        let mut item = items.list()?;
        let chain_id = item.u256()?;
        let address = item.address()?;
        let nonce = item.u64()?;
        let y_parity = item.u64()?;
        // EIP-7702: the parity must be below 2^8.
        let y_parity = u8::try_from(y_parity).map_err(|_| RlpError)?;
        let r = item.u256()?.to_big_endian();
        let s = item.u256()?.to_big_endian();
        item.end()?;
        Ok(Self { chain_id, address, nonce, signature: Signature { r, s, y_parity } })
    }

    /// The hash that the authority signed: Keccak-256(0x05 ‖ rlp([chain id, address, nonce])).
    #[must_use]
    pub fn signing_hash(&self, keccak256: impl Hash) -> [u8; 32] {
        let chain_id = Encoded::integer(&self.chain_id.to_big_endian());
        let nonce = Encoded::integer(&self.nonce.to_be_bytes());
        let length = chain_id.as_slice().len() + 21 + nonce.as_slice().len();
        let list = Encoded::list_prefix(length);
        keccak256(&[&[5], list.as_slice(), chain_id.as_slice(), &[0x94], &self.address.0, nonce.as_slice()])
    }
}
