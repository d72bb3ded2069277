//! Log queries against a filter that looks at every log.

use crate::{genesis, with_logs};
use alloy_primitives::{Address, B256, Bytes, Log};
use parhelion_core::store::{Block, LogFilter, Store, StoreError};
use parhelion_store::{LOGS_MAX, MemoryStore};
use proptest::collection::vec;
use proptest::prelude::*;

/// A log found: block, transaction in the block, log in the transaction.
type Place = (u64, u64, usize);

fn chain(contents: Vec<Vec<Vec<Log>>>) -> Vec<Block> {
    let mut blocks = vec![genesis()];
    for logs in contents {
        blocks.push(with_logs(blocks.last().unwrap(), blocks.len() * 3, logs));
    }
    blocks
}

async fn query(blocks: &[Block], filter: &LogFilter) -> Result<Vec<Place>, StoreError> {
    let store = MemoryStore::new(blocks[0].clone());
    for block in &blocks[1..] {
        store.append(block.clone()).await.unwrap();
    }
    let place = |found: parhelion_core::store::FoundLog| {
        (found.executed.block_number, found.executed.index, found.position)
    };
    Ok(store.logs(filter).await?.into_iter().map(place).collect())
}

/// What [`query`] must answer.
fn naive(blocks: &[Block], filter: &LogFilter) -> Vec<Place> {
    let in_range =
        blocks.iter().filter(|block| (filter.from_block..=filter.to_block).contains(&block.header.number));
    let executed = in_range.flat_map(|block| &block.transactions);
    let logs = executed.flat_map(|executed| {
        executed.logs.iter().enumerate().map(move |(position, log)| (executed, position, log))
    });
    logs.filter(|(_, _, log)| filter.matches(log))
        .map(|(executed, position, _)| (executed.block_number, executed.index, position))
        .collect()
}

/// Few values, so that logs share them.
fn address() -> impl Strategy<Value = Address> {
    (0u8..3).prop_map(Address::repeat_byte)
}

fn topic() -> impl Strategy<Value = B256> {
    (0u8..3).prop_map(B256::repeat_byte)
}

fn log() -> impl Strategy<Value = Log> {
    (address(), vec(topic(), 0..=4))
        .prop_map(|(address, topics)| Log::new(address, topics, Bytes::new()).unwrap())
}

fn filter() -> impl Strategy<Value = LogFilter> {
    let topics = vec(vec(topic(), 0..3), 0..5);
    (0u64..8, 0u64..8, vec(address(), 0..3), topics).prop_map(|(from_block, to_block, addresses, topics)| {
        LogFilter { from_block, to_block, addresses, topics }
    })
}

proptest! {
    #[test]
    fn agree_with_a_naive_filter(
        contents in vec(vec(vec(log(), 0..4), 0..3), 0..7), filters in vec(filter(), 1..8),
    ) {
        let blocks = chain(contents);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for filter in filters {
            let found = runtime.block_on(query(&blocks, &filter)).unwrap();
            prop_assert_eq!(found, naive(&blocks, &filter), "{:?}", filter);
        }
    }
}

#[tokio::test]
async fn an_answer_is_bounded_and_the_error_says_what_to_do() {
    let common = Address::repeat_byte(1);
    let log = |address| Log::new(address, vec![], Bytes::new()).unwrap();
    let mut logs = vec![log(common); LOGS_MAX];
    logs.push(log(Address::repeat_byte(2)));
    let blocks = chain(vec![vec![logs]]);
    let all = LogFilter { from_block: 0, to_block: u64::MAX, ..LogFilter::default() };
    let error = query(&blocks, &all).await.unwrap_err();
    assert!(matches!(error, StoreError::TooManyLogs { max: LOGS_MAX }));
    let text = "query returned more than 10000 results: narrow the block range or the filter";
    assert_eq!(error.to_string(), text);
    let one_less = LogFilter { addresses: vec![common], ..all.clone() };
    assert_eq!(query(&blocks, &one_less).await.unwrap().len(), LOGS_MAX);
    let both = LogFilter { addresses: vec![common, Address::repeat_byte(2)], ..all };
    assert!(query(&blocks, &both).await.is_err());
}
