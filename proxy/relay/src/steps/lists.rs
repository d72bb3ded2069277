//! Which accounts each step of a run lists.
//!
//! As a rule every step lists all that the run uses: then steps land in any order. A run that uses more than a Solana
//! transaction lists has steps of its own lists each, which go one after another:
//!
//! ```text
//! step: its part ─▶ step: its part ─▶ … ─▶ pause at 0 ─▶ lock what was read ─▶ last step: what is written
//! ```
//!
//! Between the pause at 0 and the locks the relay looks whether anything was changed. Then it begins anew at once: locks of
//! an attempt that comes to nothing are in the way of the next ones for long.

use super::sizing::MOST;
use parhelion_core::emulator::SpreadPart;
use parhelion_core::relay::RelayError;
use parhelion_sdk::instruction::RunAccount;
use parhelion_sdk::transaction::ADDRESSES_MAX;
use solana_address::Address;
use std::collections::BTreeSet;

/// The accounts of a run.
#[derive(Clone, Debug)]
pub(crate) enum Lists {
    /// Every step lists them, writable as the last step needs them.
    Whole(Vec<RunAccount>),
    /// Each step lists its own, see [`Spread`](parhelion_core::emulator::Spread).
    Spread {
        /// The run's parts.
        parts: Vec<SpreadPart>,
        /// What the last step lists.
        end: Vec<RunAccount>,
        /// What is locked before; first what is most likely to have changed, so that nothing is locked if it has.
        reads: Vec<[u8; 32]>,
    },
}

/// The accounts of a step that pauses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct List {
    /// Those that it needs, or may need.
    pub(crate) needed: Vec<Address>,
    /// Translations of the codes that it runs, to be listed as far as there is room.
    pub(crate) useful: Vec<Address>,
}

impl List {
    /// What stands for the compute units of a step that lists too much: more than a Solana transaction has.
    pub(crate) const fn units(&self) -> u64 {
        MOST + MOST * self.needed.len() as u64 / ADDRESSES_MAX as u64
    }

    /// Why a step with these accounts is impossible.
    pub(crate) fn does_not_fit(&self) -> RelayError {
        RelayError::DoesNotFit {
            needs: format!("{} accounts for a single operation", self.needed.len()),
            limit: format!("{ADDRESSES_MAX} accounts"),
        }
    }
}

impl Lists {
    /// Those of a step that goes on where `from` gas is left, and pauses where `to` is.
    pub(crate) fn of_step(&self, from: u64, to: u64) -> List {
        match self {
            Self::Whole(accounts) => {
                List { needed: accounts.iter().map(|account| account.address).collect(), useful: Vec::new() }
            }
            Self::Spread { parts, .. } => of_parts(parts, from, to),
        }
    }

    /// Those of the shortest first step.
    pub(crate) fn of_begin(&self) -> Vec<Address> {
        self.of_step(u64::MAX, u64::MAX).needed
    }

    /// Those of the last step.
    pub(crate) fn of_end(&self) -> &[RunAccount] {
        match self {
            Self::Whole(end) | Self::Spread { end, .. } => end,
        }
    }

    /// [`Self::of_end`], to be changed.
    pub(crate) const fn of_end_mut(&mut self) -> &mut Vec<RunAccount> {
        match self {
            Self::Whole(end) | Self::Spread { end, .. } => end,
        }
    }

    /// What is to be locked before the last step.
    pub(crate) fn locks(&self) -> impl Iterator<Item = RunAccount> {
        let reads = match self {
            Self::Whole(_) => &[][..],
            Self::Spread { reads, .. } => reads,
        };
        reads.iter().map(|address| RunAccount { address: (*address).into(), writable: true })
    }

    /// All addresses.
    pub(crate) fn addresses(&self) -> BTreeSet<Address> {
        let mut addresses: BTreeSet<Address> = self.of_end().iter().map(|account| account.address).collect();
        if let Self::Spread { parts, reads, .. } = self {
            let parts = parts.iter().flat_map(|part| part.accounts.iter().chain(&part.translations));
            addresses.extend(parts.chain(reads).map(|address| Address::from(*address)));
        }
        addresses
    }
}

/// What the parts between two places use, and one more on either side: a translation pauses a few operations earlier or
/// later than the code itself, with which the parts were made.
fn of_parts(parts: &[SpreadPart], from: u64, to: u64) -> List {
    // The first part that ends behind the beginning, and the first that ends behind the end.
    let first = parts.partition_point(|part| part.gas_left >= from);
    let last = parts.partition_point(|part| part.gas_left > to);
    let parts = parts.get(first.saturating_sub(1)..(last + 2).min(parts.len())).unwrap_or_default();
    let collect = |addresses: fn(&SpreadPart) -> &[[u8; 32]]| {
        let all: BTreeSet<[u8; 32]> = parts.iter().flat_map(addresses).copied().collect();
        all.into_iter().map(Address::from).collect()
    };
    List { needed: collect(|part| &part.accounts), useful: collect(|part| &part.translations) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(gas_left: u64, account: u8) -> SpreadPart {
        SpreadPart { gas_left, accounts: vec![[account; 32]], translations: vec![[account + 100; 32]] }
    }

    #[test]
    fn a_step_lists_its_parts_and_their_neighbours() {
        let parts: Vec<SpreadPart> =
            [(90, 1), (80, 2), (70, 3), (60, 4), (50, 5)].map(|(gas, account)| part(gas, account)).to_vec();
        for (from, to, accounts) in [
            (100, 90, &[1, 2][..]),
            (100, 85, &[1, 2, 3]),
            (90, 80, &[1, 2, 3]),
            (85, 75, &[1, 2, 3, 4]),
            (70, 50, &[3, 4, 5]),
            (55, 0, &[4, 5]),
            (100, 0, &[1, 2, 3, 4, 5]),
            (50, 0, &[5]),
        ] {
            let List { needed, useful } = of_parts(&parts, from, to);
            let expected = |more: u8| {
                accounts.iter().map(|account| Address::from([account + more; 32])).collect::<Vec<_>>()
            };
            assert_eq!((needed, useful), (expected(0), expected(100)), "from {from} to {to}");
        }
    }
}
