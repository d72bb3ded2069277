//! What runs of the same kind touched before: what to fetch at once next time.

use parhelion_wire::Pubkey;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Kinds of runs that are remembered at most; when there are more, all are forgotten.
const KINDS_MAX: usize = 10_000;
/// Addresses that are remembered for a kind at most.
const ADDRESSES_MAX: usize = 64;

/// A kind of run: callee and function selector.
pub(crate) type RunKind = (Option<[u8; 20]>, [u8; 4]);

/// Addresses by kind of run. A hint only: what it lacks is fetched on a miss.
#[derive(Debug, Default)]
pub(crate) struct Touched(Mutex<HashMap<RunKind, Vec<Pubkey>>>);

impl Touched {
    pub(crate) fn get(&self, kind: &RunKind) -> Vec<Pubkey> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(kind).cloned().unwrap_or_default()
    }

    pub(crate) fn set(&self, kind: RunKind, addresses: impl Iterator<Item = Pubkey>) {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kinds.len() >= KINDS_MAX {
            kinds.clear();
        }
        kinds.insert(kind, addresses.take(ADDRESSES_MAX).collect());
    }
}

/// The kind of a run.
pub(crate) fn kind(to: Option<[u8; 20]>, data: &[u8]) -> RunKind {
    (to, data.first_chunk().copied().unwrap_or_default())
}
