//! `cargo xtask build-sbf`: the Solana program.

use std::path::PathBuf;

use anyhow::Result;

use crate::{
    cargo_tools,
    context::Context,
    files,
    sbpf::{Build, Choice, INTERPRETERS, PROGRAM, Package, Toolchain},
};

/// The variable that tells the node and the tests where the program is.
pub(crate) const PROGRAM_VARIABLE: &str = "PARHELION_PROGRAM";

/// The variable that tells the CU report where the bare interpreters are.
pub(crate) const INTERPRETERS_VARIABLE: &str = "PARHELION_INTERPRETERS";

/// Builds the Solana program, deploy/parhelion.so in the target folder, and prints its size and sha256.
///
/// Uses `cargo build-sbf` where Solana's platform-tools (v1.57 or later) are installed, else the recipe in
/// deploy/sbpf, which it installs into the cache folder (about 5 minutes, once).
#[derive(clap::Args, Default)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Which compilers to use; PARHELION_SBF_TOOLCHAIN says it for all commands
    #[arg(long, value_enum, default_value_t)]
    pub(crate) toolchain: Choice,
    /// Fail if Cargo.lock would change
    #[arg(long)]
    pub(crate) locked: bool,
}

/// A program that was built.
pub(crate) struct Program {
    /// The file, at its final place.
    pub(crate) path: PathBuf,
    /// Its content.
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<()> {
    build(context, args).map(drop)
}

/// Builds the program (cargo sees to it that this is quick when nothing changed) and prints what came out.
pub(crate) fn build(context: &Context, args: &Args) -> Result<Program> {
    let program = compile(context, args, &PROGRAM, "parhelion.so")?;
    let Program { path, bytes } = &program;
    println!("program {}\n  {} bytes, sha256 {}", path.display(), bytes.len(), files::sha256(bytes));
    Ok(program)
}

/// Builds the bare interpreters, which are for measurements only.
pub(crate) fn build_interpreters(context: &Context) -> Result<PathBuf> {
    Ok(compile(context, &Args::default(), &INTERPRETERS, "interpreters.so")?.path)
}

/// Builds a package and puts the result into the folder of finished programs.
fn compile(context: &Context, args: &Args, package: &Package, file: &str) -> Result<Program> {
    cargo_tools::ensure_system_packages()?;
    let toolchain = Toolchain::obtain(context, args.toolchain)?;
    let (source, target) = (&context.root, &context.target);
    let build = Build { package, source, target, cargo_home: None, locked: args.locked };
    let bytes = toolchain.build(context, &build)?;
    let path = context.target.join("deploy").join(file);
    files::write_if_changed(&path, &bytes)?;
    Ok(Program { path, bytes })
}
