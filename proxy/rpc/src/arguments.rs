//! Positional parameters of a call.

use crate::error::RpcError;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// The most characters of a text about an invalid argument: it may repeat what the client sent.
const REASON_CHARS_MAX: usize = 200;

/// The arguments of a call, in order. `null` counts as left out, as in geth.
#[derive(Debug)]
pub struct Arguments(Vec<Box<RawValue>>);

impl Arguments {
    /// Splits the `params` of a request.
    pub(crate) fn parse(params: Option<&str>, arguments_max: usize) -> Result<Self, RpcError> {
        let text = match params {
            None | Some("null") => return Ok(Self(Vec::new())),
            Some(text) => text,
        };
        if !text.starts_with('[') {
            return Err(RpcError::InvalidParams(
                "invalid params, non-array args: pass the arguments as an array".into(),
            ));
        }
        let values: Vec<&RawValue> =
            serde_json::from_str(text).map_err(|error| RpcError::InvalidParams(error.to_string()))?;
        if values.len() > arguments_max {
            return Err(RpcError::InvalidParams(format!("too many arguments, want at most {arguments_max}")));
        }
        Ok(Self(values.into_iter().map(ToOwned::to_owned).collect()))
    }

    /// An argument that must be there.
    ///
    /// # Errors
    /// It is missing, or not of type `T`.
    pub fn require<T: DeserializeOwned>(&self, index: usize) -> Result<T, RpcError> {
        self.optional(index)?
            .ok_or_else(|| RpcError::InvalidParams(format!("missing value for required argument {index}")))
    }

    /// An argument that must be there and is written in hex, with `0x` in front as geth wants it.
    ///
    /// # Errors
    /// It is missing, not of type `T`, or no text that begins with `0x`.
    pub fn hex<T: DeserializeOwned>(&self, index: usize) -> Result<T, RpcError> {
        let value = self.require(index)?;
        if self
            .0
            .get(index)
            .is_some_and(|raw| !raw.get().starts_with("\"0x") && !raw.get().starts_with("\"0X"))
        {
            return Err(RpcError::InvalidParams(format!(
                "invalid argument {index}: hex string without 0x prefix"
            )));
        }
        Ok(value)
    }

    /// An argument that may be left out.
    ///
    /// # Errors
    /// It is there and not of type `T`.
    pub fn optional<T: DeserializeOwned>(&self, index: usize) -> Result<Option<T>, RpcError> {
        let Some(value) = self.0.get(index) else { return Ok(None) };
        serde_json::from_str(value.get()).map_err(|error| {
            let reason: String = error.to_string().chars().take(REASON_CHARS_MAX).collect();
            RpcError::InvalidParams(format!("invalid argument {index}: {reason}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use alloy_primitives::Address;

    fn refusal<T>(result: Result<T, crate::RpcError>) -> String {
        match result {
            Ok(_) => panic!("expected a refusal"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn nothing_null_and_an_empty_array_are_no_arguments() {
        for params in [None, Some("null"), Some("[]"), Some("[ ]")] {
            let arguments = Arguments::parse(params, 0).unwrap();
            assert_eq!(arguments.optional::<u64>(0).unwrap(), None, "{params:?}");
        }
    }

    #[test]
    fn null_counts_as_left_out() {
        let arguments = Arguments::parse(Some("[null, 5]"), 2).unwrap();
        assert_eq!(arguments.optional::<u64>(0).unwrap(), None);
        assert_eq!(refusal(arguments.require::<u64>(0)), "missing value for required argument 0");
        assert_eq!(arguments.require::<u64>(1).unwrap(), 5);
        assert_eq!(refusal(arguments.require::<u64>(2)), "missing value for required argument 2");
    }

    #[test]
    fn hex_has_a_prefix() {
        let (plain, prefixed) = ("12".repeat(20), format!("0x{}", "12".repeat(20)));
        let params = format!("[\"{prefixed}\", \"{plain}\", null, \"0x12\"]");
        let arguments = Arguments::parse(Some(&params), 4).unwrap();
        assert_eq!(arguments.hex::<Address>(0).unwrap(), Address::repeat_byte(0x12));
        assert_eq!(refusal(arguments.hex::<Address>(1)), "invalid argument 1: hex string without 0x prefix");
        assert_eq!(refusal(arguments.hex::<Address>(2)), "missing value for required argument 2");
        assert!(refusal(arguments.hex::<Address>(3)).starts_with("invalid argument 3: "));
    }

    #[test]
    fn objects_texts_and_too_many_are_refused() {
        let named = "invalid params, non-array args: pass the arguments as an array";
        assert_eq!(refusal(Arguments::parse(Some("{\"a\":1}"), 1)), named);
        assert_eq!(refusal(Arguments::parse(Some("\"x\""), 1)), named);
        assert_eq!(refusal(Arguments::parse(Some("[1,2,3]"), 2)), "too many arguments, want at most 2");
    }

    #[test]
    fn a_refusal_names_the_argument_and_stays_short() {
        let long = format!("[\"{}\"]", "é".repeat(100_000));
        let text = refusal(Arguments::parse(Some(&long), 1).unwrap().require::<Address>(0));
        assert!(text.starts_with("invalid argument 0: "), "{text}");
        assert!(text.chars().count() <= 20 + super::REASON_CHARS_MAX, "{} chars", text.chars().count());
    }

    #[test]
    fn deep_nesting_is_an_error() {
        let deep = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
        let arguments = Arguments::parse(Some(&deep), 1).unwrap();
        refusal(arguments.require::<serde_json::Value>(0));
        refusal(arguments.require::<Vec<Address>>(0));
    }
}
