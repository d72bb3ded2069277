//! Addresses of created contracts.

use parhelion_evm::crypto::Crypto;
use parhelion_evm::{H160, U256};
use parhelion_wire::rlp::Encoded;

/// CREATE: the last 20 bytes of Keccak-256(rlp([creator, nonce])) (Yellow Paper, equation 88).
pub(crate) fn of_create(creator: &H160, nonce: u64, crypto: &impl Crypto) -> H160 {
    let nonce = Encoded::integer(&nonce.to_be_bytes());
    // An address takes 21 bytes, a nonce at most 9: a short list.
    let list = Encoded::list_prefix(nonce.as_slice().len().saturating_add(21));
    last_20(&crypto.keccak256(&[list.as_slice(), &[0x94], &creator.0, nonce.as_slice()]))
}

/// CREATE2: the last 20 bytes of Keccak-256(0xff ‖ creator ‖ salt ‖ Keccak-256(init code)) (EIP-1014).
pub(crate) fn of_create2(creator: &H160, salt: &U256, init_code: &[u8], crypto: &impl Crypto) -> H160 {
    let init_code_hash = crypto.keccak256(&[init_code]);
    last_20(&crypto.keccak256(&[&[0xff], &creator.0, &salt.to_big_endian(), &init_code_hash]))
}

/// The address of a public key: the last 20 bytes of its hash.
pub(crate) fn last_20(hash: &[u8; 32]) -> H160 {
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    H160(address)
}
