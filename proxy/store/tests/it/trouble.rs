//! Databases that are locked, damaged, away or not there.

use crate::engines::{Engine, engines};
use crate::{TRANSACTIONS, genesis, with_logs};
use parhelion_core::pool::Journal;
use parhelion_core::store::{BlockId, Store, StoreError};
use parhelion_store::SqlStore;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use std::path::PathBuf;
use std::time::Duration;

async fn engine(name: &str) -> Option<Engine> {
    engines().await.into_iter().find(|engine| engine.name == name)
}

async fn connect(url: &str) -> AnyConnection {
    AnyConnection::connect(url).await.unwrap()
}

async fn run(connection: &mut AnyConnection, statement: &str) {
    sqlx::query(AssertSqlSafe(statement.to_owned())).execute(connection).await.unwrap();
}

fn text(error: &StoreError) -> String {
    error.to_string()
}

/// A database file with two blocks in it, which nobody has open.
async fn written() -> (Engine, PathBuf) {
    let engine = engine("SQLite").await.unwrap();
    let store = SqlStore::open(&engine.url().unwrap()).await.unwrap();
    store.begin(genesis()).await.unwrap();
    store.append(with_logs(&genesis(), 0, vec![vec![]; 8])).await.unwrap();
    drop(store);
    let mut connection = connect(&engine.url().unwrap()).await;
    run(&mut connection, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    connection.close().await.unwrap();
    let file = PathBuf::from(engine.url().unwrap().strip_prefix("sqlite:").unwrap());
    (engine, file)
}

#[tokio::test]
async fn a_locked_database_is_waited_for() {
    let engine = engine("SQLite").await.unwrap();
    let store = SqlStore::open(&engine.url().unwrap()).await.unwrap();
    store.begin(genesis()).await.unwrap();
    let journal = store.journal(&[1; 32]);
    let mut other = connect(&engine.url().unwrap()).await;
    run(&mut other, "BEGIN EXCLUSIVE").await;
    let block = with_logs(&genesis(), 0, vec![vec![]]);
    let write = async {
        let (put, append) = tokio::join!(journal.put(&TRANSACTIONS[0]), store.append(block));
        put.and(append).unwrap();
    };
    let watch = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(store.latest().await.unwrap(), 0, "nothing is said to be written that is not");
        assert!(journal.all().await.unwrap().is_empty());
        store.check().await.unwrap();
        run(&mut other, "COMMIT").await;
    };
    tokio::join!(write, watch);
    assert_eq!(store.latest().await.unwrap(), 1);
    assert_eq!(journal.all().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_server_that_was_away_is_found_again() {
    let Some(engine) = engine("Postgres").await else { return };
    let name = format!("parhelion_trouble_{}", std::process::id());
    let url = format!("{}&application_name={name}", engine.url().unwrap());
    let store = SqlStore::open(&url).await.unwrap();
    store.begin(genesis()).await.unwrap();
    let journal = store.journal(&[1; 32]);
    journal.put(&TRANSACTIONS[0]).await.unwrap();
    let mut other = connect(&engine.url().unwrap()).await;
    for index in 1..4 {
        // As when the server is started again.
        let end = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{name}'"
        );
        run(&mut other, &end).await;
        // What is under way then may fail, and is told so. The next one finds a new connection.
        let parent = store.block(BlockId::Latest).await.unwrap().unwrap();
        while store.append(with_logs(&parent, index, vec![vec![]])).await.is_err() {}
        while journal.put(&TRANSACTIONS[index]).await.is_err() {}
        store.check().await.unwrap();
    }
    assert_eq!(store.latest().await.unwrap(), 3);
    assert_eq!(journal.all().await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told_with_what_to_do() {
    let (engine, file) = written().await;
    std::fs::write(&file, b"this is no database at all, but long enough to look at").unwrap();
    let error = text(&SqlStore::open(&engine.url().unwrap()).await.unwrap_err());
    assert!(error.contains("file is not a database (the file is damaged, or no database"), "{error}");
    assert!(error.contains("move the file away"), "{error}");
}

#[tokio::test]
async fn damage_is_an_error_and_no_wrong_answer() {
    let (engine, file) = written().await;
    let whole = std::fs::read(&file).unwrap();
    let page = 4_096;
    let expected = with_logs(&genesis(), 0, vec![vec![]; 8]);
    let mut told = 0;
    for number in 1..whole.len() / page {
        let mut damaged = whole.clone();
        damaged[number * page..][..page].fill(0xa5);
        std::fs::write(&file, &damaged).unwrap();
        let opened = SqlStore::open(&engine.url().unwrap()).await;
        let Ok(store) = opened.inspect_err(|_| told += 1) else { continue };
        let found = store.block(BlockId::Number(1)).await;
        match found.and_then(|found| found.ok_or_else(|| StoreError::Unavailable("not there".into()))) {
            // What was damaged was something else.
            Ok(found) => assert_eq!((found.hash, found.transactions.len()), (expected.hash, 8)),
            Err(_) => told += 1,
        }
    }
    assert!(told > 0);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_told() {
    let error = text(&SqlStore::open("sqlite:/nowhere/to/be/found.sqlite").await.unwrap_err());
    assert!(
        error.contains("(the file, or its folder, is not there or may not be read by this user)"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_is_away_is_told() {
    let error = SqlStore::open("postgres://somebody:secret@127.0.0.1:1/parhelion").await.unwrap_err();
    let error = text(&error);
    assert!(error.contains("is the database server running?") && !error.contains("secret"), "{error}");
}
