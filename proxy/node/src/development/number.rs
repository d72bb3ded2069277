//! Numbers of requests: as JSON numbers, or as texts in hexadecimal or decimal form.

use alloy_primitives::U256;
use parhelion_rpc::RpcError;
use serde::Deserialize;

/// A number that a tool sends in one way or another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct Number(U256);

impl Number {
    pub(super) const ONE: Self = Self(U256::ONE);

    /// The number, if it is not too large for what `what` names.
    pub(super) fn to_u64(self, what: &str) -> Result<u64, RpcError> {
        self.0.try_into().map_err(|_| RpcError::InvalidParams(format!("the {what} {} is too large", self.0)))
    }

    pub(super) const fn to_u256(self) -> U256 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Number;
    use alloy_primitives::U256;

    #[test]
    fn tools_write_numbers_in_different_ways() {
        let read = |text| serde_json::from_str::<Number>(text).ok();
        for text in ["255", "\"0xff\"", "\"0x00ff\"", "\"255\""] {
            assert_eq!(read(text), Some(Number(U256::from(255))), "{text}");
        }
        for text in ["-1", "1.5", "\"many\"", "null", "[]", "\"-1\""] {
            assert_eq!(read(text), None, "{text}");
        }
        let refused = Number(U256::MAX).to_u64("time").map_err(|error| error.to_string());
        assert_eq!(refused, Err(format!("the time {} is too large", U256::MAX)));
    }
}
