//! The parts of the run: each starts its nodes, measures, and gives sections of the table.

pub(crate) mod database;
pub(crate) mod reads;
pub(crate) mod sending;
pub(crate) mod subscribers;

use crate::nodes::Tools;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// Rounds, in which the nodes take turns.
    pub(crate) rounds: usize,
    /// How long one node is asked in a round.
    pub(crate) round: Duration,
    /// Accounts that send.
    pub(crate) senders: u64,
    /// Transactions of each sender that are accepted without landing.
    pub(crate) each: u64,
    /// Transactions of each sender that land at once.
    pub(crate) landing_each: u64,
    /// Single transactions whose receipts are waited for.
    pub(crate) receipts: u64,
    /// WebSocket clients.
    pub(crate) subscribers: usize,
    /// Blocks, and logs, that they are told of.
    pub(crate) notifications: usize,
    /// Transactions in the database.
    pub(crate) transactions: u64,
    /// Logs that anvil has.
    pub(crate) anvil_logs: u64,
    /// Selective questions for logs.
    pub(crate) questions: usize,
}

impl Scale {
    /// What the committed table is measured with.
    pub(crate) const FULL: Self = Self {
        rounds: 3,
        round: Duration::from_secs(2),
        senders: 200,
        each: 35,
        landing_each: 10,
        receipts: 100,
        subscribers: 1_000,
        notifications: 10,
        transactions: 1_000_000,
        anvil_logs: 2_000_000,
        questions: 400,
    };
    /// Whether everything works.
    pub(crate) const QUICK: Self = Self {
        rounds: 1,
        round: Duration::from_millis(300),
        senders: 64,
        each: 10,
        landing_each: 1,
        receipts: 5,
        subscribers: 100,
        notifications: 2,
        transactions: 20_000,
        anvil_logs: 20_000,
        questions: 50,
    };
}

/// What all parts work with.
pub(crate) struct Bench {
    /// The programs.
    pub(crate) tools: Tools,
    /// How much.
    pub(crate) scale: Scale,
    start: Instant,
}

impl Bench {
    /// A run that begins now.
    pub(crate) fn new(tools: Tools, scale: Scale) -> Self {
        Self { tools, scale, start: Instant::now() }
    }

    /// Tells what comes next.
    pub(crate) fn tell(&self, what: &str) {
        let elapsed = self.elapsed().as_secs();
        eprintln!("[{:>2}:{:02}] {what}", elapsed / 60, elapsed % 60);
    }

    /// How long the run has taken.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A bar for what takes long.
pub(crate) fn bar(length: u64, of: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} {msg}, {eta} left");
    let bar = ProgressBar::new(length).with_message(of);
    style.map(|style| bar.clone().with_style(style)).unwrap_or(bar)
}
