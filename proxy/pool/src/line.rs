//! Who has the next turn.
//!
//! Whoever pays more comes first, and of those who pay the same whoever was there first. What was tried before and did not
//! land waits in a line of its own, whatever it pays: it may go on failing for long, and must not take all turns.

use alloy_primitives::Address;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// The highest priority fee first, then the first to come.
type Place = (std::cmp::Reverse<u128>, u64);

/// The senders whose transactions wait for a turn.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// Those whose next transaction was not tried yet.
    fresh: BTreeMap<Place, Address>,
    places: HashMap<Address, Place>,
    /// The others, the first to come first.
    again: VecDeque<Address>,
    /// How many came so far.
    count: u64,
}

impl Line {
    pub(crate) fn is_empty(&self) -> bool {
        self.fresh.is_empty() && self.again.is_empty()
    }

    /// Puts a sender in line by what its next transaction pays to the operator, in wei per gas; who is there already keeps
    /// its place if it pays what it did.
    pub(crate) fn join(&mut self, sender: Address, priority_fee: u128) {
        let paid = std::cmp::Reverse(priority_fee);
        if let Some(place) = self.places.get(&sender) {
            if place.0 == paid {
                return;
            }
            self.fresh.remove(place);
        }
        let place = (paid, self.count);
        self.count += 1;
        self.fresh.insert(place, sender);
        self.places.insert(sender, place);
    }

    /// Puts a sender in line whose transaction was tried, or has a nonce missing before it. It is in no line yet.
    pub(crate) fn join_again(&mut self, sender: Address) {
        self.again.push_back(sender);
    }

    /// Takes whoever pays most.
    pub(crate) fn next(&mut self) -> Option<Address> {
        let (_, sender) = self.fresh.pop_first()?;
        self.places.remove(&sender);
        Some(sender)
    }

    /// Takes whoever waits for the longest time to be tried again.
    pub(crate) fn next_again(&mut self) -> Option<Address> {
        self.again.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(number: u8) -> Address {
        Address::repeat_byte(number)
    }

    fn drain(line: &mut Line) -> Vec<Address> {
        std::iter::from_fn(|| line.next()).collect()
    }

    #[test]
    fn whoever_pays_more_is_first_and_then_whoever_came_first() {
        let mut line = Line::default();
        for (number, fee) in [(1, 5), (2, 7), (3, 5), (4, 9)] {
            line.join(sender(number), fee);
        }
        assert_eq!(drain(&mut line), [4, 2, 1, 3].map(sender));
        assert!(line.is_empty());
    }

    #[test]
    fn whoever_pays_more_than_before_has_a_better_place_and_is_in_line_once() {
        let mut line = Line::default();
        for (number, fee) in [(1, 5), (2, 5), (1, 5), (2, 6)] {
            line.join(sender(number), fee);
        }
        assert_eq!(drain(&mut line), [2, 1].map(sender));
        assert!(line.is_empty());
    }

    #[test]
    fn what_is_tried_again_is_in_another_line() {
        let mut line = Line::default();
        line.join_again(sender(1));
        line.join_again(sender(2));
        line.join(sender(3), 1);
        assert_eq!(drain(&mut line), [sender(3)]);
        assert!(!line.is_empty());
        assert_eq!((line.next_again(), line.next_again()), (Some(sender(1)), Some(sender(2))));
        assert!(line.next_again().is_none() && line.is_empty());
    }
}
