//! Whether an answer is the expected one.
//!
//! Errors are the same when their codes are, and the data where there are some; texts are each node's own.

use serde_json::{Map, Value};

/// The most differences that are told of an answer.
const DIFFERENCES_MAX: usize = 8;

/// How closely results are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closeness {
    /// Values are equal.
    Values,
    /// Values are of the same types, and objects have the same fields.
    Types,
}

/// What differs between an expected answer and the one that was got, a line each; nothing when they are the same.
#[must_use]
pub fn differences(expected: &Value, got: &Value, closeness: Closeness) -> Vec<String> {
    let mut found = Vec::new();
    if expected.get("id") != got.get("id") || got.get("jsonrpc") != expected.get("jsonrpc") {
        found.push("\"jsonrpc\" or \"id\" is another one".to_owned());
    }
    match (expected.get("error"), got.get("error")) {
        (None, None) => {
            let expected = &expected["result"];
            match got.get("result") {
                Some(got) => compare("result", expected, got, closeness, &mut found),
                None => told("result", expected, None, &mut found),
            }
        }
        (Some(expected), Some(got)) => {
            compare("error.code", &expected["code"], &got["code"], Closeness::Values, &mut found);
            if let Some(data) = expected.get("data") {
                compare("error.data", data, &got["data"], closeness, &mut found);
            }
        }
        (Some(error), None) => found.push(format!("expected the error {}, got a result", error["code"])),
        (None, Some(error)) => found.push(format!("expected a result, got the error {error}")),
    }
    found.truncate(DIFFERENCES_MAX);
    found
}

fn told(path: &str, expected: &Value, got: Option<&Value>, found: &mut Vec<String>) {
    let got = got.map_or_else(|| "nothing".to_owned(), ToString::to_string);
    found.push(format!("{path}: expected {expected}, got {got}"));
}

fn compare(path: &str, expected: &Value, got: &Value, closeness: Closeness, found: &mut Vec<String>) {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            objects(path, expected, got, closeness, found);
        }
        (Value::Array(expected), Value::Array(got)) => arrays(path, expected, got, closeness, found),
        _ if expected == got => {}
        _ if closeness == Closeness::Types && is_same_type(expected, got) => {}
        _ => told(path, expected, Some(got), found),
    }
}

fn objects(
    path: &str,
    expected: &Map<String, Value>,
    got: &Map<String, Value>,
    closeness: Closeness,
    found: &mut Vec<String>,
) {
    if closeness == Closeness::Types && expected.keys().chain(got.keys()).all(|key| is_value(key)) {
        // Not fields, but addresses or numbers, each with a value of one of the same types.
        for (key, value) in got {
            let other = expected.get(key);
            one_of(&format!("{path}.{key}"), other.into_iter().chain(expected.values()), value, found);
        }
        return;
    }
    for (key, value) in expected {
        let path = format!("{path}.{key}");
        match got.get(key) {
            Some(got) => compare(&path, value, got, closeness, found),
            None => told(&path, value, None, found),
        }
    }
    for (key, value) in got.iter().filter(|(key, _)| !expected.contains_key(*key)) {
        found.push(format!("{path}.{key}: expected nothing, got {value}"));
    }
}

/// Whether a key is an address, a hash or a number, and so no name of a field.
fn is_value(key: &str) -> bool {
    key.starts_with("0x") || (!key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit()))
}

fn arrays(path: &str, expected: &[Value], got: &[Value], closeness: Closeness, found: &mut Vec<String>) {
    match closeness {
        Closeness::Values => {
            if expected.len() != got.len() {
                found.push(format!("{path}: expected {} entries, got {}", expected.len(), got.len()));
            }
            for ((expected, got), index) in expected.iter().zip(got).zip(0_usize..) {
                compare(&format!("{path}[{index}]"), expected, got, closeness, found);
            }
        }
        Closeness::Types => {
            for (got, index) in got.iter().zip(0_usize..) {
                let other = expected.get(index);
                one_of(&format!("{path}[{index}]"), other.into_iter().chain(expected), got, found);
            }
        }
    }
}

/// Whether a value has the types of one of those that are expected: entries of a list may be of several kinds.
fn one_of<'v>(path: &str, expected: impl Iterator<Item = &'v Value>, got: &Value, found: &mut Vec<String>) {
    let mut differences = expected.map(|expected| {
        let mut found = Vec::new();
        compare(path, expected, got, Closeness::Types, &mut found);
        found
    });
    // Where nothing is expected, nothing is known of the types. Otherwise the first is what it should rather be.
    if let Some(first) = differences.next().filter(|first| !first.is_empty())
        && !differences.any(|differences| differences.is_empty())
    {
        found.extend(first);
    }
}

fn is_same_type(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::String(expected), Value::String(got)) => {
            Kind::of(expected).iter().any(|kind| Kind::of(got).contains(kind))
        }
        (Value::Number(_), Value::Number(_)) | (Value::Bool(_), Value::Bool(_)) => true,
        _ => false,
    }
}

/// What a text can be; short ones can be several things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Hex without leading zeros.
    Quantity,
    /// Hex of whole bytes, of no length of the two below.
    Data,
    /// Hex of 20 or 32 bytes.
    Fixed(usize),
    /// Anything else.
    Text,
}

impl Kind {
    fn of(text: &str) -> Vec<Self> {
        let Some(digits) =
            text.strip_prefix("0x").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
        else {
            return vec![Self::Text];
        };
        let mut kinds = Vec::new();
        match digits.len() {
            length @ (40 | 64) => kinds.push(Self::Fixed(length)),
            length if length % 2 == 0 => kinds.push(Self::Data),
            _ => {}
        }
        if digits == "0" || (!digits.is_empty() && !digits.starts_with('0')) {
            kinds.push(Self::Quantity);
        }
        kinds
    }
}

#[cfg(test)]
mod tests {
    use super::{Closeness, differences};
    use serde_json::{Value, json};

    fn result(value: Value) -> Value {
        json!({ "jsonrpc": "2.0", "id": 1, "result": value })
    }

    fn error(code: i64, text: &str) -> Value {
        json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": code, "message": text } })
    }

    fn count(expected: &Value, got: &Value, closeness: Closeness) -> usize {
        differences(expected, got, closeness).len()
    }

    #[test]
    fn values_are_equal_field_by_field() {
        let block = result(json!({ "number": "0x1", "hashes": ["0x2"], "root": null }));
        assert_eq!(count(&block, &block, Closeness::Values), 0);
        for other in [
            json!({ "number": "0x2", "hashes": ["0x2"], "root": null }),
            json!({ "number": "0x1", "hashes": ["0x2", "0x3"], "root": null }),
            json!({ "number": "0x1", "hashes": ["0x2"] }),
            json!({ "number": "0x1", "hashes": ["0x2"], "root": null, "more": 1 }),
            json!(null),
        ] {
            assert_eq!(count(&block, &result(other.clone()), Closeness::Values), 1, "{other}");
        }
    }

    #[test]
    fn a_missing_result_is_not_null() {
        let got = json!({ "jsonrpc": "2.0", "id": 1 });
        assert_eq!(count(&result(json!(null)), &got, Closeness::Values), 1);
    }

    #[test]
    fn errors_are_the_same_when_codes_and_data_are() {
        let reverted = |data: &str| json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": 3, "message": "a", "data": data } });
        assert_eq!(count(&error(-32602, "a"), &error(-32602, "b"), Closeness::Values), 0);
        assert_eq!(count(&error(-32602, "a"), &error(-32000, "a"), Closeness::Values), 1);
        assert_eq!(count(&error(-32602, "a"), &error(-32000, "a"), Closeness::Types), 1);
        assert_eq!(count(&error(3, "a"), &reverted("0x"), Closeness::Values), 0);
        assert_eq!(count(&reverted("0x12"), &reverted("0x34"), Closeness::Values), 1);
        assert_eq!(count(&error(3, "a"), &result(json!("0x")), Closeness::Types), 1);
        assert_eq!(count(&result(json!("0x")), &error(3, "a"), Closeness::Types), 1);
    }

    #[test]
    fn types_are_those_that_clients_see() {
        let hash = format!("0x{}", "01".repeat(32));
        let same = |expected: Value, got: Value| {
            assert_eq!(count(&result(expected), &result(got), Closeness::Types), 0);
        };
        same(json!("0x0"), json!("0x1234"));
        same(json!("0x0012"), json!("0x"));
        same(json!(["0x1"]), json!([]));
        same(json!({ "0xaa": ["0x1"] }), json!({ "0xbb": ["0x3"], "0xcc": [] }));
        same(json!([{ "a": 1 }, { "b": 1 }]), json!([{ "b": 2 }, { "b": 3 }, { "a": 4 }]));
        same(json!(0.5), json!(0));
        let other = |expected: Value, got: Value| {
            assert_eq!(count(&result(expected), &result(got), Closeness::Types), 1);
        };
        other(json!("0x0"), json!("0x00"));
        other(json!("0x0012"), json!("0x123"));
        other(json!(hash), json!("0x1"));
        other(json!("0x1"), json!(1));
        other(json!("0x1"), json!(null));
        other(json!(["0x1"]), json!([1]));
        other(json!({ "a": 1 }), json!({ "b": 1, "a": 2 }));
        other(json!([{ "a": 1 }, { "b": 1 }]), json!([{ "b": 2 }, { "c": 3, "b": 2 }]));
        other(json!("text"), json!("0x1"));
    }
}
