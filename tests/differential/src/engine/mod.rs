//! The machines that run a case.

pub(crate) mod ours;
pub(crate) mod precompiles;
pub(crate) mod revm;
pub(crate) mod sputnik;

use crate::case::Case;
use crate::outcome::{Done, Outcome, difference};
use crate::steps;
use ours::Prepared;

/// How many pairs there are.
pub(crate) const PAIRS: usize = 5;

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
    /// The same as a call.
    Call,
}

impl Pair {
    /// All of them.
    pub(crate) const ALL: [Self; PAIRS] =
        [Self::Translated, Self::Revm, Self::Sputnik, Self::Steps, Self::Call];

    /// For summaries and file names.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Translated => "plain-translated",
            Self::Revm => "plain-revm",
            Self::Sputnik => "plain-sputnik",
            Self::Steps => "steps-revm",
            Self::Call => "transaction-call",
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
    let (steps, call) = if let Outcome::Done(done) = &plain {
        let difference = steps::difference(&ours::steps(case, prepared), &revm::steps(case, prepared));
        let call = difference_of_call(done, ours::call(case, prepared));
        (difference.map_or(Verdict::Agreed, Verdict::Differ), call.map_or(Verdict::Agreed, Verdict::Differ))
    } else {
        let skipped = Verdict::Skipped("the transaction does not run");
        (skipped.clone(), skipped)
    };
    (plain, [translated, revm, sputnik, steps, call])
}

/// What a call did that the transaction did not do; whose accounts it has, for a call leaves none.
fn difference_of_call(done: &Done, mut call: Outcome) -> Option<String> {
    if let Outcome::Done(call) = &mut call {
        call.accounts.clone_from(&done.accounts);
    }
    difference(&Outcome::Done(Box::new(done.clone())), &call)
}

fn judge(plain: &Outcome, other: &Outcome) -> Verdict {
    match (plain, other) {
        (Outcome::Unsupported(reason), _) | (_, Outcome::Unsupported(reason)) => Verdict::Skipped(reason),
        _ => difference(plain, other).map_or(Verdict::Agreed, Verdict::Differ),
    }
}
