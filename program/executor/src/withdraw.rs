//! The withdraw precompile: value leaves the EVM for a Solana account.
//!
//! A call of [`WITHDRAW_ADDRESS`] with `withdraw(bytes32 payee)` and a value takes the value from the caller, and when
//! the transaction commits, the vault pays the same amount in lamports to `payee`. The call reverts when the value
//! is no whole number of lamports or zero, when the input is another, when the payee cannot take lamports, and when
//! it is not a plain CALL (no other kind of call can carry value of the caller's). Cost: [`GAS`].

use crate::Result;
use crate::amount;
use crate::ledger::Ledger;
use crate::world::World;
use parhelion_evm::crypto::Crypto;
use parhelion_evm::{H160, U256};
use parhelion_wire::Pubkey;
use parhelion_wire::address::AccountKey;
use parhelion_wire::event::Withdrawal;

/// Where the withdraw precompile is.
pub const WITHDRAW_ADDRESS: H160 = H160([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01]);

/// The first four bytes of Keccak-256("withdraw(bytes32)").
pub const WITHDRAW_SELECTOR: [u8; 4] = [0x8e, 0x19, 0x89, 0x9e];

/// What a withdrawal costs, in gas: as much as a transfer of value to an existing account.
pub(crate) const GAS: i64 = 9000;

/// Withdrawals in one transaction at most: each payee is an account of the Solana transaction.
const WITHDRAWALS_MAX: usize = 8;

impl<'c, L: Ledger<'c>, C: Crypto> World<'c, L, C> {
    /// Withdraws `value` from `caller` as `input` says; `false` means revert.
    pub(crate) fn withdraw(&mut self, caller: &H160, value: &U256, input: &[u8]) -> Result<bool> {
        let Some(payee) = decode(input) else { return Ok(false) };
        let Some(lamports) = amount::whole_lamports(value) else { return Ok(false) };
        if self.withdrawals.len() >= WITHDRAWALS_MAX {
            return Ok(false);
        }
        let account = self.ledger.load(&AccountKey::External(payee))?;
        if !self.ledger.can_receive(account, &payee, lamports)? {
            return Ok(false);
        }
        self.ledger.load(&AccountKey::Vault)?;
        let id = self.load_balance(caller)?;
        let Some(rest) = amount::checked_sub(&self.account(id)?.state.balance, value) else {
            return Ok(false);
        };
        self.change(id)?.balance = rest;
        let withdrawal = Withdrawal { from: *caller, payee, lamports };
        self.reserve_report(Withdrawal::LENGTH)?;
        self.report.extend_from_slice(&withdrawal.encode());
        self.withdrawals.push(withdrawal);
        Ok(true)
    }
}

/// The payee in `withdraw(bytes32)`.
fn decode(input: &[u8]) -> Option<Pubkey> {
    let (selector, payee) = input.split_first_chunk::<4>()?;
    if *selector != WITHDRAW_SELECTOR {
        return None;
    }
    payee.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_call_data_withdraws() {
        let call = [&WITHDRAW_SELECTOR[..], &[7; 32]].concat();
        assert_eq!(decode(&call), Some([7; 32]));
        assert_eq!(decode(&call[..35]), None);
        assert_eq!(decode(&[&call[..], &[0]].concat()), None);
        assert_eq!(decode(&[0; 36]), None);
    }
}
