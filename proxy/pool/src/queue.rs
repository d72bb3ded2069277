//! The queues: which transactions wait, whose turn it is, what became of the others. No I/O, no clock.

use crate::eviction;
use crate::limits::Limits;
use crate::line::Line;
use crate::recent::Recent;
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256};
use parhelion_core::emulator::AccountState;
use parhelion_core::pool::{self, PoolError};
use parhelion_core::relay::RelayError;
use parhelion_core::transaction::Transaction;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound::{Excluded, Unbounded};
use std::ops::Range;
use tokio::time::Instant;

/// The state of a transaction, see the [states](crate#the-states-of-a-transaction).
#[derive(Clone, Debug)]
pub enum Status {
    /// A nonce before its own is missing.
    Gapped,
    /// It will have its turn.
    Ready,
    /// Handed to the relay.
    InFlight,
    /// Landed, as far as known; the store does not have it yet.
    Settled,
    /// It will not land from here.
    Dropped(DropReason),
}

/// Why a transaction was dropped.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DropReason {
    /// Its sender replaced it.
    #[error("replaced by {by}")]
    Replaced {
        /// The transaction that took its place.
        by: B256,
    },
    /// It waited for [`Limits::waiting_for`].
    #[error("it waited too long")]
    Expired,
    /// Another transaction of its sender used its nonce, or another proxy landed it.
    #[error("its nonce was used meanwhile")]
    NonceUsed,
    /// The pool was full, and others paid more.
    #[error("the pool was full, and others paid more")]
    Evicted,
    /// It cannot land.
    #[error("{0}")]
    Refused(RelayError),
    /// The pool was stopped, or failed, while it was in flight. It may have landed.
    #[error("interrupted while it was in flight; it may have landed")]
    Interrupted,
}

/// How much is in the pool, and what it lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Transactions that will have their turn, or have it.
    pub pending: usize,
    /// Transactions before which a nonce is missing.
    pub queued: usize,
    /// Transactions that were dropped since the start, for whatever reason.
    pub dropped: u64,
}

/// How a turn ended.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// Transactions landed, or most likely did.
    Settled {
        /// How many, from the first one in flight on.
        count: usize,
        /// Whether it is certain that the others were not sent.
        others_are_fresh: bool,
    },
    /// The first one in flight will not land.
    Dropped(DropReason),
    /// A nonce before it is missing, although it did not look so.
    Gapped,
    /// It may have landed or not, and has another turn later.
    Undecided,
}

/// What the worker does for a sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing: nothing waits, or a nonce is missing.
    Idle,
    /// The sender is in line.
    Ready,
    /// The sender is in the line of those who are tried again.
    Again,
    /// A turn runs.
    Running {
        /// The nonces in flight; none before they are known.
        in_flight: Range<u64>,
        /// Whether it is tried again.
        is_again: bool,
    },
}

impl Turn {
    /// Whether a nonce is in flight.
    pub(crate) fn has(&self, nonce: u64) -> bool {
        matches!(self, Self::Running { in_flight, .. } if in_flight.contains(&nonce))
    }
}

/// A transaction that was admitted.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) transaction: Transaction,
    /// What it pays to the operator, in wei per gas, at the base fee of the time when it came.
    pub(crate) priority_fee: u128,
    /// Its sender's account in the state.
    pub(crate) account: AccountState,
}

impl Candidate {
    pub(crate) fn nonce(&self) -> u64 {
        self.transaction.inner().nonce()
    }
}

/// Transactions of a sender that go into flight together.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    /// In the order of their nonces, which are consecutive; at least one.
    pub(crate) transactions: Vec<Transaction>,
    /// Whether the first had a turn before.
    pub(crate) had_a_turn: bool,
}

#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) transaction: Transaction,
    /// See [`Candidate::priority_fee`].
    pub(crate) priority_fee: u128,
    since: Instant,
    /// Whether it had a turn: then it may have landed without an answer.
    pub(crate) had_a_turn: bool,
}

/// What the pool has of one sender.
#[derive(Debug)]
pub(crate) struct Queue {
    /// The nonce that lands next, as far as known: the state that was read may be older than the newest landing.
    pub(crate) next: u64,
    pub(crate) waiting: BTreeMap<u64, Waiting>,
    pub(crate) turn: Turn,
    /// How many of the settled transactions are this sender's. As long as there are some, `next` is kept.
    settled: usize,
}

#[derive(Clone, Debug)]
struct Settled {
    transaction: Transaction,
    since: Instant,
}

/// All queues.
#[derive(Debug)]
pub(crate) struct Queues {
    pub(crate) limits: Limits,
    senders: BTreeMap<Address, Queue>,
    /// Sender and nonce of each waiting transaction.
    places: HashMap<B256, (Address, u64)>,
    /// Raw bytes of the waiting transactions.
    bytes: usize,
    line: Line,
    /// How many turns run in which something is tried again.
    running_again: usize,
    settled: Recent<Settled>,
    dropped: Recent<DropReason>,
    /// How many were dropped, remembered or not.
    dropped_count: u64,
    /// The sender that was looked after last.
    tended: Address,
}

impl Queues {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            senders: BTreeMap::new(),
            places: HashMap::new(),
            bytes: 0,
            line: Line::default(),
            running_again: 0,
            settled: Recent::new(limits.settled_max),
            dropped: Recent::new(limits.dropped_max),
            dropped_count: 0,
            tended: Address::ZERO,
        }
    }

    /// A transaction that waits or is settled.
    pub(crate) fn transaction(&self, hash: &B256) -> Option<&Transaction> {
        match self.places.get(hash) {
            Some((sender, nonce)) => self.waiting(sender, *nonce),
            None => self.settled.get(hash).map(|settled| &settled.transaction),
        }
    }

    pub(crate) fn status(&self, hash: &B256) -> Option<Status> {
        let Some((sender, nonce)) = self.places.get(hash) else {
            let settled = self.settled.get(hash).map(|_| Status::Settled);
            return settled.or_else(|| self.dropped.get(hash).cloned().map(Status::Dropped));
        };
        let queue = self.senders.get(sender)?;
        Some(match &queue.turn {
            turn if turn.has(*nonce) => Status::InFlight,
            _ if *nonce < queue.next_free(queue.next) => Status::Ready,
            _ => Status::Gapped,
        })
    }

    /// The waiting transaction with a nonce.
    pub(crate) fn waiting(&self, sender: &Address, nonce: u64) -> Option<&Transaction> {
        self.senders.get(sender)?.waiting.get(&nonce).map(|waiting| &waiting.transaction)
    }

    /// The sender's waiting transactions from a nonce on.
    pub(crate) fn waiting_from(&self, sender: &Address, nonce: u64) -> impl Iterator<Item = &Transaction> {
        let queue = self.senders.get(sender);
        queue
            .into_iter()
            .flat_map(move |queue| queue.waiting.range(nonce..))
            .map(|(_, waiting)| &waiting.transaction)
    }

    pub(crate) fn size(&self) -> Size {
        let pending = self.senders.values().map(Queue::pending).sum();
        Size { pending, queued: self.places.len().saturating_sub(pending), dropped: self.dropped_count }
    }

    /// What waits, of everybody or of one sender, by sender and nonce.
    pub(crate) fn content(&self, sender: Option<Address>) -> Vec<pool::Waiting> {
        let one = sender.and_then(|sender| self.senders.get(&sender));
        let all = self.senders.values().filter(|_| sender.is_none());
        one.into_iter().chain(all).flat_map(Queue::content).collect()
    }

    /// The sender's next nonce, given that of a state that was read.
    pub(crate) fn next(&self, sender: &Address, read: u64) -> u64 {
        self.senders.get(sender).map_or(read, |queue| queue.next.max(read))
    }

    /// The first nonce that neither is used nor waits, given the next one of a state that was read.
    pub(crate) fn next_free(&self, sender: &Address, read: u64) -> u64 {
        self.senders.get(sender).map_or(read, |queue| queue.next_free(queue.next.max(read)))
    }

    pub(crate) fn is_in_flight(&self, sender: &Address, nonce: u64) -> bool {
        self.senders.get(sender).is_some_and(|queue| queue.turn.has(nonce))
    }

    /// Which transactions have to go so that one more fits.
    ///
    /// # Errors
    /// When it does not fit, whoever goes.
    pub(crate) fn room_for(&self, candidate: &Candidate) -> Result<Vec<B256>, PoolError> {
        let of_sender =
            self.senders.get(&candidate.transaction.sender()).map_or(0, |queue| queue.waiting.len());
        if of_sender >= self.limits.sender_transactions_max {
            return Err(PoolError::Full);
        }
        let room = eviction::Room {
            transactions: self.limits.transactions_max.saturating_sub(self.places.len()),
            bytes: self.limits.bytes_max.saturating_sub(self.bytes),
        };
        let is_gapped =
            self.next_free(&candidate.transaction.sender(), candidate.account.nonce) < candidate.nonce();
        eviction::victims(&self.senders, room, candidate, is_gapped)
    }

    /// Drops a transaction for one that pays more.
    pub(crate) fn evict(&mut self, hash: &B256) {
        if let Some((sender, nonce)) = self.places.get(hash).copied() {
            self.drop_waiting(&sender, nonce, DropReason::Evicted);
            self.forget_if_empty(&sender);
        }
    }

    /// Adds a transaction that was admitted.
    pub(crate) fn insert(&mut self, candidate: Candidate, now: Instant) {
        let (nonce, read) = (candidate.nonce(), candidate.account.nonce);
        let Candidate { transaction, priority_fee, .. } = candidate;
        let (sender, hash) = (transaction.sender(), transaction.hash());
        if let Some(replaced) = self.remove(&sender, nonce) {
            self.note_dropped(replaced.hash(), DropReason::Replaced { by: hash });
        }
        self.dropped.remove(&hash);
        self.bytes += transaction.raw().len();
        self.places.insert(hash, (sender, nonce));
        let queue = self.senders.entry(sender).or_insert_with(Queue::new);
        queue.next = queue.next.max(read);
        queue.waiting.insert(nonce, Waiting { transaction, priority_fee, since: now, had_a_turn: false });
        self.schedule(&sender);
    }

    /// The sender whose turn it is; to be followed by [`Self::begin`] or [`Self::finish`].
    ///
    /// What is tried again has half of the turns at most.
    pub(crate) fn take_turn(&mut self) -> Option<Address> {
        let may_try_again = self.running_again < self.limits.landings_max.div_ceil(2);
        let again = may_try_again.then(|| self.line.next_again()).flatten();
        let sender = again.or_else(|| self.line.next())?;
        let is_again = again.is_some();
        self.running_again += usize::from(is_again);
        self.senders.entry(sender).or_insert_with(Queue::new).turn =
            Turn::Running { in_flight: 0..0, is_again };
        Some(sender)
    }

    /// Takes the transactions that land next into flight, given the sender's nonce in the state; or ends the turn
    /// when there is none.
    pub(crate) fn begin(&mut self, sender: &Address, read: u64, now: Instant) -> Option<Flight> {
        let waiting = &self.senders.get(sender)?.waiting;
        let used: Vec<(u64, bool)> =
            waiting.range(..read).map(|(nonce, waiting)| (*nonce, waiting.had_a_turn)).collect();
        for (nonce, had_a_turn) in used {
            match had_a_turn {
                true => self.settle(sender, nonce, now),
                false => self.drop_waiting(sender, nonce, DropReason::NonceUsed),
            }
        }
        let together_max = self.limits.together_max;
        let queue = self.senders.get_mut(sender)?;
        queue.next = queue.next.max(read);
        let Some((nonces, flight)) = queue.fly(together_max) else {
            self.end_turn(sender);
            self.forget_if_empty(sender);
            return None;
        };
        if let Turn::Running { in_flight, .. } = &mut queue.turn {
            *in_flight = nonces;
        }
        Some(flight)
    }

    /// Ends a turn.
    pub(crate) fn finish(&mut self, sender: &Address, ending: Ending, now: Instant) {
        let Some(Range { start: nonce, end }) = self.end_turn(sender) else { return };
        let Some(queue) = self.senders.get_mut(sender) else { return };
        let has_flown = nonce < end;
        let goes_on = match ending {
            Ending::Settled { count, others_are_fresh } if has_flown => {
                let landed_to = end.min(nonce.saturating_add(count as u64));
                queue.next = queue.next.max(landed_to);
                for (_, waiting) in queue.waiting.range_mut(landed_to..end) {
                    waiting.had_a_turn &= !others_are_fresh;
                }
                (nonce..landed_to).for_each(|nonce| self.settle(sender, nonce, now));
                true
            }
            Ending::Dropped(reason) if has_flown => {
                if matches!(reason, DropReason::NonceUsed) {
                    queue.next = queue.next.max(nonce.saturating_add(1));
                }
                self.drop_waiting(sender, nonce, reason);
                true
            }
            Ending::Gapped if has_flown => {
                // What was known of the next nonce is wrong; the next reading will tell.
                queue.next = 0;
                false
            }
            // Tried again when the worker looks after those who wait.
            _ => false,
        };
        if goes_on {
            self.schedule(sender);
        }
        self.forget_if_empty(sender);
    }

    /// Makes a sender idle whose turn runs, and gives the nonces that were in flight.
    fn end_turn(&mut self, sender: &Address) -> Option<Range<u64>> {
        let queue = self.senders.get_mut(sender)?;
        let Turn::Running { in_flight, is_again } = &queue.turn else { return None };
        self.running_again = self.running_again.saturating_sub(usize::from(*is_again));
        let in_flight = in_flight.clone();
        queue.turn = Turn::Idle;
        Some(in_flight)
    }

    /// Whether somebody has a turn, or is to get one; nobody gets one while the pool `is_held`.
    pub(crate) fn has_turns(&self, is_held: bool) -> bool {
        let runs = |queue: &Queue| matches!(queue.turn, Turn::Running { .. });
        (!is_held && !self.line.is_empty()) || self.senders.values().any(runs)
    }

    /// The settled transactions that the store was not asked about for the longest time.
    pub(crate) fn settled_to_ask_about(&self) -> Vec<B256> {
        self.settled.iter().take(self.limits.tended_max).map(|(hash, _)| *hash).collect()
    }

    /// What the store answered about a settled transaction. Gives it when it should have found it by now; that is told
    /// again after as long.
    pub(crate) fn settled_in_store(&mut self, hash: &B256, found: bool, now: Instant) -> Option<Transaction> {
        let mut settled = self.settled.remove(hash)?;
        if found {
            self.unsettle(&settled.transaction.sender());
            return None;
        }
        let is_overdue = now.saturating_duration_since(settled.since) > self.limits.settled_for;
        if is_overdue {
            settled.since = now;
        }
        let overdue = is_overdue.then(|| settled.transaction.clone());
        self.settled.insert(*hash, settled);
        overdue
    }

    /// Forgets that a transaction landed: the chain does not have it any more, and its nonce may be the next again.
    pub(crate) fn reopen(&mut self, hash: &B256, sender: &Address, nonce: u64) {
        if let Some(queue) = self.senders.get_mut(sender) {
            queue.next = queue.next.min(nonce);
        }
        if self.settled.remove(hash).is_some() {
            self.unsettle(sender);
        }
    }

    /// Drops those that waited too long, and gives them.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<B256> {
        let mut expired = Vec::new();
        for (sender, queue) in &self.senders {
            let old = queue.waiting.iter().filter(|(nonce, waiting)| {
                let age = now.saturating_duration_since(waiting.since);
                age > self.limits.waiting_for && !queue.turn.has(**nonce)
            });
            expired.extend(old.map(|(nonce, waiting)| (*sender, *nonce, waiting.transaction.hash())));
        }
        for (sender, nonce, _) in &expired {
            self.drop_waiting(sender, *nonce, DropReason::Expired);
            self.forget_if_empty(sender);
        }
        expired.into_iter().map(|(_, _, hash)| hash).collect()
    }

    /// Gives a turn to senders whose transactions wait idly, a few at a time: their state may have changed.
    pub(crate) fn wake(&mut self) {
        let idle = |(sender, queue): (&Address, &Queue)| {
            (queue.turn == Turn::Idle && !queue.waiting.is_empty()).then_some(*sender)
        };
        let behind = self.senders.range((Excluded(self.tended), Unbounded)).filter_map(idle);
        let before = self.senders.range(..=self.tended).filter_map(idle);
        let woken: Vec<Address> = behind.chain(before).take(self.limits.tended_max).collect();
        for sender in woken {
            self.tended = sender;
            if let Some(queue) = self.senders.get_mut(&sender) {
                queue.turn = Turn::Again;
                self.line.join_again(sender);
            }
        }
    }

    /// Puts a sender in line if the next nonce waits; one that is there already may get a better place.
    fn schedule(&mut self, sender: &Address) {
        let Some(queue) = self.senders.get_mut(sender) else { return };
        if matches!(queue.turn, Turn::Idle | Turn::Ready)
            && let Some(first) = queue.first_ready()
        {
            self.line.join(*sender, first.priority_fee);
            queue.turn = Turn::Ready;
        }
    }

    fn settle(&mut self, sender: &Address, nonce: u64, now: Instant) {
        let Some(transaction) = self.remove(sender, nonce) else { return };
        if let Some(queue) = self.senders.get_mut(sender) {
            queue.settled += 1;
        }
        let settled = Settled { since: now, transaction };
        if let Some(evicted) = self.settled.insert(settled.transaction.hash(), settled) {
            self.unsettle(&evicted.transaction.sender());
        }
    }

    /// One settled transaction of the sender less.
    fn unsettle(&mut self, sender: &Address) {
        if let Some(queue) = self.senders.get_mut(sender) {
            queue.settled = queue.settled.saturating_sub(1);
        }
        self.forget_if_empty(sender);
    }

    fn drop_waiting(&mut self, sender: &Address, nonce: u64, reason: DropReason) {
        if let Some(transaction) = self.remove(sender, nonce) {
            self.note_dropped(transaction.hash(), reason);
        }
    }

    fn note_dropped(&mut self, hash: B256, reason: DropReason) {
        self.dropped.insert(hash, reason);
        self.dropped_count = self.dropped_count.saturating_add(1);
    }

    fn remove(&mut self, sender: &Address, nonce: u64) -> Option<Transaction> {
        let waiting = self.senders.get_mut(sender)?.waiting.remove(&nonce)?;
        self.places.remove(&waiting.transaction.hash());
        self.bytes -= waiting.transaction.raw().len();
        Some(waiting.transaction)
    }

    fn forget_if_empty(&mut self, sender: &Address) {
        let empty =
            |queue: &Queue| queue.waiting.is_empty() && queue.settled == 0 && queue.turn == Turn::Idle;
        if self.senders.get(sender).is_some_and(empty) {
            self.senders.remove(sender);
        }
    }
}

impl Queue {
    const fn new() -> Self {
        Self { next: 0, waiting: BTreeMap::new(), turn: Turn::Idle, settled: 0 }
    }

    /// The transaction with the lowest nonce, if no nonce is missing before it.
    fn first_ready(&self) -> Option<&Waiting> {
        let (nonce, waiting) = self.waiting.first_key_value()?;
        (*nonce <= self.next).then_some(waiting)
    }

    /// The transactions that go into flight next, and their nonces. What had a turn flies alone: whatever was wrong, it is
    /// not to be the others' trouble, and what may have landed is not to be sent with what has not.
    fn fly(&mut self, together_max: usize) -> Option<(Range<u64>, Flight)> {
        let had_a_turn = self.first_ready()?.had_a_turn;
        let count = if had_a_turn { 1 } else { together_max.max(1) };
        let mut transactions = Vec::new();
        let (&first, _) = self.waiting.first_key_value()?;
        let mut end = first;
        for (nonce, waiting) in self.waiting.iter_mut().take(count) {
            if *nonce != end || (waiting.had_a_turn && *nonce != first) {
                break;
            }
            waiting.had_a_turn = true;
            transactions.push(waiting.transaction.clone());
            end = end.saturating_add(1);
        }
        Some((first..end, Flight { transactions, had_a_turn }))
    }

    fn content(&self) -> impl Iterator<Item = pool::Waiting> {
        let free = self.next_free(self.next);
        self.waiting.iter().map(move |(nonce, waiting)| pool::Waiting {
            transaction: waiting.transaction.clone(),
            is_gapped: *nonce >= free,
        })
    }

    /// How many wait without a gap before them.
    fn pending(&self) -> usize {
        self.waiting.range(..self.next_free(self.next)).count()
    }

    /// The first nonce from `next` on that does not wait.
    pub(crate) fn next_free(&self, next: u64) -> u64 {
        let mut free = next;
        for nonce in self.waiting.range(next..).map(|(nonce, _)| *nonce) {
            if nonce != free {
                break;
            }
            free = free.saturating_add(1);
        }
        free
    }
}
