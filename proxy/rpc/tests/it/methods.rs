//! The table of methods says what is true.

use crate::client::{assert_error, call};
use crate::fake::Fake;
use serde_json::json;
use std::collections::BTreeSet;

const TABLE: &str = include_str!("../../METHODS.md");

/// The cells of each row that begins with a method, of the tables with so many columns; the second part is what is not there.
fn rows(part: &str, columns: usize) -> Vec<Vec<&str>> {
    let cells = |line: &'static str| -> Vec<&'static str> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect()
    };
    let lines = TABLE.lines().filter(|line| line.starts_with("| `") && part.contains(line));
    lines.map(cells).filter(|cells| cells.len() == columns).collect()
}

#[tokio::test]
async fn what_is_there_and_what_is_not() {
    let (server_part, rest) = TABLE.split_once("Extensions of the node").unwrap();
    let (_, absent_part) = rest.split_once("Not there:").unwrap();
    let server = Fake::new().serve().await;
    let there: BTreeSet<&str> = rows(server_part, 3).iter().map(|cells| cells[0]).collect();
    assert_eq!(there, server.methods().iter().copied().collect());
    let absent = rows(absent_part, 2);
    assert!(absent.len() > 5, "{absent:?}");
    for cells in absent {
        let answer = call(server.local_addr(), cells[0], json!([])).await;
        assert_error(&answer, -32601, &format!("the method {} does not exist/is not available", cells[0]));
    }
}

#[test]
fn every_method_is_tested_where_the_table_says() {
    let (server_part, _) = TABLE.split_once("Extensions of the node").unwrap();
    for cells in rows(server_part, 3) {
        let file = format!("{}/tests/it/{}.rs", env!("CARGO_MANIFEST_DIR"), cells[2]);
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(&format!("\"{}\"", cells[0])), "{file} says nothing of {}", cells[0]);
    }
}
