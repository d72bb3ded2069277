//! Cuts a case down as long as its pair still disagrees.

use crate::case::{Account, Case};
use crate::engine::{Pair, Verdict};
use crate::run;
use alloy_primitives::{Bytes, U256};

/// Runs of a case at most.
const RUNS_MAX: usize = 3_000;

/// A smaller case that the pair disagrees on too, and what differs there.
pub(crate) fn minimise(case: &Case, pair: Pair, text: String) -> (Case, String) {
    let mut search = Search { best: case.clone(), pair, text, runs: 0 };
    // Each round makes the case smaller or is the last.
    while search.round() {}
    (search.best, search.text)
}

struct Search {
    best: Case,
    pair: Pair,
    text: String,
    runs: usize,
}

impl Search {
    /// Whether the pair disagrees on a changed case, which is the best one then.
    fn try_with(&mut self, change: impl FnOnce(&mut Case)) -> bool {
        let mut case = self.best.clone();
        change(&mut case);
        if self.runs >= RUNS_MAX || case == self.best {
            return false;
        }
        self.runs += 1;
        let Some((_, verdicts)) = run::alone(&case) else { return false };
        for (pair, verdict) in Pair::ALL.into_iter().zip(verdicts) {
            if let (true, Verdict::Differ(text)) = (pair == self.pair, verdict) {
                // A case that one side rejects is another matter.
                if text.contains("rejected") == self.text.contains("rejected") {
                    (self.best, self.text) = (case, text);
                    return true;
                }
            }
        }
        false
    }

    /// Tries everything once; gives whether something helped.
    fn round(&mut self) -> bool {
        let mut is_smaller = false;
        let addresses: Vec<_> = self.best.accounts.keys().copied().collect();
        for address in &addresses {
            if *address != self.best.transaction.sender {
                is_smaller |= self.try_with(|case| {
                    case.accounts.remove(address);
                });
            }
        }
        is_smaller |= self.try_with(|case| case.transaction.access_list.clear());
        is_smaller |= self.try_with(|case| case.transaction.value = U256::ZERO);
        is_smaller |= self.try_with(|case| case.transaction.data = Bytes::new());
        let authorizations = self.best.transaction.authorizations.len();
        for at in (0..authorizations).rev() {
            is_smaller |= self.try_with(|case| {
                case.transaction.authorizations.remove(at);
            });
        }
        for address in &addresses {
            is_smaller |= self.try_with(|case| on(case, address, |account| account.storage.clear()));
            is_smaller |= self.cut(
                |case| case.accounts.get(address).map(|account| account.code.to_vec()),
                |case, code| on(case, address, |account| account.code = code.into()),
            );
        }
        is_smaller |= self.cut(
            |case| Some(case.transaction.data.to_vec()),
            |case, data| case.transaction.data = data.into(),
        );
        is_smaller
    }

    /// Cuts the end off some bytes, replaces pieces by JUMPDEST, which keeps places, and takes pieces out.
    fn cut(&mut self, get: impl Fn(&Case) -> Option<Vec<u8>>, set: impl Fn(&mut Case, Vec<u8>)) -> bool {
        let mut is_smaller = false;
        let Some(mut length) = get(&self.best).map(|bytes| bytes.len()) else { return false };
        while length > 0 {
            length /= 2;
            let mut at = 0;
            let piece = length.max(1);
            while let Some(bytes) = get(&self.best).filter(|bytes| at < bytes.len()) {
                let end = (at + piece).min(bytes.len());
                let without = [&bytes[..at], &bytes[end..]].concat();
                if self.try_with(|case| set(case, without)) {
                    is_smaller = true;
                    continue;
                }
                let mut blank = bytes.clone();
                blank[at..end].fill(0x5b);
                is_smaller |= blank != bytes && self.try_with(|case| set(case, blank));
                at = end;
            }
        }
        is_smaller
    }
}

fn on(case: &mut Case, address: &alloy_primitives::Address, change: impl FnOnce(&mut Account)) {
    if let Some(account) = case.accounts.get_mut(address) {
        change(account);
    }
}
