//! What runs in steps took, for whoever asks.

use alloy_primitives::B256;
use parhelion_core::relay::SteppedRun;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Runs that are remembered; the oldest are forgotten.
pub(crate) const RUNS_MAX: usize = 1_024;

/// The last runs.
#[derive(Debug, Default)]
pub(crate) struct Record(Mutex<VecDeque<(B256, SteppedRun)>>);

impl Record {
    pub(crate) fn put(&self, transaction: B256, run: SteppedRun) {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.retain(|(other, _)| *other != transaction);
        runs.truncate(RUNS_MAX - 1);
        runs.push_front((transaction, run));
    }

    pub(crate) fn get(&self, transaction: &B256) -> Option<SteppedRun> {
        let runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.iter().find(|(other, _)| other == transaction).map(|(_, run)| *run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered() {
        let record = Record::default();
        let run = |steps| SteppedRun { steps, ..SteppedRun::default() };
        let hash = |number: u32| B256::left_padding_from(&number.to_be_bytes());
        for number in 0..2 * RUNS_MAX as u32 {
            record.put(hash(number), run(number));
            record.put(hash(u32::MAX), run(7));
        }
        assert_eq!(record.get(&hash(0)), None);
        assert_eq!(record.get(&hash(2 * RUNS_MAX as u32 - 1)), Some(run(2 * RUNS_MAX as u32 - 1)));
        assert_eq!(record.get(&hash(u32::MAX)), Some(run(7)));
        assert_eq!(record.0.lock().expect("not poisoned").len(), RUNS_MAX);
    }
}
