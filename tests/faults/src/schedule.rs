//! What happens in a schedule, drawn from its seed.

use crate::cluster::Kill;
use crate::fate::Weather;
use crate::kind::Kind;
use crate::scene::{OPERATORS, Scene, USERS_MAX};
use fastrand::Rng;

/// What happens in a schedule.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// What fates and order of calls follow from.
    pub seed: u64,
    /// Who sends what.
    pub users: Vec<User>,
    /// The weather, until it gets calm.
    pub weather: Weather,
    /// When it gets calm, in milliseconds: all operators' nodes come back then, and are killed no more.
    pub calm_ms: u64,
    /// The lives of each operator's nodes, one after another; none of an operator who does not exist.
    pub lives: [Vec<Life>; OPERATORS],
}

/// Who sends transactions.
#[derive(Clone, Debug)]
pub struct User {
    /// The operator whose node the user talks to.
    pub home: usize,
    /// Whether the user talks to another one while that is away.
    pub fails_over: bool,
    /// The transactions, in the order of their nonces.
    pub kinds: Vec<Kind>,
}

/// A node from its start to its end.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    /// How long its operator has no node before, in milliseconds.
    pub after_ms: u64,
    /// What kills it.
    pub kill: Option<Kill>,
}

/// A life that nothing ends.
const LONG: Life = Life { after_ms: 0, kill: None };
/// Later than any end of a storm.
const NEVER_MS: u64 = u64::MAX / 2;

impl Schedule {
    /// One transaction in calm weather.
    #[must_use]
    pub fn alone(kind: Kind) -> Self {
        let user = User { home: 0, fails_over: false, kinds: vec![kind] };
        let lives = [vec![LONG], Vec::new()];
        Self { seed: 0, users: vec![user], weather: Weather::CALM, calm_ms: 0, lives }
    }

    /// The schedule of a number.
    #[must_use]
    pub fn draw(scene: &Scene, seed: u64, number: u64) -> Self {
        // Neighbouring seeds must not give neighbouring schedules.
        let seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xd134_2543_de82_ef95);
        let mut rng = Rng::with_seed(seed);
        let mut users = users(&mut rng);
        let sends: u64 = users
            .iter()
            .flat_map(|user| &user.kinds)
            .map(|kind| scene.expected(*kind).map_or(1, |expected| expected.sends))
            .sum();
        // Kills alone, weather alone, or both.
        let (kills, worst) = match rng.u8(0..8) {
            0..2 => (1, 0),
            2 => (0, 60),
            3 => (0, 20),
            4 => (1, 40),
            5 => (1, 150),
            6 => (2, 100),
            _ => (3, 25),
        };
        let weather = if worst == 0 { Weather::CALM } else { Weather::draw(&mut rng, worst) };
        let first = lives(&mut rng, kills, sends);
        let second = match rng.u8(0..6) {
            // It is there from the beginning, and maybe killed as well.
            0 => vec![LONG],
            1 if kills > 1 => lives(&mut rng, 1, sends),
            // It comes some time later.
            1 | 2 => vec![Life { after_ms: rng.u64(0..200_000), kill: None }],
            3 => vec![Life { after_ms: NEVER_MS, kill: None }],
            // There is none: nobody helps the first one.
            _ => Vec::new(),
        };
        if second.is_empty() {
            users.iter_mut().for_each(|user| user.home = 0);
        }
        let calm_ms = [30_000, 150_000, 600_000][rng.usize(0..3)];
        Self { seed, users, weather, calm_ms, lives: [first, second] }
    }
}

fn users(rng: &mut Rng) -> Vec<User> {
    const OFTEN: [Kind; 9] = [
        Kind::Transfer,
        Kind::Transfer,
        Kind::Token,
        Kind::Set,
        Kind::Read,
        Kind::Revert,
        Kind::CallData,
        Kind::Deploy,
        Kind::Stir,
    ];
    const LARGE: [Kind; 4] = [Kind::CallData, Kind::Deploy, Kind::Read, Kind::Revert];
    const SELDOM: [Kind; 5] = [Kind::Sort, Kind::Memory, Kind::Read, Kind::CallData, Kind::Spread];
    const SMALL: [Kind; 5] = [Kind::Transfer, Kind::Transfer, Kind::Token, Kind::Set, Kind::Stir];
    // Sometimes all send what is large, so that many holders are in use.
    let is_crowd = rng.u8(0..6) == 0;
    let count = if is_crowd { USERS_MAX } else { rng.usize(1..=3) };
    let mut users: Vec<User> = (0..count)
        .map(|_| {
            // Sometimes somebody has much to do, of which several land together.
            let is_burst = !is_crowd && rng.u8(0..5) == 0;
            let count = if is_burst { rng.usize(4..=20) } else { rng.usize(1..=3) };
            let kind = |_| {
                let kinds = match rng.u8(0..4) {
                    _ if is_crowd => &LARGE[..],
                    _ if is_burst => &SMALL[..],
                    0 => &SELDOM[..],
                    _ => &OFTEN[..],
                };
                kinds[rng.usize(..kinds.len())]
            };
            let kinds = (0..count).map(kind).collect();
            User { home: usize::from(rng.u8(0..8) == 0), fails_over: rng.bool(), kinds }
        })
        .collect();
    if rng.u8(0..8) == 0 && users.len() < USERS_MAX {
        // Nothing comes behind a transaction that may never land.
        users.truncate(1);
        let (home, fails_over) = (0, rng.bool());
        users.push(User { home, fails_over, kinds: vec![Kind::Trap] });
        users.push(User { home, fails_over, kinds: vec![Kind::Transfer, Kind::Spring] });
    }
    users
}

/// Lives that end at some send, or at some other call; the operator may be away for long after the last one.
fn lives(rng: &mut Rng, kills: usize, sends: u64) -> Vec<Life> {
    let mut after_ms = 0;
    let mut lives: Vec<Life> = (0..kills)
        .map(|_| {
            let counts_sends = rng.u8(0..4) > 0;
            let at = if counts_sends { rng.u64(1..=sends) } else { rng.u64(1..=40 * sends) };
            let kill = Some(Kill { at, counts_sends, is_after: rng.bool() });
            let life = Life { after_ms, kill };
            after_ms = 1 << rng.u32(7..=14);
            life
        })
        .collect();
    let comes_back = rng.u8(0..3) > 0;
    lives.push(Life { after_ms: if comes_back { after_ms } else { NEVER_MS }, kill: None });
    lives
}
