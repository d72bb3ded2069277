//! A map that keeps the newest entries.

use alloy_primitives::B256;
use std::collections::{HashMap, VecDeque};

/// Values by hash, at most `max`; the oldest make room.
#[derive(Debug)]
pub(crate) struct Recent<V> {
    values: HashMap<B256, V>,
    /// The hashes in `values`, oldest first.
    order: VecDeque<B256>,
    max: usize,
}

impl<V> Recent<V> {
    pub(crate) fn new(max: usize) -> Self {
        Self { values: HashMap::new(), order: VecDeque::new(), max }
    }

    pub(crate) fn get(&self, hash: &B256) -> Option<&V> {
        self.values.get(hash)
    }

    /// Adds or replaces a value as the newest, and gives the one that had to make room.
    pub(crate) fn insert(&mut self, hash: B256, value: V) -> Option<V> {
        self.remove(&hash);
        self.values.insert(hash, value);
        self.order.push_back(hash);
        if self.order.len() <= self.max {
            return None;
        }
        self.order.pop_front().and_then(|oldest| self.values.remove(&oldest))
    }

    pub(crate) fn remove(&mut self, hash: &B256) -> Option<V> {
        let value = self.values.remove(hash)?;
        // Linear in `max`, for an entry that is seldom far from the front.
        if let Some(place) = self.order.iter().position(|other| other == hash) {
            self.order.remove(place);
        }
        Some(value)
    }

    /// The oldest entries first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&B256, &V)> {
        self.order.iter().filter_map(|hash| self.values.get_key_value(hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stay() {
        let mut recent = Recent::new(2);
        let hash = B256::repeat_byte;
        assert_eq!(recent.insert(hash(1), 'a'), None);
        assert_eq!(recent.insert(hash(2), 'b'), None);
        assert_eq!(recent.insert(hash(1), 'c'), None, "replacing needs no room");
        assert_eq!(recent.insert(hash(3), 'd'), Some('b'), "1 became newer than 2");
        assert_eq!(recent.iter().map(|(_, value)| *value).collect::<String>(), "cd");
        assert_eq!((recent.remove(&hash(1)), recent.remove(&hash(1))), (Some('c'), None));
        assert_eq!((recent.get(&hash(1)), recent.get(&hash(3))), (None, Some(&'d')));
    }
}
