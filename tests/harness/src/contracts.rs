//! Compiled Solidity contracts, from the client tests' compiler: `node tests/clients/compile.mjs` writes them, and
//! `PARHELION_CONTRACTS` names the file.

use alloy_primitives::{Bytes, hex};
use anyhow::Context;

/// The environment variable that names the file of compiled contracts.
pub const VARIABLE: &str = "PARHELION_CONTRACTS";

/// The init code of a contract.
///
/// # Errors
/// When the variable is not set (`cargo xtask test` sets it) or the contract is not in the file.
pub fn init_code(name: &str) -> anyhow::Result<Bytes> {
    let path = std::env::var(VARIABLE).with_context(|| {
        format!("{VARIABLE} is not set: run this by `cargo xtask test`, which compiles the contracts first")
    })?;
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let contracts: serde_json::Value = serde_json::from_str(&text)?;
    let code =
        contracts.get(name).and_then(|contract| contract.get("bytecode")).and_then(|code| code.as_str());
    let code = code.with_context(|| format!("{path} has no contract {name}"))?;
    Ok(hex::decode(code)?.into())
}
