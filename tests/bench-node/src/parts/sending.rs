//! Raw transactions on development chains: accepted, landed, and time to receipt.

use super::Bench;
use crate::load::{Load, all};
use crate::nodes::{Node, megabytes};
use crate::senders::{fund, sender, time_to_receipt, transfers};
use crate::statistics::{Samples, median, per_second, whole};
use crate::table::{Row, Section};
use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use std::time::{Duration, Instant};

/// Connections that send at the same time.
pub(crate) const CONNECTIONS: usize = 32;

/// How long transactions may take to land.
const LANDING_WAIT: Duration = Duration::from_secs(60);
/// Between two looks whether they have.
const LOOK_INTERVAL: Duration = Duration::from_millis(2);

/// Measures `eth_sendRawTransaction` on development chains.
pub(crate) async fn run(bench: &Bench) -> Result<Vec<Section>> {
    let scale = bench.scale;
    bench.tell("sending: signing");
    let waiting = transfers(scale.senders, 0, scale.each, CONNECTIONS);
    let landing = transfers(scale.senders, 0, scale.landing_each, CONNECTIONS);
    let (mut accepted, mut landed) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    let mut receipts = [Samples::default(), Samples::default()];
    let mut memory = [Vec::new(), Vec::new()];
    for round in 1..=scale.rounds {
        bench.tell(&format!("sending: round {round}"));
        for which in [0, 1] {
            let node = start(bench, which).await?;
            let mut connection = node.connect().await?;
            landed[which].push(land(bench, &node, landing.clone()).await?);
            memory[which].push(node.memory()?);
            for turn in 0..scale.receipts {
                let (number, nonce) = (turn % scale.senders, scale.landing_each + turn / scale.senders);
                let took = time_to_receipt(&mut connection, number, nonce).await;
                receipts[which].push(took.with_context(|| node.log())?);
            }
            drop(node);
            let node = start(bench, which).await?;
            node.call("evm_setAutomine", json!([false])).await?;
            accepted[which].push(all(node.address, waiting.clone()).await?);
        }
    }
    let rate = |loads: &[Load]| per_second(median(loads.iter().map(Load::rate).collect()));
    let [ours, anvil] = &receipts;
    let middle = |mut numbers: Vec<u64>| {
        numbers.sort_unstable();
        numbers.get(numbers.len() / 2).copied().unwrap_or_default()
    };
    let [our_memory, anvil_memory] = memory.map(|numbers| megabytes(middle(numbers)));
    let count = scale.senders * scale.landing_each;
    let rows = vec![
        Row::new("accepted, none lands meanwhile", rate(&accepted[0])).beside(rate(&accepted[1])),
        Row::new("accepted and landed, a block each", rate(&landed[0])).beside(rate(&landed[1])),
        Row::new("time to receipt, one at a time", ours.show()).beside(anvil.show()),
        Row::new(format!("memory after {} transactions", whole(count)), our_memory).beside(anvil_memory),
    ];
    let text = format!(
        "`eth_sendRawTransaction` to `parhelion dev` and anvil: transfers of {} senders over {CONNECTIONS} connections, {} that \
         wait (`evm_setAutomine(false)`) and {} that land at once. {} rounds, with new nodes in each.",
        scale.senders,
        whole(scale.senders * scale.each),
        whole(count),
        scale.rounds,
    );
    Ok(vec![Section { title: "Sending, development chains", text, rows }])
}

/// Sends transactions, and waits until all have landed: anvil answers before that.
async fn land(bench: &Bench, node: &Node, requests: Vec<Vec<Vec<u8>>>) -> Result<Load> {
    let start = Instant::now();
    let mut load = all(node.address, requests).await?;
    let mut connection = node.connect().await?;
    // anvil leaves some to the next block that somebody asks for.
    connection.call("evm_mine", json!([])).await?;
    for number in 0..bench.scale.senders {
        let question = json!([sender(number).address(), "latest"]);
        while connection.call("eth_getTransactionCount", question.clone()).await?
            != json!(format!("{:#x}", bench.scale.landing_each))
        {
            ensure!(start.elapsed() < LANDING_WAIT, "not all transactions landed");
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }
    load.elapsed = start.elapsed();
    Ok(load)
}

/// One of the two nodes, with funded senders.
async fn start(bench: &Bench, which: usize) -> Result<Node> {
    let node = match which {
        0 => bench.tools.dev().await?,
        _ => bench.tools.anvil(&[]).await?,
    };
    fund(&mut node.connect().await?, bench.scale.senders + 1).await?;
    Ok(node)
}
