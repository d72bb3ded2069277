//! The program's binary and address.

use anyhow::Context;
use std::path::{Path, PathBuf};

/// The environment variable that names the program's binary.
pub(crate) const VARIABLE: &str = "PARHELION_PROGRAM";

/// Reads the program's binary.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| {
        format!(
            "cannot read the program {}: build it with `cargo xtask build-sbf`, or name it with --program",
            path.display()
        )
    })
}

/// Where the binary is by default: beside this executable.
pub(crate) fn default_path() -> PathBuf {
    let beside =
        std::env::current_exe().ok().and_then(|path| path.parent().map(|folder| folder.join("parhelion.so")));
    beside.unwrap_or_else(|| PathBuf::from("parhelion.so"))
}
