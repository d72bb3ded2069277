//! A node in front of a validator, with the database of a million transactions; anvil with as many logs.

use super::{Bench, bar, reads, sending};
use crate::client::{Connection, is_result, request};
use crate::cluster::Cluster;
use crate::database::{Database, Question, scan, transfer_topic};
use crate::emitter::{CALL_LOGS, Emitter};
use crate::load::{all, for_a_while};
use crate::nodes::{Node, megabytes};
use crate::senders::{balance_requests, time_to_receipt, transfers};
use crate::statistics::{Samples, per_second, time, whole};
use crate::table::{Row, Section};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The name of the database's file.
const FILE: &str = "blocks.sqlite";
/// Logs that a wide question finds: as many as the node gives in one answer.
const WIDE_LOGS: u64 = 10_000;
/// Wide questions.
const WIDE_QUESTIONS: u64 = 40;
/// Questions to anvil, which takes long for each.
const ANVIL_QUESTIONS: u64 = 20;
/// Scans of all logs.
const SCANS: usize = 3;
/// Starts of the node.
const STARTS: usize = 5;
/// What a selective question may take.
const SELECTIVE_MAX: Duration = Duration::from_millis(5);
/// How many times faster than a scan it has to be.
const SCAN_TIMES_MIN: f64 = 20.0;
/// Raw transactions that the node is to accept in a second.
const ACCEPTED_MIN: f64 = 1_500.0;
/// The most memory after a million transactions, in bytes.
const MEMORY_MAX: u64 = 500_000_000;
/// The longest start with that database.
const START_MAX: Duration = Duration::from_secs(1);

/// Times of questions for logs.
struct Logs {
    selective: Samples,
    wide: Samples,
    /// How many logs there are.
    count: u64,
}

/// What the node's memory was, in bytes.
struct Memory {
    after_start: u64,
    after_logs: u64,
    after_sending: u64,
    most: u64,
}

/// Measures everything about the database.
pub(crate) async fn run(bench: &Bench) -> Result<Vec<Section>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join(FILE);
    let database = write(bench, &file).await?;
    bench.tell(&format!("database: scanning {}", megabytes(std::fs::metadata(&file)?.len())));
    let scanned = scans(&file, &database).await?;

    bench.tell("database: a validator");
    let cluster = Cluster::start(&bench.tools, database.tip, bench.scale.senders + 1).await?;
    // The first start reads what happened on the cluster since the database's newest block.
    cluster.node(&file).await?.stop();
    let mut starts = Samples::default();
    for number in 1..STARTS {
        bench.tell(&format!("database: start {number}"));
        let node = cluster.node(&file).await?;
        starts.push(node.start);
        node.stop();
    }
    let node = cluster.node(&file).await?;
    starts.push(node.start);
    let after_start = node.memory()?;
    bench.tell("database: eth_getLogs of the node");
    let logs = ask_node(bench, &node, &database).await.with_context(|| node.log())?;
    let after_logs = node.memory()?;
    bench.tell("database: sending to the node");
    let sent = send(bench, &node).await.with_context(|| node.log())?;
    let (after_sending, most) = (node.memory()?, node.most_memory()?);
    let memory = Memory { after_start, after_logs, after_sending, most };
    // It would go on landing.
    drop(node);
    bench.tell(&format!("database: anvil emits {} logs", whole(bench.scale.anvil_logs)));
    let (anvil, anvil_memory) = ask_anvil(bench).await?;
    Ok(vec![
        logs_section(&database, &logs, &anvil, &scanned),
        sent,
        memory_section(&database, &starts, &memory, anvil.count, anvil_memory),
    ])
}

/// Writes the database.
async fn write(bench: &Bench, file: &Path) -> Result<Database> {
    let transactions = bench.scale.transactions;
    bench.tell(&format!("database: writing {} transactions", whole(transactions)));
    let progress = bar(transactions, "transactions");
    let database = Database::write(file, transactions, &progress).await;
    progress.finish_and_clear();
    database
}

/// How long it takes to read every transaction.
async fn scans(file: &Path, database: &Database) -> Result<Samples> {
    let question = database.questions.first().context("there are no questions")?;
    let mut samples = Samples::default();
    for _ in 0..SCANS {
        let start = Instant::now();
        scan(file, question.receiver.as_slice()).await?;
        samples.push(start.elapsed());
    }
    Ok(samples)
}

/// Asks the node for logs, selectively and widely.
async fn ask_node(bench: &Bench, node: &Node, database: &Database) -> Result<Logs> {
    let mut connection = node.connect().await?;
    let (mut selective, mut wide) = (Samples::default(), Samples::default());
    for Question { token, receiver, logs } in database.questions.iter().cycle().take(bench.scale.questions) {
        let filter = json!({
            "fromBlock": hex(database.first), "toBlock": hex(database.last), "address": token,
            "topics": [transfer_topic(), null, receiver.into_word()],
        });
        let (took, body) = ask(&mut connection, &filter).await?;
        let found = count_logs(&body)?;
        ensure!(found == *logs as usize, "{found} logs instead of {logs}");
        selective.push(took);
    }
    let span = Database::blocks_with(WIDE_LOGS);
    let last = (database.last + 1).saturating_sub(database.first).saturating_sub(span).max(1);
    for question in 0..WIDE_QUESTIONS {
        // Spread over the chain.
        let from = database.first + question * 7_919 % last;
        let to = (from + span - 1).min(database.last);
        let filter = json!({ "fromBlock": hex(from), "toBlock": hex(to), "topics": [transfer_topic()] });
        let (took, body) = ask(&mut connection, &filter).await?;
        let expected = (to + 1 - from) * WIDE_LOGS / span;
        ensure!(count_logs(&body)? as u64 == expected, "not {expected} logs in blocks {from} to {to}");
        wide.push(took);
    }
    Ok(Logs { selective, wide, count: database.logs })
}

/// Asks anvil the same about the logs of a contract, and gives its memory too.
async fn ask_anvil(bench: &Bench) -> Result<(Logs, u64)> {
    let node = bench.tools.anvil(&["--gas-limit", "1000000000"]).await?;
    let mut connection = node.connect().await?;
    let progress = bar(bench.scale.anvil_logs, "logs");
    let emitter = Emitter::fill(&mut connection, bench.scale.anvil_logs, &progress).await?;
    progress.finish_and_clear();
    let memory = node.memory()?;
    bench.tell("database: eth_getLogs of anvil");
    let (mut selective, mut wide) = (Samples::default(), Samples::default());
    for question in 0..ANVIL_QUESTIONS {
        let filter = json!({
            "fromBlock": "earliest", "toBlock": "latest", "address": emitter.address,
            "topics": [transfer_topic(), null, emitter.receiver(question * 31)],
        });
        let (took, body) = ask(&mut connection, &filter).await?;
        ensure!(count_logs(&body)? > 0, "anvil finds no logs");
        selective.push(took);
    }
    let span = WIDE_LOGS / CALL_LOGS;
    let blocks = emitter.logs / CALL_LOGS;
    for question in 0..ANVIL_QUESTIONS {
        let from = 2 + question * 7_919 % blocks.saturating_sub(span).max(1);
        let filter = json!({
            "fromBlock": hex(from), "toBlock": hex(from + span - 1), "topics": [transfer_topic()],
        });
        let (took, body) = ask(&mut connection, &filter).await?;
        ensure!(count_logs(&body)? as u64 == WIDE_LOGS, "not {WIDE_LOGS} logs from block {from} on");
        wide.push(took);
    }
    Ok((Logs { selective, wide, count: emitter.logs }, memory))
}

/// Asks for logs: how long it took, and the answer.
async fn ask(connection: &mut Connection, filter: &Value) -> Result<(Duration, Vec<u8>)> {
    let request = request("eth_getLogs", &json!([filter]));
    let start = Instant::now();
    let body = connection.exchange(&request).await?;
    let took = start.elapsed();
    ensure!(is_result(body), "{filter}: {}", String::from_utf8_lossy(body));
    Ok((took, body.to_vec()))
}

fn count_logs(body: &[u8]) -> Result<usize> {
    let answer: Value = serde_json::from_slice(body)?;
    answer.get("result").and_then(Value::as_array).map(Vec::len).context("no logs")
}

fn hex(number: u64) -> String {
    format!("{number:#x}")
}

/// Raw transactions to the node, which writes them down, and their receipts from the cluster.
async fn send(bench: &Bench, node: &Node) -> Result<Section> {
    let scale = bench.scale;
    let balances = Arc::new(balance_requests(scale.senders));
    let reads = for_a_while(node.address, reads::CONNECTIONS, scale.round, &balances).await?;
    let mut connection = node.connect().await?;
    let mut receipts = Samples::default();
    // The last sender sends nothing else.
    for nonce in 0..scale.receipts.min(20) {
        receipts.push(time_to_receipt(&mut connection, scale.senders, nonce).await?);
    }
    let requests = transfers(scale.senders, 0, scale.each, sending::CONNECTIONS);
    let load = all(node.address, requests).await?;
    let rows = vec![
        Row::new(
            "accepted and written down",
            format!("{}; {}", per_second(load.rate()), load.latencies.show()),
        )
        .reaching("1,500 a second", load.rate() >= ACCEPTED_MIN),
        Row::new("time to receipt, one at a time", receipts.show()),
        Row::new(
            format!("`eth_getBalance`, {} connections", reads::CONNECTIONS),
            format!("{}; {}", per_second(reads.rate()), reads.latencies.show()),
        ),
    ];
    let text = format!(
        "`eth_sendRawTransaction` to `parhelion run` in front of Solana's test validator on this machine: {} transfers of {} \
         senders over {} connections. Each is answered when signature, nonce and balance are checked and the transaction is on \
         the disk; landing goes on meanwhile, and the validator takes its share of the same cores. anvil has nothing like it.",
        whole(load.answered),
        scale.senders,
        sending::CONNECTIONS,
    );
    Ok(Section { title: "Sending, a node in front of a cluster", text, rows })
}

fn logs_section(database: &Database, ours: &Logs, anvil: &Logs, scanned: &Samples) -> Section {
    let (selective, scan) = (ours.selective.median(), scanned.median());
    let times = scan.as_secs_f64() / selective.as_secs_f64().max(f64::EPSILON);
    let is_fast = selective < SELECTIVE_MAX;
    let as_fast = |ours: &Samples, anvil: &Samples| ours.median() <= anvil.median();
    let rows = vec![
        Row::new("selective: about 100 logs of a token's receiver, in all blocks", ours.selective.show())
            .beside(anvil.selective.show())
            .reaching("p50 below 5 ms", is_fast),
        Row::new("the same, against anvil", time(selective))
            .beside(time(anvil.selective.median()))
            .reaching("at least as fast as anvil", as_fast(&ours.selective, &anvil.selective)),
        Row::new("a scan of all transactions for the same", time(scan))
            .reaching(format!("20 times the selective one: {times:.0} times"), times >= SCAN_TIMES_MIN),
        Row::new(format!("wide: {} logs of a range of blocks", whole(WIDE_LOGS)), ours.wide.show())
            .beside(anvil.wide.show())
            .reaching("at least as fast as anvil", as_fast(&ours.wide, &anvil.wide)),
    ];
    let text = format!(
        "`eth_getLogs`, one question at a time: `parhelion run` with {} logs of {} transactions in SQLite, twenty transactions a \
         block; anvil with {} logs in memory, {} of one contract in each block. The scan reads every transaction in SQLite and \
         looks for the receiver's bytes, without making logs of it: the quickest that can be without an index.",
        whole(ours.count),
        whole(database.transactions),
        whole(anvil.count),
        whole(CALL_LOGS),
    );
    Section { title: "Logs", text, rows }
}

fn memory_section(
    database: &Database,
    starts: &Samples,
    memory: &Memory,
    anvil_logs: u64,
    anvil_memory: u64,
) -> Section {
    let start = starts.median();
    let below = |bytes| (bytes <= MEMORY_MAX, megabytes(bytes));
    let (is_small, most) = below(memory.most);
    let rows = vec![
        Row::new("start to ready", time(start)).reaching("below 1 s", start < START_MAX),
        Row::new("memory after the start", megabytes(memory.after_start)),
        Row::new("memory after the questions for logs", megabytes(memory.after_logs)),
        Row::new("memory after the raw transactions", megabytes(memory.after_sending)),
        Row::new("the most memory at any time", most).reaching("500 MB", is_small),
        Row::new(format!("memory of anvil with {} logs", whole(anvil_logs)), "–")
            .beside(megabytes(anvil_memory)),
    ];
    let text = format!(
        "`parhelion run` with the database of {} transactions, in front of the validator. Ready is when `/ready` answers 200; of \
         {STARTS} starts the one in the middle.",
        whole(database.transactions),
    );
    Section { title: "Start and memory with a million transactions", text, rows }
}
