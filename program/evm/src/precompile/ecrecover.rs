//! ECREC (0x01): the address that signed a hash (Yellow Paper, appendix E).

use super::{Cost, bytes::padded};
use crate::crypto::Crypto;
use alloc::vec::Vec;

/// 25,000 CU are the runtime's price.
pub(super) const COST: Cost = Cost { gas: 3000, compute_units: 27_000 };

/// The order of the curve.
const N: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba,
    0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

/// The address as a word, or nothing.
pub(super) fn run(input: &[u8], crypto: &impl Crypto) -> Vec<u8> {
    let hash = padded(input, 0);
    let v: [u8; 32] = padded(input, 32);
    let r_s = padded(input, 64);
    let (front, last) = v.split_at(31);
    let recovery_id = match last {
        [v @ (27 | 28)] if front.iter().all(|&byte| byte == 0) => v - 27,
        _ => return Vec::new(),
    };
    if !in_range(&r_s) {
        return Vec::new();
    }
    let Some(key) = crypto.secp256k1_recover(&hash, recovery_id, &r_s) else { return Vec::new() };
    let mut word = crypto.keccak256(&[&key]);
    word[..12].fill(0);
    word.to_vec()
}

/// Whether r and s lie in [1, n).
fn in_range(r_s: &[u8; 64]) -> bool {
    let (r, s) = r_s.split_at(32);
    [r, s].iter().all(|number| *number < &N[..] && number.iter().any(|&byte| byte != 0))
}
