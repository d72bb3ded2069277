//! `cargo xtask check-reproducible`: the program's bytes depend on its sources alone.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use super::build_sbf;
use crate::{
    context::Context,
    files,
    sbpf::{Build, Choice, PROGRAM, Toolchain},
};

/// What the program's bytes come from. An unchanged set of these files is not built again.
const INPUTS: [&str; 6] = [
    "program",
    "Cargo.toml",
    "Cargo.lock",
    "deploy/sbpf",
    "deploy/xtask/src/sbpf.rs",
    "deploy/xtask/src/commands/check_reproducible.rs",
];

/// Builds the program in two folders and compares the bytes.
///
/// Both builds start from copies of the checkout and share nothing; the second one also has the cargo home and the
/// toolchain at other paths. The result must equal that of `build-sbf`, too. A success is remembered: until the
/// program, Cargo.lock or deploy/sbpf change, the command only looks that up.
#[derive(clap::Args, Default)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Build even if the same inputs were found reproducible before
    #[arg(long)]
    force: bool,
    /// Which compilers to use; PARHELION_SBF_TOOLCHAIN says it for all commands
    #[arg(long, value_enum, default_value_t)]
    toolchain: Choice,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<()> {
    let project = files::project_files(&context.root)?;
    let toolchain = Toolchain::obtain(context, args.toolchain)?;
    let stamp = context.cache.join("reproducible").join(hash_of_inputs(&context.root, &project, &toolchain)?);
    if !args.force && stamp.is_file() {
        println!("reproducible: these sources gave equal bytes before (--force builds them again)");
        return Ok(());
    }
    fs::create_dir_all(&context.cache)?;
    let lock =
        File::create(context.cache.join("reproducible.lock")).context("cannot write to the cache folder")?;
    lock.lock().context("cannot lock the folder of the two builds")?;

    let own = build_sbf::Args { toolchain: args.toolchain, locked: true };
    let expected = build_sbf::build(context, &own)?.bytes;
    let work = context.cache.join("reproducible.work");
    files::remove_folder(&work)?;
    let first = build_copy(context, &project, &toolchain, &work.join("a"), false)?;
    let second = build_copy(context, &project, &toolchain, &work.join("another/folder"), true)?;
    if first != second || first != expected {
        let kept = work.join("compare");
        for (name, bytes) in [("first.so", &first), ("second.so", &second), ("checkout.so", &expected)] {
            files::write_if_changed(&kept.join(name), bytes)?;
            println!("{}  {name}", files::sha256(bytes));
        }
        bail!(
            "the program depends on where it is built. The files are in {}; look for a path in them (`strings`), or \
             for something in program/ that reads the environment while it is compiled",
            kept.display()
        );
    }
    files::remove_folder(&work)?;
    files::write_if_changed(&stamp, b"")?;
    println!("reproducible: builds in three folders gave equal bytes");
    Ok(())
}

/// One hash over the program's inputs and the toolchain.
fn hash_of_inputs(root: &Path, project: &[PathBuf], toolchain: &Toolchain) -> Result<String> {
    let mut parts = vec![("toolchain".to_owned(), toolchain.identity()?.into_bytes())];
    for file in project.iter().filter(|file| is_input(file)) {
        parts.push((file.to_string_lossy().into_owned(), files::read(&root.join(file))?));
    }
    Ok(files::sha256_of_parts(parts.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))))
}

fn is_input(file: &Path) -> bool {
    INPUTS.iter().any(|input| file.starts_with(input))
}

/// Copies the checkout into `folder` and builds the program there, from nothing.
fn build_copy(
    context: &Context,
    project: &[PathBuf],
    toolchain: &Toolchain,
    folder: &Path,
    other_paths: bool,
) -> Result<Vec<u8>> {
    let (source, target) = (folder.join("source"), folder.join("target"));
    files::copy_files(project, &context.root, &source)?;
    let mut build =
        Build { package: &PROGRAM, source: &source, target: &target, cargo_home: None, locked: true };
    if !other_paths {
        return toolchain.build(context, &build);
    }
    let toolchain = toolchain.copied_to(&folder.join("toolchain"))?;
    let home = folder.join("cargo-home");
    if let Some(real) = crate::sbpf::cargo_home() {
        std::os::unix::fs::symlink(real, &home).context("cannot make a link in the cache folder")?;
        build.cargo_home = Some(&home);
    }
    toolchain.build(context, &build)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_the_program_and_what_compiles_it() {
        let inputs =
            ["program/evm/src/lib.rs", "Cargo.lock", "deploy/sbpf/sbpf.json", "deploy/xtask/src/sbpf.rs"];
        assert!(inputs.iter().all(|file| is_input(Path::new(file))));
        let others = ["proxy/node/src/main.rs", "README.md", "programs/x", "deploy/xtask/src/main.rs"];
        assert!(!others.iter().any(|file| is_input(Path::new(file))));
    }
}
