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

    /// Forgets what blocks behind this one brought.
    pub(super) fn truncate(&mut self, number: u64) {
        let end = Point::end(number);
        self.0.retain(|_, versions| {
            versions.retain(|point, _| *point <= end);
            !versions.is_empty()
        });
    }
}
