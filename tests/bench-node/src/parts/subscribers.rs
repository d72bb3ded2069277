//! A thousand WebSocket clients that are told of blocks and logs.

use super::Bench;
use crate::nodes::Node;
use crate::senders::{Token, fund, sender};
use crate::statistics::Samples;
use crate::table::{Row, Section};
use crate::websocket::Subscriber;
use anyhow::{Result, bail};
use futures::future::try_join_all;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long a notification may take.
const NOTIFICATION_WAIT: Duration = Duration::from_secs(20);
/// A pause, so that what a block brings with it is over before the next.
const PAUSE: Duration = Duration::from_millis(200);

/// What one node was measured to do.
struct Figures {
    blocks: Samples,
    logs: Samples,
    /// Bytes for each subscriber.
    memory: u64,
}

/// Measures subscriptions.
pub(crate) async fn run(bench: &Bench) -> Result<Vec<Section>> {
    let count = bench.scale.subscribers;
    allow_connections(count)?;
    bench.tell(&format!("subscribers: {count} of parhelion dev"));
    let ours = measure(bench, bench.tools.dev().await?).await?;
    bench.tell(&format!("subscribers: {count} of anvil"));
    let anvil = measure(bench, bench.tools.anvil(&[]).await?).await?;
    let kilobytes = |figures: &Figures| format!("{:.1} KB", figures.memory as f64 / 1_000.0);
    let rows = vec![
        Row::new("`newHeads`: from `evm_mine` to the last one told", ours.blocks.show())
            .beside(anvil.blocks.show()),
        Row::new("`logs`: from the transaction to the last one told", ours.logs.show())
            .beside(anvil.logs.show()),
        Row::new("memory of the node for each", kilobytes(&ours)).beside(kilobytes(&anvil)),
    ];
    let text = format!(
        "{count} WebSocket connections to `parhelion dev` and to anvil, each with one subscription; {} blocks, and as many \
         token transfers. The time includes making the block, and the client, which reads all connections on the same cores.",
        bench.scale.notifications,
    );
    Ok(vec![Section { title: "Subscribers", text, rows }])
}

async fn measure(bench: &Bench, node: Node) -> Result<Figures> {
    let mut connection = node.connect().await?;
    fund(&mut connection, 1).await?;
    let mut token = Token::deploy(&mut connection, 0, sender(0)).await?;
    drop(connection);
    let (count, before) = (bench.scale.subscribers, node.memory()?);
    let mut subscribers = subscribe(&node, count, &json!(["newHeads"])).await?;
    let memory = node.memory()?.saturating_sub(before) / count as u64;
    let mut blocks = Samples::default();
    for _ in 0..bench.scale.notifications {
        blocks.push(tell(&mut subscribers, "evm_mine", json!([])).await?);
    }
    drop(subscribers);
    // The node allows a thousand connections: it has to notice that those are gone.
    tokio::time::sleep(PAUSE * 5).await;
    let mut subscribers = subscribe(&node, count, &json!(["logs", { "address": token.address }])).await?;
    let mut logs = Samples::default();
    for _ in 0..bench.scale.notifications {
        logs.push(tell(&mut subscribers, "eth_sendRawTransaction", token.raw_transfer()).await?);
    }
    Ok(Figures { blocks, logs, memory })
}

/// Connects so many clients.
async fn subscribe(node: &Node, count: usize, subscription: &Value) -> Result<Vec<Subscriber>> {
    let mut subscribers = Vec::new();
    for _ in 0..count {
        subscribers.push(Subscriber::open(node.address, subscription).await?);
    }
    Ok(subscribers)
}

/// Lets one of the clients cause a notification, and gives how long it took until all have it.
async fn tell(subscribers: &mut Vec<Subscriber>, method: &str, parameters: Value) -> Result<Duration> {
    tokio::time::sleep(PAUSE).await;
    let Some(first) = subscribers.first_mut() else { bail!("there are no subscribers") };
    let start = Instant::now();
    first.send(method, &parameters).await?;
    let tasks: Vec<_> = std::mem::take(subscribers)
        .into_iter()
        .map(|mut subscriber| {
            tokio::spawn(async move {
                tokio::time::timeout(NOTIFICATION_WAIT, subscriber.notified()).await??;
                anyhow::Ok((subscriber, Instant::now()))
            })
        })
        .collect();
    let mut last = start;
    for result in try_join_all(tasks).await? {
        let (subscriber, at) = result?;
        last = last.max(at);
        subscribers.push(subscriber);
    }
    Ok(last - start)
}

/// Raises this process's limit of open files, which nodes inherit, to what so many connections need.
fn allow_connections(count: usize) -> Result<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let needed = (count as u64).saturating_mul(2).saturating_add(1_000);
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < needed) {
        limit.current = limit.maximum.map_or(Some(needed), |maximum| Some(needed.min(maximum)));
        setrlimit(Resource::Nofile, limit)?;
    }
    Ok(())
}
