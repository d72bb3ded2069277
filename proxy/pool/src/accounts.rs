//! Senders' accounts as they were a moment ago.
//!
//! Who has many transactions sends them all at once. Those that wait behind another one of the sender are checked against what
//! was read for that one, if it was a moment ago: an account changes once in a slot at most. Nothing is refused because of it;
//! what would be is checked against the account as it is.

use alloy_primitives::Address;
use parhelion_core::emulator::{AccountState, ChainSettings};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// Accounts that are remembered at most.
const ACCOUNTS_MAX: usize = 4_096;

/// The chain's settings, and a sender's account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) settings: ChainSettings,
    pub(crate) account: AccountState,
}

/// What was read a moment ago.
#[derive(Debug)]
pub(crate) struct Accounts {
    /// How long it is remembered.
    age_max: Duration,
    readings: HashMap<Address, (Instant, Reading)>,
}

impl Accounts {
    pub(crate) fn new(age_max: Duration) -> Self {
        Self { age_max, readings: HashMap::new() }
    }

    /// What was read of a sender.
    pub(crate) fn get(&self, sender: &Address, now: Instant) -> Option<Reading> {
        let (at, reading) = self.readings.get(sender)?;
        (now.duration_since(*at) < self.age_max).then_some(*reading)
    }

    /// Remembers what was asked for at a time.
    pub(crate) fn put(&mut self, sender: Address, at: Instant, reading: Reading) {
        if self.readings.len() >= ACCOUNTS_MAX {
            let age_max = self.age_max;
            self.readings.retain(|_, (before, _)| at.duration_since(*before) < age_max);
        }
        if self.readings.len() < ACCOUNTS_MAX && !self.age_max.is_zero() {
            self.readings.insert(sender, (at, reading));
        }
    }

    /// A sender's account has changed.
    pub(crate) fn forget(&mut self, sender: &Address) {
        self.readings.remove(sender);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::U256;

    const AGE_MAX: Duration = Duration::from_millis(400);

    fn reading(nonce: u64) -> Reading {
        let settings = ChainSettings { chain_id: 1, base_fee: 2, block_gas_limit: 3 };
        Reading { settings, account: AccountState { nonce, balance: U256::ZERO } }
    }

    fn sender(number: usize) -> Address {
        Address::from_slice(&(number as u128).to_be_bytes().repeat(2)[..20])
    }

    #[test]
    fn accounts_are_remembered_for_a_moment() {
        let mut accounts = Accounts::new(AGE_MAX);
        let start = Instant::now();
        let nonce = |accounts: &Accounts, after: u32| {
            accounts.get(&sender(1), start + AGE_MAX * after / 4).map(|reading| reading.account.nonce)
        };
        assert_eq!(nonce(&accounts, 0), None);
        accounts.put(sender(1), start, reading(5));
        assert_eq!([0, 3, 4].map(|after| nonce(&accounts, after)), [Some(5), Some(5), None]);
        accounts.put(sender(1), start, reading(6));
        assert_eq!(nonce(&accounts, 0), Some(6));
        accounts.forget(&sender(1));
        assert_eq!(nonce(&accounts, 0), None);
    }

    #[test]
    fn there_are_no_more_than_so_many() {
        let (mut accounts, start) = (Accounts::new(AGE_MAX), Instant::now());
        for number in 0..2 * ACCOUNTS_MAX {
            accounts.put(sender(number), start, reading(0));
        }
        assert_eq!(accounts.readings.len(), ACCOUNTS_MAX);
        accounts.put(sender(0), start + AGE_MAX, reading(0));
        assert_eq!(accounts.readings.len(), 1);
    }

    #[test]
    fn without_a_time_nothing_is_remembered() {
        let (mut accounts, start) = (Accounts::new(Duration::ZERO), Instant::now());
        accounts.put(sender(0), start, reading(0));
        assert!(accounts.get(&sender(0), start).is_none());
    }
}
