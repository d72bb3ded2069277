//! What accounts were before transactions changed them: the state of the past.
//!
//! Changes are numbered in the order in which they happened. Of each account its versions are kept, each with the number of
//! the change that ended it: an account before change `n` is its first version that a change from `n` on ended, and the
//! account as it is now if there is none.

use parhelion_core::cluster::{Account, Clock};
use solana_address::Address;
use solana_signature::Signature;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// Bytes of versions that are kept at most; the oldest are forgotten.
pub(super) const BYTES_MAX: usize = 256 << 20;
/// What a version takes besides its data.
const VERSION_BYTES: usize = 256;

/// An account as it was, until a change.
#[derive(Debug)]
struct Version {
    until: u64,
    account: Option<Arc<Account>>,
}

/// A block, as far as the past needs it.
#[derive(Clone, Copy, Debug)]
struct Marked {
    clock: Clock,
    /// The number of the first change behind it.
    end: u64,
}

/// What was.
#[derive(Debug, Default)]
pub(super) struct History {
    versions: HashMap<Address, VecDeque<Version>>,
    /// Which account each version is of, the oldest first.
    order: VecDeque<(u64, Address)>,
    bytes: usize,
    blocks: BTreeMap<u64, Marked>,
    /// The first change of each transaction.
    transactions: HashMap<Signature, u64>,
    /// The number of the next change.
    next: u64,
    /// What was before this change is not known any more.
    oldest: u64,
}

impl History {
    /// Notes what an account was before it is changed.
    pub(super) fn note(&mut self, address: Address, before: Option<Account>) {
        let until = self.next;
        self.next += 1;
        self.bytes += VERSION_BYTES + before.as_ref().map_or(0, |account| account.data.len());
        let version = Version { until, account: before.map(Arc::new) };
        self.versions.entry(address).or_default().push_back(version);
        self.order.push_back((until, address));
        while self.bytes > BYTES_MAX {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((until, address)) = self.order.pop_front() else { return };
        if let Some(versions) = self.versions.get_mut(&address) {
            self.bytes -= versions.pop_front().map_or(0, |version| version.bytes());
            if versions.is_empty() {
                self.versions.remove(&address);
            }
        }
        self.oldest = until + 1;
    }

    /// A transaction is going to change accounts.
    pub(super) fn begin(&mut self, transaction: Signature) {
        self.transactions.insert(transaction, self.next);
    }

    /// Everything so far belongs to the block `clock` and those before it.
    pub(super) fn end_block(&mut self, clock: Clock) {
        self.blocks.insert(clock.slot, Marked { clock, end: self.next });
    }

    /// The number of the next change: what is now is what is before it.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// The clock of a block, and the number of the first change behind it.
    pub(super) fn behind(&self, slot: u64) -> Option<(Clock, u64)> {
        self.blocks.get(&slot).map(|marked| (marked.clock, marked.end))
    }

    /// The number of the first change of a transaction.
    pub(super) fn before(&self, transaction: &Signature) -> Option<u64> {
        self.transactions.get(transaction).copied()
    }

    /// Whether what was before a change is known.
    pub(super) const fn knows(&self, change: u64) -> bool {
        change >= self.oldest
    }

    /// An account before a change, if it was changed since: `None` if it is as it was.
    pub(super) fn account(&self, address: &Address, change: u64) -> Option<Option<&Account>> {
        let versions = self.versions.get(address)?;
        let version = versions.get(versions.partition_point(|version| version.until < change))?;
        Some(version.account.as_deref())
    }

    /// Forgets everything from a change on, and the blocks behind `slot`: they did not happen.
    pub(super) fn go_back(&mut self, slot: u64, change: u64) {
        while self.order.back().is_some_and(|(until, _)| *until >= change) {
            let Some((_, address)) = self.order.pop_back() else { break };
            if let Some(versions) = self.versions.get_mut(&address) {
                self.bytes -= versions.pop_back().map_or(0, |version| version.bytes());
                if versions.is_empty() {
                    self.versions.remove(&address);
                }
            }
        }
        self.blocks.split_off(&(slot + 1));
        if let Some(newest) = self.blocks.get_mut(&slot) {
            newest.end = change;
        }
        self.transactions.retain(|_, first| *first < change);
        self.next = change;
    }
}

impl Version {
    fn bytes(&self) -> usize {
        VERSION_BYTES + self.account.as_ref().map_or(0, |account| account.data.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(lamports: u64) -> Account {
        Account { lamports, ..Account::default() }
    }

    fn clock(slot: u64) -> Clock {
        Clock { slot, unix_timestamp: 0 }
    }

    /// Lamports of an account before a change; 0 if it is as it was.
    fn lamports(history: &History, address: Address, change: u64) -> u64 {
        history
            .account(&address, change)
            .map_or(0, |found| found.map_or(u64::MAX, |account| account.lamports))
    }

    #[test]
    fn an_account_has_the_version_that_a_later_change_ended() {
        let (a, b) = (Address::new_from_array([1; 32]), Address::new_from_array([2; 32]));
        let mut history = History::default();
        history.end_block(clock(0));
        for (slot, address, before) in [(1, a, None), (2, b, Some(account(7))), (3, a, Some(account(5)))] {
            history.begin(Signature::from([slot as u8; 64]));
            history.note(address, before);
            history.end_block(clock(slot));
        }
        let at = |slot: u64| history.behind(slot).expect("a block").1;
        assert_eq!([0, 1, 2, 3].map(|slot| lamports(&history, a, at(slot))), [u64::MAX, 5, 5, 0]);
        assert_eq!([0, 1, 2, 3].map(|slot| lamports(&history, b, at(slot))), [7, 7, 0, 0]);
        assert_eq!(history.before(&Signature::from([2; 64])), Some(at(1)));
        assert_eq!((history.before(&Signature::from([9; 64])), history.behind(4).is_none()), (None, true));
    }

    #[test]
    fn what_did_not_happen_is_forgotten() {
        let a = Address::new_from_array([1; 32]);
        let mut history = History::default();
        history.end_block(clock(0));
        history.note(a, Some(account(1)));
        history.end_block(clock(1));
        let change = history.next();
        history.begin(Signature::from([2; 64]));
        history.note(a, Some(account(2)));
        history.end_block(clock(2));
        history.go_back(1, change);
        assert_eq!((history.next(), history.behind(2).is_none()), (change, true));
        assert_eq!((lamports(&history, a, 0), lamports(&history, a, change)), (1, 0));
        assert_eq!(history.before(&Signature::from([2; 64])), None);
        history.go_back(0, 0);
        assert_eq!((history.bytes, history.versions.len(), history.order.len()), (0, 0, 0));
    }

    #[test]
    fn the_oldest_is_forgotten_when_there_is_too_much() {
        let a = Address::new_from_array([1; 32]);
        let mut history = History::default();
        let large = Account { data: vec![0; 10 << 20], ..account(1) };
        for _ in 0..40 {
            history.note(a, Some(large.clone()));
        }
        assert!(history.bytes <= BYTES_MAX, "{}", history.bytes);
        assert!(!history.knows(0) && history.knows(history.next()), "{}", history.oldest);
        assert_eq!(history.versions[&a].len(), history.order.len());
    }
}
