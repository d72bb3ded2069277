//! OpenZeppelin's ERC-20.

use crate::contracts;
use crate::script::{OWNER, Script, wallet};
use alloy_primitives::U256;
use alloy_sol_types::{SolValue, sol};

sol! {
    /// To a holder.
    function transfer(address to, uint256 value) external returns (bool);
    /// For a spender.
    function approve(address spender, uint256 value) external returns (bool);
    /// By a spender.
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

/// What the steps are called.
pub(super) struct Names {
    contract: &'static str,
    deployment: &'static str,
    transfer_fresh: &'static str,
    transfer: &'static str,
    approve_fresh: &'static str,
    approve: &'static str,
    transfer_from: &'static str,
}

/// solc's default settings: no optimiser.
pub(super) const PLAIN: Names = Names {
    contract: "ERC-20",
    deployment: "ERC-20 deployment",
    transfer_fresh: "ERC-20 transfer, fresh holder",
    transfer: "ERC-20 transfer",
    approve_fresh: "ERC-20 approve, fresh spender",
    approve: "ERC-20 approve",
    transfer_from: "ERC-20 transferFrom",
};

/// solc's optimiser.
pub(super) const OPTIMISED: Names = Names {
    contract: "optimised ERC-20",
    deployment: "optimised ERC-20 deployment",
    transfer_fresh: "optimised ERC-20 transfer, fresh holder",
    transfer: "optimised ERC-20 transfer",
    approve_fresh: "optimised ERC-20 approve, fresh spender",
    approve: "optimised ERC-20 approve",
    transfer_from: "optimised ERC-20 transferFrom",
};

/// What the deployer of a token gets.
pub(super) const SUPPLY: u64 = 1_000_000_000;

/// The init code of a token, with its argument.
pub(super) fn init_code(contract: &str) -> anyhow::Result<Vec<u8>> {
    Ok([&contracts::init_code(contract)?[..], &U256::from(SUPPLY).abi_encode()].concat())
}

/// Deployment, transfers, and a transfer by a spender.
pub(super) fn script(contract: &str, names: &Names) -> anyhow::Result<Script> {
    const SPENDER: u64 = 4;
    let mut script = Script::default();
    let token = script.deploy(names.contract, init_code(contract)?);
    script.measured(names.deployment);
    let (from, to) = (wallet(OWNER), wallet(3));
    for workload in [names.transfer_fresh, names.transfer] {
        script.call(OWNER, token, &transferCall { to, value: U256::from(5) }).measured(workload);
    }
    for (workload, value) in [(names.approve_fresh, 1_000), (names.approve, 2_000)] {
        let approval = approveCall { spender: wallet(SPENDER), value: U256::from(value) };
        script.call(OWNER, token, &approval).measured(workload);
    }
    let taking = transferFromCall { from, to, value: U256::from(10) };
    script.call(SPENDER, token, &taking).measured(names.transfer_from);
    Ok(script)
}
