//! Blocks: every number answers, every hash chains.

use crate::engines::{Engine, engines};
use crate::{TRANSACTIONS, empty, genesis, with_logs};
use alloy_primitives::B256;
use parhelion_core::store::{Block, BlockId, Store, StoreError};
use std::sync::Arc;

/// Genesis, an empty block, one with two transactions, three empty ones with other times, one with a transaction.
fn blocks() -> Vec<Block> {
    let mut blocks = vec![genesis()];
    let next = |blocks: &Vec<Block>, delay| {
        let parent = blocks.last().unwrap();
        empty(parent.header.number + 1, parent.hash, parent.header.timestamp + delay)
    };
    blocks.push(next(&blocks, 0));
    blocks.push(with_logs(blocks.last().unwrap(), 0, vec![vec![], vec![]]));
    blocks.push(next(&blocks, 0));
    blocks.push(next(&blocks, 9));
    let mut dearer = next(&blocks, 1);
    dearer.header.base_fee_per_gas = Some(8);
    dearer.hash = dearer.header.hash_slow();
    blocks.push(dearer);
    blocks.push(with_logs(blocks.last().unwrap(), 2, vec![vec![]]));
    blocks
}

async fn store(engine: &Engine, blocks: &[Block]) -> Arc<dyn Store> {
    let store = engine.store(blocks[0].clone()).await;
    // One by one, and several at once.
    store.append(blocks[1].clone()).await.unwrap();
    store.append_all(vec![]).await.unwrap();
    store.append_all(blocks[2..].to_vec()).await.unwrap();
    store
}

#[tokio::test]
async fn every_block_reads_back_by_number_and_by_hash() {
    let blocks = blocks();
    for engine in engines().await {
        let store = store(&engine, &blocks).await;
        reads_back(&*store, &blocks).await;
        // From the database alone.
        if let Some(store) = engine.opened_again().await {
            reads_back(&*store, &blocks).await;
        }
    }
}

async fn reads_back(store: &dyn Store, blocks: &[Block]) {
    assert_eq!(store.latest().await.unwrap(), 6);
    for expected in blocks {
        for id in [BlockId::Number(expected.header.number), BlockId::Hash(expected.hash)] {
            let block = store.block(id).await.unwrap().unwrap();
            assert_eq!((&block.header, block.hash), (&expected.header, expected.hash), "{id:?}");
            assert_eq!(block.header.hash_slow(), block.hash, "{id:?}");
            assert_eq!(block.transactions.len(), expected.transactions.len(), "{id:?}");
        }
    }
    let named = async |id| store.block(id).await.unwrap().map(|block| block.header.number);
    assert_eq!(named(BlockId::Latest).await, Some(6));
    assert_eq!(named(BlockId::Earliest).await, Some(0));
    assert_eq!(named(BlockId::Number(7)).await, None);
    assert_eq!(named(BlockId::Number(u64::MAX)).await, None);
    assert_eq!(named(BlockId::Hash(B256::repeat_byte(1))).await, None);
}

#[tokio::test]
async fn executed_transactions_are_found_by_hash() {
    let blocks = blocks();
    for engine in engines().await {
        let first = store(&engine, &blocks).await;
        for store in [Some(first), engine.opened_again().await].into_iter().flatten() {
            for (transaction, block, index) in [(0, 2, 0), (1, 2, 1), (2, 6, 0)] {
                let found = store.executed(TRANSACTIONS[transaction].hash()).await.unwrap().unwrap();
                assert_eq!((found.block_number, found.index), (block, index));
                let expected = &blocks[block as usize].transactions[index as usize];
                assert_eq!(format!("{found:?}"), format!("{expected:?}"), "everything comes back");
            }
            assert!(store.executed(TRANSACTIONS[3].hash()).await.unwrap().is_none());
        }
    }
}

#[tokio::test]
async fn a_store_may_begin_at_any_slot_and_has_nothing_below() {
    for engine in engines().await {
        let first = empty(400_000_000, B256::repeat_byte(9), 1);
        let store = engine.store(first.clone()).await;
        store.append(empty(400_000_001, first.hash, 2)).await.unwrap();
        assert_eq!(store.latest().await.unwrap(), 400_000_001);
        let earliest = store.block(BlockId::Earliest).await.unwrap().unwrap();
        assert_eq!((earliest.hash, &earliest.header), (first.hash, &first.header));
        assert!(store.block(BlockId::Number(399_999_999)).await.unwrap().is_none());
        assert!(store.block(BlockId::Number(0)).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_block_that_does_not_follow_is_refused_and_changes_nothing() {
    for engine in engines().await {
        let genesis = genesis();
        let store = engine.store(genesis.clone()).await;
        let refused = async |block: Block| match store.append(block).await {
            Err(StoreError::Unavailable(why)) => why,
            other => panic!("{other:?}"),
        };
        for number in [0, 2, u64::MAX] {
            let expected = format!("block {number} does not follow the newest block 0");
            assert_eq!(refused(empty(number, genesis.hash, 1)).await, expected);
        }
        let stranger = B256::repeat_byte(3);
        let expected = format!("block 1 names {stranger} as its parent, which is {}", genesis.hash);
        assert_eq!(refused(empty(1, stranger, 1)).await, expected);
        assert_eq!(store.latest().await.unwrap(), 0);
        store.append(empty(1, genesis.hash, 1)).await.unwrap();
    }
}

#[tokio::test]
async fn several_nodes_share_a_database() {
    let blocks = blocks();
    for engine in engines().await {
        let first = engine.store(blocks[0].clone()).await;
        let Some(second) = engine.opened_again().await else { continue };
        let Some(late) = engine.opened_again().await else { continue };
        for (number, block) in blocks[1..].iter().enumerate() {
            // Sometimes one is the first, sometimes the other, sometimes both at once.
            match number % 3 {
                0 => {
                    first.append(block.clone()).await.unwrap();
                    second.append(block.clone()).await.unwrap();
                }
                1 => {
                    second.append(block.clone()).await.unwrap();
                    first.append(block.clone()).await.unwrap();
                }
                _ => {
                    let (one, other) =
                        tokio::join!(first.append(block.clone()), second.append(block.clone()));
                    one.unwrap();
                    other.unwrap();
                }
            }
        }
        reads_back(&*first, &blocks).await;
        reads_back(&*second, &blocks).await;
        // One that comes late with all at once finds some there.
        late.append_all(blocks[1..4].to_vec()).await.unwrap();
        assert_eq!(late.latest().await.unwrap(), 3);
        late.append_all(blocks[4..].to_vec()).await.unwrap();
        reads_back(&*late, &blocks).await;
        // A node of another chain does not spoil it.
        let newest = blocks.last().unwrap();
        let next = |timestamp| empty(newest.header.number + 1, newest.hash, timestamp);
        first.append(next(1)).await.unwrap();
        let error = second.append(next(2)).await.unwrap_err().to_string();
        assert!(error.contains("of another chain"), "{error}");
    }
}
