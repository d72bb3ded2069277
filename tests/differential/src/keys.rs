//! The keys of the accounts that sign authorizations.

use crate::case::Authorization;
use alloy_primitives::{Address, U256, keccak256};
use alloy_rlp::{Encodable, Header};
use k256::ecdsa::SigningKey;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

/// How many keys there are.
pub(crate) const COUNT: u8 = 4;

/// Their addresses.
static ADDRESSES: LazyLock<Vec<Address>> = LazyLock::new(|| {
    let address = |key: SigningKey| {
        let point = key.verifying_key().to_encoded_point(false);
        Address::from_raw_public_key(&point.as_bytes()[1..])
    };
    (0..COUNT).filter_map(signing_key).map(address).collect()
});

/// A signature of an authorization.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signature {
    /// Parity of the point's y.
    pub(crate) y_parity: u8,
    /// r.
    pub(crate) r: U256,
    /// s.
    pub(crate) s: U256,
}

/// The key number `key`: the number plus one, 32 times.
fn signing_key(key: u8) -> Option<SigningKey> {
    SigningKey::from_slice(&[key % COUNT + 1; 32]).ok()
}

/// The address of a key.
pub(crate) fn address(key: u8) -> Address {
    ADDRESSES.get(usize::from(key % COUNT)).copied().unwrap_or_default()
}

thread_local! {
    /// Signatures that were made before: there are few different authorizations.
    static MADE: RefCell<HashMap<Vec<u8>, Signature>> = RefCell::default();
}

/// Most signatures to keep.
const KEPT_MAX: usize = 10_000;

/// Signs an authorization.
pub(crate) fn sign(authorization: &Authorization) -> Option<Signature> {
    let Authorization { chain_id, address, nonce, key } = authorization;
    let mut message = vec![5];
    let payload_length = chain_id.length() + address.length() + nonce.length();
    Header { list: true, payload_length }.encode(&mut message);
    chain_id.encode(&mut message);
    address.encode(&mut message);
    nonce.encode(&mut message);
    let hash = keccak256(&message);
    message.push(*key);
    MADE.with_borrow_mut(|made| {
        if let Some(signature) = made.get(&message) {
            return Some(*signature);
        }
        let (signature, recovery_id) = signing_key(*key)?.sign_prehash_recoverable(hash.as_slice()).ok()?;
        let (r, s) = signature.split_bytes();
        let signature = Signature {
            y_parity: recovery_id.to_byte(),
            r: U256::from_be_slice(&r),
            s: U256::from_be_slice(&s),
        };
        if made.len() >= KEPT_MAX {
            made.clear();
        }
        made.insert(message, signature);
        Some(signature)
    })
}
