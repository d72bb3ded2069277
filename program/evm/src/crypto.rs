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

    /// The sum of two points of BN254's G1 (EIP-196): x and y of each, 32 bytes big-endian, zeros for the point at
    /// infinity. `None` if one is no point of the curve. Coordinates are below 2^254.
    fn bn254_add(&self, points: &[u8; 128]) -> Option<[u8; 64]>;

    /// A point of BN254's G1 times a number, 32 bytes big-endian of any value. Otherwise as [`Self::bn254_add`].
    fn bn254_mul(&self, factors: &[u8; 96]) -> Option<[u8; 64]>;

    /// Whether the product of the pairings of `pairs`, 192 bytes each, is 1 (EIP-197); it is for none. `None` if one
    /// is no pair of points of G1 and G2. Coordinates are below 2^254.
    fn bn254_pairing(&self, pairs: &[u8]) -> Option<bool>;
}
