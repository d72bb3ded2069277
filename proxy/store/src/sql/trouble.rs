//! What is wrong with a database, and what to do about it.

use parhelion_core::store::StoreError;

/// An error of the engine, with what to do next where that is known.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    let advice = advice(&error).map(|advice| format!(" ({advice})")).unwrap_or_default();
    StoreError::Unavailable(format!("{error}{advice}"))
}

fn advice(error: &sqlx::Error) -> Option<&'static str> {
    match error {
        sqlx::Error::PoolTimedOut => Some("all connections are busy, or the server is away"),
        sqlx::Error::Io(_) => Some("is the database server running? the node tries again"),
        sqlx::Error::Database(error) => {
            let code = error.code()?;
            // SQLite's are numbers, of which the lowest byte says what kind it is; those of Postgres are SQLSTATEs.
            match code.parse::<u32>() {
                Ok(number) if code.len() < 5 => advice_of_sqlite(number & 0xff),
                _ => advice_of_postgres(&code),
            }
        }
        _ => None,
    }
}

/// By SQLite's primary result codes.
const fn advice_of_sqlite(code: u32) -> Option<&'static str> {
    match code {
        5 | 6 => Some("another process has locked the file: the node tries again"),
        8 => Some("the file, or its folder, may not be written by this user"),
        10 | 13 => Some("is the disk full? the node goes on when there is room"),
        11 | 26 => Some(
            "the file is damaged, or no database: stop the node and move the file away; blocks are read from the chain \
             again, and transactions that had not landed have to be sent again",
        ),
        14 => Some("the file, or its folder, is not there or may not be read by this user"),
        _ => None,
    }
}

/// By the class of a SQLSTATE.
fn advice_of_postgres(code: &str) -> Option<&'static str> {
    match code.get(..2)? {
        "08" | "57" => Some("the database server is stopping or away: the node tries again"),
        "53" => Some("the database server has no room or no connections left"),
        "28" => Some("check user and password of the database's URL"),
        "3D" => Some("the database of the URL does not exist: create it first"),
        "42" => Some("may the user of the database's URL create tables?"),
        _ => None,
    }
}
