//! What a run did step by step, in the words of no engine: what tracers are told.

use crate::outcome::Status;
use alloy_primitives::{Address, U256};
use std::hash::{DefaultHasher, Hash, Hasher as _};

/// Steps that are kept: what runs for longer is a loop, and does the same again and again.
const STEPS_MAX: usize = 2_000;

/// How a frame comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Call,
    CallCode,
    DelegateCall,
    StaticCall,
    Create,
    Create2,
}

/// One thing that a tracer is told. Bytes are digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A call or creation begins.
    Begin {
        way: Way,
        caller: Address,
        /// ADDRESS and whose code it is; `None` of creations.
        callee: Option<(Address, Address)>,
        value: U256,
        gas: u64,
        input: u64,
    },
    /// An opcode is about to run.
    Opcode {
        depth: usize,
        pc: usize,
        opcode: u8,
        gas: u64,
        /// What there is more of than before the first opcode.
        refund: i64,
        stack: u64,
        memory: u64,
        return_data: u64,
    },
    /// The innermost call or creation ends.
    End {
        status: Status,
        /// What comes back: nothing of a halt.
        gas: u64,
        output: u64,
    },
}

/// A digest of bytes or of words.
pub(crate) fn digest<T: Hash + ?Sized>(data: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    data.hash(&mut hasher);
    hasher.finish()
}

/// The first steps of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps(Vec<Step>);

impl Steps {
    /// Whether no more are kept: they need not be made.
    pub(crate) const fn is_full(&self) -> bool {
        self.0.len() >= STEPS_MAX
    }

    /// Adds a step, if there is room.
    pub(crate) fn push(&mut self, step: Step) {
        if !self.is_full() {
            self.0.push(step);
        }
    }

    /// The end of the innermost call or creation.
    pub(crate) fn end(&mut self, status: Status, gas: u64, output: &[u8]) {
        let is_halt = status == Status::Halt;
        let (gas, output) = if is_halt { (0, &[][..]) } else { (gas, output) };
        self.push(Step::End { status, gas, output: digest(output) });
    }
}

/// The first difference between the steps of two runs, with the step in front of it; `None` when there is none.
pub(crate) fn difference(ours: &Steps, theirs: &Steps) -> Option<String> {
    let place = ours.0.iter().zip(&theirs.0).position(|(ours, theirs)| ours != theirs);
    let place =
        place.or_else(|| (ours.0.len() != theirs.0.len()).then(|| ours.0.len().min(theirs.0.len())))?;
    let before = place.checked_sub(1).and_then(|place| ours.0.get(place));
    let (ours, theirs) = (ours.0.get(place), theirs.0.get(place));
    Some(format!("step {place}: {ours:?} and {theirs:?}\nbehind {before:?}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(gas: &[u64]) -> Steps {
        let mut steps = Steps::default();
        gas.iter().for_each(|gas| steps.end(Status::Success, *gas, &[]));
        steps
    }

    #[test]
    fn the_first_difference_is_told() {
        assert_eq!(difference(&steps(&[1, 2]), &steps(&[1, 2])), None);
        let told = |ours, theirs| difference(&steps(ours), &steps(theirs)).unwrap_or_default();
        assert!(told(&[1, 2, 3], &[1, 3, 4]).starts_with("step 1: Some(End { status: Success, gas: 2"));
        assert!(told(&[1], &[1, 3]).starts_with("step 1: None and Some"));
        assert!(told(&[], &[1]).contains("behind None"));
    }

    #[test]
    fn a_halt_keeps_nothing_and_no_more_is_kept_than_there_is_room_for() {
        let (mut halts, mut other) = (Steps::default(), Steps::default());
        halts.end(Status::Halt, 5, &[1]);
        other.end(Status::Halt, 0, &[]);
        assert_eq!(halts, other);
        (0..STEPS_MAX).for_each(|_| halts.end(Status::Success, 1, &[]));
        assert!(halts.is_full() && halts.0.len() == STEPS_MAX);
    }
}
