//! The machines that run a case.

pub(crate) mod ours;
pub(crate) mod precompiles;
pub(crate) mod revm;
pub(crate) mod sputnik;

use crate::case::Case;
use crate::outcome::{Outcome, difference};
use ours::Prepared;

/// Our interpreter, and an engine that must agree with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pair {
    /// Our translations of the same code.
    Translated,
    /// revm.
    Revm,
    /// SputnikVM.
    Sputnik,
}

impl Pair {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Translated, Self::Revm, Self::Sputnik];

    /// For summaries and file names.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Translated => "plain-translated",
            Self::Revm => "plain-revm",
            Self::Sputnik => "plain-sputnik",
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
pub(crate) fn run(case: &Case, prepared: &Prepared) -> (Outcome, [Verdict; 3]) {
    let plain = ours::run(case, prepared, false);
    let others = [ours::run(case, prepared, true), revm::run(case, prepared), sputnik::run(case, &plain)];
    let verdicts = others.map(|other| judge(&plain, &other));
    (plain, verdicts)
}

fn judge(plain: &Outcome, other: &Outcome) -> Verdict {
    match (plain, other) {
        (Outcome::Unsupported(reason), _) | (_, Outcome::Unsupported(reason)) => Verdict::Skipped(reason),
        _ => difference(plain, other).map_or(Verdict::Agreed, Verdict::Differ),
    }
}
