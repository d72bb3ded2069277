//! The Solidity contracts of the tests, compiled by npm's solc.

use std::{path::PathBuf, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::{context::Context, process};

/// The environment variable that names the file of compiled contracts.
pub(crate) const CONTRACTS_VARIABLE: &str = "PARHELION_CONTRACTS";

/// Compiles the contracts (quick when they did not change) and gives the file.
pub(crate) fn compile(context: &Context) -> Result<PathBuf> {
    const COMPILER: &str = "tests/clients/compile.mjs";
    if process::find_program("node", &[]).is_none() {
        bail!("`node` is missing: install Node 20 or later with npm");
    }
    let file = context.target.join("contracts.json");
    std::fs::create_dir_all(&context.target)?;
    let mut node = Command::new("node");
    process::run(node.current_dir(&context.root).arg(COMPILER).arg(&file))
        .context("the test contracts do not compile; see tests/clients/README.md")?;
    Ok(file)
}
