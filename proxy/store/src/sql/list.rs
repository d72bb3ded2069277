//! Many rows of an answer as one.
//!
//! A row of SQLite goes from its thread to ours by itself, with a value of its own for each column, which takes longer than to
//! find it. So what many rows are read for at once comes as a text: `7,9,12`, or `7:c0ffee,9:00`. In it the rows have no order.

use super::engine::Dialect;
use super::row::damaged;
use alloy_primitives::hex;
use parhelion_core::store::StoreError;

/// The expression that lists a number of all rows; those that are NULL are left out.
pub(super) fn of_numbers(dialect: Dialect, number: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("group_concat({number})"),
        Dialect::Postgres => format!("string_agg({number}::text, ',')"),
    }
}

/// The expression that lists a number and a blob of all rows.
pub(super) fn of_blobs(dialect: Dialect, number: &str, blob: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("group_concat({number} || ':' || hex({blob}))"),
        Dialect::Postgres => format!("string_agg({number} || ':' || encode({blob}, 'hex'), ',')"),
    }
}

/// Numbers as they stand in a statement.
pub(super) fn numbers(numbers: &[i64]) -> String {
    let numbers: Vec<_> = numbers.iter().map(i64::to_string).collect();
    numbers.join(", ")
}

/// What [`of_numbers`] gave; NULL where there were no rows.
pub(super) fn parse_numbers(list: Option<String>) -> Result<Vec<i64>, StoreError> {
    entries(list.as_deref()).map(number).collect()
}

/// What [`of_blobs`] gave; NULL where there were no rows.
pub(super) fn parse_blobs(list: Option<String>) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    let entry = |entry: &str| {
        let (place, blob) = entry.split_once(':').ok_or_else(|| damaged("a list without a blob"))?;
        let blob = hex::decode(blob).map_err(|error| damaged(&error.to_string()))?;
        Ok((number(place)?, blob))
    };
    entries(list.as_deref()).map(entry).collect()
}

fn entries(list: Option<&str>) -> impl Iterator<Item = &str> {
    list.filter(|list| !list.is_empty()).into_iter().flat_map(|list| list.split(','))
}

fn number(text: &str) -> Result<i64, StoreError> {
    text.parse().map_err(|_| damaged("a list without a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let list = |text: &str| Some(text.to_owned());
        assert_eq!(parse_numbers(list("7,-9,12")).expect("numbers"), [7, -9, 12]);
        assert!(parse_numbers(None).expect("none").is_empty());
        let blobs = parse_blobs(list("7:C0FFEE,9:")).expect("blobs");
        assert_eq!(blobs, [(7, vec![0xc0, 0xff, 0xee]), (9, vec![])]);
        assert!(parse_blobs(None).expect("none").is_empty());
        for damaged in ["7", "x:00", "7:0", "7:00,"] {
            assert!(parse_blobs(list(damaged)).is_err(), "{damaged}");
        }
        assert!(parse_numbers(list("7,x")).is_err());
    }
}
