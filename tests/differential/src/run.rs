//! Runs cases on several threads.

use crate::case::Case;
use crate::engine::ours::{self, Prepared};
use crate::engine::{self, PAIRS, Pair, Verdict};
use crate::generate;
use crate::outcome::{Outcome, Status};
use crate::report::Counts;
use crate::{Arguments, files, minimise};
use anyhow::Result;
use fastrand::Rng;
use indicatif::{ProgressBar, ProgressStyle};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A case on which a pair does not agree.
pub(crate) struct Mismatch {
    /// Which pair.
    pub(crate) pair: Pair,
    /// The number of the case.
    pub(crate) number: u64,
    /// What differs.
    pub(crate) text: String,
    /// The case, cut down.
    pub(crate) case: Case,
}

/// What all threads share.
struct Shared<'a> {
    arguments: &'a Arguments,
    next: AtomicU64,
    is_over: AtomicBool,
    deadline: Option<Instant>,
    counts: Mutex<Counts>,
    mismatches: Mutex<Vec<Mismatch>>,
    progress: ProgressBar,
}

/// Numbers that a thread takes at a time.
const CHUNK: u64 = 64;

/// Bytes of native stack: SputnikVM nests some frames on it.
const STACK_BYTES: usize = 64 << 20;

/// Runs cases until time or numbers are used up.
///
/// # Errors
/// When a mismatch cannot be written.
pub(crate) fn run(arguments: &Arguments, counts: &mut Counts) -> Result<()> {
    let shared = Shared {
        arguments,
        next: AtomicU64::new(arguments.first),
        is_over: AtomicBool::new(false),
        deadline: arguments.minutes.map(|minutes| Instant::now() + Duration::from_secs_f64(minutes * 60.0)),
        counts: Mutex::default(),
        mismatches: Mutex::default(),
        progress: progress_bar(),
    };
    let jobs = arguments.jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, Into::into));
    thread::scope(|scope| -> Result<()> {
        let workers = (0..jobs.max(1))
            .map(|_| thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, || work(&shared)));
        for worker in workers.collect::<std::io::Result<Vec<_>>>()? {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
        Ok(())
    })?;
    shared.progress.finish_and_clear();
    counts.add(&lock(&shared.counts));
    for mismatch in lock(&shared.mismatches).iter() {
        files::write(arguments, mismatch)?;
    }
    Ok(())
}

fn work(shared: &Shared<'_>) {
    while !shared.is_over.load(Ordering::Relaxed) {
        let first = shared.next.fetch_add(CHUNK, Ordering::Relaxed);
        let last =
            shared.arguments.cases.map_or(u64::MAX, |cases| shared.arguments.first.saturating_add(cases));
        let numbers = first..last.min(first + CHUNK);
        if numbers.is_empty() {
            return;
        }
        let mut counts = Counts::default();
        for number in numbers {
            if shared.deadline.is_some_and(|deadline| Instant::now() > deadline) {
                shared.is_over.store(true, Ordering::Relaxed);
                break;
            }
            numbered(shared, number, &mut counts);
        }
        shared.progress.inc(counts.cases);
        let mut all = lock(&shared.counts);
        all.add(&counts);
        if all.failed() >= shared.arguments.failures {
            shared.is_over.store(true, Ordering::Relaxed);
        }
    }
}

/// Runs a numbered case, and if it ran well, again with less gas.
fn numbered(shared: &Shared<'_>, number: u64, counts: &mut Counts) {
    // Neighbouring seeds must not give neighbouring cases.
    let seed = shared.arguments.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ number.wrapping_mul(0xd134_2543_de82_ef95);
    let mut rng = Rng::with_seed(seed);
    let case = generate::case(&mut rng);
    let Some(mut prepared) = prepare(&case) else {
        counts.count_panic();
        let text = "the case cannot be prepared".to_owned();
        lock(&shared.mismatches).push(Mismatch { pair: Pair::Translated, number, text, case });
        return;
    };
    let Some(Outcome::Done(done)) = compare(shared, number, &case, &prepared, counts) else { return };
    let variants = if done.status == Status::Halt { rng.u8(0..2) } else { rng.u8(0..5) };
    for _ in 0..variants {
        if let Some(case) = generate::with_less_gas(&mut rng, &case, &done) {
            prepared.set_transaction(&case.transaction);
            compare(shared, number, &case, &prepared, counts);
        }
    }
}

/// Runs a case on all engines. `None` when one panics.
fn compare(
    shared: &Shared<'_>,
    number: u64,
    case: &Case,
    prepared: &Prepared,
    counts: &mut Counts,
) -> Option<Outcome> {
    let Some((plain, verdicts)) = caught(case, prepared) else {
        counts.count_panic();
        let text = "an engine panicked; the message is above".to_owned();
        lock(&shared.mismatches).push(Mismatch { pair: Pair::Translated, number, text, case: case.clone() });
        return None;
    };
    counts.count(case, &plain, &verdicts);
    for (pair, verdict) in Pair::ALL.into_iter().zip(verdicts) {
        let Verdict::Differ(text) = verdict else { continue };
        let (case, text) = minimise::minimise(case, pair, text);
        lock(&shared.mismatches).push(Mismatch { pair, number, text, case });
    }
    Some(plain)
}

/// Runs a case on all engines, if none of them panics.
pub(crate) fn alone(case: &Case) -> Option<(Outcome, [Verdict; PAIRS])> {
    caught(case, &prepare(case)?)
}

/// A case in our formats; `None` where it cannot be.
fn prepare(case: &Case) -> Option<Prepared> {
    catch_unwind(AssertUnwindSafe(|| ours::prepare(case).ok())).ok().flatten()
}

fn caught(case: &Case, prepared: &Prepared) -> Option<(Outcome, [Verdict; PAIRS])> {
    catch_unwind(AssertUnwindSafe(|| engine::run(case, prepared))).ok()
}

/// A worker's panic is caught, so no lock is ever poisoned with half a change.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Counts cases while they run, on a terminal only.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed_precise} {pos} cases, {per_sec}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
