//! Databases that are locked, damaged, away or not there.

use crate::engines::{Engine, engines};
use crate::{TRANSACTIONS, genesis, with_logs};
use parhelion_core::pool::Journal;
use parhelion_core::store::{BlockId, Store, StoreError};
use parhelion_store::SqlStore;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

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

/// Where the process of [`a_process_on_a_full_disk`] has its database.
const FULL: &str = "PARHELION_STORE_ON_A_FULL_DISK";
/// What it says when it can write no more.
const TOLD: &str = "FULL:";

/// Files of a process may grow to so many blocks of 512 bytes only: a write beyond that fails as on a full disk.
#[test]
fn a_full_disk_is_told_and_gone_on_from() {
    let folder = std::env::temp_dir().join(format!("parhelion_store_full_{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut process = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -S -f 1000; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "trouble::a_process_on_a_full_disk"])
        .env(FULL, folder.join("store.sqlite"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut told = lines.filter(|line| line.contains(TOLD));
    let told = told.next().expect("it says that the disk is full");
    assert!(told.contains("(is the disk full? the node goes on when there is room)"), "{told}");
    // Somebody makes room.
    let limit =
        Command::new("prlimit").args(["--pid", &process.id().to_string(), "--fsize=unlimited"]).status();
    assert!(limit.unwrap().success());
    assert!(process.wait().unwrap().success(), "its own output says why");
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
#[ignore = "is run by a_full_disk_is_told_and_gone_on_from, in a process of its own"]
async fn a_process_on_a_full_disk() {
    let url = format!("sqlite:{}", std::env::var(FULL).unwrap());
    let store = SqlStore::open(&url).await.unwrap();
    store.begin(genesis()).await.unwrap();
    let journal = store.journal(&[1; 32]);
    let mut blocks = vec![genesis()];
    let error = loop {
        let parent = blocks.last().unwrap();
        let block = with_logs(parent, blocks.len(), vec![vec![]; 16]);
        match store.append(block.clone()).await {
            Ok(()) => blocks.push(block),
            Err(error) => break error,
        }
    };
    println!("\n{TOLD} {error}");
    let began = Instant::now();
    let mut accepted = Vec::new();
    while blocks.len() < 2_000 {
        assert!(began.elapsed() < Duration::from_secs(50), "{error}");
        let block = with_logs(blocks.last().unwrap(), blocks.len(), vec![vec![]; 16]);
        match store.append(block.clone()).await {
            Ok(()) => blocks.push(block),
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
        if let Some(transaction) = TRANSACTIONS.get(accepted.len())
            && journal.put(transaction).await.is_ok()
        {
            accepted.push(transaction.hash());
        }
    }
    // All that was said to be written is there for the next node.
    drop((journal, store));
    let store = SqlStore::open(&url).await.unwrap();
    for block in &blocks {
        let found = store.block(BlockId::Number(block.header.number)).await.unwrap().unwrap();
        assert_eq!((found.hash, found.transactions.len()), (block.hash, block.transactions.len()));
    }
    let mut kept: Vec<_> =
        store.journal(&[1; 32]).all().await.unwrap().iter().map(|one| one.hash()).collect();
    kept.sort_unstable();
    accepted.sort_unstable();
    assert_eq!((kept, accepted.len()), (accepted.clone(), TRANSACTIONS.len()));
}
