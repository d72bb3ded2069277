//! Cases as files.

use crate::Arguments;
use crate::case::Case;
use crate::engine::{Pair, Verdict};
use crate::outcome::{Outcome, difference};
use crate::report::Counts;
use crate::run::{self, Mismatch};
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Writes a mismatch.
///
/// # Errors
/// Those of the file system.
pub(crate) fn write(arguments: &Arguments, mismatch: &Mismatch) -> Result<()> {
    fs::create_dir_all(&arguments.out)?;
    let Mismatch { pair, number, text, case } = mismatch;
    let path = arguments.out.join(format!("{}-{}-{number}.json", pair.name(), arguments.seed));
    fs::write(&path, serde_json::to_string_pretty(case)? + "\n")?;
    println!("MISMATCH {} case {number}: {}\n  {}", pair.name(), path.display(), text.replace('\n', "\n  "));
    Ok(())
}

/// Runs a file, or every file of a folder, again.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn replay(path: &Path, is_verbose: bool, counts: &mut Counts) -> Result<()> {
    for path in cases(path)? {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let case: Case =
            serde_json::from_str(&text).with_context(|| format!("{} is no case", path.display()))?;
        let Some((plain, verdicts)) = run::alone(&case) else {
            println!("{}: an engine panicked, or the case cannot be prepared", path.display());
            counts.count_panic();
            continue;
        };
        for (pair, verdict) in Pair::ALL.iter().zip(&verdicts) {
            match verdict {
                Verdict::Differ(text) => println!(
                    "MISMATCH {}: {}\n  {}",
                    pair.name(),
                    path.display(),
                    text.trim_end().replace('\n', "\n  ")
                ),
                verdict if is_verbose => println!("{}: {verdict:?}", pair.name()),
                _ => {}
            }
        }
        if is_verbose {
            print(&case, &plain);
        }
        counts.count(&case, &plain, &verdicts);
    }
    Ok(())
}

/// Prints what our interpreter did.
fn print(case: &Case, plain: &Outcome) {
    match plain {
        Outcome::Done(done) => {
            println!("{:?}, gas used {}", done.exit, done.gas_used);
            let before = Outcome::Done(Box::new(crate::outcome::Done {
                accounts: case.accounts.clone(),
                ..(**done).clone()
            }));
            println!("before and after:\n{}", difference(&before, plain).unwrap_or_default());
        }
        other => println!("{other:?}"),
    }
}

/// The case files at a path.
fn cases(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        bail!("no case in {}", path.display());
    }
    Ok(paths)
}
