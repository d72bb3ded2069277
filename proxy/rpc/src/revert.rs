//! Revert data as a text, in geth's words.

use alloy_sol_types::{Panic, Revert, SolError};

/// The most characters of a revert reason that the message repeats; the data carries all of it.
const REASON_CHARS_MAX: usize = 1024;

/// The message of a revert: with the reason if the data is an `Error(string)` or a `Panic(uint256)`.
pub(crate) fn message(output: &[u8]) -> String {
    let reason = Revert::abi_decode(output)
        .map(|revert| revert.reason.chars().take(REASON_CHARS_MAX).collect::<String>())
        .or_else(|_| Panic::abi_decode(output).map(|panic| panic.as_geth_str().into_owned()))
        .unwrap_or_default();
    if reason.is_empty() { "execution reverted".into() } else { format!("execution reverted: {reason}") }
}

#[cfg(test)]
mod tests {
    use super::{REASON_CHARS_MAX, message};
    use alloy_primitives::U256;
    use alloy_sol_types::{Panic, Revert, SolError};

    #[test]
    fn reasons_are_decoded() {
        assert_eq!(message(&Revert::from("not enough").abi_encode()), "execution reverted: not enough");
        let panics = [
            (0x01, "execution reverted: assert(false)"),
            (0x11, "execution reverted: arithmetic underflow or overflow"),
            (0x12, "execution reverted: division or modulo by zero"),
            (0x99, "execution reverted: unknown panic code: 0x99"),
        ];
        for (code, text) in panics {
            assert_eq!(message(&Panic { code: U256::from(code) }.abi_encode()), text);
        }
        assert_eq!(
            message(&Panic { code: U256::MAX }.abi_encode()),
            format!("execution reverted: unknown panic code: {:#x}", U256::MAX)
        );
    }

    #[test]
    fn other_data_has_no_reason() {
        let encoded = Revert::from("cut off").abi_encode();
        let hostile_length = [&Revert::SELECTOR[..], &[0xff; 64]].concat();
        let empty = Revert::from("").abi_encode();
        for data in [&[][..], &[1], &[0x08, 0xc3, 0x79, 0xa0], &encoded[..40], &hostile_length, &empty] {
            assert_eq!(message(data), "execution reverted");
        }
    }

    #[test]
    fn a_long_reason_is_cut() {
        let text = message(&Revert::from("é".repeat(100_000)).abi_encode());
        assert_eq!(text.chars().count(), "execution reverted: ".len() + REASON_CHARS_MAX);
    }
}
