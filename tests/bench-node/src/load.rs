//! Many connections that ask as fast as they are answered.

use crate::client::{Connection, is_result};
use crate::statistics::{Samples, rate};
use anyhow::{Result, bail};
use futures::future::try_join_all;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Requests, each of which may be sent any number of times.
pub(crate) type Requests = Arc<Vec<Vec<u8>>>;

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Load {
    /// Requests that were answered.
    pub(crate) answered: u64,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    /// How long each answer took.
    pub(crate) latencies: Samples,
}

impl Load {
    /// Answers a second.
    pub(crate) fn rate(&self) -> f64 {
        rate(self.answered, self.elapsed)
    }
}

/// Asks the same requests in turn for a while.
pub(crate) async fn for_a_while(
    address: SocketAddr,
    connections: usize,
    duration: Duration,
    requests: &Requests,
) -> Result<Load> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(address).await?);
    }
    let (start, count) = (Instant::now(), requests.len());
    let tasks = open.into_iter().enumerate().map(|(offset, mut connection)| {
        let requests = Arc::clone(requests);
        tokio::spawn(async move {
            let mut latencies = Samples::default();
            let mut answered = 0;
            for request in requests.iter().cycle().skip(offset * count / connections) {
                if start.elapsed() >= duration {
                    break;
                }
                latencies.push(ask(&mut connection, request).await?);
                answered += 1;
            }
            anyhow::Ok((answered, latencies))
        })
    });
    gather(start, tasks).await
}

/// Sends each connection's requests once, one after the other.
pub(crate) async fn all(address: SocketAddr, requests: Vec<Vec<Vec<u8>>>) -> Result<Load> {
    let mut open = Vec::new();
    for requests in requests {
        open.push((Connection::open(address).await?, requests));
    }
    let start = Instant::now();
    let tasks = open.into_iter().map(|(mut connection, requests)| {
        tokio::spawn(async move {
            let mut latencies = Samples::default();
            for request in &requests {
                latencies.push(ask(&mut connection, request).await?);
            }
            anyhow::Ok((requests.len() as u64, latencies))
        })
    });
    gather(start, tasks).await
}

/// Sends one request, and gives how long the answer took.
async fn ask(connection: &mut Connection, request: &[u8]) -> Result<Duration> {
    let sent = Instant::now();
    let body = connection.exchange(request).await?;
    let took = sent.elapsed();
    if !is_result(body) {
        bail!("the node refuses a request: {}", String::from_utf8_lossy(body));
    }
    Ok(took)
}

async fn gather(
    start: Instant,
    tasks: impl Iterator<Item = tokio::task::JoinHandle<Result<(u64, Samples)>>>,
) -> Result<Load> {
    let tasks: Vec<_> = tasks.collect();
    let mut load = Load::default();
    for result in try_join_all(tasks).await? {
        let (answered, latencies) = result?;
        load.answered += answered;
        load.latencies.extend(&latencies);
    }
    load.elapsed = start.elapsed();
    Ok(load)
}
