//! Where things are: the checkout, the cache folder, the folder of compiled files.

use std::{
    cell::RefCell,
    env,
    ffi::OsString,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::process;

/// Which checkout compiled last into a target folder; see [`Context::claim_target_folder`].
const OWNER_FILE: &str = ".parhelion-checkout";

/// The file whose lock says that a checkout is building in a target folder.
const LOCK_FILE: &str = ".parhelion-lock";

/// The folders that every command works with.
pub(crate) struct Context {
    /// The checkout: the folder of the workspace manifest.
    pub(crate) root: PathBuf,
    /// Our folder in the user's cache folder.
    pub(crate) cache: PathBuf,
    /// Where cargo puts compiled files.
    pub(crate) target: PathBuf,
    /// Our claim to the target folder, from the first cargo command on.
    claim: RefCell<Option<File>>,
}

impl Context {
    /// Finds the folders from the environment that `cargo run` gives to xtask.
    pub(crate) fn from_env() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = manifest
            .as_deref()
            .and_then(|folder| folder.ancestors().nth(2))
            .context("CARGO_MANIFEST_DIR is not set: run this program as `cargo xtask`, not by its path")?;
        let cache = cache_folder(env::var_os("XDG_CACHE_HOME"), env::var_os("HOME"))?;
        let here = env::current_dir().context("the current folder is gone: change to another one")?;
        let target = target_folder(env::var_os("CARGO_TARGET_DIR"), &here, &cache);
        Ok(Self::new(root.to_path_buf(), cache, target))
    }

    fn new(root: PathBuf, cache: PathBuf, target: PathBuf) -> Self {
        Self { root, cache, target, claim: RefCell::new(None) }
    }

    /// The folder of tools that xtask installed.
    pub(crate) fn tools(&self) -> PathBuf {
        self.cache.join("tools")
    }

    /// A cargo command in the checkout, with our target folder (made this checkout's own) and our tools, and without
    /// what `cargo run` told xtask about itself: some build scripts (ring's) ask to run again when CARGO_PKG_NAME
    /// changes, and half of the dependencies with them.
    pub(crate) fn cargo(&self) -> Result<Command> {
        self.claim_target_folder()?;
        let mut command = Command::new("cargo");
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        for (name, _) in env::vars_os().filter(|(name, _)| describes_xtask(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = env::split_paths(&path).chain([self.tools().join("bin")]);
        if let Ok(path) = env::join_paths(folders) {
            command.env("PATH", path);
        }
        Ok(command)
    }

    /// Builds binaries of the workspace and returns the folder that holds them.
    ///
    /// `--workspace --examples` selects the same crate features as the tests do. With `-p` cargo would choose fewer
    /// features for the lowest crates and compile nearly every dependency a second time.
    pub(crate) fn build_binaries(&self, names: &[&str]) -> Result<PathBuf> {
        let mut command = self.cargo()?;
        command.args(["build", "--workspace", "--examples"]);
        for name in names {
            command.args(["--bin", name]);
        }
        process::run(&mut command)?;
        Ok(self.target.join("debug"))
    }

    /// Builds a binary of the workspace, and returns the command that runs it.
    pub(crate) fn built(&self, name: &str) -> Result<Command> {
        Ok(Command::new(self.build_binaries(&[name])?.join(name)))
    }

    /// Makes the target folder this checkout's own.
    ///
    /// Several checkouts share the folder, so that each finds the dependencies compiled. Cargo cannot tell their
    /// workspace crates apart: it names them by their place in the workspace and compares file times only, so a
    /// checkout whose files are older than another's build would be given the other's code. When the last build was
    /// another checkout's, our crates are therefore marked as not built; dependencies stay.
    ///
    /// The folder stays locked until [`Self::release_target_folder`] or the end of the process: commands of one
    /// checkout share it, a command of another checkout waits.
    fn claim_target_folder(&self) -> Result<()> {
        let mut claim = self.claim.borrow_mut();
        if claim.is_some() {
            return Ok(());
        }
        let path = self.target.join(LOCK_FILE);
        let lock = fs::create_dir_all(&self.target)
            .and_then(|()| File::create(&path))
            .with_context(|| format!("cannot write {}: make the folder writable", path.display()))?;
        // Between giving up one kind of lock and getting the other, another checkout may come first: try again.
        loop {
            lock.lock_shared()?;
            if self.owns_target_folder() {
                *claim = Some(lock);
                return Ok(());
            }
            lock.unlock()?;
            if let Err(TryLockError::WouldBlock) = lock.try_lock() {
                eprintln!("another checkout is building in {}: waiting for it", self.target.display());
                lock.lock()?;
            }
            self.take_target_folder_over()?;
            lock.unlock()?;
        }
    }

    /// Lets other checkouts build, because no more cargo commands follow.
    pub(crate) fn release_target_folder(&self) {
        self.claim.replace(None);
    }

    fn owns_target_folder(&self) -> bool {
        let owner = fs::read_to_string(self.target.join(OWNER_FILE)).unwrap_or_default();
        owner == self.root.to_string_lossy()
    }

    fn take_target_folder_over(&self) -> Result<()> {
        if self.owns_target_folder() {
            return Ok(());
        }
        for fingerprints in fingerprint_folders(&self.target) {
            forget_workspace_crates(&fingerprints)?;
        }
        let owner = self.target.join(OWNER_FILE);
        fs::write(&owner, self.root.to_string_lossy().as_bytes())
            .with_context(|| format!("cannot write {}: make the folder writable", owner.display()))
    }
}

/// Whether cargo set this variable to describe the crate it runs, xtask.
fn describes_xtask(name: &str) -> bool {
    const PREFIXES: [&str; 3] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || matches!(name, "CARGO_CRATE_NAME" | "CARGO_PRIMARY_PACKAGE")
}

/// Our folder in the user's cache folder, by the XDG rules (a relative XDG_CACHE_HOME is to be ignored).
fn cache_folder(xdg: Option<OsString>, home: Option<OsString>) -> Result<PathBuf> {
    let xdg = xdg.map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = home.filter(|home| !home.is_empty()).map(|home| Path::new(&home).join(".cache"));
    let cache =
        xdg.or(home).context("neither XDG_CACHE_HOME nor HOME is set: set one, caches live below it")?;
    Ok(cache.join("parhelion"))
}

/// The target folder: an explicit one (relative to the current folder, as cargo has it), else in the cache.
fn target_folder(explicit: Option<OsString>, here: &Path, cache: &Path) -> PathBuf {
    match explicit.filter(|folder| !folder.is_empty()) {
        Some(folder) => here.join(folder),
        None => cache.join("target"),
    }
}

/// The `.fingerprint` folders of a target folder: `<profile>/` and `<triple>/<profile>/`, below `sbf/` too.
fn fingerprint_folders(target: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut level = vec![target.to_path_buf()];
    for _ in 0..3 {
        level = level.iter().flat_map(|folder| subfolders(folder)).collect();
        found.extend(level.iter().map(|folder| folder.join(".fingerprint")).filter(|folder| folder.is_dir()));
    }
    found
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() && !path.ends_with(".fingerprint"))
        .collect()
}

fn forget_workspace_crates(fingerprints: &Path) -> Result<()> {
    for folder in subfolders(fingerprints) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("parhelion-") || name.starts_with("xtask-") {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot remove {}: remove it by hand", folder.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use anyhow::bail;

    use super::*;

    fn os(text: &str) -> Option<OsString> {
        Some(OsString::from(text))
    }

    #[test]
    fn cache_folder_follows_xdg() {
        let folder = |xdg, home| cache_folder(xdg, home).map(|path| path.to_string_lossy().into_owned()).ok();
        assert_eq!(folder(os("/x"), os("/home/u")).as_deref(), Some("/x/parhelion"));
        assert_eq!(folder(None, os("/home/u")).as_deref(), Some("/home/u/.cache/parhelion"));
        assert_eq!(folder(os("relative"), os("/home/u")).as_deref(), Some("/home/u/.cache/parhelion"));
        assert_eq!(folder(os(""), os("")), None);
    }

    #[test]
    fn explicit_target_folder_wins() {
        let (here, cache) = (Path::new("/checkout"), Path::new("/cache/parhelion"));
        assert_eq!(target_folder(os("/t"), here, cache), Path::new("/t"));
        assert_eq!(target_folder(os("t"), here, cache), Path::new("/checkout/t"));
        assert_eq!(target_folder(os(""), here, cache), Path::new("/cache/parhelion/target"));
        assert_eq!(target_folder(None, here, cache), Path::new("/cache/parhelion/target"));
    }

    #[test]
    fn only_the_description_of_xtask_is_hidden_from_cargo() {
        assert!(
            ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_CRATE_NAME"].into_iter().all(describes_xtask)
        );
        assert!(
            !["CARGO_HOME", "CARGO_TERM_COLOR", "CARGO_NET_OFFLINE", "PATH"].into_iter().any(describes_xtask)
        );
    }

    #[test]
    fn a_checkout_waits_while_another_builds() -> Result<()> {
        let target = env::temp_dir().join(format!("parhelion-xtask-lock-{}", std::process::id()));
        let context = |root: &str| Context::new(PathBuf::from(root), target.clone(), target.clone());
        let (first, second) = (context("/one"), context("/one"));
        first.claim_target_folder()?;
        second.claim_target_folder()?;
        let other = thread::spawn({
            let other = context("/two");
            move || other.claim_target_folder().map(|()| other)
        });
        first.release_target_folder();
        thread::sleep(Duration::from_millis(100));
        assert!(!other.is_finished(), "one command of the first checkout still builds");
        assert!(second.owns_target_folder());
        second.release_target_folder();
        let Ok(other) = other.join() else { bail!("the waiting checkout panicked") };
        assert!(other?.owns_target_folder());
        fs::remove_dir_all(&target)?;
        Ok(())
    }

    #[test]
    fn a_change_of_checkout_forgets_our_crates_and_keeps_dependencies() -> Result<()> {
        let target = env::temp_dir().join(format!("parhelion-xtask-claim-{}", std::process::id()));
        let places =
            ["debug", "sbf/sbpf", "sbf/sbpf/sbpf"].map(|place| target.join(place).join(".fingerprint"));
        for place in &places {
            for name in ["parhelion-evm-0123", "xtask-4567", "serde-89ab"] {
                fs::create_dir_all(place.join(name))?;
            }
        }
        let context = |root: &str| Context::new(PathBuf::from(root), target.clone(), target.clone());
        context("/one").claim_target_folder()?;
        for place in &places {
            assert!(!place.join("parhelion-evm-0123").exists() && !place.join("xtask-4567").exists());
            assert!(place.join("serde-89ab").exists());
        }
        fs::create_dir_all(places[0].join("parhelion-evm-0123"))?;
        context("/one").claim_target_folder()?;
        assert!(places[0].join("parhelion-evm-0123").exists(), "the same checkout keeps its own crates");
        context("/two").claim_target_folder()?;
        assert!(!places[0].join("parhelion-evm-0123").exists());
        fs::remove_dir_all(&target)?;
        Ok(())
    }
}
