//! secp256k1 signatures as Ethereum accepts them.

use crate::error::ProgramError;

/// The order of the secp256k1 group, big-endian.
pub const SECP256K1_N: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba,
    0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

/// Half the order, rounded down.
const HALF_N: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x5d,
    0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

/// A recoverable secp256k1 signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// r, big-endian.
    pub r: [u8; 32],
    /// s, big-endian.
    pub s: [u8; 32],
    /// Parity of the curve point's y, 0 or 1.
    pub y_parity: u8,
}

impl Signature {
    /// Checks the ranges: 0 < r < n, 0 < s <= n/2 (EIP-2, against malleability), parity 0 or 1.
    ///
    /// # Errors
    /// [`ProgramError::InvalidSignature`].
    pub fn check(&self) -> Result<(), ProgramError> {
        let zero = [0; 32];
        let valid = self.y_parity <= 1
            && self.r != zero
            && self.r < SECP256K1_N
            && self.s != zero
            && self.s <= HALF_N;
        if valid { Ok(()) } else { Err(ProgramError::InvalidSignature) }
    }

    /// r and s, one after the other.
    #[must_use]
    pub fn r_s(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&self.r);
        bytes[32..].copy_from_slice(&self.s);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn less_one(mut bytes: [u8; 32]) -> [u8; 32] {
        bytes[31] -= 1;
        bytes
    }

    #[test]
    fn ranges_are_those_of_eip_2() {
        let mut one = [0; 32];
        one[31] = 1;
        let valid = Signature { r: one, s: one, y_parity: 0 };
        assert_eq!(valid.check(), Ok(()));
        assert_eq!(Signature { r: less_one(SECP256K1_N), s: HALF_N, y_parity: 1 }.check(), Ok(()));
        let mut above_half = HALF_N;
        above_half[31] += 1;
        for wrong in [
            Signature { r: [0; 32], ..valid },
            Signature { r: SECP256K1_N, ..valid },
            Signature { s: [0; 32], ..valid },
            Signature { s: above_half, ..valid },
            Signature { y_parity: 2, ..valid },
        ] {
            assert_eq!(wrong.check(), Err(ProgramError::InvalidSignature), "{wrong:?}");
        }
    }
}
