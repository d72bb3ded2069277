use super::{ANSWER_SECONDS_MAX, HealthLayer, KEPT_FOR, LAG_SLOTS_MAX, Readiness};
use async_trait::async_trait;
use http::HeaderMap;
use jsonrpsee::core::BoxError;
use jsonrpsee::core::http_helpers::read_body;
use jsonrpsee::server::{HttpBody, HttpRequest, HttpResponse};
use parhelion_core::clue::Lookup;
use parhelion_core::cluster::{Clock, Cluster, ClusterError, LandedBlock, Snapshot};
use parhelion_core::store::{Block, BlockId, Executed, FoundLog, LogFilter, Store, StoreError};
use parhelion_wire::address::Deployment;
use serde_json::{Value, json};
use solana_address::Address;
use solana_hash::Hash;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tower::{Layer, Service, service_fn};

/// How a part of the world behaves.
#[derive(Clone, Copy)]
enum Answer {
    Number(u64),
    Error,
    Never,
}

impl Answer {
    async fn or<E>(self, error: E) -> Result<u64, E> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Error => Err(error),
            Self::Never => std::future::pending().await,
        }
    }
}

/// A cluster that knows its clock, and a store that knows its newest block.
struct World {
    clock: Answer,
    newest_slot: u64,
    latest: Answer,
    asked: AtomicUsize,
}

#[async_trait]
impl Cluster for World {
    fn deployment(&self) -> Deployment {
        unreachable!("readiness asks for the clock only")
    }

    async fn accounts(&self, _: &[Address]) -> Result<Snapshot, ClusterError> {
        unreachable!("readiness asks for the clock only")
    }

    async fn clock(&self) -> Result<Clock, ClusterError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let slot = self.clock.or(ClusterError::Unreachable("no route".into())).await?;
        Ok(Clock { slot, unix_timestamp: 0 })
    }

    async fn slot_hashes(&self) -> Result<Vec<(u64, [u8; 32])>, ClusterError> {
        unreachable!("readiness asks for the clock only")
    }

    async fn rent_exemption(&self, _: usize) -> Result<u64, ClusterError> {
        unreachable!("readiness asks for the clock only")
    }

    async fn latest_blockhash(&self) -> Result<Hash, ClusterError> {
        unreachable!("readiness asks for the clock only")
    }

    async fn send(&self, _: &VersionedTransaction) -> Result<Signature, ClusterError> {
        unreachable!("readiness asks for the clock only")
    }

    fn newest_slot(&self) -> watch::Receiver<u64> {
        watch::Sender::new(self.newest_slot).subscribe()
    }

    async fn blocks(&self, _: u64, _: u64) -> Result<Vec<LandedBlock>, ClusterError> {
        unreachable!("readiness asks for the clock only")
    }
}

#[async_trait]
impl Store for World {
    async fn latest(&self) -> Result<u64, StoreError> {
        self.latest.or(StoreError::Unavailable("disk full".into())).await
    }

    async fn block(&self, _: BlockId) -> Result<Option<Arc<Block>>, StoreError> {
        unreachable!("readiness asks for the newest number only")
    }

    async fn executed(&self, _: alloy_primitives::B256) -> Result<Option<Arc<Executed>>, StoreError> {
        unreachable!("readiness asks for the newest number only")
    }

    async fn lookup(&self, _: &Lookup) -> Result<Vec<Arc<Executed>>, StoreError> {
        unreachable!("readiness asks for the newest number only")
    }

    async fn logs(&self, _: &LogFilter) -> Result<Vec<FoundLog>, StoreError> {
        unreachable!("readiness asks for the newest number only")
    }

    async fn append(&self, _: Block) -> Result<(), StoreError> {
        unreachable!("readiness asks for the newest number only")
    }

    async fn roll_back(&self, _: u64) -> Result<(), StoreError> {
        unreachable!("readiness asks for the newest number only")
    }
}

fn world(clock: Answer, newest_slot: u64, latest: Answer) -> Arc<World> {
    Arc::new(World { clock, newest_slot, latest, asked: AtomicUsize::new(0) })
}

async fn behind(_: HttpRequest) -> Result<HttpResponse, BoxError> {
    let mut answer = HttpResponse::new(HttpBody::empty());
    *answer.status_mut() = http::StatusCode::IM_A_TEAPOT;
    Ok(answer)
}

async fn ask(layer: &HealthLayer, method: &str, path: &str) -> (u16, Value) {
    let request = http::Request::builder().method(method).uri(path).body(HttpBody::empty()).unwrap();
    let answer = layer.layer(service_fn(behind)).call(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = read_body(&HeaderMap::new(), answer.into_body(), 10_000).await;
    (status, body.map_or(Value::Null, |(body, _)| serde_json::from_slice(&body).unwrap()))
}

async fn ready(world: Arc<World>) -> (u16, Value) {
    ask(&HealthLayer(Some(Readiness::new(world.clone(), world))), "GET", "/ready").await
}

#[tokio::test]
async fn a_node_whose_parts_answer_is_ready() {
    let good = json!({ "isReady": true });
    let whole = json!({ "isReady": true, "cluster": good, "store": good, "indexer": good });
    let number = 1_000;
    for latest in [number, number + 5, number - LAG_SLOTS_MAX] {
        let world = world(Answer::Number(number), number, Answer::Number(latest));
        assert_eq!(ready(world).await, (200, whole.clone()));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_degraded_is_named() {
    let (number, never) = (Answer::Number(1_000), format!("no answer within {ANSWER_SECONDS_MAX} s"));
    let lag = Answer::Number(1_000 - LAG_SLOTS_MAX - 1);
    for (world, degraded) in [
        (world(Answer::Error, 1_000, number), &[("cluster", "no route")][..]),
        (world(Answer::Never, 1_000, number), &[("cluster", &never)]),
        (world(number, 1_000, Answer::Error), &[("store", "disk full"), ("indexer", "does not tell")]),
        (world(number, 1_000, Answer::Never), &[("store", &never), ("indexer", "does not tell")]),
        (world(number, 1_000, lag), &[("indexer", "31 slots behind the newest slot 1000")]),
        // Nobody watches the slots any more, or the clock cannot be read: the newer number counts.
        (world(number, 0, lag), &[("indexer", "31 slots behind")]),
        (world(Answer::Error, 1_000, lag), &[("cluster", "no route"), ("indexer", "31 slots behind")]),
    ] {
        let (status, report) = ready(world).await;
        assert_eq!((status, &report["isReady"]), (503, &json!(false)), "{report}");
        for part in ["cluster", "store", "indexer"] {
            let expected = degraded.iter().find(|(name, _)| *name == part).map(|(_, reason)| *reason);
            assert_eq!(report[part]["isReady"], json!(expected.is_none()), "{report}");
            let reason = report[part]["reason"].as_str().unwrap_or_default();
            assert!(reason.contains(expected.unwrap_or_default()), "{report}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_cluster_is_asked_once_however_often_is_asked() {
    let world = world(Answer::Number(1), 1, Answer::Number(1));
    let layer = HealthLayer(Some(Readiness::new(world.clone(), world.clone())));
    for (wait, asked) in [(Duration::ZERO, 1), (KEPT_FOR - Duration::from_millis(1), 1), (KEPT_FOR, 2)] {
        tokio::time::advance(wait).await;
        for _ in 0..3 {
            assert_eq!(ask(&layer, "GET", "/ready").await.0, 200);
        }
        assert_eq!(world.asked.load(Ordering::SeqCst), asked);
    }
}

#[tokio::test]
async fn only_the_two_paths_are_answered_and_only_for_reading() {
    let bad = HealthLayer(Some({
        let world = world(Answer::Error, 0, Answer::Error);
        Readiness::new(world.clone(), world)
    }));
    assert_eq!(ask(&bad, "GET", "/health").await, (200, json!({ "isHealthy": true })));
    assert_eq!(ask(&bad, "GET", "/ready?verbose").await.0, 503);
    assert_eq!(ask(&bad, "HEAD", "/ready").await.0, 503);
    assert_eq!(ask(&HealthLayer(None), "GET", "/ready").await, (200, json!({ "isReady": true })));
    for (method, path) in [("POST", "/health"), ("POST", "/ready"), ("GET", "/"), ("GET", "/health/")] {
        assert_eq!(ask(&bad, method, path).await.0, 418, "{method} {path}");
    }
}
