//! What came of all cases, for people and for CI.

use crate::Arguments;
use crate::suite::{Case, Verdict};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Counts of a group.
#[derive(Clone, Copy, Default)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Counts {
    fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed(_) => self.failed += 1,
            Verdict::Skipped(_) => self.skipped += 1,
        }
    }
}

/// Prints failures, skipped cases by reason, counts by group; the last line counts all cases.
pub(crate) fn print(cases: &[Case], arguments: &Arguments) -> ExitCode {
    let mut groups: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut all = Counts::default();
    let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
    for case in cases {
        groups.entry(&case.group).or_default().add(&case.verdict);
        all.add(&case.verdict);
        match &case.verdict {
            Verdict::Passed => {}
            Verdict::Skipped(rule) => {
                *skipped.entry(rule.reason()).or_default() += 1;
                if arguments.show_skipped {
                    println!("skipped: {}\n  {}", case.name, rule.reason());
                }
            }
            Verdict::Failed(reason) if all.failed <= arguments.failures => {
                println!("FAILED: {}\n  {}", case.name, reason.replace('\n', "\n  "));
            }
            Verdict::Failed(_) => {}
        }
    }
    if all.failed > arguments.failures {
        println!("and {} failures more (--failures N shows N)", all.failed - arguments.failures);
    }
    println!("\nskipped, by reason:");
    for (reason, count) in &skipped {
        println!("{count:>8}  {reason}");
    }
    println!("\n{:<36}{:>8}{:>8}{:>8}", "", "passed", "failed", "skipped");
    for (group, counts) in &groups {
        println!("{group:<36}{:>8}{:>8}{:>8}", counts.passed, counts.failed, counts.skipped);
    }
    println!("\n{} passed, {} failed, {} skipped", all.passed, all.failed, all.skipped);
    if cases.is_empty() {
        println!("no case was run: look at --data and --only");
    }
    ExitCode::from(u8::from(all.failed > 0 || cases.is_empty()))
}
