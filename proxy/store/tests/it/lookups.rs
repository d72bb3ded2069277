//! Transactions by what they have to do with.

use crate::engines::engines;
use crate::{TRANSACTIONS, empty, genesis, with_logs};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, Bytes, Log};
use parhelion_core::clue::{Clue, Lookup};
use parhelion_core::store::{Block, Store};
use parhelion_store::SqlStore;
use sqlx::Connection as _;
use std::sync::Arc;

fn log(address: u8) -> Log {
    Log::new(Address::repeat_byte(address), vec![], Bytes::new()).unwrap()
}

/// Genesis and five blocks. Contract 1 writes logs in blocks 1, 3 and 4, contract 2 in block 3. All transactions create
/// contracts, and are of one sender. Two of block 3 landed together.
fn blocks() -> Vec<Block> {
    let mut blocks = vec![genesis()];
    let logs = [
        vec![vec![log(1), log(1)]],
        vec![],
        vec![vec![log(1)], vec![log(1), log(2)], vec![]],
        vec![vec![log(1)]],
        vec![],
    ];
    let mut first = 0;
    for logs in logs {
        let parent = blocks.last().unwrap();
        let count = logs.len();
        let mut block = match count {
            0 => empty(parent.header.number + 1, parent.hash, 1_800_000_000),
            _ => with_logs(parent, first, logs),
        };
        for executed in &mut block.transactions {
            let executed = Arc::make_mut(executed);
            let shared = if executed.block_number == 3 { executed.index.min(1) } else { 0 };
            executed.signature = [executed.block_number as u8 * 16 + shared as u8; 64].into();
            executed.signatures = vec![[0xee; 64].into(), executed.signature];
        }
        first += count;
        blocks.push(block);
    }
    blocks
}

/// Block number and index of what is found.
async fn found(store: &dyn Store, lookup: Lookup) -> Vec<(u64, u64)> {
    let found = store.lookup(&lookup).await.unwrap();
    found.iter().map(|executed| (executed.block_number, executed.index)).collect()
}

async fn all(store: &dyn Store, clue: Clue) -> Vec<(u64, u64)> {
    found(store, Lookup::all(clue)).await
}

#[tokio::test]
async fn transactions_are_found_by_what_they_have_to_do_with() {
    let blocks = blocks();
    for engine in engines().await {
        let store = engine.store(genesis()).await;
        store.append_all(blocks[1..].to_vec()).await.unwrap();
        let (store, name) = (&*store, engine.name);
        let one = Clue::Appears(Address::repeat_byte(1));
        assert_eq!(all(store, one).await, [(1, 0), (3, 0), (3, 1), (4, 0)], "{name}");
        assert_eq!(all(store, Clue::Appears(Address::repeat_byte(2))).await, [(3, 1)], "{name}");
        let sender = TRANSACTIONS[0].sender();
        assert_eq!(all(store, Clue::Appears(sender)).await.len(), 5, "{name}");
        assert_eq!(all(store, Clue::Appears(Address::repeat_byte(9))).await, [], "{name}");
        assert_eq!(all(store, Clue::Sent { sender, nonce: 2 }).await, [(3, 1)], "{name}");
        assert_eq!(all(store, Clue::Sent { sender, nonce: 9 }).await, [], "{name}");
        let third = &blocks[3].transactions[2].transaction;
        let created = sender.create(third.inner().nonce());
        assert_eq!(all(store, Clue::Created(created)).await, [(3, 2)], "{name}");
        assert_eq!(all(store, Clue::Appears(created)).await, [(3, 2)], "{name}");
        assert_eq!(all(store, Clue::Created(sender)).await, [], "{name}");
        assert_eq!(all(store, Clue::Landed([0x31; 64].into())).await, [(3, 1), (3, 2)], "{name}");
        assert_eq!(all(store, Clue::Landed([0xee; 64].into())).await.len(), 5, "{name}");

        let some = |from_block, to_block, newest_first, max| {
            found(store, Lookup { clue: one, from_block, to_block, newest_first, max })
        };
        assert_eq!(some(0, u64::MAX, true, 3).await, [(4, 0), (3, 1), (3, 0)], "{name}");
        assert_eq!(some(0, 3, true, 9).await, [(3, 1), (3, 0), (1, 0)], "{name}");
        assert_eq!(some(2, 3, false, 1).await, [(3, 0)], "{name}");
        assert_eq!(some(2, 2, false, 9).await, [], "{name}");
        assert_eq!(some(4, 3, true, 9).await, [], "{name}");
        assert_eq!(some(0, 9, false, 0).await, [], "{name}");

        // What is taken off is not found any more.
        store.roll_back(3).await.unwrap();
        assert_eq!(all(store, one).await, [(1, 0), (3, 0), (3, 1)], "{name}");
        store.roll_back(2).await.unwrap();
        assert_eq!(all(store, one).await, [(1, 0)], "{name}");
        assert_eq!(all(store, Clue::Created(created)).await, [], "{name}");
        store.append_all(blocks[3..].to_vec()).await.unwrap();
        assert_eq!(all(store, one).await, [(1, 0), (3, 0), (3, 1), (4, 0)], "{name}");
    }
}

#[tokio::test]
async fn only_what_was_created_is_found_as_created() {
    let mut block = with_logs(&genesis(), 0, vec![vec![]]);
    let executed = Arc::make_mut(&mut block.transactions[0]);
    executed.outcome = parhelion_wire::event::Outcome::Revert;
    let created = executed.transaction.sender().create(0);
    for engine in engines().await {
        let store = engine.store(genesis()).await;
        store.append(block.clone()).await.unwrap();
        assert_eq!(all(&*store, Clue::Created(created)).await, [], "{}", engine.name);
        assert_eq!(all(&*store, Clue::Appears(created)).await, [], "{}", engine.name);
    }
}

#[tokio::test]
async fn a_database_from_before_there_were_clues_is_filled() {
    let blocks = blocks();
    for engine in engines().await {
        let Some(url) = engine.url() else { continue };
        let store = engine.store(genesis()).await;
        store.append_all(blocks[1..].to_vec()).await.unwrap();
        let rows = engine.rows().await;
        drop(store);
        let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
        for statement in ["DROP TABLE clues", "UPDATE meta SET value = 2 WHERE name = 'schema'"] {
            sqlx::query(statement).execute(&mut connection).await.unwrap();
        }
        let store = SqlStore::open(&url).await.unwrap();
        assert_eq!(engine.rows().await, rows, "{}", engine.name);
        assert_eq!(all(&store, Clue::Appears(Address::repeat_byte(2))).await, [(3, 1)], "{}", engine.name);
    }
}
