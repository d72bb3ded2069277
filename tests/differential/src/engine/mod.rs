//! The machines that run a case.

pub(crate) mod ours;
pub(crate) mod precompiles;
pub(crate) mod revm;
pub(crate) mod sputnik;

use crate::case::Case;
use crate::outcome::{Outcome, difference};
use crate::steps;
use ours::Prepared;

/// How many pairs there are.
pub(crate) const PAIRS: usize = 4;

/// Our interpreter, and an engine that must agree with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pair {
    /// Our translations of the same code.
    Translated,
    /// revm.
    Revm,
    /// SputnikVM.
    Sputnik,
    /// revm's inspector, which is told each step.
    Steps,
}

impl Pair {
    /// All of them.
    pub(crate) const ALL: [Self; PAIRS] = [Self::Translated, Self::Revm, Self::Sputnik, Self::Steps];

    /// For summaries and file names.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Translated => "plain-translated",
            Self::Revm => "plain-revm",
            Self::Sputnik => "plain-sputnik",
            Self::Steps => "steps-revm",
        }
    }
}

/// What came of comparing a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They agree.
    Agreed,
    /// One of them cannot run the case, for a documented reason.
    Skipped(&'static str),
    /// What differs.
    Differ(String),
}

/// Runs a case on every engine. Gives what our interpreter did and a verdict for each pair.
pub(crate) fn run(case: &Case, prepared: &Prepared) -> (Outcome, [Verdict; PAIRS]) {
    let plain = ours::run(case, prepared, false);
    let judged = |other| judge(&plain, &other);
    let translated = judged(ours::run(case, prepared, true));
    let revm = judged(revm::run(case, prepared));
    let sputnik = judged(sputnik::run(case, &plain));
    let steps = if matches!(plain, Outcome::Done(_)) {
        let difference = steps::difference(&ours::steps(case, prepared), &revm::steps(case, prepared));
        difference.map_or(Verdict::Agreed, Verdict::Differ)
    } else {
        Verdict::Skipped("the transaction does not run")
    };
    (plain, [translated, revm, sputnik, steps])
}

fn judge(plain: &Outcome, other: &Outcome) -> Verdict {
    match (plain, other) {
        (Outcome::Unsupported(reason), _) | (_, Outcome::Unsupported(reason)) => Verdict::Skipped(reason),
        _ => difference(plain, other).map_or(Verdict::Agreed, Verdict::Differ),
    }
}
