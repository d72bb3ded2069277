//! Accounts as they were: what a node that lags still shows.

use crate::fate::LAG_SLOTS_MAX;
use parhelion_core::cluster::{Account, Clock};
use solana_address::Address;
use solana_sdk_ids::sysvar;
use std::collections::BTreeMap;

/// Where the clock sysvar has its slot.
const SLOT: std::ops::Range<usize> = 0..8;
/// Where it has its time.
const TIME: std::ops::Range<usize> = 32..40;

/// An account from a slot on; `None` while there is none.
type Version = (u64, Option<Account>);

/// The accounts that changed in a schedule, with their older versions.
#[derive(Debug, Default)]
pub struct Past {
    /// By address, the oldest version first.
    versions: BTreeMap<Address, Vec<Version>>,
    /// The clocks of newer slots, the oldest first.
    clocks: Vec<Clock>,
}

impl Past {
    /// Notes how an account is before it is changed for the first time.
    pub fn before(&mut self, address: Address, account: Option<Account>) {
        self.versions.entry(address).or_insert_with(|| vec![(0, account)]);
    }

    /// Notes how an account is from a slot on.
    pub fn after(&mut self, address: Address, slot: u64, account: Option<Account>) {
        let versions = self.versions.entry(address).or_default();
        if versions.last().is_some_and(|(_, newest)| *newest == account) {
            return;
        }
        versions.push((slot, account));
        let oldest = slot.saturating_sub(LAG_SLOTS_MAX);
        let needed = versions.partition_point(|(since, _)| *since <= oldest).saturating_sub(1);
        versions.drain(..needed);
    }

    /// Notes the clock of a new slot.
    pub fn tick(&mut self, clock: Clock) {
        self.clocks.push(clock);
    }

    /// The clock of the newest slot that is not newer than `slot`.
    #[must_use]
    pub fn clock(&self, slot: u64, now: Clock) -> Clock {
        let known = self.clocks.partition_point(|clock| clock.slot <= slot);
        let older = known.checked_sub(1).and_then(|place| self.clocks.get(place));
        older.or(self.clocks.first()).copied().unwrap_or(now)
    }

    /// Takes an account back to `clock`, given how it is now.
    #[must_use]
    pub fn account(&self, address: &Address, clock: Clock, now: Option<Account>) -> Option<Account> {
        if *address == sysvar::clock::ID {
            return now.map(|account| at(account, clock));
        }
        let Some(versions) = self.versions.get(address) else { return now };
        let newer = versions.partition_point(|(since, _)| *since <= clock.slot);
        let version = newer.checked_sub(1).and_then(|place| versions.get(place));
        version.map_or(now, |(_, account)| account.clone())
    }

    /// All accounts that changed.
    pub fn changed(&self) -> impl Iterator<Item = Address> {
        self.versions.keys().copied()
    }
}

/// The clock sysvar at another time.
fn at(mut account: Account, clock: Clock) -> Account {
    let mut put = |place: std::ops::Range<usize>, bytes: [u8; 8]| {
        if let Some(field) = account.data.get_mut(place) {
            field.copy_from_slice(&bytes);
        }
    };
    put(SLOT, clock.slot.to_le_bytes());
    put(TIME, clock.unix_timestamp.to_le_bytes());
    account
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(lamports: u64) -> Option<Account> {
        Some(Account { lamports, owner: Address::default(), data: Vec::new() })
    }

    fn at_slot(slot: u64) -> Clock {
        Clock { slot, unix_timestamp: 0 }
    }

    #[test]
    fn accounts_are_shown_as_they_were() {
        let address = Address::new_from_array([1; 32]);
        let mut past = Past::default();
        assert_eq!(past.account(&address, at_slot(3), account(9)), account(9), "it never changed");
        past.before(address, None);
        past.after(address, 5, account(1));
        past.after(address, 8, account(2));
        for (slot, expected) in
            [(4, None), (5, account(1)), (7, account(1)), (8, account(2)), (9, account(2))]
        {
            assert_eq!(past.account(&address, at_slot(slot), account(2)), expected, "slot {slot}");
        }
    }

    #[test]
    fn no_more_is_kept_than_a_node_can_lag() {
        let address = Address::new_from_array([1; 32]);
        let mut past = Past::default();
        past.before(address, None);
        for slot in 1..=1000 {
            past.after(address, slot, account(slot));
        }
        assert!(past.versions[&address].len() <= LAG_SLOTS_MAX as usize + 1);
        let oldest = 1000 - LAG_SLOTS_MAX;
        assert_eq!(past.account(&address, at_slot(oldest), account(1000)), account(oldest));
    }
}
