//! The queues: which transactions wait, whose turn it is, what became of the others. No I/O, no clock.

use crate::limits::Limits;
use crate::recent::Recent;
use alloy_primitives::{Address, B256};
use parhelion_core::pool;
use parhelion_core::relay::RelayError;
use parhelion_core::transaction::Transaction;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};
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
    /// The transaction landed, or most likely did.
    Settled,
    /// It will not land.
    Dropped(DropReason),
    /// A nonce before it is missing, although it did not look so.
    Gapped,
    /// It may have landed or not, and has another turn later.
    Undecided,
}

/// What the worker does for a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Nothing: nothing waits, or a nonce is missing.
    Idle,
    /// The sender is in the list of those who are ready.
    Ready,
    /// A turn runs; the nonce in flight, once it is known.
    Running(Option<u64>),
}

#[derive(Debug)]
struct Waiting {
    transaction: Transaction,
    since: Instant,
    /// Whether it had a turn: then it may have landed without an answer.
    had_a_turn: bool,
}

/// What the pool has of one sender.
#[derive(Debug)]
struct Queue {
    /// The nonce that lands next, as far as known: the state that was read may be older than the newest landing.
    next: u64,
    waiting: BTreeMap<u64, Waiting>,
    turn: Turn,
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
    ready: VecDeque<Address>,
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
            ready: VecDeque::new(),
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
        Some(match queue.turn {
            Turn::Running(Some(in_flight)) if in_flight == *nonce => Status::InFlight,
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
        self.senders.get(sender).is_some_and(|queue| queue.turn == Turn::Running(Some(nonce)))
    }

    /// Whether one more transaction fits.
    pub(crate) fn has_room(&self, transaction: &Transaction) -> bool {
        let of_sender = self.senders.get(&transaction.sender()).map_or(0, |queue| queue.waiting.len());
        of_sender < self.limits.sender_transactions_max
            && self.places.len() < self.limits.transactions_max
            && self.bytes.saturating_add(transaction.raw().len()) <= self.limits.bytes_max
    }

    /// Adds a transaction that was admitted; `read` is its sender's nonce in the state.
    pub(crate) fn insert(&mut self, transaction: Transaction, nonce: u64, read: u64, now: Instant) {
        let (sender, hash) = (transaction.sender(), transaction.hash());
        if let Some(replaced) = self.remove(&sender, nonce) {
            self.note_dropped(replaced.hash(), DropReason::Replaced { by: hash });
        }
        self.dropped.remove(&hash);
        self.bytes += transaction.raw().len();
        self.places.insert(hash, (sender, nonce));
        let queue = self.senders.entry(sender).or_insert_with(Queue::new);
        queue.next = queue.next.max(read);
        queue.waiting.insert(nonce, Waiting { transaction, since: now, had_a_turn: false });
        self.schedule(&sender);
    }

    /// The sender whose turn it is; to be followed by [`Self::begin`] or [`Self::finish`].
    pub(crate) fn take_turn(&mut self) -> Option<Address> {
        let sender = self.ready.pop_front()?;
        self.senders.entry(sender).or_insert_with(Queue::new).turn = Turn::Running(None);
        Some(sender)
    }

    /// Takes the transaction that lands next into flight, given the sender's nonce in the state; or ends the turn
    /// when there is none. Tells whether it had a turn before.
    pub(crate) fn begin(&mut self, sender: &Address, read: u64, now: Instant) -> Option<(Transaction, bool)> {
        let waiting = &self.senders.get(sender)?.waiting;
        let used: Vec<(u64, bool)> =
            waiting.range(..read).map(|(nonce, waiting)| (*nonce, waiting.had_a_turn)).collect();
        for (nonce, had_a_turn) in used {
            match had_a_turn {
                true => self.settle(sender, nonce, now),
                false => self.drop_waiting(sender, nonce, DropReason::NonceUsed),
            }
        }
        let queue = self.senders.get_mut(sender)?;
        queue.next = queue.next.max(read);
        let Some((nonce, waiting)) = queue.first_ready() else {
            queue.turn = Turn::Idle;
            self.forget_if_empty(sender);
            return None;
        };
        let had_a_turn = std::mem::replace(&mut waiting.had_a_turn, true);
        let transaction = waiting.transaction.clone();
        queue.turn = Turn::Running(Some(nonce));
        Some((transaction, had_a_turn))
    }

    /// Ends a turn.
    pub(crate) fn finish(&mut self, sender: &Address, ending: Ending, now: Instant) {
        let Some(queue) = self.senders.get_mut(sender) else { return };
        let Turn::Running(in_flight) = queue.turn else { return };
        queue.turn = Turn::Idle;
        let goes_on = match (in_flight, ending) {
            (Some(nonce), Ending::Settled) => {
                queue.next = queue.next.max(nonce.saturating_add(1));
                self.settle(sender, nonce, now);
                true
            }
            (Some(nonce), Ending::Dropped(reason)) => {
                if matches!(reason, DropReason::NonceUsed) {
                    queue.next = queue.next.max(nonce.saturating_add(1));
                }
                self.drop_waiting(sender, nonce, reason);
                true
            }
            (Some(_), Ending::Gapped) => {
                // What was known of the next nonce is wrong; the next reading will tell.
                queue.next = 0;
                false
            }
            // Tried again when the worker looks after those who wait.
            (None, _) | (_, Ending::Undecided) => false,
        };
        if goes_on {
            self.schedule(sender);
        }
        self.forget_if_empty(sender);
    }

    /// Whether somebody has a turn, or is to get one; nobody gets one while the pool `is_held`.
    pub(crate) fn has_turns(&self, is_held: bool) -> bool {
        let runs = |queue: &Queue| matches!(queue.turn, Turn::Running(_));
        (!is_held && !self.ready.is_empty()) || self.senders.values().any(runs)
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
                age > self.limits.waiting_for && queue.turn != Turn::Running(Some(**nonce))
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
                queue.turn = Turn::Ready;
                self.ready.push_back(sender);
            }
        }
    }

    /// Lists an idle sender as ready if the next nonce waits.
    fn schedule(&mut self, sender: &Address) {
        let Some(queue) = self.senders.get_mut(sender) else { return };
        if queue.turn == Turn::Idle && queue.first_ready().is_some() {
            queue.turn = Turn::Ready;
            self.ready.push_back(*sender);
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
    fn first_ready(&mut self) -> Option<(u64, &mut Waiting)> {
        let (nonce, waiting) = self.waiting.iter_mut().next()?;
        (*nonce <= self.next).then_some((*nonce, waiting))
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
    fn next_free(&self, next: u64) -> u64 {
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
