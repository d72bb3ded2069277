//! Accounts as they were.

use crate::engines::engines;
use crate::{empty, genesis};
use parhelion_core::past::{Archive, Change, Point, Version};
use parhelion_core::store::{Block, Store};
use parhelion_store::SqlStore;

fn present(lamports: u64, length: usize) -> Version {
    Version::Present { lamports, data: vec![7; length] }
}

fn change(point: Point, address: u8, version: Version) -> Change {
    Change { point, address: [address; 32], version }
}

/// Blocks 0 to 4.
fn blocks() -> Vec<Block> {
    let mut blocks = vec![genesis()];
    for number in 1..5 {
        blocks.push(empty(number, blocks.last().unwrap().hash, number));
    }
    blocks
}

fn changes() -> Vec<Change> {
    vec![
        change(Point::before(1, 0), 1, present(1, 0)),
        change(Point::behind(1, 0), 1, present(2, 30_000)),
        change(Point::behind(1, 1), 2, present(u64::MAX, 1)),
        change(Point::before(3, 2), 1, Version::Absent),
        change(Point::behind(3, 2), 2, Version::Unknown),
        change(Point::behind(4, 0), 1, present(3, 3)),
        // The same once more: the later one counts.
        change(Point::behind(4, 0), 1, present(4, 4)),
    ]
}

/// What is there at points, of two accounts that changed and one that never did.
async fn assert_versions(store: &dyn Archive, expected: &[(Point, [Option<Version>; 2])]) {
    for (point, [one, two]) in expected {
        let found = store.versions(*point, &[[1; 32], [3; 32], [2; 32]]).await.unwrap();
        assert_eq!(found, [one.clone(), None, two.clone()], "{point:?}");
    }
    let many: Vec<_> = (0..120).map(|number| [number; 32]).collect();
    let found = store.versions(Point::end(1), &many).await.unwrap();
    assert_eq!(found.iter().flatten().count(), 2);
    assert_eq!((found.len(), &found[2]), (120, &Some(present(u64::MAX, 1))));
    assert_eq!(store.versions(Point::end(1), &[]).await.unwrap(), []);
}

#[tokio::test]
async fn an_account_is_at_a_point_what_it_became_last() {
    for engine in engines().await {
        let (store, archive) = engine.store_with_archive(blocks()[0].clone()).await;
        store.append_with(blocks()[1..].to_vec(), changes()).await.unwrap();
        let second = Some(present(u64::MAX, 1));
        let expected = [
            (Point::end(0), [None, None]),
            (Point::before(1, 0), [Some(present(1, 0)), None]),
            (Point::behind(1, 0), [Some(present(2, 30_000)), None]),
            (Point::end(2), [Some(present(2, 30_000)), second.clone()]),
            (Point::before(3, 2), [Some(Version::Absent), second]),
            (Point::end(3), [Some(Version::Absent), Some(Version::Unknown)]),
            (Point::end(u64::MAX), [Some(present(4, 4)), Some(Version::Unknown)]),
        ];
        assert_versions(&*archive, &expected).await;
        if let Some(url) = engine.url() {
            assert_versions(&SqlStore::open(&url).await.unwrap(), &expected).await;
        }
    }
}

#[tokio::test]
async fn what_blocks_changed_goes_with_them() {
    for engine in engines().await {
        let (store, archive) = engine.store_with_archive(blocks()[0].clone()).await;
        store.append_with(blocks()[1..].to_vec(), changes()).await.unwrap();
        store.roll_back(3).await.unwrap();
        assert_versions(&*archive, &[(Point::end(9), [Some(Version::Absent), Some(Version::Unknown)])]).await;
        store.roll_back(1).await.unwrap();
        let first = [Some(present(2, 30_000)), Some(present(u64::MAX, 1))];
        assert_versions(&*archive, &[(Point::end(9), first)]).await;
    }
}

#[tokio::test]
async fn what_was_before_a_mark_is_forgotten() {
    const MARK: u8 = 2;
    let mark = [MARK; 32];
    let mut all = changes();
    // Closed before the mark, and never seen again.
    all.extend([
        change(Point::before(1, 0), 4, present(9, 9)),
        change(Point::behind(2, 0), 4, Version::Absent),
    ]);
    for engine in engines().await {
        let (store, archive) = engine.store_with_archive(blocks()[0].clone()).await;
        store.append_with(blocks()[1..].to_vec(), all.clone()).await.unwrap();
        // The oldest mark: nothing is before it that is not needed.
        let before = archive.versions(Point::behind(1, 0), &[[1; 32]]).await.unwrap();
        for point in [Point::end(0), Point::behind(1, 0)] {
            assert_eq!(archive.forget(&mark, point).await.unwrap(), 0, "{point:?}");
        }
        assert_eq!(archive.versions(Point::behind(1, 0), &[[1; 32]]).await.unwrap(), before);
        // From the newest mark on everything is as it was. One version of the mark goes, two of the first account, and two
        // of the one that is closed.
        let mut forgotten = 0;
        while let more @ 1.. = archive.forget(&mark, Point::end(9)).await.unwrap() {
            forgotten += more;
        }
        assert_eq!(forgotten, 6);
        assert_eq!(archive.versions(Point::behind(3, 1), &[mark]).await.unwrap(), [None]);
        let expected = [
            (Point::behind(3, 2), [None, Some(Version::Unknown)]),
            (Point::end(3), [None, Some(Version::Unknown)]),
            (Point::end(9), [Some(present(4, 4)), Some(Version::Unknown)]),
        ];
        for (point, [one, two]) in expected {
            let found = archive.versions(point, &[[1; 32], mark, [4; 32]]).await.unwrap();
            assert_eq!(found, [one, two, None], "{point:?}");
        }
    }
}

#[tokio::test]
async fn another_node_may_have_been_faster() {
    for engine in engines().await {
        let Some(url) = engine.url() else { continue };
        let (one, other) = (SqlStore::open(&url).await.unwrap(), SqlStore::open(&url).await.unwrap());
        one.begin(blocks()[0].clone()).await.unwrap();
        other.begin(blocks()[0].clone()).await.unwrap();
        let up_to =
            |number: u64| changes().into_iter().filter(|change| change.point.block <= number).collect();
        one.append_with(blocks()[1..4].to_vec(), up_to(3)).await.unwrap();
        // What it has is the same, and is not written twice.
        other.append_with(blocks()[1..].to_vec(), changes()).await.unwrap();
        let newest = [Some(present(4, 4)), Some(Version::Unknown)];
        assert_versions(&one, &[(Point::end(9), newest)]).await;
    }
}
