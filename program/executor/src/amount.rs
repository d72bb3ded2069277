//! Amounts of wei, with every overflow noticed.

use crate::{ProgramError, Result};
use parhelion_evm::{U256, arith};
use parhelion_wire::WEI_PER_LAMPORT;

/// `factor` times `amount`, unless it overflows.
pub(crate) fn checked_mul(factor: u64, amount: &U256) -> Option<U256> {
    let product_fits = amount.0[3] == 0 || !overflows(factor, amount);
    product_fits.then(|| arith::mul(&U256([factor, 0, 0, 0]), amount))
}

/// Whether the product has more than 256 bits. Amounts of wei that there can be never come here.
#[cold]
fn overflows(factor: u64, amount: &U256) -> bool {
    let carry = amount.0.iter().fold(0u128, |carry, limb| {
        // At most (2^64 - 1)^2 + 2^64 - 1, which fits.
        u128::from(*limb).wrapping_mul(u128::from(factor)).wrapping_add(carry) >> 64
    });
    carry != 0
}

/// The sum, unless it overflows.
pub(crate) fn checked_add(a: &U256, b: &U256) -> Option<U256> {
    let sum = arith::add(a, b);
    (!arith::lt(&sum, a)).then_some(sum)
}

/// The difference, unless it is negative.
pub(crate) fn checked_sub(a: &U256, b: &U256) -> Option<U256> {
    (!arith::lt(a, b)).then(|| arith::sub(a, b))
}

/// Lamports as wei.
pub(crate) fn wei(lamports: u64) -> Result<U256> {
    checked_mul(lamports, &WEI_PER_LAMPORT.into()).ok_or(ProgramError::InvalidArgument)
}

/// Wei as lamports, if they are a whole number of them and not zero.
pub(crate) fn whole_lamports(wei: &U256) -> Option<u64> {
    let unit = U256::from(WEI_PER_LAMPORT);
    let lamports = arith::as_u64(&arith::div(wei, &unit))?;
    (lamports != 0 && arith::is_zero(&arith::rem(wei, &unit))).then_some(lamports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lamports_are_lamports() {
        let lamport = U256::from(WEI_PER_LAMPORT);
        assert_eq!(whole_lamports(&lamport), Some(1));
        assert_eq!(whole_lamports(&(lamport * U256::from(u64::MAX))), Some(u64::MAX));
        for wei in
            [U256::zero(), U256::one(), lamport + U256::one(), lamport * U256::from(u64::MAX) + lamport]
        {
            assert_eq!(whole_lamports(&wei), None, "{wei}");
        }
    }

    #[test]
    fn overflows_are_noticed() {
        assert_eq!(checked_mul(2, &U256::MAX), None);
        assert_eq!(checked_mul(u64::MAX, &U256([0, 0, 1, 0])), Some(U256([0, 0, u64::MAX, 0])));
        assert_eq!(checked_mul(2, &U256([0, 0, 0, 1])), Some(U256([0, 0, 0, 2])));
        assert_eq!(checked_mul(1, &U256::MAX), Some(U256::MAX));
        assert_eq!(checked_mul(2, &U256([u64::MAX, u64::MAX, u64::MAX, u64::MAX >> 1])), Some(U256::MAX - 1));
        assert_eq!(checked_mul(2, &U256([0, 0, 0, 1 << 63])), None);
        assert_eq!(
            (checked_add(&U256::MAX, &U256::one()), checked_sub(&U256::zero(), &U256::one())),
            (None, None)
        );
        assert_eq!(checked_add(&U256::MAX, &U256::zero()), Some(U256::MAX));
        assert_eq!(checked_sub(&U256::one(), &U256::one()), Some(U256::zero()));
        assert_eq!(wei(u64::MAX), Ok(U256::from(u64::MAX) * U256::from(WEI_PER_LAMPORT)));
    }
}
