//! The compilers of the Solana program, and how the program is built with them.
//!
//! Two toolchains can do it: Solana's platform-tools, when they are installed and new enough, or the recipe in
//! `deploy/sbpf`, which xtask installs itself. The committed CU table is measured with the recipe.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::ValueEnum;

use crate::{context::Context, files, process};

/// A package that becomes a program.
pub(crate) struct Package {
    name: &'static str,
    /// Its folder in the checkout.
    folder: &'static str,
}

/// The program.
pub(crate) const PROGRAM: Package = Package { name: "parhelion-entrypoint", folder: "program/entrypoint" };
/// The bare interpreters, for measurements only.
pub(crate) const INTERPRETERS: Package =
    Package { name: "parhelion-interpreters", folder: "tests/interpreters" };

/// The first platform-tools with Rust 1.95, which the workspace needs.
const PLATFORM_TOOLS_MIN: u32 = 57;

/// The files that decide what an installed recipe contains.
const RECIPE_FILES: [&str; 3] = ["install.sh", "patch-std.sh", "builtins.ll"];

/// Chooses the toolchain for commands that have no option for it.
const CHOICE_VARIABLE: &str = "PARHELION_SBF_TOOLCHAIN";

/// The program's Rust flags and profile come from `deploy/sbpf`; a caller's must not reach it.
const CALLER_BUILD_VARIABLES: [&str; 8] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_INCREMENTAL",
    "RUSTC",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
];

/// Which toolchain to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, ValueEnum)]
pub(crate) enum Choice {
    /// platform-tools if they are installed and new enough, else the recipe
    #[default]
    Auto,
    /// Solana's platform-tools through `cargo build-sbf`
    PlatformTools,
    /// the project's own toolchain, deploy/sbpf
    Recipe,
}

impl Choice {
    /// This choice, or that of the variable if this one leaves it open.
    fn or_from(self, variable: Option<&str>) -> Result<Self> {
        match (self, variable) {
            (Self::Auto, Some(name)) if !name.is_empty() => <Self as ValueEnum>::from_str(name, false)
                .map_err(|_| anyhow!("{CHOICE_VARIABLE}={name}: it may be auto, platform-tools or recipe")),
            _ => Ok(self),
        }
    }
}

/// A toolchain that is installed.
pub(crate) enum Toolchain {
    /// `cargo build-sbf` with the platform-tools of this version (`v1.57`).
    PlatformTools(String),
    /// The recipe of `deploy/sbpf`, installed in this folder.
    Recipe(PathBuf),
}

/// One build of a program.
pub(crate) struct Build<'a> {
    /// What to build.
    pub(crate) package: &'a Package,
    /// The checkout to build.
    pub(crate) source: &'a Path,
    /// Where compiled files go.
    pub(crate) target: &'a Path,
    /// Another cargo home than the user's.
    pub(crate) cargo_home: Option<&'a Path>,
    /// Refuse to change Cargo.lock.
    pub(crate) locked: bool,
}

impl Toolchain {
    /// Finds the toolchain, installing the recipe if it is needed and missing.
    pub(crate) fn obtain(context: &Context, choice: Choice) -> Result<Self> {
        let choice = choice.or_from(env::var(CHOICE_VARIABLE).ok().as_deref())?;
        let installed = env::var_os("HOME")
            .map(|home| newest_platform_tools(&Path::new(&home).join(".cache/solana")))
            .filter(|_| process::find_program("cargo-build-sbf", &[]).is_some())
            .flatten();
        match (choice, installed) {
            (Choice::Auto | Choice::PlatformTools, Some(minor)) if minor >= PLATFORM_TOOLS_MIN => {
                Ok(Self::PlatformTools(format!("v1.{minor}")))
            }
            (Choice::PlatformTools, _) => bail!(
                "platform-tools v1.{PLATFORM_TOOLS_MIN} or later are not installed: run `cargo build-sbf --install-only \
                 --tools-version v1.{PLATFORM_TOOLS_MIN}`, or leave the choice to xtask"
            ),
            (Choice::Auto, Some(minor)) => {
                eprintln!(
                    "platform-tools v1.{minor} are older than Rust 1.95 (v1.{PLATFORM_TOOLS_MIN}); using deploy/sbpf"
                );
                recipe(context).map(Self::Recipe)
            }
            _ => recipe(context).map(Self::Recipe),
        }
    }

    /// What identifies the toolchain's output: equal identities compile equal sources to equal bytes.
    pub(crate) fn identity(&self) -> Result<String> {
        match self {
            Self::PlatformTools(version) => Ok(format!("platform-tools {version}")),
            // Debian's packages move on: the versions are those that were installed, not those of the recipe.
            Self::Recipe(root) => {
                Ok(String::from_utf8_lossy(&files::read(&root.join("versions.txt"))?).into_owned())
            }
        }
    }

    /// A copy of the toolchain in another folder (made of hard links: it takes a second and no room), to find out
    /// whether the place of the toolchain shows in the bytes. platform-tools have one place only.
    pub(crate) fn copied_to(&self, folder: &Path) -> Result<Self> {
        match self {
            Self::PlatformTools(version) => Ok(Self::PlatformTools(version.clone())),
            Self::Recipe(root) => {
                process::capture(Command::new("cp").arg("-al").arg(root).arg(folder)).context(
                    "the toolchain and the cache folder must be on one disk: unset SBPF_TOOLCHAIN",
                )?;
                Ok(Self::Recipe(folder.to_path_buf()))
            }
        }
    }

    /// Builds the program and returns its bytes.
    pub(crate) fn build(&self, context: &Context, build: &Build) -> Result<Vec<u8>> {
        let (mut command, output) = match self {
            Self::PlatformTools(version) => platform_tools_command(context, build, version)?,
            Self::Recipe(root) => recipe_command(context, build, root)?,
        };
        process::run(&mut command).context(
            "the program does not build. If cargo complains about an option or about the standard library rather than \
             about the code, use the tested cargo: `rustup run 1.95 cargo xtask build-sbf`",
        )?;
        let bytes = files::read(&output)?;
        let version = sbpf_version(&bytes).with_context(|| format!("{} is no program", output.display()))?;
        if version != 3 {
            bail!(
                "{} is of sBPF v{version}, not v3: rebuild it with `cargo xtask build-sbf`",
                output.display()
            );
        }
        Ok(bytes)
    }
}

/// The folder of the installed recipe, which is installed now if it is missing. SBPF_TOOLCHAIN names another one.
fn recipe(context: &Context) -> Result<PathBuf> {
    let folder = match env::var_os("SBPF_TOOLCHAIN").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => installed_recipe(context)?,
    };
    if !folder.join("versions.txt").is_file() {
        bail!(
            "{} was not made by deploy/sbpf/install.sh: unset SBPF_TOOLCHAIN to let xtask install a toolchain",
            folder.display()
        );
    }
    // Its real path: the compiler reports that one, and cargo hashes the paths of std's sources as they are unless it
    // finds them inside the compiler's folder. The hash has a say in the order of some constants of the program.
    folder.canonicalize().with_context(|| format!("cannot follow the links in {}", folder.display()))
}

fn installed_recipe(context: &Context) -> Result<PathBuf> {
    let folder = context.cache.join(format!("sbpf-toolchain-{}", recipe_version(&context.root)?));
    if !folder.join("versions.txt").is_file() {
        let script = context.root.join("deploy/sbpf/install.sh");
        process::run(Command::new(&script).arg(&folder))
            .context("the sBPF toolchain could not be installed")?;
    }
    Ok(folder)
}

/// A short hash of the recipe: a changed recipe installs beside the old one.
pub(crate) fn recipe_version(root: &Path) -> Result<String> {
    let folder = root.join("deploy/sbpf");
    let mut contents = Vec::new();
    for name in RECIPE_FILES {
        contents.push((name, files::read(&folder.join(name))?));
    }
    let hash = files::sha256_of_parts(contents.iter().map(|(name, bytes)| (*name, bytes.as_slice())));
    Ok(hash[..12].to_owned())
}

/// The minor version of the newest platform-tools in Solana's cache folder (`v1.57/platform-tools`).
fn newest_platform_tools(solana_cache: &Path) -> Option<u32> {
    let entries = fs::read_dir(solana_cache).into_iter().flatten().flatten();
    let installed = entries.filter(|entry| entry.path().join("platform-tools/rust/bin/rustc").is_file());
    installed.filter_map(|entry| platform_tools_minor(&entry.file_name().to_string_lossy())).max()
}

fn platform_tools_minor(folder: &str) -> Option<u32> {
    folder.strip_prefix("v1.")?.split('.').next()?.parse().ok()
}

/// `cargo build-sbf` and the file it makes.
fn platform_tools_command(context: &Context, build: &Build, version: &str) -> Result<(Command, PathBuf)> {
    let out = build.target.join("sbf/platform-tools");
    let mut command = base_command(context, build)?;
    command.args(["build-sbf", "--arch", "v3", "--tools-version", version, "--lto", "--manifest-path"]);
    command.arg(build.source.join(build.package.folder).join("Cargo.toml")).arg("--sbf-out-dir").arg(&out);
    if build.locked {
        command.args(["--", "--locked"]);
    }
    // It moves RUSTFLAGS to its own target and remaps the working folder itself.
    command.env("RUSTFLAGS", remaps(build, None).join(" "));
    Ok((command, out.join(format!("{}.so", library_name(context, build)?))))
}

/// cargo with the recipe's compiler and the file it makes.
fn recipe_command(context: &Context, build: &Build, toolchain: &Path) -> Result<(Command, PathBuf)> {
    let recipe = build.source.join("deploy/sbpf");
    let mut command = base_command(context, build)?;
    command.arg("--config").arg(recipe.join("cargo.toml"));
    command
        .args(["build", "--package", build.package.name, "--lib", "--profile", "sbpf", "--target"])
        .arg(recipe.join("sbpf.json"));
    if build.locked {
        command.arg("--locked");
    }
    command
        .env("RUSTC", toolchain.join("bin/rustc"))
        // The compiler is a stable one; building std needs unstable options of it and of cargo.
        .env("RUSTC_BOOTSTRAP", "1")
        // Without this, std would be "restricted" on a target that it does not know.
        .env("RUSTC_BOOTSTRAP_SYNTHETIC_TARGET", "1")
        // Cargo's own tests use this variable to point it at the sources of std.
        .env("__CARGO_TESTS_ONLY_SRC_ROOT", std_sources(toolchain)?)
        .env("CARGO_ENCODED_RUSTFLAGS", rustflags(toolchain, &remaps(build, Some(toolchain))).join("\u{1f}"));
    let output = format!("sbf/sbpf/sbpf/lib{}.so", library_name(context, build)?);
    Ok((command, build.target.join(output)))
}

fn base_command(context: &Context, build: &Build) -> Result<Command> {
    let mut command = context.cargo()?;
    for name in CALLER_BUILD_VARIABLES {
        command.env_remove(name);
    }
    // A folder of its own: programs and host crates then never wait for each other's lock.
    command.current_dir(build.source).env("CARGO_TARGET_DIR", build.target.join("sbf"));
    if let Some(home) = build.cargo_home {
        command.env("CARGO_HOME", home);
    }
    Ok(command)
}

/// The name that a program's package gives to its library.
fn library_name(context: &Context, build: &Build) -> Result<String> {
    let mut cargo = base_command(context, build)?;
    let json = process::capture(cargo.args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let Package { name, folder } = build.package;
    cdylib_in(&json, name).with_context(|| {
        format!("{name} has no target of crate-type cdylib: {folder}/Cargo.toml must have one")
    })
}

/// The crate name of a package's cdylib in the output of `cargo metadata`.
fn cdylib_in(metadata: &str, package: &str) -> Option<String> {
    let metadata: serde_json::Value = serde_json::from_str(metadata).ok()?;
    let package = metadata["packages"].as_array()?.iter().find(|found| found["name"] == package)?;
    let is_cdylib = |target: &&serde_json::Value| {
        target["crate_types"].as_array().is_some_and(|types| types.iter().any(|name| name == "cdylib"))
    };
    let target = package["targets"].as_array()?.iter().find(is_cdylib)?;
    Some(target["name"].as_str()?.replace('-', "_"))
}

/// The `library` folder of the toolchain's Rust sources.
fn std_sources(toolchain: &Path) -> Result<PathBuf> {
    let sources = toolchain.join("rust/usr/src");
    let entries = fs::read_dir(&sources).into_iter().flatten().flatten();
    let library = entries.map(|entry| entry.path().join("library")).find(|library| library.is_dir());
    library.with_context(|| {
        format!("{} holds no Rust sources: remove {} and run again", sources.display(), toolchain.display())
    })
}

/// The flags of every crate of the program. They hold the user's paths but not the checkout's, so that checkouts
/// share compiled dependencies; deploy/sbpf/cargo.toml maps the checkout away.
fn rustflags(toolchain: &Path, remaps: &[String]) -> Vec<String> {
    let mut flags = vec![
        format!("-Clinker={}", toolchain.join("bin/sbpf-linker").display()),
        // The VM is single-threaded and has no atomic instructions: they become plain loads and stores.
        "-Cpasses=lower-atomic".to_owned(),
        "-Clink-arg=--llvm-args=-bpf-stack-size=4096".to_owned(),
        // More than five arguments, and 128-bit results.
        "-Clink-arg=--llvm-args=-bpf-allows-libcalls".to_owned(),
        format!("-Clink-arg={}", toolchain.join("builtins.bc").display()),
    ];
    flags.extend_from_slice(remaps);
    flags
}

/// Flags that keep the user's paths out of the program.
fn remaps(build: &Build, toolchain: Option<&Path>) -> Vec<String> {
    // Sources of dependencies, sources that build scripts write, sources of std.
    let home = build.cargo_home.map(Path::to_path_buf).or_else(cargo_home);
    let places = [(home.as_deref(), "/cargo"), (Some(build.target), "/target"), (toolchain, "/toolchain")];
    let mapped = places.into_iter().filter_map(|(folder, name)| Some((folder?, name)));
    let forms =
        mapped.flat_map(|(folder, name)| both_forms(folder).into_iter().map(move |form| (form, name)));
    forms.map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display())).collect()
}

/// The user's cargo home: where the sources of dependencies lie.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    let from_env = env::var_os("CARGO_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    from_env.or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")))
}

/// A path as it is written and, if that differs, with its links followed: compilers report either.
fn both_forms(path: &Path) -> Vec<PathBuf> {
    let real = path.canonicalize().ok().filter(|real| real != path);
    [path.to_path_buf()].into_iter().chain(real).collect()
}

/// The sBPF version of an ELF file, from its flags; None if it is no BPF file.
fn sbpf_version(elf: &[u8]) -> Option<u32> {
    const EM_BPF: u16 = 247;
    const EM_SBPF: u16 = 263;
    let machine = u16::from_le_bytes(elf.get(18..20)?.try_into().ok()?);
    let flags = u32::from_le_bytes(elf.get(48..52)?.try_into().ok()?);
    (elf.starts_with(b"\x7fELF") && [EM_BPF, EM_SBPF].contains(&machine)).then_some(flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platform_tools_versions() {
        assert_eq!(platform_tools_minor("v1.57"), Some(57));
        assert_eq!(platform_tools_minor("v1.57.1"), Some(57));
        assert_eq!(platform_tools_minor("active_release"), None);
        assert_eq!(newest_platform_tools(Path::new("/no/such/folder")), None);
    }

    #[test]
    fn the_variable_chooses_where_no_option_does() {
        assert_eq!(Choice::Auto.or_from(Some("recipe")).ok(), Some(Choice::Recipe));
        assert_eq!(Choice::PlatformTools.or_from(Some("recipe")).ok(), Some(Choice::PlatformTools));
        assert_eq!(Choice::Auto.or_from(Some("")).ok(), Some(Choice::Auto));
        assert!(
            Choice::Auto
                .or_from(Some("gcc"))
                .is_err_and(|error| error.to_string().contains("platform-tools"))
        );
    }

    #[test]
    fn flags_hide_the_users_folders_and_know_no_checkout() {
        let (toolchain, home) = (Path::new("/cache/tc"), Path::new("/home/u/.cargo"));
        let build = Build {
            package: &PROGRAM,
            source: Path::new("/checkout"),
            target: Path::new("/cache/target"),
            cargo_home: Some(home),
            locked: false,
        };
        let flags = rustflags(toolchain, &remaps(&build, Some(toolchain)));
        for remap in ["/home/u/.cargo=/cargo", "/cache/target=/target", "/cache/tc=/toolchain"] {
            assert!(flags.contains(&format!("--remap-path-prefix={remap}")), "{remap}");
        }
        assert!(flags.contains(&"-Clinker=/cache/tc/bin/sbpf-linker".to_owned()));
        assert!(flags.iter().all(|flag| !flag.contains("/checkout")));
    }

    #[test]
    fn the_library_is_found_by_its_crate_type() {
        let metadata = r#"{"packages": [{"name": "other", "targets": [{"name": "x", "crate_types": ["cdylib"]}]},
            {"name": "parhelion-entrypoint", "targets": [{"name": "t", "crate_types": ["bin"]},
            {"name": "the-program", "crate_types": ["cdylib", "lib"]}]}]}"#;
        assert_eq!(cdylib_in(metadata, PROGRAM.name).as_deref(), Some("the_program"));
        assert_eq!(cdylib_in(r#"{"packages": []}"#, PROGRAM.name), None);
    }

    #[test]
    fn elf_versions() {
        let mut elf = vec![0; 64];
        elf[..4].copy_from_slice(b"\x7fELF");
        assert_eq!(sbpf_version(&elf), None, "the machine must be BPF");
        elf[18] = 247;
        elf[48] = 3;
        assert_eq!(sbpf_version(&elf), Some(3));
        assert_eq!(sbpf_version(&elf[..40]), None);
        assert_eq!(sbpf_version(b""), None);
    }
}
