//! What becomes of a call to the cluster.

use fastrand::Rng;

/// The kinds of calls, as far as their fates differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallKind {
    /// Reads accounts, the clock, or slot hashes: a node that lags shows old ones.
    Read,
    /// Asks for a blockhash.
    Blockhash,
    /// Runs a transaction without landing it.
    Simulate,
    /// Sends a transaction.
    Send,
    /// Anything else: blocks, rent.
    Other,
}

/// What becomes of a call. Times are in milliseconds, ages in slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It is answered at once.
    Answered,
    /// It does not arrive, and `Unreachable` is told after a time-out.
    Lost {
        /// The time-out.
        after_ms: u64,
    },
    /// It takes effect, and `Unreachable` is told after a time-out.
    AnswerLost {
        /// The time-out.
        after_ms: u64,
    },
    /// It is answered late.
    Slow {
        /// How late.
        ms: u64,
    },
    /// It is answered by a node that lags.
    Stale {
        /// By how much it lags.
        slots: u64,
    },
    /// A transaction that no leader includes: `Expired` is told when that is certain.
    Dropped,
    /// A transaction of which nobody knows whether it lands, and which lands.
    Late {
        /// When `Unreachable` is told.
        after_ms: u64,
        /// When it lands, if its blockhash is still good then.
        lands_ms: u64,
    },
    /// A blockhash that is as old as this, in blocks; beyond 150 it cannot be used.
    OldBlockhash {
        /// Its age.
        blocks: u64,
    },
}

/// How bad the weather is: how many calls of a thousand have which fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// [`Fate::Lost`].
    pub lost: u16,
    /// [`Fate::AnswerLost`].
    pub answer_lost: u16,
    /// [`Fate::Slow`].
    pub slow: u16,
    /// [`Fate::Stale`].
    pub stale: u16,
    /// [`Fate::Dropped`].
    pub dropped: u16,
    /// [`Fate::Late`].
    pub late: u16,
    /// [`Fate::OldBlockhash`].
    pub old_blockhash: u16,
    /// How many times as likely all that is for calls that send.
    pub sending: u16,
    /// After how many of a thousand calls an outage begins: all calls of the node are lost then.
    pub outage: u16,
    /// How long an outage lasts at most, in milliseconds.
    pub outage_ms_max: u64,
}

/// The longest time-out of a call, in milliseconds: what the RPC client waits for an answer.
const TIMEOUT_MS_MAX: u64 = 15_000;
/// The most slots by which a node lags.
pub const LAG_SLOTS_MAX: u64 = 40;
/// The age, in blocks, up to which old blockhashes are handed out: some are good, some expire on the way.
const BLOCKHASH_AGE_MAX: u64 = 200;
/// When a transaction lands at the latest that is on its way for long: at about the end of its blockhash's life.
const LANDS_MS_MAX: u64 = 70_000;

impl Weather {
    /// Every call is answered.
    pub const CALM: Self = Self {
        lost: 0,
        answer_lost: 0,
        slow: 0,
        stale: 0,
        dropped: 0,
        late: 0,
        old_blockhash: 0,
        sending: 0,
        outage: 0,
        outage_ms_max: 0,
    };

    /// Weather in which each kind of trouble is as likely as `worst`, of a thousand, or less.
    pub fn draw(rng: &mut Rng, worst: u16) -> Self {
        let mut one = || if rng.bool() { rng.u16(0..=worst) } else { 0 };
        let [lost, answer_lost, slow, stale] = [one(), one(), one(), one()];
        let [dropped, late, old_blockhash, outage] = [one(), one(), one(), one() / 8];
        let outage_ms_max = 1 << rng.u32(10..=17);
        let sending = rng.u16(1..=10);
        Self { lost, answer_lost, slow, stale, dropped, late, old_blockhash, sending, outage, outage_ms_max }
    }
}

impl Fate {
    /// What becomes of a call of this kind.
    pub fn draw(rng: &mut Rng, weather: &Weather, kind: CallKind) -> Self {
        let mut left = rng.u16(0..1000);
        let times = if kind == CallKind::Send { weather.sending } else { 1 };
        let mut is_drawn = |part: u16| match left.checked_sub(part * times) {
            Some(rest) => {
                left = rest;
                false
            }
            None => true,
        };
        let Weather { lost, answer_lost, slow, stale, dropped, late, old_blockhash, .. } = *weather;
        // Most time-outs are short ones: a refused connection.
        let after_ms = if rng.bool() { rng.u64(1..200) } else { rng.u64(200..=TIMEOUT_MS_MAX) };
        if is_drawn(lost) {
            return Self::Lost { after_ms };
        }
        if is_drawn(answer_lost) {
            return Self::AnswerLost { after_ms };
        }
        if is_drawn(slow) {
            return Self::Slow { ms: after_ms };
        }
        let reads_state = matches!(kind, CallKind::Read | CallKind::Simulate | CallKind::Send);
        if is_drawn(stale) && reads_state {
            return Self::Stale { slots: rng.u64(1..=LAG_SLOTS_MAX) };
        }
        if is_drawn(dropped) && kind == CallKind::Send {
            return Self::Dropped;
        }
        if is_drawn(late) && kind == CallKind::Send {
            return Self::Late { after_ms, lands_ms: rng.u64(1..=LANDS_MS_MAX) };
        }
        if is_drawn(old_blockhash) && kind == CallKind::Blockhash {
            return Self::OldBlockhash { blocks: rng.u64(1..=BLOCKHASH_AGE_MAX) };
        }
        Self::Answered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_calm_weather_all_is_answered() {
        let mut rng = Rng::with_seed(1);
        for kind in [CallKind::Read, CallKind::Blockhash, CallKind::Simulate, CallKind::Send] {
            assert!((0..1000).all(|_| Fate::draw(&mut rng, &Weather::CALM, kind) == Fate::Answered));
        }
    }

    #[test]
    fn each_fate_is_as_likely_as_the_weather_says() {
        let mut rng = Rng::with_seed(1);
        let weather = Weather { lost: 50, late: 150, sending: 2, ..Weather::CALM };
        let fates: Vec<Fate> = (0..10_000).map(|_| Fate::draw(&mut rng, &weather, CallKind::Send)).collect();
        let share = |is: fn(&Fate) -> bool| fates.iter().filter(|fate| is(fate)).count() / 100;
        assert!((8..=12).contains(&share(|fate| matches!(fate, Fate::Lost { .. }))));
        assert!((27..=33).contains(&share(|fate| matches!(fate, Fate::Late { .. }))));
        assert!((56..=64).contains(&share(|fate| *fate == Fate::Answered)));
    }
}
