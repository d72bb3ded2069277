//! `cargo xtask test`: everything that CI checks.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use self::steps::{STEPS, Session, Step};
use crate::{context::Context, counts::Counts, process};

mod steps;

/// Checks everything that CI checks, step by step, and stops at the first failure.
///
/// What is missing is installed first. The last line is the number of tests of all kinds: `N passed, N failed,
/// N skipped`. On two cores with nothing cached this takes most of an hour, without changes a few minutes.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Run only this step (may be given several times)
    #[arg(long, value_name = "STEP", value_parser = step_names())]
    only: Vec<String>,
    /// List the steps and stop
    #[arg(long)]
    list: bool,
}

fn step_names() -> clap::builder::PossibleValuesParser {
    STEPS.iter().map(|step| step.name).collect::<Vec<_>>().into()
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<()> {
    if args.list {
        for step in STEPS {
            println!("{:<19} {}", step.name, step.what);
        }
        return Ok(());
    }
    let chosen = select(&args.only);
    let mut session = Session::new(context);
    let mut times = Vec::new();
    let failure = run_steps(&mut session, &chosen, &mut times);
    report(&times, failure.is_err());
    if let Err(error) = &failure {
        eprintln!("\n{}\n", process::explain(error));
    }
    println!("{}", total(session.counts, failure.is_err()));
    // The message is printed already, and the totals have to be the last line.
    if failure.is_err() {
        std::process::exit(1);
    }
    Ok(())
}

fn select(only: &[String]) -> Vec<&'static Step> {
    STEPS.iter().filter(|step| only.is_empty() || only.iter().any(|name| name == step.name)).collect()
}

type Times = Vec<(&'static str, Duration)>;

fn run_steps(session: &mut Session, chosen: &[&'static Step], times: &mut Times) -> Result<()> {
    if chosen.is_empty() {
        bail!("no step to run: see `cargo xtask test --list`");
    }
    for (step, number) in chosen.iter().zip(1..) {
        println!("\n=== [{number}/{}] {}: {}", chosen.len(), step.name, step.what);
        let start = Instant::now();
        let result = (step.run)(session);
        let elapsed = start.elapsed();
        times.push((step.name, elapsed));
        result.with_context(|| {
            let name = step.name;
            format!("step {name} failed. To repeat just this step: cargo xtask test --only {name}")
        })?;
        println!("=== {} ok, {}", step.name, seconds(elapsed));
    }
    Ok(())
}

/// Prints how long each step took.
fn report(times: &Times, failed: bool) {
    println!();
    for (index, (name, elapsed)) in times.iter().enumerate() {
        let result = if failed && index + 1 == times.len() { "FAILED" } else { "ok" };
        println!("{name:<19} {result:<6} {:>10}", seconds(*elapsed));
    }
    println!("{:<19} {:<6} {:>10}", "all", "", seconds(times.iter().map(|(_, elapsed)| *elapsed).sum()));
}

fn seconds(time: Duration) -> String {
    let all = time.as_secs();
    if all < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {:02} s", all / 60, all % 60)
    }
}

/// The totals. A step that failed without a failed test (formatting, a build) counts as one failure, so that the
/// last line never looks like a success.
fn total(mut counts: Counts, failed: bool) -> Counts {
    if failed && counts.failed == 0 {
        counts.failed = 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_selected_in_their_order() {
        let names = |only: &[&str]| -> Vec<&str> {
            let only: Vec<String> = only.iter().map(|&name| name.to_owned()).collect();
            select(&only).iter().map(|step| step.name).collect()
        };
        assert_eq!(names(&["nextest", "fmt"]), ["fmt", "nextest"]);
        assert_eq!(names(&[]).len(), STEPS.len());
    }

    #[test]
    fn times_are_readable() {
        assert_eq!(seconds(Duration::from_millis(1_250)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(61)), "1 min 01 s");
    }

    #[test]
    fn a_failure_always_shows_in_the_totals() {
        let counts = Counts { passed: 3, failed: 0, skipped: 1 };
        assert_eq!(total(counts, false), counts);
        assert_eq!(total(counts, true).failed, 1);
        assert_eq!(total(Counts { failed: 4, ..counts }, true).failed, 4);
    }
}
