//! Options of the commands about translating code.

use clap::{Args, ValueEnum};
use parhelion_relay::translation::Settings;
use parhelion_relay::translation::rule::{Mode, Rule, UNIT_PRICE};
use std::time::Duration;

/// The time from one Solana transaction that translates to the next: one in about every other slot.
const PAUSE: Duration = Duration::from_millis(500);
/// Lamports in translations at most: one SOL.
const LAMPORTS_MAX: u64 = 1_000_000_000;

/// Which code is translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Translate {
    /// None; translations that others made are used
    Off,
    /// What earns it: the compute units that it would have saved in a week are worth more than it costs
    Auto,
    /// What was called three times
    Eager,
}

/// How code is translated.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct TranslateOptions {
    /// What a compute unit is worth to you, in micro-lamports: the higher, the sooner code is translated
    #[arg(long, value_name = "MICRO_LAMPORTS", default_value_t = UNIT_PRICE, env = "PARHELION_TRANSLATE_UNIT_PRICE")]
    translate_unit_price: u64,
    /// The most lamports of rent that you keep in translations; they come back when a translation is closed
    #[arg(long, value_name = "LAMPORTS", default_value_t = LAMPORTS_MAX, env = "PARHELION_TRANSLATE_LAMPORTS_MAX")]
    translate_lamports_max: u64,
}

impl TranslateOptions {
    /// What the relay's task needs to know; `None` when there is nothing to do for it.
    pub(crate) fn settings(&self, translate: Translate) -> Option<Settings> {
        let mode = match translate {
            Translate::Off => return None,
            Translate::Auto => Mode::Auto,
            Translate::Eager => Mode::Eager,
        };
        let rule = Rule { mode, unit_price: self.translate_unit_price };
        Some(Settings { rule, lamports_max: self.translate_lamports_max, pause: PAUSE })
    }
}
