//! Temporary folders.

use anyhow::{Context as _, Result};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// What their names begin with.
const PREFIX: &str = "parhelion-validator-";
/// The file whose lock says that the folder is in use. The kernel gives it up with the process, however that ends.
const LOCK: &str = "in-use";

/// A folder that is removed with its guard. What a killed process left is removed by the next one.
#[derive(Debug)]
pub struct TemporaryFolder {
    path: PathBuf,
    _lock: File,
}

impl TemporaryFolder {
    /// A new folder in the system's folder of temporary files.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn new() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let parent = std::env::temp_dir();
        sweep(&parent);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("{PREFIX}{}-{number}", std::process::id()));
        let create = || -> std::io::Result<File> {
            fs::create_dir(&path)?;
            let lock = File::create(path.join(LOCK))?;
            lock.lock()?;
            Ok(lock)
        };
        let lock = create().with_context(|| format!("cannot create the folder {}", path.display()))?;
        Ok(Self { path, _lock: lock })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // Nothing can be done about a failure, and the next process tries again.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the folders of processes that ended without removing them.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let path = entry.path();
        // A folder that is being created has no lock file yet: it is left alone.
        if ours && File::open(path.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_vanish_with_their_guards() {
        let folder = TemporaryFolder::new().expect("folder");
        let path = folder.path().to_path_buf();
        fs::write(path.join("file"), "content").expect("written");
        let second = TemporaryFolder::new().expect("folder");
        assert!(path.is_dir(), "the second one's sweep leaves the first alone");
        drop((folder, second));
        assert!(!path.exists());
    }

    #[test]
    fn what_a_killed_process_left_is_removed() {
        let left = std::env::temp_dir().join(format!("{PREFIX}killed-{}", std::process::id()));
        fs::create_dir(&left).expect("created");
        File::create(left.join(LOCK)).expect("created");
        let _folder = TemporaryFolder::new().expect("folder");
        assert!(!left.exists());
    }
}
