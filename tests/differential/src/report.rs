//! Counts, for people and for CI.

use crate::case::{Case, Rules};
use crate::engine::{PAIRS, Pair, Verdict};
use crate::outcome::{Outcome, Status};
use std::collections::BTreeMap;
use std::time::Duration;

/// Counts of a pair.
#[derive(Clone, Copy, Debug, Default)]
struct OfPair {
    agreed: u64,
    differ: u64,
    skipped: u64,
}

/// Counts of cases.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Cases that ran.
    pub(crate) cases: u64,
    /// Those on which some pair differs.
    failed: u64,
    /// Those that no pair was compared on.
    skipped_cases: u64,
    pairs: [OfPair; PAIRS],
    skipped: BTreeMap<&'static str, u64>,
    /// By rules and how the transaction ended.
    ends: BTreeMap<(&'static str, String), u64>,
}

impl Counts {
    /// Counts what came of a case.
    pub(crate) fn count(&mut self, case: &Case, plain: &Outcome, verdicts: &[Verdict; PAIRS]) {
        self.cases += 1;
        self.failed += u64::from(verdicts.iter().any(|verdict| matches!(verdict, Verdict::Differ(_))));
        self.skipped_cases +=
            u64::from(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Skipped(_))));
        for (counts, verdict) in self.pairs.iter_mut().zip(verdicts) {
            match verdict {
                Verdict::Agreed => counts.agreed += 1,
                Verdict::Differ(_) => counts.differ += 1,
                Verdict::Skipped(reason) => {
                    counts.skipped += 1;
                    *self.skipped.entry(reason).or_default() += 1;
                }
            }
        }
        let rules = match case.rules {
            Rules::Cancun => "Cancun",
            Rules::Prague => "Prague",
            Rules::Osaka => "Osaka",
        };
        let end = match plain {
            Outcome::Done(done) => match (done.status, &done.exit) {
                (Status::Halt, Some(exit)) => exit.clone(),
                (status, _) => format!("{status:?}"),
            },
            Outcome::Rejected(reason) => format!("rejected: {reason}"),
            Outcome::Unsupported(reason) => (*reason).to_owned(),
        };
        *self.ends.entry((rules, end)).or_default() += 1;
    }

    /// Counts a panic: as a mismatch.
    pub(crate) const fn count_panic(&mut self) {
        self.cases += 1;
        self.failed += 1;
        self.pairs[0].differ += 1;
    }

    /// Adds other counts.
    pub(crate) fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.failed += other.failed;
        self.skipped_cases += other.skipped_cases;
        for (counts, other) in self.pairs.iter_mut().zip(&other.pairs) {
            counts.agreed += other.agreed;
            counts.differ += other.differ;
            counts.skipped += other.skipped;
        }
        for (reason, count) in &other.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
        for (end, count) in &other.ends {
            *self.ends.entry(end.clone()).or_default() += count;
        }
    }

    /// Cases on which some pair differs.
    pub(crate) const fn failed(&self) -> u64 {
        self.failed
    }

    /// Prints all counts; the last line is for CI.
    pub(crate) fn print(&self, elapsed: Duration) {
        println!("how the transactions ended:");
        for ((rules, end), count) in &self.ends {
            println!("{count:>12}  {rules}: {end}");
        }
        println!("\nnot compared, by reason:");
        for (reason, count) in &self.skipped {
            println!("{count:>12}  {reason}");
        }
        println!("\n{:<20}{:>12}{:>12}{:>12}", "", "agreed", "differ", "skipped");
        let mut all = OfPair::default();
        for (pair, counts) in Pair::ALL.iter().zip(&self.pairs) {
            println!("{:<20}{:>12}{:>12}{:>12}", pair.name(), counts.agreed, counts.differ, counts.skipped);
            all.agreed += counts.agreed;
            all.differ += counts.differ;
        }
        // Our plain run of a case, and one more for each pair.
        let executions = self.cases + all.agreed + all.differ;
        println!(
            "\n{} cases in {:.1} s: {:.0} a second; {executions} executions",
            self.cases,
            elapsed.as_secs_f64(),
            self.cases as f64 / elapsed.as_secs_f64().max(0.001)
        );
        let passed = self.cases - self.failed - self.skipped_cases;
        println!("{passed} passed, {} failed, {} skipped", self.failed, self.skipped_cases);
    }
}
