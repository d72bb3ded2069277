//! Starts nodes, kills them, and starts them again.

use crate::cluster::{FaultyCluster, Kill};
use crate::network::Network;
use crate::node::Node;
use crate::scene::{OPERATORS, Scene};
use crate::schedule::Life;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// How long after a start that failed the next one is tried.
const RESTART: Duration = Duration::from_secs(2);

/// The operators and their nodes.
pub struct Operators<'s> {
    scene: &'s Scene,
    network: Arc<Network>,
    existing: Vec<usize>,
    nodes: Mutex<[Option<Arc<Node>>; OPERATORS]>,
    /// The node that is starting or runs, as the cluster sees it.
    clusters: Mutex<[Option<Arc<FaultyCluster>>; OPERATORS]>,
    count: AtomicU32,
    is_calm: watch::Sender<bool>,
    deaths: Mutex<Vec<String>>,
    problems: Mutex<Vec<String>>,
}

impl<'s> Operators<'s> {
    /// Operators without nodes; `existing` tells which of them exist.
    #[must_use]
    pub fn new(scene: &'s Scene, network: Arc<Network>, existing: Vec<usize>) -> Self {
        Self {
            scene,
            network,
            existing,
            nodes: Mutex::default(),
            clusters: Mutex::default(),
            count: AtomicU32::new(0),
            is_calm: watch::Sender::new(false),
            deaths: Mutex::default(),
            problems: Mutex::default(),
        }
    }

    /// Runs an operator's nodes, one after another. The last one runs for ever.
    pub async fn run(&self, operator: usize, lives: Vec<Life>) {
        for life in lives {
            self.wait(Duration::from_millis(life.after_ms)).await;
            if let Some(death) = self.live(operator, life.kill).await {
                lock(&self.deaths).push(death);
            }
        }
    }

    /// Runs a node until it is killed, and gives at what.
    async fn live(&self, operator: usize, kill: Option<Kill>) -> Option<String> {
        let kill = kill.filter(|_| !*self.is_calm.borrow());
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let cluster = Arc::new(FaultyCluster::new(Arc::clone(&self.network), number, kill));
        put(&self.clusters, operator, Some(Arc::clone(&cluster)));
        let mut death = cluster.death();
        let runs = async {
            let (node, mut tasks) = loop {
                match Node::start(self.scene, Arc::clone(&cluster), number, operator).await {
                    Ok(started) => break started,
                    Err(error) => self.network.tell(|| format!("node {number} does not start: {error:#}")),
                }
                sleep(RESTART).await;
            };
            self.network.tell(|| format!("node {number} of operator {operator} runs"));
            put(&self.nodes, operator, Some(Arc::new(node)));
            let ended = tasks.join_next().await;
            lock(&self.problems).push(format!("a service of node {number} ended: {ended:?}"));
        };
        let killed = tokio::select! {
            biased;
            killed = death.wait_for(Option::is_some) => killed.ok().and_then(|at| at.clone()),
            () = runs => None,
        };
        put(&self.nodes, operator, None);
        put(&self.clusters, operator, None);
        killed
    }

    /// Waits for some time, or until it is calm.
    async fn wait(&self, time: Duration) {
        let mut is_calm = self.is_calm.subscribe();
        tokio::select! {
            biased;
            _ = is_calm.wait_for(|is_calm| *is_calm) => {}
            () = sleep(time) => {}
        }
    }

    /// From now on nodes come back at once, and are killed no more.
    pub fn calm_down(&self) {
        self.is_calm.send_replace(true);
        for cluster in lock(&self.clusters).iter().flatten() {
            cluster.spare();
        }
    }

    /// The operators that exist.
    pub fn existing(&self) -> impl Iterator<Item = usize> {
        self.existing.iter().copied()
    }

    /// An operator's node, if it runs.
    #[must_use]
    pub fn node(&self, operator: usize) -> Option<Arc<Node>> {
        lock(&self.nodes).get(operator).cloned().flatten()
    }

    /// What nodes were killed at.
    #[must_use]
    pub fn deaths(&self) -> Vec<String> {
        lock(&self.deaths).clone()
    }

    /// What went wrong with nodes but for their deaths.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        lock(&self.problems).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn put<T>(places: &Mutex<[Option<T>; OPERATORS]>, operator: usize, item: Option<T>) {
    if let Some(place) = lock(places).get_mut(operator) {
        *place = item;
    }
}
