//! Computation without state.

use crate::contracts;
use crate::script::{OWNER, Script};
use alloy_primitives::U256;
use alloy_sol_types::sol;

sol! {
    /// Keccak-256 of 64 bytes, `rounds` times.
    function hash(uint256 rounds) external pure returns (bytes32 digest);
    /// Insertion sort of `count` pseudo-random numbers.
    function sort(uint256 count) external pure returns (uint256 smallest);
}

/// Hashing and sorting.
pub(super) fn script() -> anyhow::Result<Script> {
    let mut script = Script::default();
    let loops = script.deploy(contracts::init_code("Loops")?.to_vec());
    script.call(OWNER, loops, &hashCall { rounds: U256::from(1000) }).measured("1,000 keccak-64 iterations");
    script.call(OWNER, loops, &sortCall { count: U256::from(30) }).measured("insertion sort of 30 numbers");
    Ok(script)
}
