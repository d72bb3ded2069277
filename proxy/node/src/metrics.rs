//! What Prometheus reads of the node beside JSON-RPC: pool, indexer, what landed.
//!
//! Counters begin with the process, as Prometheus expects it. What landed is counted as the indexer sees it, whoever sent
//! it; a node that catches up counts what it missed.

use parhelion_core::feed::ChainEvent;
use parhelion_core::store::Executed;
use parhelion_core::transaction::Transaction;
use parhelion_pool::Size;
use parhelion_wire::event::Outcome;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::fmt;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

/// Every metric's name begins so.
const PREFIX: &str = "parhelion";

/// Names and values of the labels of all outcomes.
const OUTCOMES: [(Outcome, &str); 5] = [
    (Outcome::Success, "success"),
    (Outcome::Revert, "revert"),
    (Outcome::Halt, "halt"),
    (Outcome::OutOfRentGas, "out_of_rent_gas"),
    (Outcome::Cancelled, "cancelled"),
];

/// How a transaction ended.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Ended {
    outcome: &'static str,
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        let named = OUTCOMES.iter().find(|(other, _)| *other == outcome);
        Self { outcome: named.map_or("other", |(_, name)| name) }
    }
}

/// A registry that says which version runs.
pub(crate) fn registry() -> Registry {
    let mut registry = Registry::with_prefix(PREFIX);
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "The version that runs", version);
    registry
}

/// Counts what happens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    accepted: Counter,
    landed: Family<Ended, Counter>,
    solana_transactions: Counter,
    compute_units: Counter,
    gas: Counter,
}

impl Counters {
    /// Counters that are read from `registry`.
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let counters = Self::default();
        for (outcome, _) in OUTCOMES {
            let _ = counters.landed.get_or_create(&outcome.into());
        }
        let accepted = "Transactions that the pool accepted";
        registry.register("transactions_accepted", accepted, counters.accepted.clone());
        let landed = "Transactions in blocks, by outcome; all but success have status 0";
        registry.register("transactions_landed", landed, counters.landed.clone());
        let solana =
            "Solana transactions that the landed transactions took, as far as their receipts list them";
        registry.register("solana_transactions", solana, counters.solana_transactions.clone());
        let units = "Compute units that the landed transactions took";
        registry.register("solana_compute_units", units, counters.compute_units.clone());
        registry.register("gas_used", "Gas that the landed transactions used", counters.gas.clone());
        counters
    }

    /// Counts until `shutdown` completes, or nothing happens any more.
    pub(crate) async fn run(
        self,
        mut accepted: Receiver<Transaction>,
        mut chain: Receiver<ChainEvent>,
        shutdown: impl Future<Output = ()> + Send,
    ) {
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => return,
                accepted = accepted.recv() => match accepted {
                    Ok(_) => drop(self.accepted.inc()),
                    Err(RecvError::Lagged(missed)) => drop(self.accepted.inc_by(missed)),
                    Err(RecvError::Closed) => return,
                },
                event = chain.recv() => match event {
                    Ok(ChainEvent::Added(block)) => {
                        block.transactions.iter().for_each(|executed| self.landed(executed));
                    }
                    // What was counted stays counted: counters only rise.
                    Ok(ChainEvent::Removed(_)) => {}
                    Err(RecvError::Lagged(blocks)) => tracing::debug!(blocks, "blocks are missing from the metrics"),
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }

    fn landed(&self, executed: &Executed) {
        self.landed.get_or_create(&executed.outcome.into()).inc();
        self.solana_transactions.inc_by(executed.signatures.len() as u64);
        self.compute_units.inc_by(executed.total_compute_units);
        self.gas.inc_by(executed.gas_used);
    }
}

/// What is looked up when Prometheus asks.
pub(crate) struct Gauges {
    /// Looks into the pool.
    pub(crate) pool: Box<dyn Fn() -> Size + Send + Sync>,
    /// The number of the newest block in the store.
    pub(crate) newest_block: watch::Receiver<u64>,
    /// The cluster's newest slot.
    pub(crate) newest_slot: watch::Receiver<u64>,
}

impl Gauges {
    /// Reads them from `registry`.
    pub(crate) fn register(self, registry: &mut Registry) {
        registry.register_collector(Box::new(self));
    }
}

impl fmt::Debug for Gauges {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gauges").finish_non_exhaustive()
    }
}

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let size = (self.pool)();
        let help = "Transactions that wait: pending ones have their turn, queued ones lack a nonce";
        let mut family = encoder.encode_descriptor("pool_transactions", help, None, MetricType::Gauge)?;
        for (state, count) in [("pending", size.pending), ("queued", size.queued)] {
            ConstGauge::new(integer(count as u64)).encode(family.encode_family(&[("state", state)])?)?;
        }
        let help = "Accepted transactions that the pool gave up, for whatever reason";
        let dropped = encoder.encode_descriptor("transactions_dropped", help, None, MetricType::Counter)?;
        ConstCounter::new(size.dropped).encode(dropped)?;
        let (block, slot) = (*self.newest_block.borrow(), *self.newest_slot.borrow());
        for (name, help, value) in [
            ("indexer_block_number", "The newest block in the store", block),
            ("cluster_slot_number", "The newest slot of the cluster whose transactions can be read", slot),
            ("indexer_lag_slots", "How far the store is behind the cluster", slot.saturating_sub(block)),
        ] {
            let encoder = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(integer(value)).encode(encoder)?;
        }
        Ok(())
    }
}

/// As gauges count.
fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Address, B256, Bytes, U256};
    use parhelion_core::feed::Feed;
    use parhelion_core::store::Block;
    use prometheus_client::encoding::text;
    use serde_json::Value;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    fn gauges(newest_block: u64, newest_slot: u64) -> Gauges {
        Gauges {
            pool: Box::new(|| Size { pending: 3, queued: 2, dropped: 7 }),
            newest_block: watch::Sender::new(newest_block).subscribe(),
            newest_slot: watch::Sender::new(newest_slot).subscribe(),
        }
    }

    fn text(registry: &Registry) -> String {
        let mut text = String::new();
        text::encode(&mut text, registry).expect("is written");
        text
    }

    fn assert_has(registry: &Registry, lines: &[&str]) {
        let text = text(registry);
        for line in lines {
            assert!(text.lines().any(|found| found == *line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn gauges_tell_how_it_is_now() {
        let mut registry = registry();
        gauges(90, 100).register(&mut registry);
        assert_has(
            &registry,
            &[
                "parhelion_pool_transactions{state=\"pending\"} 3",
                "parhelion_pool_transactions{state=\"queued\"} 2",
                "parhelion_transactions_dropped_total 7",
                "parhelion_indexer_block_number 90",
                "parhelion_cluster_slot_number 100",
                "parhelion_indexer_lag_slots 10",
                concat!("parhelion_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
            ],
        );
    }

    /// A transaction that anybody may have signed.
    fn transaction() -> Transaction {
        let raw = "0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61\
                   340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9\
                   f3dc64214b297fb1966a3b6d83";
        Transaction::decode(raw.parse::<Bytes>().expect("hexadecimal")).expect("EIP-155's example")
    }

    fn executed(outcome: Outcome) -> Arc<Executed> {
        Arc::new(Executed {
            transaction: transaction(),
            block_number: 1,
            block_hash: B256::ZERO,
            block_timestamp: 0,
            index: 0,
            outcome,
            gas_used: 21_000,
            rent_gas: 0,
            cumulative_gas_used: 21_000,
            effective_gas_price: U256::ZERO,
            logs: vec![],
            first_log_index: 0,
            coinbase: Address::ZERO,
            signature: [3; 64].into(),
            compute_units: 5,
            signatures: vec![[1; 64].into(), [2; 64].into(), [3; 64].into()],
            total_compute_units: 1_000,
        })
    }

    #[tokio::test]
    async fn what_happens_is_counted() {
        let mut registry = registry();
        let counters = Counters::new(&mut registry);
        let (accepted, chain) = (Feed::new(), Feed::new());
        let counting =
            tokio::spawn(counters.run(accepted.subscribe(), chain.subscribe(), std::future::pending()));
        for _ in 0..2 {
            accepted.publish(transaction());
        }
        let transactions =
            vec![executed(Outcome::Success), executed(Outcome::Success), executed(Outcome::Revert)];
        let block = Arc::new(Block { hash: B256::ZERO, header: Default::default(), transactions });
        chain.publish(ChainEvent::Added(Arc::clone(&block)));
        chain.publish(ChainEvent::Removed(block));
        // It counts what is there, and ends with its sources.
        while !text(&registry).contains("gas_used_total 63000")
            || !text(&registry).contains("accepted_total 2")
        {
            tokio::task::yield_now().await;
        }
        drop((accepted, chain));
        counting.await.expect("ends");
        assert_has(
            &registry,
            &[
                "parhelion_transactions_accepted_total 2",
                "parhelion_transactions_landed_total{outcome=\"success\"} 2",
                "parhelion_transactions_landed_total{outcome=\"revert\"} 1",
                "parhelion_transactions_landed_total{outcome=\"halt\"} 0",
                "parhelion_solana_transactions_total 9",
                "parhelion_solana_compute_units_total 3000",
            ],
        );
    }

    /// The names that are in a text, without those of Prometheus' functions.
    fn names(text: &str) -> impl Iterator<Item = &str> {
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        words.filter(|word| word.starts_with("parhelion_"))
    }

    #[test]
    fn the_dashboard_shows_every_metric_and_no_other() {
        let mut registry = registry();
        let _ = (parhelion_rpc::Metrics::new(&mut registry), Counters::new(&mut registry));
        gauges(1, 2).register(&mut registry);
        let text = text(&registry);
        let series: BTreeSet<&str> =
            text.lines().filter(|line| !line.starts_with('#')).flat_map(names).collect();

        let dashboard: Value =
            serde_json::from_str(include_str!("../../../deploy/grafana/parhelion.json")).expect("is JSON");
        let mut queries = Vec::new();
        collect(&dashboard, &mut queries);
        let shown: BTreeSet<&str> = queries.iter().flat_map(|query| names(query)).collect();
        let unknown: Vec<_> = shown.difference(&series).collect();
        assert!(unknown.is_empty(), "the dashboard asks for {unknown:?}, there are {series:?}");
        // Of a histogram the buckets are enough.
        let derived = |name: &str| name.ends_with("_seconds_sum") || name.ends_with("_seconds_count");
        let hidden: Vec<_> = series.difference(&shown).filter(|name| !derived(name)).collect();
        assert!(hidden.is_empty(), "the dashboard does not show {hidden:?}");
    }

    /// All PromQL in a dashboard.
    fn collect<'a>(value: &'a Value, queries: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    match field {
                        Value::String(text) if name == "expr" => queries.push(text),
                        other => collect(other, queries),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, queries)),
            _ => {}
        }
    }
}
