//! Plays schedules on several threads, see the library.
#![forbid(unsafe_code)]

use anyhow::Result;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use parhelion_faults::counts::Counts;
use parhelion_faults::scene::Scene;
use parhelion_faults::schedule::Schedule;
use parhelion_faults::story::{Played, play};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Kills nodes and breaks their cluster at random, and looks whether anything was lost.
///
/// The same seed gives the same schedules. Exits with 1 when one does not end well. The last line counts schedules.
#[derive(Parser)]
#[command(name = "faults")]
struct Arguments {
    /// How many schedules to play
    #[arg(long, default_value_t = 300)]
    schedules: u64,
    /// What all schedules follow from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The number of the first schedule
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Worker threads; as many as there are cores unless told
    #[arg(long)]
    jobs: Option<usize>,
    /// After how many schedules that do not end well to stop
    #[arg(long, default_value_t = 10)]
    failures: u64,
    /// Tell what happens, call by call; RUST_LOG adds what the node logs
    #[arg(long)]
    verbose: bool,
    /// Play each schedule twice, and fail when not all calls are the same
    #[arg(long)]
    twice: bool,
}

/// What all threads share.
struct Shared<'a> {
    arguments: &'a Arguments,
    next: AtomicU64,
    counts: Mutex<Counts>,
    progress: ProgressBar,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.verbose {
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().init();
    }
    let start = Instant::now();
    let shared = Shared {
        arguments: &arguments,
        next: AtomicU64::new(arguments.first),
        counts: Mutex::default(),
        progress: progress_bar(arguments.schedules),
    };
    let jobs = arguments.jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, Into::into));
    thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(|| work(&shared))).collect();
        for worker in workers {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        Ok(())
    })?;
    shared.progress.finish_and_clear();
    let counts = lock(&shared.counts);
    counts.print(start.elapsed());
    Ok(ExitCode::from(u8::from(counts.failed > 0 || counts.passed == 0)))
}

fn work(shared: &Shared<'_>) -> Result<()> {
    let Arguments { first, schedules, failures, seed, verbose, twice, .. } = *shared.arguments;
    let scene = Scene::prepare()?;
    while lock(&shared.counts).failed < failures {
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        if number >= first.saturating_add(schedules) {
            break;
        }
        let schedule = Schedule::draw(&scene, seed, number);
        let start = Instant::now();
        let mut played = play(&scene, &schedule, verbose || twice)?;
        if twice {
            let again = play(&scene, &schedule, true)?;
            played.problems.extend(difference(&played, &again));
        }
        shared.progress.inc(1);
        if verbose || !played.problems.is_empty() {
            let lines = if verbose { &played.lines[..] } else { &[] };
            shared.progress.suspend(|| tell(number, seed, &schedule, &played, start.elapsed(), lines));
        }
        lock(&shared.counts).count(&played);
    }
    Ok(())
}

/// Where two plays of a schedule differ.
fn difference(one: &Played, other: &Played) -> Option<String> {
    let place = one.lines.iter().zip(&other.lines).position(|(one, other)| one != other);
    let place = place.or((one.trace != other.trace).then_some(one.lines.len()))?;
    let near =
        |lines: &[String]| lines.iter().skip(place.saturating_sub(5)).take(8).cloned().collect::<Vec<_>>();
    let (one, other) = (near(&one.lines).join("\n    "), near(&other.lines).join("\n    "));
    Some(format!("two plays differ:\n    {one}\n  and\n    {other}"))
}

/// Tells what happened in a schedule.
fn tell(number: u64, seed: u64, schedule: &Schedule, played: &Played, elapsed: Duration, lines: &[String]) {
    for line in lines {
        println!("  {line}");
    }
    println!("schedule {number} of seed {seed}: {schedule:?}");
    println!("  {:?} of its time, {elapsed:?} of ours, {} calls", played.time, played.trace.0);
    for death in &played.deaths {
        println!("  a node was killed {death}");
    }
    for problem in &played.problems {
        println!("  WRONG: {problem}");
    }
    if !played.problems.is_empty() {
        println!("  again: cargo xtask faults --seed {seed} --first {number} --schedules 1 --verbose");
    }
}

/// A worker's panic ends the program, so no lock is ever used with half a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts schedules while they are played, on a terminal only.
fn progress_bar(schedules: u64) -> ProgressBar {
    let bar = ProgressBar::new(schedules);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} schedules, {elapsed_precise}, {per_sec}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}
