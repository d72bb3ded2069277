//! Every maximum of the pool.

use std::time::Duration;

/// The pool's bounds; [`Limits::default`] is for a node, tests use smaller ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Waiting transactions in all.
    pub transactions_max: usize,
    /// Raw bytes of the waiting transactions in all.
    pub bytes_max: usize,
    /// Waiting transactions of one sender.
    pub sender_transactions_max: usize,
    /// How far a transaction's nonce may lie ahead of its sender's next one.
    pub nonce_ahead_max: u64,
    /// How long a sender's account counts as known for transactions that wait behind another one of the sender.
    pub account_age_max: Duration,
    /// How long a transaction may wait.
    pub waiting_for: Duration,
    /// Turns at a time, each of another sender.
    pub landings_max: usize,
    /// Consecutive transactions of a sender that are in flight together.
    pub together_max: usize,
    /// Attempts to land a transaction in a turn.
    pub attempts_max: u32,
    /// The delay after the first failed attempt; twice as long after each further one.
    pub retry_delay_min: Duration,
    /// The longest delay between two attempts.
    pub retry_delay_max: Duration,
    /// Landed transactions that are kept visible for the store's sake.
    pub settled_max: usize,
    /// How long such a transaction is kept if the store never answers for it.
    pub settled_for: Duration,
    /// Dropped transactions whose reasons are remembered.
    pub dropped_max: usize,
    /// How often the worker looks after settled, expired and gapped transactions.
    pub tend_interval: Duration,
    /// Settled transactions, and senders with a gap, that it looks after each time.
    pub tended_max: usize,
    /// How long a stop waits for the transactions in flight.
    pub stop_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            transactions_max: 8_192,
            bytes_max: 64 * 1024 * 1024,
            sender_transactions_max: 256,
            nonce_ahead_max: 256,
            // A slot.
            account_age_max: Duration::from_millis(400),
            waiting_for: Duration::from_secs(3 * 60 * 60),
            landings_max: 32,
            together_max: 16,
            attempts_max: 6,
            retry_delay_min: Duration::from_millis(200),
            retry_delay_max: Duration::from_secs(5),
            settled_max: 4_096,
            settled_for: Duration::from_secs(2 * 60),
            dropped_max: 4_096,
            tend_interval: Duration::from_secs(1),
            tended_max: 64,
            stop_max: Duration::from_secs(30),
        }
    }
}
