//! Requests as no client would send them, made of those that clients send.
//!
//! A request begins as one of the vectors'. Some of its values are replaced: by others of the same kind, by those at the edges
//! of their types, by values of other types, by parts of other requests. Then it may become part of a batch, lose its shape as a
//! request, or its bytes may be damaged. Everything follows from the generator's seed.

use crate::vector::Vector;
use fastrand::Rng;
use serde_json::{Map, Value, json};

/// The most changes of a request.
const CHANGES_MAX: usize = 4;
/// The most requests of a batch.
const BATCH_MAX: usize = 12;
/// How deep values are nested at most: deeper than any parser goes.
const DEPTH_MAX: usize = 300;
/// The most digits of a long text.
const DIGITS_MAX: usize = 5_000;

/// Texts at the edges of what they can mean.
const TEXTS: &[&str] = &[
    "",
    "0x",
    "0x0",
    "0x00",
    "0x1",
    "0X1",
    "0xg",
    "1",
    "-1",
    "-0x1",
    "0x-1",
    "latest",
    "pending",
    "earliest",
    "safe",
    "finalized",
    "Latest",
    "newHeads",
    "logs",
    "0xffffffff",
    "0x7fffffffffffffff",
    "0xffffffffffffffff",
    "0x10000000000000000",
    "0xffffffffffffffffffffffffffffffff",
    "0x1000000000000000000000000000000000000000000000000000000000000000000",
    "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0xffffffffffffffffffffffffffffffffffffffff",
    "0x0000000000000000000000000000000000000000000000000000000000000000",
    "0x0000000000000000000000000000000000000001",
    "callTracer",
    "prestateTracer",
    "4byteTracer",
    "flatCallTracer",
    "noopTracer",
    "muxTracer",
    "é\u{0}\u{1F600}",
    "null",
    "{}",
    " 0x1 ",
    "1e3",
];

/// Programs for calls that bring their code along: loops, memory, deep calls, huge creations, all with whatever gas there is.
const PROGRAMS: &[&str] = &[
    "0x5b600056",
    "0x60ff60ff5b8080560056",
    "0x63ffffffff51",
    "0x5b3d3d3d3d3d305af1600056",
    "0x5b3660006000376000355460005500",
    "0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff0a",
    "0x62ffffff60006000f0",
    "0x6000600060006000600073000000000000000000000000000000000000000562fffffff1",
    "0xfe",
    "0xfd",
    "0xef",
    "0x61ffff6000a0600056",
    "0x5b60016000556000545a5060005600",
];

/// Names of fields that some method looks at.
const FIELDS: &[&str] = &[
    "from",
    "to",
    "gas",
    "gasPrice",
    "maxFeePerGas",
    "maxPriorityFeePerGas",
    "value",
    "data",
    "input",
    "nonce",
    "accessList",
    "authorizationList",
    "chainId",
    "type",
    "blobVersionedHashes",
    "maxFeePerBlobGas",
    "fromBlock",
    "toBlock",
    "blockHash",
    "address",
    "topics",
    "tracer",
    "tracerConfig",
    "stateOverrides",
    "blockOverrides",
    "balance",
    "code",
    "state",
    "stateDiff",
    "movePrecompileToAddress",
    "number",
    "time",
    "gasLimit",
    "baseFeePerGas",
    "blockNumber",
    "requireCanonical",
    "storageKeys",
    "enableMemory",
    "disableStack",
    "limit",
    "onlyTopCall",
    "withLog",
];

/// Makes requests.
pub struct Mutator {
    /// Requests to methods that there are, and to others.
    requests: Vec<Value>,
    others: Vec<Value>,
    methods: Vec<String>,
}

impl Mutator {
    /// Begins with the requests of these vectors, and calls these methods, which are those that there are.
    #[must_use]
    pub fn new(vectors: &[Vector], methods: &[&str]) -> Self {
        let exchanges = vectors.iter().flat_map(|vector| &vector.exchanges);
        let requests = exchanges.filter_map(|exchange| serde_json::from_str(&exchange.request).ok());
        let is_there =
            |request: &Value| request["method"].as_str().is_some_and(|name| methods.contains(&name));
        let (requests, others) = requests.partition(is_there);
        Self { requests, others, methods: methods.iter().map(|&name| name.to_owned()).collect() }
    }

    /// The bytes of a request.
    #[must_use]
    pub fn request(&self, rng: &mut Rng) -> Vec<u8> {
        let body = if rng.u8(..) < 16 {
            Value::Array((0..rng.usize(0..=BATCH_MAX)).map(|_| self.entry(rng)).collect())
        } else {
            self.entry(rng)
        };
        let mut bytes = body.to_string().into_bytes();
        if rng.u8(..) < 8 {
            damage(rng, &mut bytes);
        }
        bytes
    }

    /// A request, or what is almost one.
    fn entry(&self, rng: &mut Rng) -> Value {
        let mut request = self.pick(rng).clone();
        if rng.u8(..) < 64 {
            request["method"] = json!(rng.choice(&self.methods));
        }
        if rng.u8(..) < 24 {
            request["params"] = self.call(rng);
        }
        // Some go as they are: they lead further than those that are refused at once.
        for _ in 0..rng.usize(0..=CHANGES_MAX) {
            let is_inside = rng.u8(..) < 230;
            let place = if is_inside && request.get("params").is_some() {
                &mut request["params"]
            } else {
                &mut request
            };
            self.change(rng, place);
        }
        request
    }

    fn pick(&self, rng: &mut Rng) -> &Value {
        let requests = if rng.u8(..) < 8 { &self.others } else { &self.requests };
        rng.choice(requests).unwrap_or(&Value::Null)
    }

    /// Arguments of a call that brings its code along.
    fn call(&self, rng: &mut Rng) -> Value {
        let address = "0x00000000000000000000000000000000000c0de0";
        let code = rng.choice(PROGRAMS).copied().unwrap_or_default();
        let gas = rng.choice(["0x5208", "0xffff", "0xfffff", "0xffffff"]).unwrap_or_default();
        let call = json!({ "to": address, "gas": gas, "input": random_hex(rng, 64) });
        match rng.u8(0..3) {
            0 => json!([{ "gas": gas, "data": code }, "latest"]),
            1 => json!([call, "latest", { "stateOverrides": { address: { "code": code } } }]),
            _ => json!([call, "latest", { address: { "code": code, "balance": random_hex(rng, 16) } }]),
        }
    }

    /// Changes one place below a value.
    fn change(&self, rng: &mut Rng, value: &mut Value) {
        match value {
            Value::Array(items) if !items.is_empty() && rng.u8(..) < 200 => {
                let place = rng.usize(..items.len());
                if let Some(item) = items.get_mut(place) {
                    self.change(rng, item);
                }
            }
            Value::Object(fields) if !fields.is_empty() && rng.u8(..) < 200 => {
                let place = rng.usize(..fields.len());
                if let Some(field) = fields.values_mut().nth(place) {
                    self.change(rng, field);
                }
            }
            Value::Array(items) => self.change_items(rng, items),
            Value::Object(fields) => self.change_fields(rng, fields),
            Value::String(text) if rng.bool() => *text = change_text(rng, text),
            _ => *value = self.any(rng),
        }
    }

    fn change_items(&self, rng: &mut Rng, items: &mut Vec<Value>) {
        match rng.u8(0..5) {
            0 => drop(items.pop()),
            1 => items.push(self.any(rng)),
            2 => rng.shuffle(items),
            3 => items.insert(0, self.any(rng)),
            _ => {
                let item = self.any(rng);
                items.extend(std::iter::repeat_n(item, rng.usize(1..1200)));
            }
        }
    }

    fn change_fields(&self, rng: &mut Rng, fields: &mut Map<String, Value>) {
        let name = rng.choice(fields.keys()).cloned();
        match (rng.u8(0..4), name) {
            (0, Some(name)) => drop(fields.remove(&name)),
            (1, Some(name)) => {
                if let Some(value) = fields.remove(&name) {
                    fields.insert(change_text(rng, &name), value);
                }
            }
            _ => {
                let name = rng.choice(FIELDS).copied().unwrap_or_default();
                fields.insert(name.to_owned(), self.any(rng));
            }
        }
    }

    /// A value of any type.
    fn any(&self, rng: &mut Rng) -> Value {
        match rng.u8(0..12) {
            0 => Value::Null,
            1 => json!(rng.bool()),
            2 => json!(rng.choice([0_i64, 1, -1, i64::MAX, i64::MIN, 1 << 53])),
            3 => json!(rng.choice([u64::MAX as f64, 1.5, -0.0, 1e300, f64::MIN_POSITIVE])),
            4 => json!([]),
            5 => json!({}),
            6 => (0..rng.usize(1..DEPTH_MAX)).fold(Value::Null, |inner, _| json!([inner])),
            7 => json!(random_hex(rng, DIGITS_MAX)),
            8 => json!(rng.choice(PROGRAMS)),
            9 => self.pick(rng).clone(),
            _ => json!(rng.choice(TEXTS)),
        }
    }
}

fn random_hex(rng: &mut Rng, digits_max: usize) -> String {
    let digits = *rng.choice(&[1, 2, 16, 40, 64, 65, 66, digits_max]).unwrap_or(&digits_max);
    let digits: String = std::iter::repeat_with(|| rng.digit(16)).take(digits.min(digits_max)).collect();
    format!("0x{digits}")
}

/// Another text, which is often of the same kind.
fn change_text(rng: &mut Rng, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let place = rng.usize(..=characters.len());
    match rng.u8(0..6) {
        0 => drop(characters.pop()),
        1 => characters.insert(place, rng.digit(16)),
        2 => match characters.get_mut(place) {
            Some(character) => *character = rng.digit(16),
            None => characters.push(rng.char(..)),
        },
        3 => characters.truncate(place),
        4 => return text.to_uppercase(),
        _ => return rng.choice(TEXTS).copied().unwrap_or_default().to_owned(),
    }
    characters.into_iter().collect()
}

/// Breaks the JSON, or hides in what way it is broken.
fn damage(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let place = rng.usize(..=bytes.len());
    match rng.u8(0..5) {
        0 => bytes.truncate(place),
        1 => bytes.insert(place, rng.u8(..)),
        2 => bytes.extend_from_slice(b"}]\0"),
        3 => {
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= 1 << rng.u8(0..8);
            }
        }
        _ => {
            let nested = vec![b'['; rng.usize(1..100_000)];
            bytes.splice(place..place, nested);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Mutator;
    use crate::vector::Vector;
    use fastrand::Rng;
    use serde_json::Value;

    fn mutator() -> Mutator {
        let text = ">> {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getBalance\",\"params\":[\"0x12\",\"latest\"]}\n<< {}\n";
        Mutator::new(&[Vector::parse("a/b", text).unwrap()], &["eth_chainId", "eth_getBalance"])
    }

    #[test]
    fn a_seed_gives_the_same_requests() {
        let requests = |seed| {
            let (mut rng, mutator) = (Rng::with_seed(seed), mutator());
            (0..200).map(|_| mutator.request(&mut rng)).collect::<Vec<_>>()
        };
        assert_eq!(requests(1), requests(1));
        assert_ne!(requests(1), requests(2));
    }

    #[test]
    fn requests_are_of_many_kinds() {
        let (mut rng, mutator) = (Rng::with_seed(1), mutator());
        let requests: Vec<Vec<u8>> = (0..3000).map(|_| mutator.request(&mut rng)).collect();
        let values: Vec<Value> =
            requests.iter().filter_map(|request| serde_json::from_slice(request).ok()).collect();
        assert!(values.len() < requests.len(), "some are no JSON");
        assert!(values.iter().any(Value::is_array), "some are batches");
        for method in ["eth_getBalance", "eth_chainId"] {
            assert!(values.iter().any(|value| value["method"] == method), "{method}");
        }
        assert!(values.iter().any(|value| value["params"] == serde_json::json!(["0x12", "latest"])));
    }
}
