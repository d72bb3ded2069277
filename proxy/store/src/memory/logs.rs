//! Logs, and which of them have an address or a topic.

use crate::LOGS_MAX;
use alloy_primitives::{Address, B256, Log};
use parhelion_core::store::{Executed, FoundLog, LogFilter, StoreError};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::ops::Range;
use std::sync::Arc;

/// A log's number, in the order of blocks.
type LogNumber = usize;

/// Where a log is.
#[derive(Debug)]
struct Place {
    executed: Arc<Executed>,
    /// Among the transaction's logs.
    position: usize,
}

/// All logs with their indexes.
#[derive(Debug, Default)]
pub(crate) struct LogIndex {
    logs: Vec<Place>,
    by_address: HashMap<Address, Vec<LogNumber>>,
    by_topic: HashMap<(usize, B256), Vec<LogNumber>>,
}

impl LogIndex {
    /// Adds the logs of a transaction of the newest block.
    pub(crate) fn push(&mut self, executed: &Arc<Executed>) {
        for (position, log) in executed.logs.iter().enumerate() {
            let number = self.logs.len();
            self.logs.push(Place { executed: Arc::clone(executed), position });
            self.by_address.entry(log.address).or_default().push(number);
            for (place, topic) in log.data.topics().iter().enumerate() {
                self.by_topic.entry((place, *topic)).or_default().push(number);
            }
        }
    }

    /// Takes off the logs of the blocks behind this one.
    pub(crate) fn truncate(&mut self, number: u64) {
        let kept = self.logs.partition_point(|place| place.executed.block_number <= number);
        for place in self.logs.drain(kept..) {
            let Some(log) = place.executed.logs.get(place.position) else { continue };
            cut_list(&mut self.by_address, log.address, kept);
            for (place, topic) in log.data.topics().iter().enumerate() {
                cut_list(&mut self.by_topic, (place, *topic), kept);
            }
        }
    }

    /// The logs that match, in the order of blocks.
    pub(crate) fn find(&self, filter: &LogFilter) -> Result<Vec<FoundLog>, StoreError> {
        let range = self.range(filter.from_block, filter.to_block);
        let matching = |number: &LogNumber| self.log(*number).is_some_and(|log| filter.matches(log));
        match self.shortest_lists(filter, &range) {
            None => self.collect(range.filter(matching)),
            Some(Lists { mut lists, .. }) if lists.len() <= 1 => {
                self.collect(lists.pop().unwrap_or_default().iter().copied().filter(matching))
            }
            Some(Lists { lists, .. }) => {
                let mut numbers = lists.concat();
                numbers.sort_unstable();
                numbers.dedup();
                self.collect(numbers.into_iter().filter(matching))
            }
        }
    }

    fn collect(&self, numbers: impl Iterator<Item = LogNumber>) -> Result<Vec<FoundLog>, StoreError> {
        // One more than allowed tells that there are too many.
        let places = numbers.filter_map(|number| self.logs.get(number)).take(LOGS_MAX + 1);
        let found: Vec<_> = places.filter_map(|place| place.executed.log(place.position)).collect();
        if found.len() > LOGS_MAX { Err(StoreError::TooManyLogs { max: LOGS_MAX }) } else { Ok(found) }
    }

    fn log(&self, number: LogNumber) -> Option<&Log> {
        self.logs.get(number).and_then(|place| place.executed.logs.get(place.position))
    }

    /// The numbers of the logs in a range of blocks, both included.
    fn range(&self, from_block: u64, to_block: u64) -> Range<LogNumber> {
        let start = self.logs.partition_point(|place| place.executed.block_number < from_block);
        let end = self.logs.partition_point(|place| place.executed.block_number <= to_block);
        start..end.max(start)
    }

    /// The lists of that part of the filter that fewest logs of the range have; `None` when the filter names
    /// neither an address nor a topic.
    fn shortest_lists(&self, filter: &LogFilter, range: &Range<LogNumber>) -> Option<Lists<'_>> {
        let addresses = filter.addresses.iter().map(|address| self.by_address.get(address));
        let addresses = (!filter.addresses.is_empty()).then(|| Lists::new(addresses, range));
        let topics = filter.topics.iter().enumerate().filter(|(_, wanted)| !wanted.is_empty());
        let topics = topics.map(|(place, wanted)| {
            Lists::new(wanted.iter().map(|topic| self.by_topic.get(&(place, *topic))), range)
        });
        addresses.into_iter().chain(topics).min_by_key(|lists| lists.total)
    }
}

/// Index lists whose union holds every log that one part of a filter lets through, cut to a range.
struct Lists<'a> {
    lists: Vec<&'a [LogNumber]>,
    /// Entries in all of them.
    total: usize,
}

impl<'a> Lists<'a> {
    fn new(lists: impl Iterator<Item = Option<&'a Vec<LogNumber>>>, range: &Range<LogNumber>) -> Self {
        let lists: Vec<_> =
            lists.flatten().map(|list| cut(list, range)).filter(|list| !list.is_empty()).collect();
        Self { total: lists.iter().map(|list| list.len()).sum(), lists }
    }
}

/// Takes the numbers from `kept` on off a list.
fn cut_list<K: Eq + Hash>(lists: &mut HashMap<K, Vec<LogNumber>>, key: K, kept: LogNumber) {
    if let Entry::Occupied(mut list) = lists.entry(key) {
        let length = list.get().partition_point(|number| *number < kept);
        list.get_mut().truncate(length);
        if length == 0 {
            list.remove();
        }
    }
}

/// The part of an ascending list that lies in a range.
fn cut<'a>(list: &'a [LogNumber], range: &Range<LogNumber>) -> &'a [LogNumber] {
    let start = list.partition_point(|number| *number < range.start);
    let end = list.partition_point(|number| *number < range.end);
    list.get(start..end).unwrap_or_default()
}
