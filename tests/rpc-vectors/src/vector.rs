//! A vector: requests, and what a node answers to them.
//!
//! ```text
//! // a comment; `speconly:` in one means that only types count
//! >> {"jsonrpc":"2.0","id":1,"method":"eth_chainId"}
//! << {"jsonrpc":"2.0","id":1,"result":"0x1"}
//! ```

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// A file of requests and answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector {
    /// `method/name`.
    pub name: String,
    /// Whether only the types of the answers count.
    pub is_types_only: bool,
    /// In the order in which they are made.
    pub exchanges: Vec<Exchange>,
}

/// A request, and the answer to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// The request, as it is sent.
    pub request: String,
    /// The whole answer.
    pub answer: Value,
}

impl Vector {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is not of this format.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let mut vector = Self { name: name.to_owned(), is_types_only: false, exchanges: Vec::new() };
        let mut request: Option<&str> = None;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(comment) = line.strip_prefix("//") {
                vector.is_types_only |= comment.trim_start().starts_with("speconly:");
            } else if let Some(line) = line.strip_prefix(">>") {
                if request.replace(line.trim()).is_some() {
                    bail!("a request has no answer");
                }
            } else if let Some(line) = line.strip_prefix("<<") {
                let request = request.take().context("an answer has no request")?.to_owned();
                let answer = serde_json::from_str(line).context("an answer is no JSON")?;
                vector.exchanges.push(Exchange { request, answer });
            } else {
                bail!("a line is neither a comment (//) nor a request (>>) nor an answer (<<)");
            }
        }
        if request.is_some() || vector.exchanges.is_empty() {
            bail!("a request has no answer");
        }
        Ok(vector)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Exchange, Vector};
    use serde_json::json;

    #[test]
    fn requests_and_answers_come_in_pairs() {
        let text = "// two\n// speconly: types\n>> {\"a\":1}\n<< {\"result\":1}\n\n>> {\"b\":2}\n<< {\"error\":{}}\n";
        let exchange = |request: &str, answer| Exchange { request: request.to_owned(), answer };
        let expected = Vector {
            name: "m/n".into(),
            is_types_only: true,
            exchanges: vec![
                exchange("{\"a\":1}", json!({"result": 1})),
                exchange("{\"b\":2}", json!({"error": {}})),
            ],
        };
        assert_eq!(Vector::parse("m/n", text).unwrap(), expected);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "// alone", ">> {}", "<< {}", ">> {}\n>> {}\n<< {}", ">> {}\n<< no", "{}"] {
            assert!(Vector::parse("m/n", text).is_err(), "{text:?}");
        }
    }
}
