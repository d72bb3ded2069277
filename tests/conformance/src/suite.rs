//! Runs the cases of every file on all cores.

use crate::vm::Vm;
use crate::{Arguments, precompiles, rlp, skip, state, transactions};
use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use parhelion_conformance::files::DataFile;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As Ethereum has it.
    Passed,
    /// It cannot apply here.
    Skipped(skip::Rule),
    /// Not as Ethereum has it.
    Failed(String),
}

/// A case and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Path, test, fork, indexes.
    pub(crate) name: String,
    /// The line of the summary that it counts for.
    pub(crate) group: String,
    /// What came of it.
    pub(crate) verdict: Verdict,
}

/// Takes the results of a file's cases, and says which cases are wanted.
pub(crate) struct Sink<'a> {
    path: &'a str,
    only: &'a [String],
    cases: Vec<Case>,
}

impl Sink<'_> {
    /// Runs a case, unless it is not wanted. A panic is a failure.
    pub(crate) fn case(&mut self, group: &str, name: &str, run: impl FnOnce() -> Result<Verdict>) {
        let name = format!("{} {name}", self.path);
        if !self.only.is_empty() && !self.only.iter().any(|text| name.contains(text)) {
            return;
        }
        let verdict = match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(error)) => Verdict::Failed(format!("{error:#}")),
            Err(_) => Verdict::Failed("it panicked; the message is above".to_owned()),
        };
        self.cases.push(Case { name, group: group.to_owned(), verdict });
    }
}

/// Runs all cases; the results are sorted by name.
pub(crate) fn run(
    files: impl Iterator<Item = Result<DataFile>> + Send,
    program: Option<&[u8]>,
    arguments: &Arguments,
) -> Result<Vec<Case>> {
    let jobs = arguments.jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, Into::into));
    let (files, results, failure) = (Mutex::new(files), Mutex::new(Vec::new()), Mutex::new(None));
    let progress = progress_bar();
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                let mut vm = match program.map(Vm::new).transpose() {
                    Ok(vm) => vm,
                    Err(error) => {
                        *lock(&failure) = Some(error);
                        return;
                    }
                };
                while let Some(file) = next(&files) {
                    match file {
                        Ok(file) => {
                            progress.set_message(file.path.clone());
                            let cases = run_file(&file, arguments, &mut vm);
                            progress.inc(cases.len() as u64);
                            lock(&results).extend(cases);
                        }
                        Err(error) => *lock(&failure) = Some(error),
                    }
                }
            });
        }
    });
    progress.finish_and_clear();
    if let Some(error) = lock(&failure).take() {
        return Err(error);
    }
    let mut cases: Vec<Case> = std::mem::take(&mut *lock(&results));
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(cases)
}

/// Runs the cases of one file.
fn run_file(file: &DataFile, arguments: &Arguments, vm: &mut Option<Vm>) -> Vec<Case> {
    let mut sink = Sink { path: &file.path, only: &arguments.only, cases: Vec::new() };
    let read = if file.path.starts_with("state-tests/") {
        state::run(&file.bytes, arguments, vm, &mut sink)
    } else if file.path.contains("transaction_tests") || file.path.contains("TransactionTests/") {
        transactions::run(&file.bytes, &mut sink)
    } else if file.path.contains("RLPTests/") {
        rlp::run(&file.bytes, &mut sink)
    } else if let Some(number) = precompiles::number(&file.path) {
        precompiles::run(number, &file.bytes, arguments, vm, &mut sink)
    } else {
        sink.case("other", "", || Ok(Verdict::Skipped(skip::Rule::NotOfTheProgram)));
        Ok(())
    };
    if let Err(error) = read {
        sink.case("other", "", || Err(error.context("the file cannot be read")));
    }
    sink.cases
}

fn next<T>(files: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    lock(files).next()
}

/// A worker's panic is caught, so no lock is ever poisoned with half a change.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Counts cases while they run, on a terminal only.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed_precise} {pos} cases {wide_msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
