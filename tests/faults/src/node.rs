//! A node as `parhelion run` puts it together, but for its JSON-RPC server and its translations.

use crate::cluster::FaultyCluster;
use crate::scene::Scene;
use anyhow::Context;
use parhelion_core::cluster::Cluster;
use parhelion_core::emulator::Emulator;
use parhelion_core::relay::Relay;
use parhelion_core::store::Store;
use parhelion_emulator::Shell;
use parhelion_indexer::Indexer;
use parhelion_pool::{Limits, MemoryPool};
use parhelion_relay::Sender;
use parhelion_store::MemoryStore;
use std::future::pending;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What users see of a node.
pub struct Node {
    /// Its number; no other node has it.
    pub number: u32,
    /// Takes transactions.
    pub pool: Arc<MemoryPool>,
    /// Has receipts.
    pub store: Arc<MemoryStore>,
    /// What it was killed at, once it was.
    pub death: watch::Receiver<Option<String>>,
}

impl Node {
    /// Starts an operator's node. Its services end with the returned tasks.
    ///
    /// # Errors
    /// Those of the cluster: the process ends then, and somebody starts it again.
    pub async fn start(
        scene: &Scene,
        cluster: Arc<FaultyCluster>,
        number: u32,
        operator: usize,
    ) -> anyhow::Result<(Self, JoinSet<()>)> {
        let death = cluster.death();
        let cluster: Arc<dyn Cluster> = cluster;
        let emulator: Arc<dyn Emulator> = Arc::new(Shell::new(Arc::clone(&cluster)));
        let settings = emulator.settings().await?;
        // As if the store had been kept, or had caught up.
        let timestamp = scene.first.unix_timestamp.max(0).unsigned_abs();
        let genesis = parhelion_indexer::genesis(scene.first.slot, timestamp, &settings);
        let store = Arc::new(MemoryStore::new(genesis));
        let operator = scene.operator(operator).context("no such operator")?;
        let rehearsal = Arc::new(scene.rehearsal(Arc::clone(&cluster)));
        let relay = Sender::new(Arc::clone(&cluster), Arc::clone(&emulator), rehearsal, Arc::new(operator));
        relay.recover().await?;
        let relay = Arc::new(relay);
        let keeper = Arc::clone(&relay);
        let ports: (Arc<dyn Relay>, Arc<dyn Store>) = (relay, Arc::clone(&store) as Arc<dyn Store>);
        let pool = Arc::new(MemoryPool::new(emulator, ports.0, Arc::clone(&ports.1), Limits::default()));
        let indexer = Indexer::new(cluster, ports.1, settings.chain_id);

        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&pool).run(pending()));
        tasks.spawn(indexer.run(pending()));
        tasks.spawn(async move { keeper.keep(pending()).await });
        Ok((Self { number, pool, store, death }, tasks))
    }
}
