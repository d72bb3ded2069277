//! Which code earns a translation: a pure rule.
//!
//! ```text
//! value   compute units that a translation would have saved within the horizon × what a unit is worth
//! cost    rent × what capital costs for a horizon        (the rent comes back when the translation is closed)
//!       + rent that does not come back                   (it goes into an account that somebody else began)
//!       + fees of the Solana transactions that translate
//!       + their compute units × what a unit is worth
//! ```
//!
//! A code earns its translation when the value exceeds the cost, and it was called [`CALLS_MIN`] times at least. This is
//! the rule for renting or buying skis: who buys when the rents paid add up to the price never spends more than twice
//! what a clairvoyant would.
//!
//! What a translation would have saved is an estimate, from the compute units that the landed Solana transactions took:
//! [`SAVED_PERCENT`] of what they took beyond a bare transfer. The committed tables (tests/harness/compute_units.md) have
//! 28 % (ERC-721 mint) to 53 % (hashing in a loop), and less only where most of a run is init code. A run that ran
//! several codes is shared out among them, see [`CodeUse::weight`].

use parhelion_core::emulator::CodeUse;
use std::time::Duration;

/// How long calls count: value and cost are of so much time.
pub const HORIZON: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Calls within the horizon that a code needs at least, whatever they would have saved.
pub const CALLS_MIN: u64 = 20;
/// Calls within the horizon that a code needs when the operator is [`Mode::Eager`].
pub const EAGER_CALLS: u64 = 3;
/// Of the compute units beyond a bare transfer, those that a translation saves, in percent.
pub const SAVED_PERCENT: u64 = 33;
/// Compute units of a bare transfer whose sender a secp256k1 instruction proves.
pub const BARE_UNITS: u64 = 9_000;
/// Compute units on top where the program recovers the sender.
pub const RECOVERY_UNITS: u64 = 25_000;
/// What a compute unit is worth by default, in micro-lamports: a common priority fee for accounts that others want, too.
pub const UNIT_PRICE: u64 = 100_000;
/// What capital costs in a year, in percent: about what staked SOL earns.
pub const CAPITAL_PERCENT: u64 = 7;
/// Lamports of a Solana transaction with one signature.
pub const FEE: u64 = 5_000;

/// Micro-lamports in a lamport.
const MICRO: u128 = 1_000_000;
/// Seconds in a year.
const YEAR: u128 = 365 * 24 * 60 * 60;

/// When the operator wants code to be translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// When it earns it.
    Auto,
    /// After [`EAGER_CALLS`] calls; but rent that does not come back has to be earned.
    Eager,
}

/// The operator's side of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// When to translate.
    pub mode: Mode,
    /// What a compute unit is worth, in micro-lamports.
    pub unit_price: u64,
}

/// What was seen of a code within the horizon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Landed transactions that ran it as it is.
    pub calls: u64,
    /// Compute units that a translation would have saved.
    pub units: u64,
}

/// What a translation costs from where it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Whether the operator began it: then it was earned before.
    pub is_begun: bool,
    /// Lamports of rent that come back.
    pub rent: u64,
    /// Lamports of rent that do not.
    pub lost: u64,
    /// Solana transactions.
    pub transactions: u64,
    /// Compute units of them all.
    pub units: u64,
}

impl Rule {
    /// Whether a code was called often enough for a closer look.
    #[must_use]
    pub const fn is_worth_a_look(&self, seen: &Seen, is_begun: bool) -> bool {
        let calls_min = match self.mode {
            Mode::Auto => CALLS_MIN,
            Mode::Eager => EAGER_CALLS,
        };
        is_begun || seen.calls >= calls_min
    }

    /// Whether a code earns its translation.
    #[must_use]
    pub fn earns(&self, seen: &Seen, cost: &Cost) -> bool {
        let is_worth_it = match self.mode {
            Mode::Eager if cost.lost == 0 => true,
            _ => self.value(seen) > self.cost(cost),
        };
        self.is_worth_a_look(seen, cost.is_begun) && (cost.is_begun || is_worth_it)
    }

    /// Micro-lamports that a translation would have saved.
    fn value(&self, seen: &Seen) -> u128 {
        u128::from(seen.units) * u128::from(self.unit_price)
    }

    /// Micro-lamports that it costs for a horizon.
    fn cost(&self, cost: &Cost) -> u128 {
        let capital = u128::from(cost.rent) * MICRO * u128::from(CAPITAL_PERCENT) / 100
            * u128::from(HORIZON.as_secs())
            / YEAR;
        let spent = u128::from(cost.lost) + u128::from(cost.transactions) * u128::from(FEE);
        let work = u128::from(cost.units) * u128::from(self.unit_price);
        (capital + spent * MICRO).saturating_add(work)
    }
}

/// Compute units that translations would have saved of a Solana transaction that took `compute_units`.
#[must_use]
pub const fn units_saved(compute_units: u64, is_proven: bool) -> u64 {
    let bare = if is_proven { BARE_UNITS } else { BARE_UNITS + RECOVERY_UNITS };
    compute_units.saturating_sub(bare) * SAVED_PERCENT / 100
}

/// A code's share of what a run would have saved.
#[must_use]
pub fn share(units: u64, code: &CodeUse, codes: &[CodeUse]) -> u64 {
    let all: u128 = codes.iter().map(|code| u128::from(code.weight())).sum();
    let share = (u128::from(units) * u128::from(code.weight())).checked_div(all).unwrap_or_default();
    u64::try_from(share).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;

    /// OpenZeppelin's ERC-20, unoptimised, as the CU tables have it; rent at 5,080 lamports a byte.
    const TOKEN: Cost = Cost { is_begun: false, rent: 40_528_240, lost: 0, transactions: 1, units: 398_702 };
    const TOKEN_TRANSFER: u64 = 26_166;

    fn rule(mode: Mode) -> Rule {
        Rule { mode, unit_price: UNIT_PRICE }
    }

    /// So many calls that took `compute_units` each.
    fn seen(calls: u64, compute_units: u64) -> Seen {
        Seen { calls, units: calls * units_saved(compute_units, true) }
    }

    #[test]
    fn a_token_earns_its_translation_after_some_hundred_transfers() {
        let rule = rule(Mode::Auto);
        let first = (0..).find(|&calls| rule.earns(&seen(calls, TOKEN_TRANSFER), &TOKEN));
        assert_eq!(first, Some(176));
    }

    #[test]
    fn what_earns_a_translation_and_what_does_not() {
        let begun = Cost { is_begun: true, ..TOKEN };
        let foreign = Cost { rent: 0, lost: 40_000_000, ..TOKEN };
        let little = Cost { rent: 0, lost: 1_000_000, ..TOKEN };
        let tiny = Cost { rent: 2_000_000, transactions: 1, units: 5_000, ..Cost::default() };
        for (what, mode, calls, compute_units, cost, expected) in [
            ("called twice, however expensive", Mode::Auto, 2, 1_400_000, tiny, false),
            ("just before enough calls", Mode::Auto, CALLS_MIN - 1, 1_400_000, tiny, false),
            ("enough expensive calls", Mode::Auto, CALLS_MIN, 1_400_000, TOKEN, true),
            ("cheap calls, not enough", Mode::Auto, 100, TOKEN_TRANSFER, TOKEN, false),
            ("cheap calls, enough", Mode::Auto, 1_000, TOKEN_TRANSFER, TOKEN, true),
            ("calls that save nothing", Mode::Auto, 1_000_000, BARE_UNITS, tiny, false),
            ("what was begun is finished", Mode::Auto, 1, BARE_UNITS, begun, true),
            ("rent for a stranger costs all of it", Mode::Auto, 1_000, TOKEN_TRANSFER, foreign, false),
            ("a stranger's with hardly any rent left", Mode::Auto, 5_000, TOKEN_TRANSFER, little, true),
            ("eager: too early", Mode::Eager, EAGER_CALLS - 1, TOKEN_TRANSFER, TOKEN, false),
            ("eager: at once", Mode::Eager, EAGER_CALLS, BARE_UNITS, TOKEN, true),
            ("eager: not for a stranger", Mode::Eager, 1_000, TOKEN_TRANSFER, foreign, false),
        ] {
            assert_eq!(rule(mode).earns(&seen(calls, compute_units), &cost), expected, "{what}");
        }
    }

    #[test]
    fn a_worthless_unit_earns_nothing_and_no_number_is_too_large() {
        let most = Seen { calls: u64::MAX, units: u64::MAX };
        let dear =
            Cost { is_begun: false, rent: u64::MAX, lost: u64::MAX, transactions: u64::MAX, units: u64::MAX };
        assert!(!Rule { mode: Mode::Auto, unit_price: 0 }.earns(&most, &Cost::default()));
        assert!(!Rule { mode: Mode::Auto, unit_price: u64::MAX }.earns(&most, &dear));
    }

    #[test]
    fn the_saving_is_a_part_of_what_goes_beyond_a_transfer() {
        for (compute_units, is_proven, expected) in [
            (0, true, 0),
            (BARE_UNITS, true, 0),
            (BARE_UNITS + 100, true, 33),
            (BARE_UNITS + 100, false, 0),
            (BARE_UNITS + RECOVERY_UNITS + 100, false, 33),
            (1_400_000, true, 459_030),
        ] {
            assert_eq!(units_saved(compute_units, is_proven), expected, "{compute_units} {is_proven}");
        }
    }

    #[test]
    fn shares_follow_frames_and_length() {
        let code = |length, frames| CodeUse { hash: B256::ZERO, length, frames, translation: None };
        let (proxy, token) = (code(45, 1), code(4_455, 1));
        assert_eq!(share(1_000, &token, &[proxy, token]), 990);
        assert_eq!(share(1_000, &proxy, &[proxy, token]), 10);
        assert_eq!(share(1_000, &code(10, 3), &[code(10, 3), code(10, 1)]), 750);
        assert_eq!(share(1_000, &code(0, 1), &[code(0, 1)]), 0, "a code of unknown length");
        let most = code(usize::MAX, u64::MAX);
        assert_eq!(share(u64::MAX, &most, &[most]), u64::MAX);
    }
}
