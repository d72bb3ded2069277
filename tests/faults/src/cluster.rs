//! The cluster as a node sees it, on a bad day.
//!
//! What it keeps to is what [`parhelion_solana::RpcCluster`] keeps to:
//!
//! * `Expired` is told only of what never lands.
//! * After `Unreachable` nobody knows: it may have landed, may land later, or never.
//! * Reads may be old, but not older than the newest transaction of which this node was told that it landed.
//! * `Failed` may come from a preflight on a state that is as old as that of reads.

use crate::fate::{CallKind, Fate};
use crate::network::{Call, Network};
use async_trait::async_trait;
use parhelion_core::cluster::{Clock, Cluster, ClusterError, LandedBlock, Simulation, Snapshot};
use parhelion_wire::address::Deployment;
use solana_address::Address;
use solana_hash::Hash;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use std::fmt::Debug;
use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// When `Expired` is told of a transaction that no leader included: when its blockhash has expired.
const EXPIRY: Duration = Duration::from_secs(60);

/// When a node is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    /// At which of its calls; the first one is 1.
    pub at: u64,
    /// Whether only calls count that send.
    pub counts_sends: bool,
    /// Whether the call takes effect before.
    pub is_after: bool,
}

/// The cluster as one node sees it.
pub struct FaultyCluster {
    network: Arc<Network>,
    node: u32,
    program: Address,
    /// The newest slot of which this node was told that a transaction of its landed there.
    floor: AtomicU64,
    /// What kills it, with the number of calls that still come before; `None` when nothing does.
    kill: Mutex<Option<Kill>>,
    /// What it was killed at, once it was.
    death: watch::Sender<Option<String>>,
}

/// A call that was let through.
struct Passed {
    call: Call,
    number: u64,
    fate: Fate,
    /// Whether the node dies when the call has taken effect.
    is_last: bool,
}

impl FaultyCluster {
    /// The cluster as node number `node` sees it, until it is killed.
    #[must_use]
    pub fn new(network: Arc<Network>, node: u32, kill: Option<Kill>) -> Self {
        let program = network.svm.deployment().program_id.into();
        let (floor, kill) = (AtomicU64::new(0), Mutex::new(kill));
        Self { network, node, program, floor, kill, death: watch::Sender::new(None) }
    }

    /// What it was killed at, once it was.
    #[must_use]
    pub fn death(&self) -> watch::Receiver<Option<String>> {
        self.death.subscribe()
    }

    /// Lets the node live.
    pub fn spare(&self) {
        self.kill().take();
    }

    /// Waits until a call is let through, and tells when it gets lost.
    async fn enter(&self, call: Call) -> Result<Passed, ClusterError> {
        if self.death.borrow().is_some() {
            return pending().await;
        }
        let (number, fate) = self.network.enter(self.node, &call).await;
        let kill = self.count(call.kind);
        if kill.is_some_and(|kill| !kill.is_after) {
            return self.die(&call, "before").await;
        }
        if let Fate::Lost { after_ms } = fate {
            sleep(Duration::from_millis(after_ms)).await;
            return Err(unreachable(number));
        }
        Ok(Passed { call, number, fate, is_last: kill.is_some() })
    }

    /// Tells the answer of a call, as its fate has it.
    async fn leave<T: Debug>(
        &self,
        passed: Passed,
        answer: Result<T, ClusterError>,
    ) -> Result<T, ClusterError> {
        let Passed { call, number, fate, is_last } = passed;
        if is_last {
            return self.die(&call, "after").await;
        }
        if let Err(error) = &answer {
            self.network.tell(|| format!("    {number}: {error}"));
        }
        match fate {
            Fate::AnswerLost { after_ms } => {
                sleep(Duration::from_millis(after_ms)).await;
                Err(unreachable(number))
            }
            Fate::Slow { ms } => {
                sleep(Duration::from_millis(ms)).await;
                answer
            }
            _ => answer,
        }
    }

    /// Counts a call, and gives what kills the node at it.
    fn count(&self, kind: CallKind) -> Option<Kill> {
        let mut kill = self.kill();
        let Kill { at, counts_sends, .. } = kill.as_mut()?;
        if *counts_sends && kind != CallKind::Send {
            return None;
        }
        *at = at.saturating_sub(1);
        if *at == 0 { kill.take() } else { None }
    }

    /// The process is gone: nothing of it goes on.
    async fn die<T>(&self, call: &Call, when: &str) -> T {
        self.network.tell(|| format!("    node {} is killed {when} {}", self.node, call.text));
        self.death.send_replace(Some(format!("{when} {}", call.text)));
        pending().await
    }

    /// How far back reads may be.
    fn floor(&self) -> u64 {
        self.floor.load(Ordering::Relaxed)
    }

    fn kill(&self) -> MutexGuard<'_, Option<Kill>> {
        self.kill.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lands a transaction, or not.
    async fn land(&self, fate: Fate, transaction: &VersionedTransaction) -> Result<u64, ClusterError> {
        match fate {
            Fate::Dropped => {
                sleep(EXPIRY).await;
                Err(ClusterError::Expired)
            }
            Fate::Late { after_ms, lands_ms } => {
                self.network.land_later(transaction.clone(), Duration::from_millis(lands_ms));
                sleep(Duration::from_millis(after_ms)).await;
                Err(ClusterError::Unreachable("the answer got lost, and the transaction is late".to_owned()))
            }
            Fate::Stale { slots } => {
                let cluster = self.network.old_cluster(slots, self.floor()).await?;
                match cluster.simulate(transaction).await?.failure {
                    Some(failure) => Err(failure),
                    None => self.network.land(transaction).await,
                }
            }
            _ => self.network.land(transaction).await,
        }
    }
}

fn unreachable(number: u64) -> ClusterError {
    ClusterError::Unreachable(format!("call {number} got lost"))
}

#[async_trait]
impl Cluster for FaultyCluster {
    fn deployment(&self) -> Deployment {
        self.network.svm.deployment()
    }

    async fn accounts(&self, addresses: &[Address]) -> Result<Snapshot, ClusterError> {
        let passed = self.enter(Call::new(CallKind::Read, "accounts", addresses)).await?;
        let lag = if let Fate::Stale { slots } = passed.fate { slots } else { 0 };
        let answer = match lag {
            0 => self.network.svm.accounts(addresses).await,
            lag => self.network.old_accounts(addresses, lag, self.floor()).await,
        };
        self.leave(passed, answer).await
    }

    async fn accounts_beginning(&self, prefix: &[u8]) -> Result<Vec<Address>, ClusterError> {
        let passed = self.enter(Call::new(CallKind::Read, "accounts beginning", prefix)).await?;
        let found = match passed.fate {
            Fate::Stale { slots } => match self.network.old_cluster(slots, self.floor()).await {
                Ok(cluster) => cluster.accounts_beginning(prefix).await,
                Err(error) => Err(error),
            },
            _ => self.network.svm.accounts_beginning(prefix).await,
        };
        // The VM keeps them in no order.
        let answer = found.map(|mut found| {
            found.sort_unstable();
            found
        });
        self.leave(passed, answer).await
    }

    async fn clock(&self) -> Result<Clock, ClusterError> {
        let passed = self.enter(Call::new(CallKind::Read, "clock", ())).await?;
        let lag = if let Fate::Stale { slots } = passed.fate { slots } else { 0 };
        let answer = self.network.old_accounts(&[], lag, self.floor()).await;
        self.leave(passed, answer.map(|snapshot| snapshot.clock)).await
    }

    async fn slot_hashes(&self) -> Result<Vec<(u64, [u8; 32])>, ClusterError> {
        let passed = self.enter(Call::new(CallKind::Other, "slot hashes", ())).await?;
        let answer = self.network.svm.slot_hashes().await;
        self.leave(passed, answer).await
    }

    async fn rent_exemption(&self, data_length: usize) -> Result<u64, ClusterError> {
        let passed = self.enter(Call::new(CallKind::Other, "rent", data_length)).await?;
        let answer = self.network.svm.rent_exemption(data_length).await;
        self.leave(passed, answer).await
    }

    async fn latest_blockhash(&self) -> Result<Hash, ClusterError> {
        let passed = self.enter(Call::new(CallKind::Blockhash, "blockhash", ())).await?;
        let answer = match passed.fate {
            Fate::OldBlockhash { blocks } => self.network.old_blockhash(blocks).await,
            _ => self.network.svm.latest_blockhash().await,
        };
        self.leave(passed, answer).await
    }

    async fn send(&self, transaction: &VersionedTransaction) -> Result<Signature, ClusterError> {
        let passed = self.enter(Call::with(CallKind::Send, "send", transaction, &self.program)).await?;
        let landed = self.land(passed.fate, transaction).await;
        let slot = landed.as_ref().ok().copied();
        let signature = landed.map(|_| transaction.signatures.first().copied().unwrap_or_default());
        let answer = self.leave(passed, signature).await;
        if let (Ok(_), Some(slot)) = (&answer, slot) {
            self.floor.fetch_max(slot, Ordering::Relaxed);
        }
        answer
    }

    async fn simulate(&self, transaction: &VersionedTransaction) -> Result<Simulation, ClusterError> {
        let passed =
            self.enter(Call::with(CallKind::Simulate, "simulate", transaction, &self.program)).await?;
        let answer = match passed.fate {
            Fate::Stale { slots } => match self.network.old_cluster(slots, self.floor()).await {
                Ok(cluster) => cluster.simulate(transaction).await,
                Err(error) => Err(error),
            },
            _ => self.network.svm.simulate(transaction).await,
        };
        self.leave(passed, answer).await
    }

    fn newest_slot(&self) -> watch::Receiver<u64> {
        self.network.svm.newest_slot()
    }

    async fn blocks(&self, first: u64, last: u64) -> Result<Vec<LandedBlock>, ClusterError> {
        let passed = self.enter(Call::new(CallKind::Other, "blocks", (first, last))).await?;
        let answer = self.network.svm.blocks(first, last).await;
        self.leave(passed, answer).await
    }
}
