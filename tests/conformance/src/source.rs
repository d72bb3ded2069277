//! Where the vectors come from: folders, or archives that are read without unpacking them.

use anyhow::{Context as _, Result, bail};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The two parts of a data set.
const PARTS: [&str; 2] = ["state-tests", "vectors"];

/// A file of vectors.
pub(crate) struct VectorFile {
    /// Its path from the data folder, with `/`.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) bytes: Vec<u8>,
}

/// A part of the data set.
enum Part {
    Folder(PathBuf),
    Archive(PathBuf),
}

/// The files of a data set, in the order in which they are stored.
///
/// # Errors
/// When the folder holds neither part.
pub(crate) fn files(data: &Path) -> Result<impl Iterator<Item = Result<VectorFile>> + Send + use<>> {
    let mut parts = Vec::new();
    for name in PARTS {
        let (folder, archive) = (data.join(name), data.join(format!("{name}.tar.zst")));
        if folder.is_dir() {
            parts.push(Part::Folder(folder));
        } else if archive.is_file() {
            parts.push(Part::Archive(archive));
        }
    }
    if parts.is_empty() {
        bail!(
            "{} has neither `state-tests` nor `vectors` in it, as folders or as .tar.zst archives",
            data.display()
        );
    }
    let root = data.to_path_buf();
    let (sender, receiver) = std::sync::mpsc::sync_channel(32);
    std::thread::spawn(move || {
        for part in parts {
            let mut send = |file| sender.send(file).is_ok();
            let read = match &part {
                Part::Folder(folder) => read_folder(&root, folder, &mut send),
                Part::Archive(archive) => read_archive(archive, &mut send),
            };
            if let Err(error) = read {
                // The receiver ends at the first error.
                send(Err(error));
            }
        }
    });
    Ok(receiver.into_iter())
}

/// Hands on a file; `false` when nobody wants more.
type HandOn<'a> = &'a mut dyn FnMut(Result<VectorFile>) -> bool;

fn read_folder(root: &Path, folder: &Path, send: HandOn<'_>) -> Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            read_folder(root, &path, send)?;
            continue;
        }
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if is_vectors(&name) && !send(Ok(VectorFile { path: name, bytes })) {
            return Ok(());
        }
    }
    Ok(())
}

fn read_archive(archive: &Path, send: HandOn<'_>) -> Result<()> {
    let context = || format!("cannot read the archive {}", archive.display());
    let mut decoder = zstd::Decoder::new(File::open(archive).with_context(context)?).with_context(context)?;
    // The archives are packed with a window of 128 MiB.
    decoder.window_log_max(27).with_context(context)?;
    let mut archive = tar::Archive::new(decoder);
    for entry in archive.entries().with_context(context)? {
        let mut entry = entry.with_context(context)?;
        let name = entry.path().with_context(context)?.to_string_lossy().trim_start_matches("./").to_owned();
        if !entry.header().entry_type().is_file() || !is_vectors(&name) {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).with_context(context)?;
        if !send(Ok(VectorFile { path: name, bytes })) {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether a file holds vectors, and not a list about them.
fn is_vectors(path: &str) -> bool {
    let is_list = ["gas_used.json", "skip_suggested.json", "expected_counts.json"]
        .iter()
        .any(|name| path.ends_with(name));
    path.ends_with(".json") && !is_list
}
