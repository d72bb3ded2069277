//! `cargo xtask clean-cache`: room on the disk.

use std::fs;

use anyhow::Result;

use crate::{context::Context, files, sbpf, validator};

/// Removes toolchains and validators of older recipes and leftovers of interrupted commands from the cache folder.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Remove everything: compiled files, tools, toolchains
    #[arg(long)]
    all: bool,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<()> {
    if args.all {
        println!("removing {}", context.cache.display());
        return files::remove_folder(&context.cache);
    }
    let toolchain = format!("sbpf-toolchain-{}", sbpf::recipe_version(&context.root)?);
    let current = [toolchain, validator::folder_name()];
    for entry in fs::read_dir(&context.cache).into_iter().flatten().flatten() {
        if is_outdated(&entry.file_name().to_string_lossy(), &current) {
            println!("removing {}", entry.path().display());
            files::remove_folder(&entry.path())?;
        }
    }
    Ok(())
}

/// Whether a folder of the cache serves no current command. Stamps of reproducible builds are tiny and stay.
fn is_outdated(name: &str, current: &[String]) -> bool {
    let versioned = name.starts_with("sbpf-toolchain-") || name.starts_with("validator-");
    let outdated = versioned && !name.ends_with(".lock") && !current.iter().any(|current| current == name);
    outdated || name == "reproducible.work" || name == "tools-build"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_leftovers_are_outdated() {
        let current = ["sbpf-toolchain-abc", "validator-1-abc"].map(str::to_owned);
        let outdated = |name| is_outdated(name, &current);
        assert!(outdated("sbpf-toolchain-def") && outdated("sbpf-toolchain-abc.partial"));
        assert!(outdated("validator-1-def") && outdated("validator-1-abc.build"));
        assert!(!outdated("validator-1-abc") && !outdated("validator-1-abc.lock"));
        assert!(outdated("reproducible.work") && outdated("tools-build"));
        assert!(!outdated("sbpf-toolchain-abc") && !outdated("sbpf-toolchain-abc.lock"));
        assert!(!outdated("target") && !outdated("tools") && !outdated("reproducible"));
    }
}
