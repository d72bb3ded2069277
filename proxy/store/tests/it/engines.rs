//! The engines under test.

use parhelion_core::past::Archive;
use parhelion_core::store::{Block, Store};
use parhelion_store::{MemoryStore, SqlStore};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// An engine; where it keeps something, that is gone with this.
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    database: Option<Database>,
}

/// A database of its own.
enum Database {
    /// A SQLite file in this folder.
    Sqlite(PathBuf),
    /// On the server that the environment names.
    Postgres(String),
}

/// Names a Postgres server on which databases can be made.
const POSTGRES: &str = "PARHELION_POSTGRES";

/// A name that nobody else has.
fn fresh_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("parhelion_store_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

impl Database {
    fn sqlite() -> Self {
        let folder = std::env::temp_dir().join(fresh_name());
        std::fs::create_dir_all(&folder).unwrap();
        Self::Sqlite(folder)
    }

    fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", folder.join("store.sqlite").display()),
            Self::Postgres(url) => url.clone(),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Sqlite(folder) = self {
            let _ = std::fs::remove_dir_all(folder);
        }
        // The server of the tests ends with them.
    }
}

/// All of them.
pub(crate) async fn engines() -> Vec<Engine> {
    let mut engines = vec![
        Engine { name: "memory", database: None },
        Engine { name: "SQLite", database: Some(Database::sqlite()) },
    ];
    match std::env::var(POSTGRES) {
        Ok(server) => {
            // A schema does, and is made faster than a database.
            let name = fresh_name();
            let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
            let create = AssertSqlSafe(format!("CREATE SCHEMA {name}"));
            sqlx::query(create).execute(&mut connection).await.unwrap();
            let database = Some(Database::Postgres(format!("{server}?options=-csearch_path%3D{name}")));
            engines.push(Engine { name: "Postgres", database });
        }
        Err(_) => eprintln!("NOT RUN on Postgres: {POSTGRES} names no server; `cargo xtask test` starts one"),
    }
    engines
}

impl Engine {
    /// Its database, if it has one.
    pub(crate) fn url(&self) -> Option<String> {
        self.database.as_ref().map(Database::url)
    }

    /// A new store.
    pub(crate) async fn store(&self, genesis: Block) -> Arc<dyn Store> {
        self.store_with_archive(genesis).await.0
    }

    /// A new store, and its archive.
    pub(crate) async fn store_with_archive(&self, genesis: Block) -> (Arc<dyn Store>, Arc<dyn Archive>) {
        let Some(database) = &self.database else {
            let store = Arc::new(MemoryStore::new(genesis));
            return (Arc::clone(&store) as Arc<_>, store);
        };
        let store = SqlStore::open(&database.url()).await.unwrap();
        assert!(store.is_empty());
        store.begin(genesis).await.unwrap();
        let store = Arc::new(store);
        (Arc::clone(&store) as Arc<_>, store)
    }

    /// Every row that is made of blocks, if it has a database.
    pub(crate) async fn rows(&self) -> Option<Vec<Vec<u8>>> {
        let mut connection = sqlx::AnyConnection::connect(&self.database.as_ref()?.url()).await.unwrap();
        let mut rows = Vec::new();
        for (table, columns) in [
            ("tip", ["number", "hash"]),
            ("blocks", ["number", "header"]),
            ("block_hashes", ["number", "hash"]),
            ("transactions", ["place", "data"]),
            ("transaction_hashes", ["place", "hash"]),
            ("postings", ["place", "key"]),
            ("clues", ["place", "key"]),
        ] {
            let [one, other] = columns;
            let query = AssertSqlSafe(format!("SELECT {one}, {other} FROM {table} ORDER BY {one}, {other}"));
            for row in sqlx::query(query).fetch_all(&mut connection).await.unwrap() {
                let number: i64 = row.try_get(0).unwrap();
                let other = row.try_get::<Vec<u8>, _>(1);
                let other = other.unwrap_or_else(|_| row.get::<i64, _>(1).to_be_bytes().to_vec());
                rows.push([table.as_bytes(), &number.to_be_bytes(), &other].concat());
            }
        }
        Some(rows)
    }

    /// The same store as another process finds it.
    pub(crate) async fn opened_again(&self) -> Option<Arc<dyn Store>> {
        let store = SqlStore::open(&self.database.as_ref()?.url()).await.unwrap();
        assert!(!store.is_empty());
        Some(Arc::new(store))
    }
}
