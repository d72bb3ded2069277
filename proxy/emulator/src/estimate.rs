//! eth_estimateGas: the smallest gas limit with which a call succeeds, rent gas included.

use crate::overrides;
use crate::read::Prepared;
use crate::shell::Shell;
use crate::steps::LARGEST;
use alloy_primitives::U256;
use parhelion_core::emulator::{Call, Emulator, EmulatorError, Estimate, Execution};
use parhelion_evm::exit::Exit;
use parhelion_evm::gas::{CALL_STIPEND, TRANSACTION_MAX};
use parhelion_executor::{BlockValues, Options};
use parhelion_wire::ProgramError;
use parhelion_wire::event::Outcome;

/// Runs of one estimate at most: enough to halve the largest gas limit down to one.
const RUNS_MAX: usize = 48;

/// A call as a transaction with this gas limit would be.
pub(crate) fn prepared(
    call: &Call,
    gas_limit: u64,
) -> impl Fn(&BlockValues) -> Prepared + Send + Sync + Clone + 'static {
    let asked = call.clone();
    move |block| {
        let gas_price = asked.gas_price_at(block.base_fee);
        // A transaction pays at least the base fee, and rent gas is counted at the price that is paid.
        let rent_gas_price = Some(gas_price.max(U256::from(block.base_fee)));
        // What does not fit one Solana transaction runs in several.
        let options = Options { evm_gas_max: TRANSACTION_MAX, ..LARGEST };
        Prepared { options, gas_limit, gas_price, rent_gas_price }
    }
}

impl Shell {
    /// The smallest gas limit with which the call succeeds as a transaction.
    pub(crate) async fn estimate_gas(&self, call: &Call) -> Result<Estimate, EmulatorError> {
        let cap = self.allowance(call).await?;
        let most = match self.try_limit(call, cap).await {
            Ok(execution) => execution,
            Err(EmulatorError::Refused(refusal)) if refusal.error == ProgramError::IntrinsicGasTooLow => {
                return Err(EmulatorError::GasExceedsAllowance { allowance: cap });
            }
            Err(error) => return Err(error),
        };
        match most.outcome {
            Outcome::Success => {}
            Outcome::Revert => return Err(EmulatorError::Reverted { output: most.output }),
            Outcome::Halt if most.reason != Exit::OutOfGas.text() => {
                return Err(EmulatorError::Halted { reason: most.reason });
            }
            Outcome::Halt | Outcome::OutOfRentGas | Outcome::Cancelled => {
                return Err(EmulatorError::GasExceedsAllowance { allowance: cap });
            }
        }
        // Gas used is a lower bound: refunds come at the end, and callees get 63/64 only.
        let (mut low, mut high) = (most.gas_used.saturating_sub(1), cap);
        let guess =
            most.gas_used.saturating_add(most.gas_used / 63).saturating_add(CALL_STIPEND.unsigned_abs());
        let mut next = most.gas_used;
        for run in 0..RUNS_MAX {
            if low + 1 >= high {
                break;
            }
            if self.succeeds(call, next).await? {
                high = next;
            } else {
                low = next;
            }
            next = if run == 0 && guess < high && guess > low { guess } else { low + (high - low) / 2 };
        }
        Ok(Estimate { gas_limit: high, rent_gas: most.rent_gas })
    }

    /// The largest limit to try: the call's own, the EVM's cap with room for rent, what the sender can pay.
    pub(crate) async fn allowance(&self, call: &Call) -> Result<u64, EmulatorError> {
        let overrides = call.overrides.as_deref();
        let limit = match overrides.and_then(|overrides| overrides.block.gas_limit) {
            Some(limit) => limit,
            None => self.settings().await?.block_gas_limit,
        };
        let cap = call.gas.unwrap_or(limit).min(limit);
        let price = call.gas_price.unwrap_or_default();
        if price.is_zero() {
            return Ok(cap);
        }
        let from = call.from.unwrap_or_default();
        let balance = match overrides::balance(overrides, from) {
            Some(balance) => balance,
            None => self.account(from).await?.balance,
        };
        let value = call.value.unwrap_or_default();
        let Some(available) = balance.checked_sub(value) else {
            return Err(crate::read::refused(ProgramError::InsufficientFunds));
        };
        Ok(cap.min(u64::try_from(available / price).unwrap_or(u64::MAX)))
    }

    async fn try_limit(&self, call: &Call, gas_limit: u64) -> Result<Execution, EmulatorError> {
        self.run_call(call, prepared(call, gas_limit)).await
    }

    async fn succeeds(&self, call: &Call, gas_limit: u64) -> Result<bool, EmulatorError> {
        match self.try_limit(call, gas_limit).await {
            Ok(execution) => Ok(execution.outcome.is_success()),
            Err(EmulatorError::Refused(refusal)) if refusal.error == ProgramError::IntrinsicGasTooLow => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}
