//! Whether what a server sends is an answer at all.

use serde_json::Value;

/// The code of errors behind the server, which none of the requests may cause.
const INTERNAL_ERROR: i64 = -32603;
/// What the vectors want this code for all the same: simulated calls whose sender has no nonce left.
const NO_NONCE_LEFT: &str = "err: nonce has max value: ";

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: the request was a notification.
    Nothing,
    /// A result.
    Result,
    /// An error with this code.
    Error(i64),
    /// The request was refused with this HTTP status.
    Refused(u16),
}

impl Answer {
    /// What it is, for people.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Self::Nothing => "nothing".into(),
            Self::Result => "result".into(),
            Self::Error(code) => format!("error {code}"),
            Self::Refused(status) => format!("HTTP status {status}"),
        }
    }
}

/// Reads the answers to a request.
///
/// # Errors
/// When it is none, or one that tells of a fault of the server: a text for people.
pub fn read(status: u16, text: &str) -> Result<Vec<Answer>, String> {
    if matches!(status, 413 | 429) {
        return Ok(vec![Answer::Refused(status)]);
    }
    if status != 200 {
        return Err(format!("HTTP status {status}: {text}"));
    }
    if text.is_empty() {
        return Ok(vec![Answer::Nothing]);
    }
    let value: Value = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}: {text}"))?;
    match &value {
        Value::Array(answers) if !answers.is_empty() => answers.iter().map(read_one).collect(),
        answer => Ok(vec![read_one(answer)?]),
    }
}

fn read_one(answer: &Value) -> Result<Answer, String> {
    let nonsense = || format!("no JSON-RPC answer: {answer}");
    if answer["jsonrpc"] != "2.0" || answer.get("id").is_none() {
        return Err(nonsense());
    }
    match (answer.get("result"), answer.get("error")) {
        (Some(_), None) => Ok(Answer::Result),
        (None, Some(error)) => {
            let code = error["code"].as_i64().filter(|_| error["message"].is_string());
            let is_wanted = error["message"].as_str().is_some_and(|text| text.starts_with(NO_NONCE_LEFT));
            match code.ok_or_else(nonsense)? {
                INTERNAL_ERROR if !is_wanted => Err(format!("an internal error: {error}")),
                code => Ok(Answer::Error(code)),
            }
        }
        _ => Err(nonsense()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, read};

    #[test]
    fn answers_are_told_from_nonsense() {
        let result = r#"{"jsonrpc":"2.0","id":1,"result":null}"#;
        let error = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}"#;
        assert_eq!(read(200, result), Ok(vec![Answer::Result]));
        assert_eq!(read(200, error), Ok(vec![Answer::Error(-32700)]));
        assert_eq!(
            read(200, &format!("[{result},{error}]")),
            Ok(vec![Answer::Result, Answer::Error(-32700)])
        );
        assert_eq!(read(200, ""), Ok(vec![Answer::Nothing]));
        assert_eq!(read(413, "x"), Ok(vec![Answer::Refused(413)]));
        let wanted =
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"err: nonce has max value: 0x0"}}"#;
        assert_eq!(read(200, wanted), Ok(vec![Answer::Error(-32603)]));
        for (status, text) in [
            (500, ""),
            (200, "x"),
            (200, "[]"),
            (200, "{}"),
            (200, r#"{"jsonrpc":"2.0","result":1}"#),
            (200, r#"{"jsonrpc":"2.0","id":1}"#),
            (200, r#"{"jsonrpc":"2.0","id":1,"error":{"code":1}}"#),
            (200, r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"m"}}"#),
        ] {
            assert!(read(status, text).is_err(), "{status} {text}");
        }
    }
}
