//! Counts of what happened, for people and for CI.

use crate::historian::Compared;
use crate::story::Played;
use parhelion_sdk::event::Outcome;
use std::collections::BTreeMap;
use std::time::Duration;

/// Counts of schedules.
#[derive(Debug, Default)]
pub struct Counts {
    /// Schedules that ended well.
    pub passed: u64,
    /// Those that did not.
    pub failed: u64,
    deaths: BTreeMap<String, u64>,
    fates: BTreeMap<&'static str, u64>,
    outcomes: BTreeMap<String, u64>,
    together: u64,
    compared: Compared,
    takeovers: u64,
    recovery_max: Duration,
    transactions: u64,
    calls: u64,
}

impl Counts {
    /// Counts what came of a schedule.
    pub fn count(&mut self, played: &Played) {
        let is_well = played.problems.is_empty();
        self.passed += u64::from(is_well);
        self.failed += u64::from(!is_well);
        for death in &played.deaths {
            *self.deaths.entry(death.clone()).or_default() += 1;
        }
        for (fate, count) in &played.fates {
            *self.fates.entry(fate).or_default() += count;
        }
        for landed in &played.audit.landed {
            let outcome: Outcome = landed.execution.receipt.outcome;
            *self.outcomes.entry(format!("{outcome:?}")).or_default() += 1;
        }
        self.together += played.audit.together;
        self.takeovers += played.audit.takeovers;
        self.compared += played.compared;
        self.recovery_max = self.recovery_max.max(played.recovery);
        self.transactions += played.audit.transactions;
        self.calls += played.trace.0;
    }

    /// Prints all counts; the last line is for CI.
    pub fn print(&self, elapsed: Duration) {
        println!("what nodes were killed at:");
        for (death, count) in &self.deaths {
            println!("{count:>12}  {death}");
        }
        println!("\nwhat became of calls:");
        for (fate, count) in &self.fates {
            println!("{count:>12}  {fate}");
        }
        println!("\nhow Ethereum transactions ended:");
        for (outcome, count) in &self.outcomes {
            println!("{count:>12}  {outcome}");
        }
        println!("{:>12}  in one Solana transaction with others of their sender", self.together);
        println!("{:>12}  runs that another operator ended than began them", self.takeovers);
        println!("\nwhat was computed of the past, and is what was:");
        println!("{:>12}  accounts behind a block", self.compared.accounts);
        println!("{:>12}  transactions run again", self.compared.transactions);
        println!("\nthe longest time from the end of a storm to the last receipt: {:?}", self.recovery_max);
        let schedules = self.passed + self.failed;
        println!(
            "\n{schedules} schedules in {:.1} s: {} Solana transactions, {} calls",
            elapsed.as_secs_f64(),
            self.transactions,
            self.calls
        );
        println!("{} passed, {} failed, 0 skipped", self.passed, self.failed);
    }
}
