//! Lets calls through one at a time, in an order that the seed decides.

use fastrand::Rng;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep};

/// The longest time from one call to the next, in milliseconds.
const PAUSE_MS_MAX: u64 = 30;

/// What calls are ordered by before one is drawn: equal ones are interchangeable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Whose call it is.
    pub caller: u32,
    /// A hash of what it asks for.
    pub content: u64,
}

/// Calls that wait until they are let through.
#[derive(Debug, Default)]
pub struct Gate {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    /// By key and, among equal ones, by arrival.
    calls: BTreeMap<(Key, u64), Call>,
    arrivals: u64,
}

/// A call that waits.
#[derive(Debug)]
struct Call {
    since: Instant,
    turn: oneshot::Sender<()>,
}

impl Gate {
    /// Waits to be let through.
    pub async fn pass(&self, key: Key) {
        let turn = self.arrive(key);
        self.arrived.notify_one();
        // An error means that the gatekeeper is gone, and with it everything else.
        let _ = turn.await;
    }

    fn arrive(&self, key: Key) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting();
        waiting.arrivals += 1;
        let arrival = waiting.arrivals;
        waiting.calls.insert((key, arrival), Call { since: Instant::now(), turn: sender });
        receiver
    }

    /// Lets calls through, for ever.
    pub async fn keep(&self, mut rng: Rng) {
        loop {
            if self.waiting().calls.is_empty() {
                self.arrived.notified().await;
            }
            // Time is paused: this ends when nothing else can go on, no thread computes, and all calls have arrived.
            sleep(Duration::from_millis(rng.u64(1..=PAUSE_MS_MAX))).await;
            self.open(&mut rng);
        }
    }

    /// Lets one through. Those that arrived at this very moment wait: others may be about to.
    fn open(&self, rng: &mut Rng) {
        let mut waiting = self.waiting();
        let now = Instant::now();
        let mut calls: Vec<_> =
            waiting.calls.iter().filter(|(_, call)| call.since < now).map(|(place, _)| *place).collect();
        while !calls.is_empty() {
            let chosen = calls.remove(rng.usize(..calls.len()));
            // The caller may be gone: its node was killed.
            if waiting.calls.remove(&chosen).is_some_and(|call| call.turn.send(()).is_ok()) {
                return;
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
