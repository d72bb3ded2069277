//! The files of a data set: vectors, and the chain that they belong to.

use crate::vector::Vector;
use anyhow::{Context as _, Result, bail};
use parhelion_conformance::files::{DataFile, Part};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A data set.
pub struct Data {
    /// In the order of their names: methods, then files.
    pub vectors: Vec<Vector>,
    /// Files of the chain, by name.
    chain: BTreeMap<String, Vec<u8>>,
}

impl Data {
    /// Reads what is in a folder: `tests` and `chain`, or archives of them.
    ///
    /// # Errors
    /// When something cannot be read, or is missing.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut data = Self { vectors: Vec::new(), chain: BTreeMap::new() };
        for part in parts(folder)? {
            let mut problem = None;
            part.read(folder, is_wanted, &mut |file| {
                problem = file.and_then(|file| data.add(file)).err();
                problem.is_none()
            })?;
            if let Some(error) = problem {
                return Err(error);
            }
        }
        if data.vectors.is_empty() {
            bail!(
                "{} holds no vectors: it needs `tests` and `chain`, as folders or in a .tar.zst archive",
                folder.display()
            );
        }
        data.vectors.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(data)
    }

    /// A file of the chain.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn chain(&self, name: &str) -> Result<&[u8]> {
        self.chain.get(name).map(Vec::as_slice).with_context(|| format!("the data hold no chain/{name}"))
    }

    fn add(&mut self, file: DataFile) -> Result<()> {
        let DataFile { path, bytes } = file;
        if let Some(name) = below(&path, "tests") {
            let text = String::from_utf8(bytes).with_context(|| format!("{path} is not UTF-8"))?;
            let vector = Vector::parse(name.trim_end_matches(".io"), &text);
            self.vectors.push(vector.with_context(|| path.clone())?);
        } else if let Some(name) = below(&path, "chain") {
            self.chain.insert(name.to_owned(), bytes);
        }
        Ok(())
    }
}

/// The folders or archives that a data set consists of.
fn parts(folder: &Path) -> Result<Vec<Part>> {
    let folders: Vec<Part> = ["tests", "chain"].iter().filter_map(|name| Part::find(folder, name)).collect();
    if !folders.is_empty() {
        return Ok(folders);
    }
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    let mut archives: Vec<PathBuf> =
        paths.into_iter().filter(|path| path.to_string_lossy().ends_with(".tar.zst")).collect();
    archives.sort();
    Ok(archives.into_iter().map(Part::Archive).collect())
}

fn is_wanted(path: &str) -> bool {
    below(path, "tests").is_some_and(|name| name.ends_with(".io")) || below(path, "chain").is_some()
}

/// What a path has behind a folder of this name.
fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    let at = path.find(&format!("{folder}/"))?;
    let is_whole = at == 0 || path.as_bytes().get(at - 1) == Some(&b'/');
    is_whole.then(|| &path[at + folder.len() + 1..])
}

#[cfg(test)]
mod tests {
    use super::{below, is_wanted};

    #[test]
    fn files_are_found_in_folders_and_in_archives_with_a_folder_around_them() {
        for path in ["tests/eth_call/call.io", "rpc-io/tests/eth_call/call.io"] {
            assert_eq!(below(path, "tests"), Some("eth_call/call.io"));
            assert!(is_wanted(path));
        }
        assert_eq!(below("a/chain/chain.rlp", "chain"), Some("chain.rlp"));
        for path in ["mytests/a.io", "tests/readme.md", "LICENSES/NOTICE.txt"] {
            assert!(!is_wanted(path), "{path}");
        }
    }
}
