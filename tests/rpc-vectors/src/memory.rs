//! How much memory the process has.

use anyhow::{Context as _, Result};

/// MiB that are in memory and belong to this process (`VmRSS`).
///
/// # Errors
/// On other systems than Linux.
pub fn resident_mib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")
        .context("the memory of a process is told by Linux only")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 =
        line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).context("no VmRSS")?;
    Ok(kib / 1024)
}
