//! Blocks are taken off, and others come in their place: nothing tells that there were others.

use crate::engines::{Engine, engines};
use crate::logs::naive;
use crate::{TRANSACTIONS, empty, genesis, with_logs};
use alloy_primitives::{Address, B256, Bytes, Log};
use parhelion_core::store::{Block, BlockId, LogFilter, Store, StoreError};

fn log(address: u8, topic: u8) -> Log {
    Log::new(Address::repeat_byte(address), vec![B256::repeat_byte(topic)], Bytes::new()).unwrap()
}

/// The empty block behind the newest, so much later.
fn push_empty(blocks: &mut Vec<Block>, delay: u64) {
    let parent = blocks.last().unwrap();
    blocks.push(empty(parent.header.number + 1, parent.hash, parent.header.timestamp + delay));
}

/// A block behind the newest, with a transaction for each list of logs, taken from [`TRANSACTIONS`] at `first`.
fn push(blocks: &mut Vec<Block>, first: usize, logs: Vec<Vec<Log>>) {
    blocks.push(with_logs(blocks.last().unwrap(), first, logs));
}

/// Genesis, and six blocks with four transactions.
fn first_fork() -> Vec<Block> {
    let mut blocks = vec![genesis()];
    push_empty(&mut blocks, 0);
    push(&mut blocks, 0, vec![vec![log(1, 1), log(2, 1)], vec![log(1, 2)]]);
    push_empty(&mut blocks, 0);
    push(&mut blocks, 2, vec![vec![log(1, 1), log(1, 1)]]);
    push(&mut blocks, 3, vec![vec![log(3, 3)]]);
    push_empty(&mut blocks, 7);
    blocks
}

/// The same up to block 2. The transaction of the first fork's block 4 is in block 3, the one of its block 5 is missing.
fn second_fork() -> Vec<Block> {
    let mut blocks = first_fork();
    blocks.truncate(3);
    push(&mut blocks, 2, vec![vec![log(1, 1), log(1, 1)]]);
    push_empty(&mut blocks, 1);
    push(&mut blocks, 7, vec![vec![log(2, 1)], vec![log(4, 4)]]);
    blocks
}

/// Asserts that a store has these blocks, and of others nothing.
async fn assert_holds(store: &dyn Store, blocks: &[Block], others: &[Block]) {
    assert_eq!(store.latest().await.unwrap(), blocks.last().unwrap().header.number);
    for block in blocks {
        let number = block.header.number;
        for id in [BlockId::Number(number), BlockId::Hash(block.hash)] {
            let found = store.block(id).await.unwrap().unwrap();
            assert_eq!(format!("{found:?}"), format!("{block:?}"), "{id:?}");
        }
        for executed in &block.transactions {
            let found = store.executed(executed.transaction.hash()).await.unwrap().unwrap();
            assert_eq!(format!("{found:?}"), format!("{executed:?}"));
        }
    }
    let next = blocks.last().unwrap().header.number + 1;
    assert!(store.block(BlockId::Number(next)).await.unwrap().is_none());
    let is_not_here = |other: &&Block| !blocks.iter().any(|block| block.hash == other.hash);
    for other in others.iter().filter(is_not_here) {
        assert!(store.block(BlockId::Hash(other.hash)).await.unwrap().is_none(), "{}", other.header.number);
    }
    let has =
        |hash| blocks.iter().flat_map(|block| &block.transactions).any(|one| one.transaction.hash() == hash);
    for transaction in &TRANSACTIONS[..] {
        let found = store.executed(transaction.hash()).await.unwrap();
        assert_eq!(found.is_some(), has(transaction.hash()));
    }
    for (from_block, to_block) in [(0, u64::MAX), (1, u64::MAX), (2, 4), (3, 3), (next, u64::MAX)] {
        for address in [vec![], vec![1], vec![2, 3], vec![4]] {
            for topics in [vec![], vec![vec![B256::repeat_byte(1)]], vec![vec![B256::repeat_byte(3)]]] {
                let addresses = address.iter().copied().map(Address::repeat_byte).collect();
                let filter = LogFilter { from_block, to_block, addresses, topics };
                assert_eq!(store.logs(&filter).await.unwrap(), naive(blocks, &filter), "{filter:?}");
            }
        }
    }
}

/// Asserts that the tables are those of a database that has seen nothing but these blocks.
async fn assert_rows(engine: &Engine, blocks: &[Block]) {
    let fresh = engines().await.into_iter().find(|other| other.name == engine.name).unwrap();
    fresh.store(blocks[0].clone()).await.append_all(blocks[1..].to_vec()).await.unwrap();
    assert!(engine.rows().await == fresh.rows().await, "{} has rows that should be gone", engine.name);
}

#[tokio::test]
async fn what_the_blocks_brought_is_gone_and_others_come_in_their_place() {
    let (first, second) = (first_fork(), second_fork());
    for engine in engines().await {
        let store = engine.store(first[0].clone()).await;
        store.append_all(first[1..].to_vec()).await.unwrap();
        // It is there already, or not yet.
        for number in [6, 7, u64::MAX] {
            store.roll_back(number).await.unwrap();
            assert_holds(&*store, &first, &second).await;
        }
        store.roll_back(2).await.unwrap();
        assert_holds(&*store, &first[..3], &first).await;
        if let Some(store) = engine.opened_again().await {
            assert_holds(&*store, &first[..3], &first).await;
        }
        store.append(second[3].clone()).await.unwrap();
        store.append_all(second[4..].to_vec()).await.unwrap();
        assert_holds(&*store, &second, &first).await;
        if let Some(store) = engine.opened_again().await {
            assert_holds(&*store, &second, &first).await;
            // This one knows the newest block only.
            store.roll_back(4).await.unwrap();
            assert_holds(&*store, &second[..5], &first).await;
        }
        assert_rows(&engine, if engine.url().is_some() { &second[..5] } else { &second }).await;
    }
}

#[tokio::test]
async fn the_first_block_stays() {
    for engine in engines().await {
        let first = empty(400_000_000, B256::repeat_byte(9), 1);
        let store = engine.store(first.clone()).await;
        store.append(empty(400_000_001, first.hash, 2)).await.unwrap();
        store.roll_back(0).await.unwrap();
        assert_holds(&*store, std::slice::from_ref(&first), &[]).await;
        store.roll_back(0).await.unwrap();
        store.append(empty(400_000_001, first.hash, 3)).await.unwrap();
        assert_eq!(store.latest().await.unwrap(), 400_000_001);
    }
}

/// More blocks than are kept in memory, and more rows than one statement takes.
#[tokio::test]
async fn a_deep_roll_back_takes_everything_off() {
    let mut blocks = vec![genesis()];
    for number in 1..1_600 {
        if number % 2 == 0 {
            push_empty(&mut blocks, 0);
        } else {
            push(&mut blocks, number, vec![vec![log(1, 1), log(2, 2)]]);
        }
    }
    let mut other = blocks[..301].to_vec();
    for _ in 0..300 {
        push_empty(&mut other, 0);
    }
    push(&mut other, 5, vec![vec![log(3, 1)]]);
    let filters = [
        LogFilter { to_block: u64::MAX, ..LogFilter::default() },
        LogFilter {
            from_block: 290,
            to_block: 900,
            addresses: vec![Address::repeat_byte(1)],
            topics: vec![],
        },
    ];
    for engine in engines().await {
        let store = engine.store(blocks[0].clone()).await;
        store.append_all(blocks[1..].to_vec()).await.unwrap();
        store.roll_back(300).await.unwrap();
        for blocks in [&blocks[..301], &other] {
            store.append_all(blocks[301..].to_vec()).await.unwrap();
            for store in [Some(&store), engine.opened_again().await.as_ref()].into_iter().flatten() {
                let newest = store.block(BlockId::Latest).await.unwrap().unwrap();
                assert_eq!(newest.hash, blocks.last().unwrap().hash);
                for filter in &filters {
                    assert_eq!(store.logs(filter).await.unwrap(), naive(blocks, filter), "{}", engine.name);
                }
            }
            assert_rows(&engine, blocks).await;
        }
    }
}

/// The answer of a node whose blocks are not in the database.
async fn forked(store: &dyn Store, blocks: &[Block]) -> u64 {
    match store.append_all(blocks.to_vec()).await {
        Err(StoreError::Forked { common }) => common,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_node_that_shares_the_database_notices_when_it_appends() {
    let (first, second) = (first_fork(), second_fork());
    for engine in engines().await {
        let one = engine.store(first[0].clone()).await;
        let Some(other) = engine.opened_again().await else { continue };
        one.append_all(first[1..6].to_vec()).await.unwrap();
        other.append_all(first[1..6].to_vec()).await.unwrap();
        // It has seen the newest block only.
        let late = engine.opened_again().await.unwrap();
        one.roll_back(2).await.unwrap();
        // Nothing is behind the block that they have in common, then something.
        for range in [3..3, 3..4, 4..6] {
            one.append_all(second[range].to_vec()).await.unwrap();
            assert_eq!(forked(&*other, &first[6..]).await, 2);
            assert!(
                forked(&*late, &first[6..]).await <= 4,
                "it does not know more than that block 5 is another"
            );
        }
        // What it had is there until it is told to let it go: whoever follows it must hear of the blocks that go.
        let gone = other.block(BlockId::Hash(first[5].hash)).await.unwrap().unwrap();
        assert_eq!(gone.transactions.len(), 1);
        for store in [&other, &late] {
            store.roll_back(2).await.unwrap();
            assert_eq!(store.latest().await.unwrap(), 2);
            assert!(store.block(BlockId::Hash(first[5].hash)).await.unwrap().is_none());
            assert!(store.executed(TRANSACTIONS[3].hash()).await.unwrap().is_none());
            store.append_all(second[3..].to_vec()).await.unwrap();
        }
        for store in [&one, &other, &late] {
            assert_holds(&**store, &second, &first).await;
        }
        assert_rows(&engine, &second).await;
        // One that finds another block behind its newest has nothing to take off.
        let parent = second.last().unwrap();
        let next = |timestamp| [empty(parent.header.number + 1, parent.hash, timestamp)];
        one.append_all(next(1).to_vec()).await.unwrap();
        assert_eq!(forked(&*other, &next(2)).await, parent.header.number);
    }
}

#[tokio::test]
async fn nodes_that_roll_back_at_once_agree() {
    let (first, second) = (first_fork(), second_fork());
    for engine in engines().await {
        let one = engine.store(first[0].clone()).await;
        let Some(other) = engine.opened_again().await else { continue };
        for store in [&one, &other] {
            store.append_all(first[1..].to_vec()).await.unwrap();
        }
        let go_over = async |store: &dyn Store| {
            store.roll_back(2).await.unwrap();
            store.append_all(second[3..].to_vec()).await.unwrap();
        };
        tokio::join!(go_over(&*one), go_over(&*other));
        for store in [one, other] {
            assert_holds(&*store, &second, &first).await;
        }
        assert_rows(&engine, &second).await;
    }
}
