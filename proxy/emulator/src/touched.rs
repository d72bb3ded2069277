//! What runs of the same kind touched before: what to fetch at once next time.

use parhelion_wire::Pubkey;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Addresses that are remembered at most, of all kinds; when there are more, all are forgotten. 20 MB.
const ALL_MAX: usize = 640_000;
/// Addresses that are remembered for a kind at most: as many as a run in steps uses.
const KIND_MAX: usize = 640;

/// A kind of run: callee and function selector.
pub(crate) type RunKind = (Option<[u8; 20]>, [u8; 4]);

/// Addresses by kind of run. A hint only: what it lacks is fetched on a miss.
#[derive(Debug, Default)]
pub(crate) struct Touched(Mutex<Kinds>);

#[derive(Debug, Default)]
struct Kinds {
    addresses: HashMap<RunKind, Vec<Pubkey>>,
    /// How many addresses there are, and kinds.
    count: usize,
}

impl Touched {
    pub(crate) fn get(&self, kind: &RunKind) -> Vec<Pubkey> {
        self.kinds().addresses.get(kind).cloned().unwrap_or_default()
    }

    pub(crate) fn set(&self, kind: RunKind, addresses: impl Iterator<Item = Pubkey>) {
        let addresses: Vec<Pubkey> = addresses.take(KIND_MAX).collect();
        let mut kinds = self.kinds();
        kinds.count += addresses.len() + 1;
        if let Some(before) = kinds.addresses.insert(kind, addresses) {
            kinds.count -= before.len() + 1;
        }
        if kinds.count > ALL_MAX {
            *kinds = Kinds::default();
        }
    }

    fn kinds(&self) -> MutexGuard<'_, Kinds> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The kind of a run.
pub(crate) fn kind(to: Option<[u8; 20]>, data: &[u8]) -> RunKind {
    (to, data.first_chunk().copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_addresses_are_forgotten() {
        let touched = Touched::default();
        let kind = |number: usize| (None, (number as u32).to_le_bytes());
        for _ in 0..10 {
            touched.set(kind(0), std::iter::repeat_n([1; 32], 2 * KIND_MAX));
        }
        assert_eq!((touched.get(&kind(0)).len(), touched.kinds().count), (KIND_MAX, KIND_MAX + 1));
        let room = ALL_MAX / (KIND_MAX + 1);
        for number in 1..room {
            touched.set(kind(number), std::iter::repeat_n([1; 32], KIND_MAX));
        }
        assert_eq!(touched.get(&kind(0)).len(), KIND_MAX);
        touched.set(kind(room), std::iter::repeat_n([1; 32], KIND_MAX));
        assert_eq!((touched.get(&kind(0)).len(), touched.kinds().count), (0, 0));
    }
}
