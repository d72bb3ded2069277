//! The rule sets of Ethereum that this machine knows.

/// A hard fork of Ethereum.
///
/// The program always runs [`Fork::Osaka`]. The older ones are there because Ethereum's own test vectors are written
/// for them: what a fork did not change has several times the tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fork {
    /// March 2024.
    Cancun,
    /// May 2025: EIP-2537 (BLS12-381), 7623 (floor of call data), 7702 (set code).
    Prague,
    /// December 2025: EIP-7823 and 7883 (modexp), 7825 (gas cap), 7939 (CLZ), 7951 (P256VERIFY).
    #[default]
    Osaka,
}
