//! What the relay knows of the codes that it ran.

use super::rule::{HORIZON, Seen};
use super::size::Size;
use alloy_primitives::B256;
use std::collections::HashMap;
use std::time::Instant;

/// Codes that are counted at most; when there are more, all are forgotten.
const CODES_MAX: usize = 10_000;

/// Calls by code.
#[derive(Debug, Default)]
pub(super) struct Tally(HashMap<B256, Entry>);

/// What is known of a code.
#[derive(Clone, Copy, Debug)]
struct Entry {
    seen: Seen,
    since: Instant,
    size: Option<Option<Size>>,
    wait_until: Option<Instant>,
}

impl Tally {
    /// Counts a call that a translation would have made cheaper by `units`; gives what was seen within the horizon.
    pub(super) fn count(&mut self, hash: B256, units: u64, now: Instant) -> Seen {
        if self.0.len() >= CODES_MAX && !self.0.contains_key(&hash) {
            self.0.clear();
        }
        let new = Entry { seen: Seen::default(), since: now, size: None, wait_until: None };
        let entry = self.0.entry(hash).or_insert(new);
        if now.duration_since(entry.since) >= HORIZON {
            (entry.seen, entry.since) = (Seen::default(), now);
        }
        entry.seen.calls += 1;
        entry.seen.units = entry.seen.units.saturating_add(units);
        entry.seen
    }

    /// Forgets the calls of a code: it is translated.
    pub(super) fn forget(&mut self, hash: &B256) {
        self.0.remove(hash);
    }

    /// Leaves a code alone for some time.
    pub(super) fn wait(&mut self, hash: &B256, until: Instant) {
        if let Some(entry) = self.0.get_mut(hash) {
            entry.wait_until = Some(until);
        }
    }

    /// Whether a code is to be left alone.
    pub(super) fn is_waiting(&self, hash: &B256, now: Instant) -> bool {
        let until = self.0.get(hash).and_then(|entry| entry.wait_until);
        until.is_some_and(|until| now < until)
    }

    /// What a code's translation takes, once that was found out; inside, `None` for one that would be too long.
    pub(super) fn size(&self, hash: &B256) -> Option<Option<Size>> {
        self.0.get(hash).and_then(|entry| entry.size)
    }

    /// Notes what a code's translation takes.
    pub(super) fn set_size(&mut self, hash: &B256, size: Option<Size>) {
        if let Some(entry) = self.0.get_mut(hash) {
            entry.size = Some(size);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn calls_count_for_a_horizon() {
        let (mut tally, now, hash) = (Tally::default(), Instant::now(), B256::ZERO);
        assert_eq!(tally.count(hash, 10, now), Seen { calls: 1, units: 10 });
        let late = now + HORIZON - Duration::from_secs(1);
        assert_eq!(tally.count(hash, 5, late), Seen { calls: 2, units: 15 });
        assert_eq!(tally.count(hash, 7, now + HORIZON), Seen { calls: 1, units: 7 });
        assert_eq!(tally.count(B256::repeat_byte(1), 1, late).calls, 1);
        tally.forget(&hash);
        assert_eq!(tally.count(hash, u64::MAX, late).calls, 1);
        assert_eq!(tally.count(hash, 1, late), Seen { calls: 2, units: u64::MAX });
    }

    #[test]
    fn what_is_known_stays_with_the_code() {
        let (mut tally, now, hash) = (Tally::default(), Instant::now(), B256::ZERO);
        tally.set_size(&hash, None);
        tally.wait(&hash, now + HORIZON);
        assert_eq!((tally.size(&hash), tally.is_waiting(&hash, now)), (None, false), "never called");
        tally.count(hash, 1, now);
        tally.set_size(&hash, None);
        tally.wait(&hash, now + Duration::from_secs(5));
        tally.count(hash, 1, now + HORIZON);
        assert_eq!(tally.size(&hash), Some(None), "too long stays too long");
        assert!(tally.is_waiting(&hash, now) && !tally.is_waiting(&hash, now + Duration::from_secs(5)));
    }

    #[test]
    fn the_codes_are_bounded() {
        let (mut tally, now) = (Tally::default(), Instant::now());
        for number in 0..2 * CODES_MAX {
            tally.count(B256::from(alloy_primitives::U256::from(number)), 1, now);
            assert!(tally.0.len() <= CODES_MAX);
        }
    }
}
