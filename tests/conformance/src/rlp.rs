//! RLP tests: bytes that are the encoding of an item, or of none.

use crate::suite::{Sink, Verdict};
use alloy_primitives::{Bytes, U512};
use anyhow::{Context as _, Result, bail};
use parhelion_wire::rlp::{Item, Reader, RlpError};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct RlpTest {
    r#in: Value,
    out: Bytes,
}

/// An item and all that is in it.
#[derive(Debug, PartialEq, Eq)]
enum Tree {
    Bytes(Vec<u8>),
    List(Vec<Self>),
}

/// Runs every case of a file.
pub(crate) fn run(bytes: &[u8], sink: &mut Sink<'_>) -> Result<()> {
    let file: BTreeMap<String, RlpTest> = serde_json::from_slice(bytes)?;
    for (name, test) in &file {
        sink.case("rlp", name, || run_case(test));
    }
    Ok(())
}

fn run_case(test: &RlpTest) -> Result<Verdict> {
    let decoded = decode(&test.out);
    Ok(match (&test.r#in, decoded) {
        (Value::String(word), Err(_)) if word == "INVALID" => Verdict::Passed,
        (Value::String(word), Ok(_)) if word == "VALID" => Verdict::Passed,
        (_, Err(_)) => Verdict::Failed("it does not decode".to_owned()),
        (Value::String(word), Ok(tree)) if word == "INVALID" => {
            Verdict::Failed(format!("it decodes to {tree:?}"))
        }
        (expected, Ok(tree)) if tree == tree_of(expected)? => Verdict::Passed,
        (_, Ok(tree)) => Verdict::Failed(format!("it decodes to {tree:?}")),
    })
}

fn decode(bytes: &[u8]) -> Result<Tree, RlpError> {
    let mut reader = Reader::new(bytes);
    let tree = read(&mut reader)?;
    reader.end()?;
    Ok(tree)
}

fn read(reader: &mut Reader<'_>) -> Result<Tree, RlpError> {
    Ok(match reader.item()? {
        Item::Bytes(bytes) => Tree::Bytes(bytes.to_vec()),
        Item::List(items) => {
            let mut reader = Reader::new(items);
            let mut list = Vec::new();
            while !reader.is_empty() {
                list.push(read(&mut reader)?);
            }
            Tree::List(list)
        }
    })
}

/// The item that a test states: a list, a text, a number, or `#` and a big number.
fn tree_of(value: &Value) -> Result<Tree> {
    Ok(match value {
        Value::Array(items) => Tree::List(items.iter().map(tree_of).collect::<Result<_>>()?),
        Value::String(text) => match text.strip_prefix('#') {
            Some(number) => Tree::Bytes(integer(number)?),
            None => Tree::Bytes(text.as_bytes().to_vec()),
        },
        Value::Number(number) => Tree::Bytes(integer(&number.to_string())?),
        _ => bail!("no item: {value}"),
    })
}

/// A number without leading zeros; the largest ones have 257 bits.
fn integer(decimal: &str) -> Result<Vec<u8>> {
    let number = U512::from_str_radix(decimal, 10).with_context(|| format!("no number: {decimal}"))?;
    Ok(number.to_be_bytes_trimmed_vec())
}
