//! Log queries against a filter that looks at every log.

use crate::engines::{Engine, engines};
use crate::{genesis, with_logs};
use alloy_primitives::{Address, B256, Bytes, Log};
use parhelion_core::store::{Block, FoundLog, LogFilter, Store, StoreError};
use parhelion_store::LOGS_MAX;
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;

fn chain(contents: Vec<Vec<Vec<Log>>>) -> Vec<Block> {
    let mut blocks = vec![genesis()];
    for logs in contents {
        blocks.push(with_logs(blocks.last().unwrap(), blocks.len() * 3, logs));
    }
    blocks
}

/// A store with these blocks; from the database alone, where there is one.
async fn store(engine: &Engine, blocks: &[Block]) -> Arc<dyn Store> {
    let store = engine.store(blocks[0].clone()).await;
    for block in &blocks[1..] {
        store.append(block.clone()).await.unwrap();
    }
    engine.opened_again().await.unwrap_or(store)
}

/// What [`Store::logs`] must answer.
pub(crate) fn naive(blocks: &[Block], filter: &LogFilter) -> Vec<FoundLog> {
    let in_range =
        blocks.iter().filter(|block| (filter.from_block..=filter.to_block).contains(&block.header.number));
    let executed = in_range.flat_map(|block| &block.transactions);
    let logs = executed.flat_map(|executed| {
        executed.logs.iter().enumerate().map(move |(position, log)| (executed, position, log))
    });
    logs.filter(|(_, _, log)| filter.matches(log))
        .filter_map(|(executed, position, _)| executed.log(position))
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
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn agree_with_a_naive_filter(
        contents in vec(vec(vec(log(), 0..4), 0..3), 0..7), filters in vec(filter(), 1..8),
    ) {
        let blocks = chain(contents);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for engine in runtime.block_on(engines()) {
            let store = runtime.block_on(store(&engine, &blocks));
            for filter in &filters {
                let found = runtime.block_on(store.logs(filter)).unwrap();
                prop_assert_eq!(found, naive(&blocks, filter), "{:?} in {}", filter, engine.name);
            }
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
    for engine in engines().await {
        let store = store(&engine, &blocks).await;
        let all = LogFilter { from_block: 0, to_block: u64::MAX, ..LogFilter::default() };
        let error = store.logs(&all).await.unwrap_err();
        assert!(matches!(error, StoreError::TooManyLogs { max: LOGS_MAX }));
        let text = "query returned more than 10000 results: narrow the block range or the filter";
        assert_eq!(error.to_string(), text);
        let one_less = LogFilter { addresses: vec![common], ..all.clone() };
        assert_eq!(store.logs(&one_less).await.unwrap().len(), LOGS_MAX, "{}", engine.name);
        let both = LogFilter { addresses: vec![common, Address::repeat_byte(2)], ..all };
        assert!(store.logs(&both).await.is_err());
    }
}

/// More logs than are read at once, of one contract and of others, in many blocks.
#[tokio::test]
async fn long_lists_are_walked_to_their_end() {
    let (busy, other, topic) = (Address::repeat_byte(1), Address::repeat_byte(2), B256::repeat_byte(5));
    let log = |number: usize| {
        let address = if number.is_multiple_of(3) { other } else { busy };
        let topics = if number.is_multiple_of(7) { vec![topic] } else { vec![] };
        Log::new(address, topics, Bytes::new()).unwrap()
    };
    let contents = (0..40).map(|block| vec![(0..60).map(|one| log(60 * block + one)).collect(); 2]).collect();
    let blocks = chain(contents);
    for engine in engines().await {
        let store = store(&engine, &blocks).await;
        let all = LogFilter { from_block: 3, to_block: 38, ..LogFilter::default() };
        for filter in [
            all.clone(),
            LogFilter { addresses: vec![busy], ..all.clone() },
            LogFilter { addresses: vec![busy, other], ..all.clone() },
            LogFilter { addresses: vec![other], topics: vec![vec![topic]], ..all.clone() },
            LogFilter { topics: vec![vec![topic, B256::ZERO]], ..all.clone() },
            LogFilter { addresses: vec![Address::ZERO], ..all },
        ] {
            let found = store.logs(&filter).await.unwrap();
            assert_eq!(found, naive(&blocks, &filter), "{filter:?} in {}", engine.name);
        }
    }
}
