//! Where the vectors come from.

use anyhow::{Result, bail};
use parhelion_conformance::files::{DataFile, Part};
use std::path::Path;

/// The two parts of a data set.
const PARTS: [&str; 2] = ["state-tests", "vectors"];

/// The files of a data set, in the order in which they are stored.
///
/// # Errors
/// When the folder holds neither part.
pub(crate) fn files(data: &Path) -> Result<impl Iterator<Item = Result<DataFile>> + Send + use<>> {
    let parts: Vec<Part> = PARTS.iter().filter_map(|name| Part::find(data, name)).collect();
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
            if let Err(error) = part.read(&root, is_vectors, &mut send) {
                // The receiver ends at the first error.
                send(Err(error));
            }
        }
    });
    Ok(receiver.into_iter())
}

/// Whether a file holds vectors, and not a list about them.
fn is_vectors(path: &str) -> bool {
    let is_list = ["gas_used.json", "skip_suggested.json", "expected_counts.json"]
        .iter()
        .any(|name| path.ends_with(name));
    path.ends_with(".json") && !is_list
}
