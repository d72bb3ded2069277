//! Code that a compiler wrote: the runtime code of tests/clients/contracts.

use alloy_primitives::hex;
use parhelion_executor::evm::opcode as op;
use std::sync::LazyLock;

/// A token, a counter and a factory, as they are stored.
static CODES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let texts = [
        include_str!("../../compiled/token.hex"),
        include_str!("../../compiled/counter.hex"),
        include_str!("../../compiled/factory.hex"),
    ];
    texts.iter().filter_map(|text| hex::decode(text.trim()).ok()).collect()
});

/// All of them.
pub(crate) fn codes() -> &'static [&'static [u8]] {
    static SLICES: LazyLock<Vec<&'static [u8]>> = LazyLock::new(|| CODES.iter().map(Vec::as_slice).collect());
    &SLICES
}

/// Selectors that a code compares its call data with: what it does behind PUSH4 and in front of EQ.
pub(crate) fn selectors(code: &[u8]) -> Vec<[u8; 4]> {
    let windows = code.windows(6);
    windows
        .filter_map(|window| match *window {
            [push, a, b, c, d, op::EQ] if push == op::PUSH1 + 3 => Some([a, b, c, d]),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_contracts_have_selectors() {
        assert_eq!(codes().len(), 3);
        for code in codes() {
            assert!(!selectors(code).is_empty());
        }
    }
}
