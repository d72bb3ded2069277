//! Reads of state, and what a node takes at rest: development chains beside each other.

use super::Bench;
use crate::load::{Load, Requests, for_a_while};
use crate::nodes::{Node, megabytes};
use crate::senders::{Token, balance_requests, fund, sender};
use crate::statistics::{median, per_second, time};
use crate::table::{Row, Section};
use anyhow::Result;
use std::sync::Arc;
use std::time::Duration;

/// Connections that ask at the same time.
pub(crate) const CONNECTIONS: usize = 16;
/// Accounts whose balances are asked for; each has some of the token.
const HOLDERS: u64 = 32;

/// Measures `eth_call` and `eth_getBalance`.
pub(crate) async fn run(bench: &Bench) -> Result<Vec<Section>> {
    bench.tell("reads: parhelion dev and anvil");
    let nodes = [bench.tools.dev().await?, bench.tools.anvil(&[]).await?];
    let rest = at_rest(&nodes)?;
    let mut tokens = Vec::new();
    for node in &nodes {
        let mut connection = node.connect().await?;
        fund(&mut connection, HOLDERS).await?;
        tokens.push(Token::deploy(&mut connection, HOLDERS, sender(0)).await?);
    }
    let calls: Vec<Requests> = tokens.iter().map(|token| Arc::new(token.balance_requests(HOLDERS))).collect();
    let balances: Requests = Arc::new(balance_requests(HOLDERS));
    let balances = vec![Arc::clone(&balances), balances];
    let mut rows = Vec::new();
    for (what, requests) in [("`eth_call`, balanceOf of an ERC-20", calls), ("`eth_getBalance`", balances)] {
        for connections in [CONNECTIONS, 1] {
            bench.tell(&format!("reads: {what}, {connections} connections"));
            let [ours, anvil] = take_turns(bench, &nodes, &requests, connections).await?;
            let what = match connections {
                1 => format!("{what}, one at a time"),
                _ => format!("{what}, {connections} connections"),
            };
            rows.push(beside(what, &ours, &anvil));
        }
    }
    let text = format!(
        "`parhelion dev` (the program in a Solana VM, state in memory) and anvil, both with the same contract and the same \
         {HOLDERS} accounts, asked by the same client over HTTP connections that stay open. {} rounds of {} s, in which the \
         nodes take turns; the rate is that of the round in the middle.",
        bench.scale.rounds,
        bench.scale.round.as_secs_f64(),
    );
    Ok(vec![Section { title: "Reads", text, rows }, rest])
}

/// A row about loads, whose goal is anvil's rate.
fn beside(what: String, ours: &[Load], anvil: &[Load]) -> Row {
    let rate = |loads: &[Load]| median(loads.iter().map(Load::rate).collect());
    let show = |loads: &[Load]| {
        let mut all = crate::statistics::Samples::default();
        loads.iter().for_each(|load| all.extend(&load.latencies));
        format!("{}; {}", per_second(rate(loads)), all.show())
    };
    let is_reached = rate(ours) >= rate(anvil);
    Row::new(what, show(ours)).beside(show(anvil)).reaching("at least as fast as anvil", is_reached)
}

/// Asks both nodes in turn, each once more before that counts.
async fn take_turns(
    bench: &Bench,
    nodes: &[Node; 2],
    requests: &[Requests],
    connections: usize,
) -> Result<[Vec<Load>; 2]> {
    let mut loads = [Vec::new(), Vec::new()];
    for (node, requests) in nodes.iter().zip(requests) {
        for_a_while(node.address, connections, Duration::from_millis(200), requests).await?;
    }
    for _ in 0..bench.scale.rounds {
        for ((node, requests), loads) in nodes.iter().zip(requests).zip(&mut loads) {
            loads.push(for_a_while(node.address, connections, bench.scale.round, requests).await?);
        }
    }
    Ok(loads)
}

/// What the nodes take before anybody asks.
fn at_rest([ours, anvil]: &[Node; 2]) -> Result<Section> {
    let rows = vec![
        Row::new("start to ready", time(ours.start)).beside(time(anvil.start)),
        Row::new("memory", megabytes(ours.memory()?)).beside(megabytes(anvil.memory()?)),
    ];
    let text =
        "`parhelion dev` and anvil after the start: until `/ready` answers 200, and anvil `eth_blockNumber`."
            .into();
    Ok(Section { title: "At rest", text, rows })
}
