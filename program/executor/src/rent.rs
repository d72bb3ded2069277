//! Rent gas: the rent of state that a transaction creates, in gas units at its gas price.
//!
//! Solana keeps an account only while it holds the lamports of its rent exemption. The operator advances them; the
//! sender pays them back as gas on top of the EVM's, bounded by the gas limit that it signed. The EVM's own gas and
//! the GAS opcode know nothing of it.

use crate::amount::{self, wei};
use crate::{ProgramError, Result};
use parhelion_evm::{U256, arith};
use parhelion_wire::account::ACCOUNT_STORAGE_OVERHEAD;

/// Lamports that a new account of `length` bytes needs.
pub(crate) fn of_account(length: usize, per_byte: u64) -> Result<u64> {
    (length as u64)
        .checked_add(ACCOUNT_STORAGE_OVERHEAD)
        .and_then(|bytes| bytes.checked_mul(per_byte))
        .ok_or(ProgramError::WrongLength)
}

/// Lamports that an account needs to grow by `bytes`.
pub(crate) fn of_growth(bytes: usize, per_byte: u64) -> Result<u64> {
    (bytes as u64).checked_mul(per_byte).ok_or(ProgramError::WrongLength)
}

/// Gas that pays for `lamports` at `gas_price` wei, rounded up; `None` when no limit could cover it.
pub(crate) fn gas(lamports: u64, gas_price: &U256) -> Result<Option<u64>> {
    if lamports == 0 {
        return Ok(Some(0));
    }
    let cost = wei(lamports)?;
    let Some(less_one) = amount::checked_sub(gas_price, &U256([1, 0, 0, 0])) else { return Ok(None) };
    let gas =
        amount::checked_add(&cost, &less_one).and_then(|sum| arith::as_u64(&arith::div(&sum, gas_price)));
    Ok(gas.filter(|gas| *gas <= u64::MAX >> 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rent_gas_covers_the_lamports_and_no_more_than_a_unit_above() {
        let gwei = U256::from(1_000_000_000u64);
        assert_eq!(gas(0, &gwei), Ok(Some(0)));
        assert_eq!(gas(897_840, &gwei), Ok(Some(897_840)), "at 1 gwei a gas is a lamport");
        assert_eq!(gas(897_840, &(gwei + U256::one())), Ok(Some(897_840)), "rounded up");
        assert_eq!(gas(897_840, &(gwei * U256::from(3))), Ok(Some(299_280)));
        assert_eq!(gas(1, &U256::zero()), Ok(None), "nothing pays at price zero");
        assert_eq!(gas(u64::MAX, &U256::one()), Ok(None));
    }
}
