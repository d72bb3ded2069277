//! Hashes and lists of files.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};
use sha2::{Digest, Sha256};

use crate::process;

/// The sha256 of some bytes, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a file; the error names it.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// One hash over named byte strings. Lengths are hashed too, so that no two lists of parts look the same.
pub(crate) fn sha256_of_parts<'a>(parts: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hasher = Sha256::new();
    for (name, bytes) in parts {
        for field in [name.as_bytes(), bytes] {
            hasher.update((field.len() as u64).to_le_bytes());
            hasher.update(field);
        }
    }
    hex(&hasher.finalize())
}

/// The files of the checkout that git tracks or would track, relative to it, in a fixed order.
pub(crate) fn project_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let list = process::capture(&mut git)
        .context("this command needs git and a git checkout: install git, or clone")?;
    let mut files: Vec<PathBuf> =
        list.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect();
    // A file that is tracked but deleted in the checkout is not part of it.
    files.retain(|file| root.join(file).is_file());
    files.sort();
    files.dedup();
    Ok(files)
}

/// Copies files, given relative to `from`, to the same places below `to`.
pub(crate) fn copy_files(files: &[PathBuf], from: &Path, to: &Path) -> Result<()> {
    for file in files {
        let target = to.join(file);
        let folder = target.parent().unwrap_or(to);
        fs::create_dir_all(folder).and_then(|()| fs::copy(from.join(file), &target)).with_context(|| {
            format!("cannot copy {} to {}: is the disk full?", file.display(), to.display())
        })?;
    }
    Ok(())
}

/// Writes a file so that a reader sees the old or the new bytes and never a part. Equal bytes are left alone, so that
/// programs that watch the file's time see no change.
pub(crate) fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let temporary = path.with_extension(format!("partial-{}", std::process::id()));
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))
        .and_then(|()| fs::write(&temporary, bytes))
        .and_then(|()| fs::rename(&temporary, path))
        .with_context(|| {
            format!("cannot write {}: is the disk full, or the folder not yours?", path.display())
        })
}

/// Removes a folder if it is there.
pub(crate) fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}: remove it by hand", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_sha256() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn parts_with_other_borders_hash_differently() {
        let one = sha256_of_parts([("a", &b"bc"[..])]);
        let two = sha256_of_parts([("ab", &b"c"[..])]);
        let three = sha256_of_parts([("a", &b"b"[..]), ("", &b"c"[..])]);
        assert!(one != two && one != three && two != three);
    }

    #[test]
    fn equal_bytes_are_not_written_again() -> Result<()> {
        let path = std::env::temp_dir().join(format!("parhelion-xtask-write-{}/file", std::process::id()));
        write_if_changed(&path, b"one")?;
        let first = fs::metadata(&path)?.modified()?;
        write_if_changed(&path, b"one")?;
        assert_eq!(fs::metadata(&path)?.modified()?, first);
        write_if_changed(&path, b"two")?;
        assert_eq!(fs::read(&path)?, b"two");
        remove_folder(path.parent().context("it has a folder")?)?;
        Ok(())
    }
}
