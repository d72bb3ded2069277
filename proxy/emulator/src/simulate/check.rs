//! Whether a call can be a part of a simulated block: what geth checks, in its order.

use super::block::fee_cap;
use alloy_primitives::U256;
use parhelion_core::emulator::{AccountState, Call};
use parhelion_core::simulation::CallProblem;
use parhelion_evm::fork::Fork;
use parhelion_evm::gas::{self, INIT_CODE_SIZE_MAX, TransactionShape};

/// What a call is checked against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checks {
    /// Whether it must satisfy what a transaction must.
    pub(super) validates: bool,
    /// Nonce and balance of its sender.
    pub(super) sender: AccountState,
    /// Whether the sender has code that is no delegation (EIP-7702).
    pub(super) has_code: bool,
    /// The block's base fee.
    pub(super) base_fee: u64,
    /// The call's gas.
    pub(super) gas: u64,
}

impl Checks {
    /// Checks a call.
    pub(super) fn check(&self, call: &Call) -> Result<(), CallProblem> {
        if self.validates {
            self.check_nonce(call)?;
        }
        self.check_fee(call)?;
        // geth looks at the code of no sender here; the specification does, and so does the program.
        if self.validates && self.has_code {
            return Err(CallProblem::SenderHasCode { address: call.from.unwrap_or_default() });
        }
        self.check_funds(call)?;
        let creates = call.to.is_none();
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let shape = TransactionShape {
            data: &call.data,
            creates,
            access_addresses: count(call.access_list.0.len()),
            access_storage_keys: count(call.access_list.0.iter().map(|item| item.storage_keys.len()).sum()),
            authorizations: count(call.authorization_list.len()),
        };
        let intrinsic = gas::intrinsic(&shape, Fork::Osaka);
        let want = intrinsic.initial.max(intrinsic.floor);
        if self.gas < want {
            return Err(CallProblem::IntrinsicGas { have: self.gas, want });
        }
        let size = call.data.len();
        if creates && size > INIT_CODE_SIZE_MAX {
            return Err(CallProblem::InitCodeTooLarge { size, max: INIT_CODE_SIZE_MAX });
        }
        Ok(())
    }

    fn check_nonce(&self, call: &Call) -> Result<(), CallProblem> {
        let (address, next) = (call.from.unwrap_or_default(), self.sender.nonce);
        match call.nonce.unwrap_or(next) {
            nonce if nonce < next => Err(CallProblem::NonceTooLow { address, nonce, next }),
            nonce if nonce > next => Err(CallProblem::NonceTooHigh { address, nonce, next }),
            u64::MAX => Err(CallProblem::NonceMax { address }),
            _ => Ok(()),
        }
    }

    fn check_fee(&self, call: &Call) -> Result<(), CallProblem> {
        let (address, cap, base_fee) = (call.from.unwrap_or_default(), fee_cap(call), self.base_fee);
        let names_fee = !cap.is_zero() || call.max_priority_fee_per_gas.is_some_and(|tip| !tip.is_zero());
        if (self.validates || names_fee) && cap < U256::from(base_fee) {
            return Err(CallProblem::FeeTooLow { address, cap, base_fee });
        }
        Ok(())
    }

    fn check_funds(&self, call: &Call) -> Result<(), CallProblem> {
        let (have, fee) = (self.sender.balance, fee_cap(call).saturating_mul(U256::from(self.gas)));
        let want = fee.saturating_add(call.value.unwrap_or_default());
        if have < want {
            let address = call.from.unwrap_or_default();
            return Err(CallProblem::InsufficientFunds { address, have, want });
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Checks, INIT_CODE_SIZE_MAX};
    use alloy_primitives::{Address, Bytes, U256};
    use parhelion_core::emulator::{AccountState, Call};

    const CHECKS: Checks = Checks {
        validates: true,
        sender: AccountState { nonce: 5, balance: U256::from_limbs([1_000_000, 0, 0, 0]) },
        has_code: false,
        base_fee: 7,
        gas: 100_000,
    };

    fn call(nonce: Option<u64>, cap: u64) -> Call {
        let (to, gas_price) = (Some(Address::ZERO), Some(U256::from(cap)));
        Call { to, nonce, gas_price, ..Call::default() }
    }

    fn problem(checks: Checks, call: &Call) -> String {
        checks.check(call).unwrap_err().to_string()
    }

    #[test]
    fn a_valid_call_is_one() {
        for nonce in [None, Some(5)] {
            assert_eq!(CHECKS.check(&call(nonce, 7)), Ok(()));
        }
    }

    #[test]
    fn what_a_transaction_must_satisfy_is_checked_on_demand() {
        let lax = Checks { validates: false, ..CHECKS };
        let last = AccountState { nonce: u64::MAX, ..CHECKS.sender };
        for (checks, call, text) in [
            (CHECKS, call(Some(4), 7), "nonce too low"),
            (CHECKS, call(Some(6), 7), "nonce too high"),
            (CHECKS, call(None, 0), "max fee per gas less than block base fee"),
            (Checks { has_code: true, ..CHECKS }, call(None, 7), "sender not an eoa"),
            (Checks { sender: last, ..CHECKS }, call(None, 7), "nonce has max value"),
        ] {
            assert!(problem(checks, &call).contains(text), "{text}");
            let free = Call { gas_price: None, ..call };
            assert_eq!(Checks { validates: false, ..checks }.check(&free), Ok(()), "{text}");
        }
        assert!(
            problem(lax, &call(None, 6)).contains("max fee per gas less than"),
            "who names a fee, pays it"
        );
    }

    #[test]
    fn funds_and_gas_are_checked_always() {
        let lax = Checks { validates: false, ..CHECKS };
        let rich = Call { value: Some(U256::from(1_000_001)), ..call(None, 0) };
        assert!(problem(lax, &rich).contains("insufficient funds for gas * price + value"));
        assert!(problem(lax, &call(None, 11)).contains("have 1000000 want 1100000"));
        assert!(problem(Checks { gas: 20_999, ..lax }, &call(None, 0)).contains("have 20999, want 21000"));
        let large = Call { data: vec![0; INIT_CODE_SIZE_MAX + 1].into(), ..Call::default() };
        let gas = 10_000_000;
        assert!(problem(Checks { gas, ..lax }, &large).contains("max initcode size exceeded"));
        let fits = Call { data: Bytes::from(vec![0; INIT_CODE_SIZE_MAX]), ..Call::default() };
        assert_eq!(Checks { gas, ..lax }.check(&fits), Ok(()));
    }
}
