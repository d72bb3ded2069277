//! What is written down of the pool.

use crate::engines::engines;
use crate::{TRANSACTIONS, genesis, with_logs};
use alloy_primitives::B256;
use parhelion_core::pool::Journal;
use parhelion_store::SqlStore;
use std::collections::BTreeSet;

#[tokio::test]
async fn what_comes_in_at_once_is_written_together_and_each_is_told() {
    for engine in engines().await {
        let Some(url) = engine.url() else { continue };
        drop(engine.store(genesis()).await);
        let store = SqlStore::open(&url).await.unwrap();
        let journal = store.journal(&[1; 32]);
        // Some come twice.
        let puts = (0..64).map(|number| {
            let journal = journal.clone();
            tokio::spawn(async move { journal.put(&TRANSACTIONS[number % TRANSACTIONS.len()]).await })
        });
        for put in puts.collect::<Vec<_>>() {
            put.await.unwrap().unwrap();
        }
        let all = TRANSACTIONS.iter().map(|one| one.hash()).collect();
        let again = SqlStore::open(&url).await.unwrap().journal(&[1; 32]);
        assert_eq!(hashes(&again).await, all, "{}", engine.name);
    }
}

async fn hashes(journal: &dyn Journal) -> BTreeSet<B256> {
    let all = journal.all().await.unwrap();
    assert!(all.iter().all(|one| one.sender() == TRANSACTIONS[0].sender()));
    all.iter().map(parhelion_core::transaction::Transaction::hash).collect()
}

#[tokio::test]
async fn transactions_stay_until_they_are_crossed_out_and_each_operator_has_its_own() {
    for engine in engines().await {
        let Some(url) = engine.url() else { continue };
        drop(engine.store(genesis()).await);
        let store = SqlStore::open(&url).await.unwrap();
        let (ours, theirs) = (store.journal(&[1; 32]), store.journal(&[2; 32]));
        for transaction in &TRANSACTIONS[..5] {
            ours.put(transaction).await.unwrap();
            // Once more changes nothing.
            ours.put(transaction).await.unwrap();
        }
        theirs.put(&TRANSACTIONS[0]).await.unwrap();
        let all: Vec<B256> = TRANSACTIONS[..5].iter().map(|one| one.hash()).collect();
        assert_eq!(hashes(&ours).await, all.iter().copied().collect(), "{}", engine.name);
        ours.remove(&all[..2]).await.unwrap();
        ours.remove(&[]).await.unwrap();
        ours.remove(&[B256::ZERO]).await.unwrap();
        let again = SqlStore::open(&url).await.unwrap().journal(&[1; 32]);
        assert_eq!(hashes(&again).await, all[2..].iter().copied().collect(), "{}", engine.name);
        assert_eq!(hashes(&theirs).await, [all[0]].into(), "{}", engine.name);
    }
}

#[tokio::test]
async fn what_leaves_the_chain_is_written_down_for_whoever_goes_on_with_it() {
    for engine in engines().await {
        let Some(url) = engine.url() else { continue };
        let store = engine.store(genesis()).await;
        let kept = with_logs(&genesis(), 0, vec![vec![]]);
        let dropped = with_logs(&kept, 1, vec![vec![], vec![]]);
        store.append_all(vec![kept, dropped]).await.unwrap();
        let journals = SqlStore::open(&url).await.unwrap();
        let (ours, theirs) = (journals.journal(&[1; 32]), journals.journal(&[2; 32]));
        let taken = [1, 2].map(|index: usize| TRANSACTIONS[index].hash());
        ours.put(&TRANSACTIONS[1]).await.unwrap();
        assert_eq!(hashes(&theirs).await, [].into(), "{}", engine.name);
        store.roll_back(1).await.unwrap();
        for journal in [&ours, &theirs] {
            assert_eq!(journal.all().await.unwrap().len(), 2, "once each, {}", engine.name);
            assert_eq!(hashes(journal).await, taken.into(), "{}", engine.name);
        }
        theirs.remove(&taken).await.unwrap();
        assert_eq!(hashes(&theirs).await, [].into(), "{}", engine.name);
        assert_eq!(hashes(&ours).await, [taken[0]].into(), "what it wrote down itself, {}", engine.name);
    }
}
