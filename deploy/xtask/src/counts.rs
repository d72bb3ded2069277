//! Numbers of tests, read from the output of the programs that run them.

use std::{fmt, ops::AddAssign};

/// How many tests passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Ran and passed.
    pub(crate) passed: u64,
    /// Ran and failed, timed out or could not be run.
    pub(crate) failed: u64,
    /// Did not run.
    pub(crate) skipped: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// Reads nextest's last line: `Summary [ 1.2s] 5 tests run: 4 passed (1 slow), 1 failed, 2 skipped`. A run that was
/// cut short says `4/5 tests run`.
pub(crate) fn nextest_summary(line: &str) -> Option<Counts> {
    let (head, results) = line.trim_start().strip_prefix("Summary [")?.split_once(" run: ")?;
    head.contains("test").then(|| counts(results))
}

/// Reads one line of the built-in test runner: `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; ...`.
pub(crate) fn libtest_result(line: &str) -> Option<Counts> {
    Some(counts(line.strip_prefix("test result: ")?.split_once(". ")?.1))
}

/// Reads the last line of the client tests, the conformance tests and the differential tests: `3 passed, 0 failed, 1 skipped`.
pub(crate) fn plain_summary(line: &str) -> Option<Counts> {
    let parsed = counts(line);
    (line == parsed.to_string()).then_some(parsed)
}

/// Adds up pairs of a number and a word: `4 passed (1 slow), 1 failed; 2 ignored`.
fn counts(text: &str) -> Counts {
    let mut counts = Counts::default();
    for part in text.split([',', ';']) {
        let mut words = part.split_whitespace();
        let Some(number) = words.next().and_then(|number| number.parse::<u64>().ok()) else { continue };
        match words.next() {
            Some("passed") => counts.passed += number,
            Some("failed" | "timed" | "exec") => counts.failed += number,
            Some("skipped" | "ignored") => counts.skipped += number,
            _ => {}
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(passed: u64, failed: u64, skipped: u64) -> Option<Counts> {
        Some(Counts { passed, failed, skipped })
    }

    #[test]
    fn nextest() {
        assert_eq!(
            nextest_summary("     Summary [   0.051s] 12 tests run: 12 passed, 0 skipped"),
            some(12, 0, 0)
        );
        assert_eq!(nextest_summary("Summary [1.0s] 1 test run: 1 passed (1 slow), 3 skipped"), some(1, 0, 3));
        assert_eq!(
            nextest_summary(
                "Summary [ 9s] 5/8 tests run: 2 passed (1 flaky), 1 failed, 1 timed out, 1 exec failed, 7 skipped"
            ),
            some(2, 3, 7)
        );
        assert_eq!(nextest_summary("PASS [ 0.01s] a test of 3 passed"), None);
    }

    #[test]
    fn doctests() {
        let line = "test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 4 filtered out; finished in 0.1s";
        assert_eq!(libtest_result(line), some(3, 1, 2));
        assert_eq!(libtest_result("test crate::f (line 3) ... ok"), None);
    }

    #[test]
    fn clients() {
        assert_eq!(plain_summary("31 passed, 0 failed, 2 skipped"), some(31, 0, 2));
        assert_eq!(plain_summary("# 31 passed, 0 failed, 2 skipped so far"), None);
        assert_eq!(plain_summary(""), None);
    }

    #[test]
    fn totals() {
        let mut total = Counts { passed: 1, failed: 0, skipped: 2 };
        total += Counts { passed: 10, failed: 3, skipped: 0 };
        assert_eq!(total.to_string(), "11 passed, 3 failed, 2 skipped");
    }
}
