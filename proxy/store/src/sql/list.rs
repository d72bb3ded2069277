//! Many rows of an answer as one.
//!
//! A row of SQLite goes from its thread to ours by itself, with a value of its own for each column, which takes longer than to
//! find it. So what many rows are read for at once comes as one value: numbers as the text `7,9,12`; blobs one behind the other,
//! each behind its number and its length:
//!
//! ```text
//! 7:3:abc9:0:12:2:de
//! ```
//!
//! In it the rows have no order.

use super::engine::Dialect;
use super::row::damaged;
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
    let head = format!("{number} || ':' || length({blob}) || ':'");
    match dialect {
        // To SQLite, text in UTF-8 is bytes, whatever they are; there is no aggregate that gives a blob.
        Dialect::Sqlite => format!("CAST(group_concat({head} || {blob}, '') AS BLOB)"),
        Dialect::Postgres => format!("string_agg(convert_to({head}, 'UTF8') || {blob}, ''::bytea)"),
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
pub(super) fn parse_blobs(list: Option<&[u8]>) -> Result<Vec<(i64, &[u8])>, StoreError> {
    let (mut blobs, mut rest) = (Vec::new(), list.unwrap_or_default());
    while !rest.is_empty() {
        let (place, behind) = head(rest)?;
        let (length, behind) = head(behind)?;
        let split = usize::try_from(length).ok().and_then(|length| behind.split_at_checked(length));
        let (blob, behind) = split.ok_or_else(|| damaged("a list without a blob"))?;
        blobs.push((place, blob));
        rest = behind;
    }
    Ok(blobs)
}

/// The number before the next colon, and what is behind that.
fn head(list: &[u8]) -> Result<(i64, &[u8]), StoreError> {
    let end = list.iter().position(|byte| *byte == b':').ok_or_else(|| damaged("a list without a number"))?;
    let (head, rest) = list.split_at(end);
    let head = str::from_utf8(head).map_err(|_| damaged("a list without a number"))?;
    Ok((number(head)?, rest.get(1..).unwrap_or_default()))
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
        let blobs = parse_blobs(Some(b"7:3:\xc0:\x009:0:-1:1:\xff")).expect("blobs");
        assert_eq!(blobs, [(7, &b"\xc0:\x00"[..]), (9, b""), (-1, b"\xff")]);
        assert!(parse_blobs(None).expect("none").is_empty());
        for damaged in ["7", "7:", "7:1", "7:1:", "x:1:a", "7:x:a", "7:-1:a", "7:1:ab", ":1:a", "7:1:a,9:1:a"]
        {
            assert!(parse_blobs(Some(damaged.as_bytes())).is_err(), "{damaged}");
        }
        assert!(parse_numbers(list("7,x")).is_err());
    }
}
