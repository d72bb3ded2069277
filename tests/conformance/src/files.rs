//! Files of a data set, from folders or from archives that are read without unpacking them.

use anyhow::{Context as _, Result};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// A file of a data set.
pub struct DataFile {
    /// Its path in the data set, with `/`.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// A part of a data set.
pub enum Part {
    /// A folder and all that is below it.
    Folder(PathBuf),
    /// A `.tar.zst` archive.
    Archive(PathBuf),
}

/// Takes a file; `false` when no more are wanted.
pub type HandOn<'a> = &'a mut dyn FnMut(Result<DataFile>) -> bool;

impl Part {
    /// The part of this name: a folder, or else an archive.
    #[must_use]
    pub fn find(data: &Path, name: &str) -> Option<Self> {
        let (folder, archive) = (data.join(name), data.join(format!("{name}.tar.zst")));
        if folder.is_dir() {
            Some(Self::Folder(folder))
        } else {
            archive.is_file().then_some(Self::Archive(archive))
        }
    }

    /// Hands on the wanted files: those of a folder by name, with their paths from `root` on, those of an archive as they
    /// are stored.
    ///
    /// # Errors
    /// When the part cannot be read.
    pub fn read(&self, root: &Path, is_wanted: fn(&str) -> bool, hand_on: HandOn<'_>) -> Result<()> {
        match self {
            Self::Folder(folder) => read_folder(root, folder, is_wanted, hand_on).map(drop),
            Self::Archive(archive) => read_archive(archive, is_wanted, hand_on),
        }
    }
}

/// Whether more files are wanted.
fn read_folder(root: &Path, folder: &Path, is_wanted: fn(&str) -> bool, hand_on: HandOn<'_>) -> Result<bool> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            if !read_folder(root, &path, is_wanted, hand_on)? {
                return Ok(false);
            }
            continue;
        }
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if !is_wanted(&name) {
            continue;
        }
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if !hand_on(Ok(DataFile { path: name, bytes })) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn read_archive(archive: &Path, is_wanted: fn(&str) -> bool, hand_on: HandOn<'_>) -> Result<()> {
    let context = || format!("cannot read the archive {}", archive.display());
    let mut decoder = zstd::Decoder::new(File::open(archive).with_context(context)?).with_context(context)?;
    // The archives are packed with a window of 128 MiB.
    decoder.window_log_max(27).with_context(context)?;
    let mut archive = tar::Archive::new(decoder);
    for entry in archive.entries().with_context(context)? {
        let mut entry = entry.with_context(context)?;
        let name = entry.path().with_context(context)?.to_string_lossy().trim_start_matches("./").to_owned();
        if !entry.header().entry_type().is_file() || !is_wanted(&name) {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).with_context(context)?;
        if !hand_on(Ok(DataFile { path: name, bytes })) {
            return Ok(());
        }
    }
    Ok(())
}
