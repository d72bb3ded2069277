//! The worker: gives senders their turns, lands what is ready, and looks after the rest.

use crate::pool::MemoryPool;
use crate::queue::{DropReason, Ending, Flight};
use crate::verdict::{Verdict, may_pass};
use alloy_primitives::Address;
use parhelion_core::relay::RelayError;
use parhelion_core::transaction::Transaction;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tracing::{Instrument, debug, error, info, info_span, warn};

impl MemoryPool {
    /// Lands transactions until `shutdown` completes; then finishes what is in flight, but waits no longer than
    /// [`Limits::stop_max`](crate::Limits::stop_max). What waits is left in the pool. To be run once.
    pub async fn run(self: Arc<Self>, shutdown: impl Future<Output = ()> + Send) {
        let mut turns = JoinSet::new();
        tokio::select! {
            biased;
            () = shutdown => {}
            () = self.give_turns(&mut turns) => {}
            () = self.tend_forever() => {}
        }
        self.stopping.send_replace(true);
        info!(in_flight = turns.len(), "the pool stops");
        let finished = async { while turns.join_next().await.is_some() {} };
        if timeout(self.limits.stop_max, finished).await.is_err() {
            error!(
                in_flight = turns.len(),
                "the pool stops without waiting any longer for what is in flight"
            );
        }
    }

    /// Gives turns to those who are ready, as many as may be in flight.
    async fn give_turns(self: &Arc<Self>, turns: &mut JoinSet<()>) {
        let landings_max = self.limits.landings_max.max(1);
        loop {
            while turns.len() < landings_max && !self.is_held() {
                let Some(sender) = self.queues().take_turn() else { break };
                let pool = Arc::clone(self);
                turns.spawn(async move { pool.turn(sender).await });
            }
            tokio::select! {
                () = self.work.notified() => {}
                Some(ended) = turns.join_next() => {
                    if let Err(panic) = ended {
                        error!("a turn did not end as it should: {panic}");
                    }
                }
            }
        }
    }

    /// Lands the sender's next transactions, if there are some.
    async fn turn(&self, sender: Address) {
        let mut turn = OpenTurn { pool: self, sender, ending: Some(Ending::Undecided) };
        let account = match self.emulator.account(sender).await {
            Ok(account) => account,
            Err(error) => {
                warn!(%sender, "the sender's nonce cannot be read, its transactions wait: {error}");
                return;
            }
        };
        let Some(flight) = self.queues().begin(&sender, account.nonce, Instant::now()) else {
            // The turn is ended already, and the sender may be at its next one.
            turn.ending = None;
            return;
        };
        turn.ending = Some(Ending::Dropped(DropReason::Interrupted));
        let Some(hash) = flight.transactions.first().map(Transaction::hash) else { return };
        // All that is told on the way names the transaction.
        let span = info_span!("land", transaction = %hash);
        let ending = self.land(&flight).instrument(span).await;
        match &ending {
            Ending::Settled { count, .. } => debug!(%hash, %sender, count, "landed"),
            Ending::Dropped(reason @ DropReason::NonceUsed) => warn!(%hash, %sender, "dropped: {reason}"),
            Ending::Dropped(reason) => error!(%hash, %sender, "dropped: {reason}"),
            Ending::Gapped => warn!(%hash, %sender, "its nonce is not next yet, it waits"),
            Ending::Undecided => info!(%hash, %sender, "not landed in this turn, it waits"),
        }
        turn.ending = Some(ending);
    }

    /// Lands the transactions of a flight, or finds out that the first one cannot land. The others have another turn then.
    async fn land(&self, flight: &Flight) -> Ending {
        let mut stopping = self.stopping.subscribe();
        let mut delay = self.limits.retry_delay_min;
        let mut transactions = flight.transactions.as_slice();
        for attempt in 1.. {
            let error = match self.relay.land_together(transactions).await {
                Ok(count) => return Ending::Settled { count, others_are_fresh: attempt == 1 },
                Err(error) => error,
            };
            if let Some(ending) = self.ending(attempt, flight.had_a_turn, &error) {
                return ending;
            }
            // Whatever the trouble is, it has the best chance alone.
            transactions = transactions.get(..1).unwrap_or(transactions);
            warn!(attempt, "not landed, trying again in {delay:?}: {error}");
            let stops = timeout(delay, stopping.wait_for(|stops| *stops)).await.is_ok();
            if stops {
                return Ending::Undecided;
            }
            delay = self.limits.retry_delay_max.min(delay * 2);
        }
        Ending::Undecided
    }

    /// What a failed attempt means; `None` to try again.
    fn ending(&self, attempt: u32, had_a_turn: bool, error: &RelayError) -> Option<Ending> {
        let is_last = attempt >= self.limits.attempts_max;
        match Verdict::of(error) {
            Verdict::Retry if is_last => Some(Ending::Undecided),
            Verdict::NonceAhead if is_last => Some(Ending::Gapped),
            Verdict::Retry | Verdict::NonceAhead => None,
            // An earlier attempt may have landed without telling.
            Verdict::NonceUsed if attempt > 1 || had_a_turn => {
                Some(Ending::Settled { count: 1, others_are_fresh: false })
            }
            Verdict::NonceUsed => Some(Ending::Dropped(DropReason::NonceUsed)),
            Verdict::Refuse => Some(Ending::Dropped(DropReason::Refused(error.clone()))),
        }
    }

    /// Looks after settled, expired and gapped transactions from time to time.
    async fn tend_forever(&self) {
        let mut ticks = interval(self.limits.tend_interval.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.tend().await;
        }
    }

    async fn tend(&self) {
        let settled = self.queues().settled_to_ask_about();
        for hash in settled {
            let found = match self.store.executed(hash).await {
                Ok(executed) => executed.is_some(),
                Err(error) => {
                    warn!("the store cannot be asked about landed transactions: {error}");
                    break;
                }
            };
            let overdue = self.queues().settled_in_store(&hash, found, Instant::now());
            if let Some(transaction) = overdue {
                self.look_for(transaction).await;
            }
        }
        for hash in self.queues().expire(Instant::now()) {
            warn!(%hash, "dropped: {}", DropReason::Expired);
        }
        self.queues().wake();
        self.work.notify_one();
    }

    /// Finds out what became of a transaction that counts as landed, and that the store does not have: it landed on a fork
    /// that the cluster has dropped, or another one with its nonce did.
    async fn look_for(&self, transaction: Transaction) {
        let hash = transaction.hash();
        match self.bring_back(transaction).await {
            Ok(()) => warn!(%hash, "it landed, but the chain does not have it: once more"),
            Err(error) if may_pass(&error) => {
                warn!(%hash, %error, "it landed, but the store does not have it yet");
            }
            Err(error) => error!(%hash, %error, "it landed, but the store does not have it: given up"),
        }
    }
}

/// Ends a turn in any case, be it by a panic or by an abort.
struct OpenTurn<'a> {
    pool: &'a MemoryPool,
    sender: Address,
    ending: Option<Ending>,
}

impl Drop for OpenTurn<'_> {
    fn drop(&mut self) {
        self.pool.accounts().forget(&self.sender);
        if let Some(ending) = self.ending.take() {
            self.pool.queues().finish(&self.sender, ending, Instant::now());
        }
        self.pool.ended.notify_waiters();
    }
}
