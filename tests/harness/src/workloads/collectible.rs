//! OpenZeppelin's ERC-721.

use crate::contracts;
use crate::script::{OWNER, Script, wallet};
use alloy_primitives::U256;
use alloy_sol_types::sol;

sol! {
    /// A new token for `to`.
    function mint(address to, uint256 id) external;
}

/// The first token of a holder, and the second.
pub(super) fn script() -> anyhow::Result<Script> {
    let mut script = Script::default();
    let collectible = script.deploy(contracts::init_code("Collectible")?.to_vec());
    for (id, workload) in [(1, "ERC-721 mint, fresh holder"), (2, "ERC-721 mint")] {
        script.call(OWNER, collectible, &mintCall { to: wallet(3), id: U256::from(id) }).measured(workload);
    }
    Ok(script)
}
