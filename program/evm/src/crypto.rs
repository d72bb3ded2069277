//! The cryptography that the EVM needs: syscalls on chain, native libraries elsewhere.

/// Cryptographic primitives. One of the two things (with the ledger) in which chain and emulator differ, so every
/// method has one right answer.
pub trait Crypto {
    /// Keccak-256 over the concatenation of `parts`.
    fn keccak256(&self, parts: &[&[u8]]) -> [u8; 32];

    /// SHA-256 over the concatenation of `parts`.
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32];

    /// The secp256k1 public key (x, y) that signed `hash`; `None` when there is none. `recovery_id` is 0 or 1, and
    /// r and s lie in [1, n). Unlike a transaction signature, s may lie in the upper half.
    fn secp256k1_recover(&self, hash: &[u8; 32], recovery_id: u8, r_s: &[u8; 64]) -> Option<[u8; 64]>;
}
