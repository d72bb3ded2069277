//! Structured data to be signed (EIP-712), as a request has it.
//!
//! Types name each other, and whoever asks may name them so that following them takes for ever, or more stack than there is.
//! So they are followed here first, with an end, before they are handed on.

use alloy_dyn_abi::TypedData;
use alloy_primitives::B256;
use serde_json::Value;

/// How often types may be followed, all ways from each of them counted.
const VISITS_MAX: usize = 10_000;
/// How deep types may lie in each other.
const DEPTH_MAX: usize = 64;
/// The longest name of a type, in bytes, `[]` of arrays included.
const NAME_BYTES_MAX: usize = 256;

/// The hash that is signed for structured data: an object, or its JSON in a text. If there is none, why.
pub(crate) fn signing_hash(data: &Value) -> Result<B256, String> {
    let parsed;
    let data = match data {
        Value::String(text) => {
            parsed = serde_json::from_str(text).map_err(|error| error.to_string())?;
            &parsed
        }
        _ => data,
    };
    check_types(data)?;
    let data: TypedData = serde_json::from_value(data.clone()).map_err(|error| error.to_string())?;
    data.eip712_signing_hash().map_err(|error| error.to_string())
}

/// Whether every type can be followed to its end.
fn check_types(data: &Value) -> Result<(), String> {
    let mut visits = 0;
    if let Some(types) = data.get("types").and_then(Value::as_object) {
        for name in types.keys() {
            follow(&data["types"], name, DEPTH_MAX, &mut visits)?;
        }
    }
    Ok(())
}

/// Follows a type into those of its members. What is no list of members is refused later, by whoever reads it.
fn follow(types: &Value, name: &str, depth: usize, visits: &mut usize) -> Result<(), String> {
    *visits += 1;
    if name.len() > NAME_BYTES_MAX {
        return Err(format!("the name of a type has {} bytes, at most {NAME_BYTES_MAX}", name.len()));
    }
    if *visits > VISITS_MAX {
        return Err(format!("there are more than {VISITS_MAX} ways through the types"));
    }
    // An array is as deep as what it holds.
    let name = name.split('[').next().unwrap_or(name);
    let Some(members) = types.get(name).and_then(Value::as_array) else { return Ok(()) };
    let Some(depth) = depth.checked_sub(1) else {
        return Err(format!("types lie in each other more than {DEPTH_MAX} deep, or in circles"));
    };
    let named = members.iter().filter_map(|member| member.get("type").and_then(Value::as_str));
    named.into_iter().try_for_each(|name| follow(types, name, depth, visits))
}

#[cfg(test)]
mod tests {
    use super::signing_hash;
    use serde_json::{Map, Value, json};

    fn data(types: Map<String, Value>, primary: &str) -> Value {
        json!({ "types": types, "primaryType": primary, "domain": {}, "message": {} })
    }

    /// Types of which each has so many members of the next one's type.
    fn chain(length: usize, members: usize) -> Value {
        let member = |number: usize| json!({ "name": format!("m{number}"), "type": "" });
        let mut types = Map::from_iter([("EIP712Domain".to_owned(), json!([]))]);
        for number in 0..length {
            let mut fields: Vec<Value> = (0..members).map(member).collect();
            for field in &mut fields {
                field["type"] =
                    json!(if number + 1 < length { format!("T{}", number + 1) } else { "bool".into() });
            }
            types.insert(format!("T{number}"), json!(fields));
        }
        data(types, "T0")
    }

    fn refusal(data: &Value) -> String {
        signing_hash(data).map(|hash| hash.to_string()).unwrap_err()
    }

    #[test]
    fn types_that_do_not_end_are_refused() {
        let circle = json!({ "EIP712Domain": [], "A": [{ "name": "a", "type": "A[]" }] });
        let deep = "types lie in each other more than 64 deep, or in circles";
        for data in [data(circle.as_object().unwrap().clone(), "A"), chain(65, 1), chain(5_000, 1)] {
            assert_eq!(refusal(&data), deep);
            assert_eq!(refusal(&json!(data.to_string())), deep, "as a text");
        }
        // Each of thirty types has two members of the next: a thousand million ways.
        assert_eq!(refusal(&chain(30, 2)), "there are more than 10000 ways through the types");
        let long = json!({ "EIP712Domain": [], "A": [{ "name": "a", "type": format!("bool{}", "[]".repeat(20_000)) }] });
        let long = data(long.as_object().unwrap().clone(), "A");
        assert_eq!(refusal(&long), "the name of a type has 40004 bytes, at most 256");
    }

    #[test]
    fn what_is_no_typed_data_is_refused() {
        for data in [json!(5), json!("{"), json!({}), json!({ "types": 5 }), json!({ "types": { "A": 5 } })] {
            refusal(&data);
        }
    }

    #[test]
    fn deep_types_and_arrays_have_a_hash() {
        let mut data = chain(60, 1);
        let mut message = json!({ "m0": true });
        for _ in 1..60 {
            message = json!({ "m0": message });
        }
        data["message"] = message;
        signing_hash(&data).unwrap();
        let arrays =
            json!({ "EIP712Domain": [], "A": [{ "name": "a", "type": format!("bool{}", "[]".repeat(60)) }] });
        let mut arrays = self::data(arrays.as_object().unwrap().clone(), "A");
        arrays["message"] = json!({ "a": [] });
        signing_hash(&arrays).unwrap();
    }
}
