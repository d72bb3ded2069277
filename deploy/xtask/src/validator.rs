//! Solana's own test validator, compiled from its package when it is needed and not there.

use std::{
    env,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{cargo_tools, context::Context, files, process};

/// The variable that names a validator instead of the one in the cache, and tells the tests where it is.
pub(crate) const VALIDATOR_VARIABLE: &str = "PARHELION_VALIDATOR";

/// The release of agave, the same as that of the crates in the workspace's manifest.
const VERSION: &str = "4.2.2";
const PACKAGE: &str = "agave-validator";
const BINARY: &str = "solana-test-validator";

/// How it is compiled: soon rather than well. Whoever changes this gets another folder in the cache.
const PROFILE: [(&str, &str); 7] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
    // Half of the code that unwinding needs is not compiled; the validator ends itself on a panic anyhow.
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    // The system's library, which is there anyhow, instead of minutes for its sources.
    ("OPENSSL_NO_VENDOR", "1"),
    // Its lock file is used; this is for the packages that cargo would choose itself.
    ("CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS", "fallback"),
];

/// What runs all the time gets more.
const OPTIMISED: [&str; 1] = ["profile.release.package.solana-sbpf.opt-level=3"];

/// Variables of the caller that would change what is compiled.
const CALLER_BUILD_VARIABLES: [&str; 5] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_INCREMENTAL",
];

/// The validator's binary, which is compiled now if it is missing.
pub(crate) fn obtain(context: &Context) -> Result<PathBuf> {
    if let Some(named) = env::var_os(VALIDATOR_VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from) {
        if !named.is_file() {
            bail!("{VALIDATOR_VARIABLE} names {}, which is no file: correct or unset it", named.display());
        }
        return Ok(named);
    }
    let folder = context.cache.join(folder_name());
    let binary = folder.join("bin").join(BINARY);
    if binary.is_file() {
        return Ok(binary);
    }
    fs::create_dir_all(&context.cache)
        .with_context(|| format!("cannot create {}: make its folder writable", context.cache.display()))?;
    let _lock = lock(&with_ending(&folder, ".lock"))?;
    if !binary.is_file() {
        install(context, &folder)?;
    }
    Ok(binary)
}

/// The name of its folder in the cache: a changed recipe installs beside the old one.
pub(crate) fn folder_name() -> String {
    let settings = PROFILE.iter().map(|(name, value)| (*name, value.as_bytes()));
    let more = OPTIMISED.iter().map(|option| ("--config", option.as_bytes()));
    let hash = files::sha256_of_parts(settings.chain(more));
    format!("validator-{VERSION}-{}", &hash[..8])
}

/// Compiles it. An interrupted build goes on: its compiled files stay until it is finished.
fn install(context: &Context, folder: &Path) -> Result<()> {
    cargo_tools::ensure_validator_packages()?;
    let (partial, build) = (with_ending(folder, ".partial"), with_ending(folder, ".build"));
    eprintln!(
        "compiling Solana's test validator {VERSION} into {} (20 to 30 minutes on two cores, 3 GB on disk meanwhile, \
         60 MB afterwards; once per version)",
        folder.display()
    );
    let mut command = context.cargo()?;
    for name in CALLER_BUILD_VARIABLES {
        command.env_remove(name);
    }
    command.args(["install", PACKAGE, "--version", &format!("={VERSION}"), "--locked", "--force"]);
    command.args(["--features", "agave-unstable-api", "--bin", BINARY, "--root"]).arg(&partial);
    for option in OPTIMISED {
        command.args(["--config", option]);
    }
    command.envs(PROFILE).env("CARGO_TARGET_DIR", &build);
    process::run(&mut command).with_context(|| {
        format!(
            "the validator could not be compiled. Run again to go on, or name another {BINARY} {VERSION} with \
             {VALIDATOR_VARIABLE}"
        )
    })?;
    let version = process::capture(Command::new(partial.join("bin").join(BINARY)).arg("--version"))?;
    if !version.contains(VERSION) {
        bail!(
            "the compiled validator says {:?} and not {VERSION}: remove {}",
            version.trim(),
            partial.display()
        );
    }
    fs::rename(&partial, folder).with_context(|| format!("cannot create {}", folder.display()))?;
    files::remove_folder(&build)
}

/// Waits until no other process compiles it.
fn lock(path: &Path) -> Result<File> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        eprintln!("another process compiles the validator: waiting for it");
        file.lock()?;
    }
    Ok(file)
}

/// A path beside `folder`.
fn with_ending(folder: &Path, ending: &str) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_crates() {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
        let manifest = fs::read_to_string(manifest).unwrap_or_default();
        assert!(manifest.contains(&format!("solana-rpc-client = \"={VERSION}\"")));
    }

    #[test]
    fn folders_lie_side_by_side() {
        let name = folder_name();
        assert!(name.starts_with("validator-4.2.2-") && name.len() == 24, "{name}");
        assert_eq!(with_ending(Path::new("/c/v-4.2.2"), ".lock"), Path::new("/c/v-4.2.2.lock"));
    }
}
