//! Puts the services together.

use crate::development::{Development, Parts};
use crate::front::Front;
use crate::metrics::{Counters, Gauges};
use crate::past::Past;
use anyhow::Context;
use parhelion_core::cluster::Cluster;
use parhelion_core::emulator::Emulator;
use parhelion_core::pool::{Journal, Pool};
use parhelion_core::relay::Relay;
use parhelion_core::store::Store;
use parhelion_emulator::{Historian, Shell};
use parhelion_indexer::Indexer;
use parhelion_pool::{DurablePool, Limits, MemoryPool};
use parhelion_relay::translation::{Settings, Translations};
use parhelion_relay::{Operator, Sender};
use parhelion_rpc::{Exposition, Methods, Metrics, Readiness, Running, Services, Wallet, serve};
use parhelion_solana::{Features, SvmCluster, SvmRehearsal};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// When a sent transaction is answered.
pub(crate) enum Acceptance {
    /// When it is written down: it outlives the node. So does what accounts were.
    WrittenDown(Arc<dyn Journal>, Past),
    /// When it has landed, if nothing is in its way: on a development chain, with the accounts that the node signs for.
    Landed(Arc<SvmCluster>, Arc<Wallet>),
}

impl Acceptance {
    /// The past that the cluster does not keep.
    fn past(&self) -> Option<Past> {
        match self {
            Self::WrittenDown(_, past) => Some(past.clone()),
            Self::Landed(..) => None,
        }
    }

    /// The pool's bounds.
    fn limits(&self) -> Limits {
        match self {
            Self::WrittenDown(..) => Limits::default(),
            // A development chain has a block for each transaction, and traces begin in front of a Solana transaction. Its
            // accounts change whenever somebody likes it.
            Self::Landed(..) => {
                Limits { together_max: 1, account_age_max: Duration::ZERO, ..Limits::default() }
            }
        }
    }
}

/// A running node.
pub(crate) struct Node {
    server: Running,
    exposition: Option<Exposition>,
    has_explorer: bool,
    tasks: Vec<JoinHandle<()>>,
    stop: watch::Sender<bool>,
}

impl Node {
    /// Starts all services over a cluster. Blocks are indexed behind the newest in the store. Code that earns it is
    /// translated where `translate` says how. `extensions` are methods of this kind of node only.
    pub(crate) async fn start(
        cluster: Arc<dyn Cluster>,
        store: Arc<dyn Store>,
        operator: Operator,
        translate: Option<Settings>,
        front: &Front,
        mut extensions: Methods,
        acceptance: Acceptance,
    ) -> anyhow::Result<Self> {
        let shell = Shell::new(Arc::clone(&cluster));
        let past = acceptance.past();
        let shell = Arc::new(match &past {
            Some(past) => shell.remembering(Arc::clone(&past.archive)),
            None => shell,
        });
        let emulator: Arc<dyn Emulator> = shell.clone();
        let settings = emulator.settings().await.context("the chain's settings cannot be read")?;
        let coinbase = operator.coinbase;
        let operator = Arc::new(operator);
        let rehearsal = Arc::new(SvmRehearsal::new(Arc::clone(&cluster), Features::Mainnet));
        let relay =
            Sender::new(Arc::clone(&cluster), Arc::clone(&emulator), rehearsal, Arc::clone(&operator));
        let relay = relay.adapt().await.context("the cluster does not tell which transactions it takes")?;
        let (relay, translations) = match translate {
            Some(settings) => {
                let (notes, task) =
                    Translations::new(Arc::clone(&cluster), operator, settings, relay.plain_shape());
                (relay.noting(notes), Some(task))
            }
            None => (relay, None),
        };
        let relay = Arc::new(relay);
        relay.recover().await.context("the operator's holders cannot be read")?;
        let keeper = Arc::clone(&relay);
        let relay: Arc<dyn Relay> = relay;
        extensions.merge(crate::methods::methods(Arc::clone(&relay))?)?;
        let limits = acceptance.limits();
        let pool = Arc::new(MemoryPool::new(Arc::clone(&emulator), relay, Arc::clone(&store), limits));
        let finalized = cluster.finalized_slot();
        let readiness = Readiness::new(Arc::clone(&cluster), Arc::clone(&store));
        let newest_slot = cluster.newest_slot();
        let indexer = Indexer::new(Arc::clone(&cluster), Arc::clone(&store), settings.chain_id);
        let indexer = match &past {
            Some(Past { archive, .. }) => {
                indexer.keeping_past(Arc::new(Historian::new(cluster, Arc::clone(archive))))
            }
            None => indexer,
        };
        let (blocks, chain_events) = (indexer.progress(), indexer.events());

        // From before the indexer on: it may find at once that blocks are gone.
        let pool_events = chain_events.subscribe();
        let stop = watch::Sender::new(false);
        let mut tasks = vec![
            tokio::spawn(Arc::clone(&pool).run(stopped(&stop))),
            tokio::spawn(indexer.run(stopped(&stop))),
        ];
        let forgetting = past.and_then(|past| past.forgetting(blocks.clone(), finalized.clone()));
        tasks.extend(forgetting.map(|forgetting| tokio::spawn(forgetting.run(stopped(&stop)))));
        let mut registry = crate::metrics::registry();
        let counted =
            Counters::new(&mut registry).run(pool.accepted(), chain_events.subscribe(), stopped(&stop));
        tasks.push(tokio::spawn(counted));
        let looked_into = Arc::clone(&pool);
        let gauges =
            Gauges { pool: Box::new(move || looked_into.size()), newest_block: blocks.clone(), newest_slot };
        gauges.register(&mut registry);
        let stop_keeping = stopped(&stop);
        tasks.push(tokio::spawn(async move { keeper.keep(stop_keeping).await }));
        tasks.extend(translations.map(|task| tokio::spawn(task.run(stopped(&stop)))));
        let (pool, wallet): (Arc<dyn Pool>, _) = match acceptance {
            Acceptance::WrittenDown(journal, _) => {
                let pool = Arc::new(DurablePool::new(pool, journal));
                tasks.push(tokio::spawn(Arc::clone(&pool).run(pool_events, stopped(&stop))));
                (pool, Arc::default())
            }
            Acceptance::Landed(cluster, wallet) => {
                let (emulator, store, wallet) = (shell, Arc::clone(&store), Arc::clone(&wallet));
                let parts =
                    Parts { cluster, emulator, pool, store, blocks, wallet: Arc::clone(&wallet), coinbase };
                let development = Arc::new(Development::new(parts).await?);
                extensions.merge(development.methods()?)?;
                (development.pool(), wallet)
            }
        };
        let services = Services { emulator, pool, store, chain_events, finalized, wallet, extensions };
        let server = serve(front.config(Metrics::new(&mut registry), readiness), services).await?;
        let exposition = match front.metrics_listen {
            Some(address) => Some(Exposition::start(address, registry).await?),
            None => None,
        };
        Ok(Self { server, exposition, has_explorer: front.has_explorer(), tasks, stop })
    }

    /// Prints where it listens. Whoever started the node may wait for that line and read no further: it is the last.
    pub(crate) fn print_addresses(&self) {
        let address = self.server.local_addr();
        if self.has_explorer {
            println!("Explorer   http://{address}/explorer/");
        }
        if let Some(exposition) = &self.exposition {
            println!("Metrics    http://{}/metrics", exposition.local_addr());
        }
        println!("Listening  http://{address}  ws://{address}");
    }

    /// Runs until Ctrl-C or SIGTERM, then finishes what was accepted.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        interrupted().await?;
        tracing::info!("stopping");
        self.server.stop().await;
        self.stop.send_replace(true);
        for task in self.tasks {
            task.await.context("a service ended badly")?;
        }
        Ok(())
    }
}

/// Completes when the node stops.
fn stopped(stop: &watch::Sender<bool>) -> impl Future<Output = ()> + Send + 'static {
    let mut receiver = stop.subscribe();
    async move {
        // An error means that the node is gone: stop as well.
        let _ = receiver.wait_for(|stop| *stop).await;
    }
}

/// Completes on Ctrl-C or SIGTERM.
pub(crate) async fn interrupted() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
