//! Accounts as they were, in memory.

use parhelion_core::past::{Change, Point, Version};
use parhelion_wire::Pubkey;
use std::collections::{BTreeMap, HashMap};

/// The versions of each account, each from a point on.
#[derive(Debug, Default)]
pub(super) struct Versions(HashMap<Pubkey, BTreeMap<Point, Version>>);

impl Versions {
    pub(super) fn push(&mut self, changes: Vec<Change>) {
        for Change { point, address, version } in changes {
            self.0.entry(address).or_default().insert(point, version);
        }
    }

    pub(super) fn at(&self, point: Point, addresses: &[Pubkey]) -> Vec<Option<Version>> {
        let newest = |address: &Pubkey| {
            let versions = self.0.get(address)?;
            versions.range(..=point).next_back().map(|(_, version)| version.clone())
        };
        addresses.iter().map(newest).collect()
    }

    /// Forgets what was before the newest change of `mark` up to a point; how many versions.
    pub(super) fn forget(&mut self, mark: &Pubkey, point: Point) -> u64 {
        let marks = self.0.get(mark).map(|marks| marks.range(..=point).map(|(point, _)| *point));
        let Some(newest) = marks.and_then(|mut marks| marks.next_back()) else { return 0 };
        let mut forgotten = 0;
        self.0.retain(|_, versions| {
            let left =
                versions.range(..=newest).next_back().map(|(point, version)| (*point, version.clone()));
            if let Some((left, version)) = left {
                let before = versions.len();
                versions.retain(|point, _| *point > left || *point == left && version != Version::Absent);
                forgotten += (before - versions.len()) as u64;
            }
            !versions.is_empty()
        });
        forgotten
    }

    /// Forgets what blocks behind this one brought.
    pub(super) fn truncate(&mut self, number: u64) {
        let end = Point::end(number);
        self.0.retain(|_, versions| {
            versions.retain(|point, _| *point <= end);
            !versions.is_empty()
        });
    }
}
