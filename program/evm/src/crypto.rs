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

    /// The sum of two points of BLS12-381 over its field, in the group or not. Points are x and y, 48 bytes big-endian
    /// each; the point at infinity has bit 0x40 of the first byte set and is zero otherwise. `None` if one is no point
    /// of the curve.
    fn bls12_381_g1_add(&self, a: &[u8; 96], b: &[u8; 96]) -> Option<[u8; 96]>;

    /// A point of G1 times a number below the order, 32 bytes big-endian. `None` if it is no point of the group.
    fn bls12_381_g1_mul(&self, point: &[u8; 96], scalar: &[u8; 32]) -> Option<[u8; 96]>;

    /// As [`Self::bls12_381_g1_add`], over the extension field: the imaginary part of an element goes first.
    fn bls12_381_g2_add(&self, a: &[u8; 192], b: &[u8; 192]) -> Option<[u8; 192]>;

    /// As [`Self::bls12_381_g1_mul`], in G2.
    fn bls12_381_g2_mul(&self, point: &[u8; 192], scalar: &[u8; 32]) -> Option<[u8; 192]>;

    /// The point of G1 with this x, and the y that the flags tell (the compression of Zcash). `None` if there is none.
    fn bls12_381_g1_decompress(&self, point: &[u8; 48]) -> Option<[u8; 96]>;

    /// The product of the pairings of up to eight pairs, as twelve field elements of 48 bytes big-endian, the highest
    /// first; 1 for none. `None` if a point is not in its group.
    fn bls12_381_pairing(&self, g1: &[[u8; 96]], g2: &[[u8; 192]]) -> Option<[u8; 576]>;
}
