//! The database behind the store: SQLite in a file, or Postgres.

use super::trouble::failed;
use parhelion_core::store::StoreError;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::{AnyConnection, AnyPool, Connection as _};
use std::str::FromStr;
use std::time::Duration;

/// Connections that read at the same time.
const CONNECTIONS: u32 = 8;
/// How long a query waits for a connection, or for whoever else writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// What differs from one database to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// A database.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    pub(super) pool: AnyPool,
    pub(super) dialect: Dialect,
}

impl Dialect {
    fn of(url: &str) -> Result<Self, StoreError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(Self::Sqlite),
            Some("postgres" | "postgresql") => Ok(Self::Postgres),
            // Without the URL, which may have a password in it.
            _ => Err(StoreError::Unavailable(
                "the URL names no database: write sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE"
                    .to_owned(),
            )),
        }
    }

    /// A statement that makes a table. `BLOB` is a column of bytes, `KEYED` a table whose rows lie in the order of its key.
    pub(super) fn translate(self, statement: &str) -> String {
        match self {
            Self::Sqlite => statement.replace("KEYED", "WITHOUT ROWID"),
            Self::Postgres => statement.replace("KEYED", "").replace("BLOB", "BYTEA"),
        }
    }

    /// What keeps others from changing tables until the end of a transaction.
    pub(super) const fn lock(self) -> &'static [&'static str] {
        match self {
            // There is one writer at a time anyway: the first statement that writes waits.
            Self::Sqlite => &[],
            Self::Postgres => &["SELECT pg_advisory_xact_lock(7094)"],
        }
    }

    /// What makes the commits of a connection wait until they are on the disk.
    pub(super) const fn sync(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &["PRAGMA synchronous = FULL"],
            // They do.
            Self::Postgres => &[],
        }
    }

    /// What ends [`Self::sync`].
    pub(super) const fn unsync(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &["PRAGMA synchronous = NORMAL"],
            Self::Postgres => &[],
        }
    }

    /// What each connection begins with.
    const fn greeting(self) -> &'static [&'static str] {
        match self {
            // A commit is durable when the log is written, in a crash of the node; in one of the machine the newest
            // blocks may be lost, and are read from the chain again.
            Self::Sqlite => &[
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = NORMAL",
                "PRAGMA busy_timeout = 10000",
                "PRAGMA cache_size = -16000",
                "PRAGMA temp_store = MEMORY",
            ],
            Self::Postgres => &[],
        }
    }
}

impl Engine {
    /// Connects. A file that does not exist is made.
    pub(super) async fn connect(url: &str) -> Result<Self, StoreError> {
        install_default_drivers();
        let dialect = Dialect::of(url)?;
        let in_memory = dialect == Dialect::Sqlite && url.contains(":memory:");
        let url = match dialect {
            Dialect::Sqlite if !in_memory && !url.contains('?') => format!("{url}?mode=rwc"),
            _ => url.to_owned(),
        };
        let options = AnyConnectOptions::from_str(&url).map_err(failed)?;
        // The pool would try again until its patience ends, and then not say what is wrong.
        let mut first = AnyConnection::connect_with(&options).await.map_err(failed)?;
        greet(&mut first, dialect).await.map_err(failed)?;
        first.close().await.map_err(failed)?;
        // Each connection to a database in memory has a database of its own, which ends with it.
        let connections = if in_memory { 1 } else { CONNECTIONS };
        let pool = AnyPoolOptions::new()
            .max_connections(connections)
            .min_connections(1)
            .acquire_timeout(PATIENCE)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(move |connection, _| Box::pin(greet(connection, dialect)));
        Ok(Self { pool: pool.connect_with(options).await.map_err(failed)?, dialect })
    }
}

async fn greet(connection: &mut AnyConnection, dialect: Dialect) -> Result<(), sqlx::Error> {
    for statement in dialect.greeting() {
        sqlx::query(*statement).execute(&mut *connection).await?;
    }
    Ok(())
}
