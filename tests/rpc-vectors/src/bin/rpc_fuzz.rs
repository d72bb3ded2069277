//! Sends mutated requests to the JSON-RPC server, and looks whether it stays well, see the library.
#![forbid(unsafe_code)]

use anyhow::{Context as _, Result};
use clap::Parser;
use fastrand::Rng;
use futures::future::join_all;
use parhelion_rpc::Limits;
use parhelion_rpc_vectors::answer::{Answer, read};
use parhelion_rpc_vectors::data::Data;
use parhelion_rpc_vectors::memory::resident_mib;
use parhelion_rpc_vectors::mutate::Mutator;
use parhelion_rpc_vectors::node::Node;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Sends mutated requests to the JSON-RPC server, and looks whether it panics, hangs, grows, or answers nonsense.
///
/// The same seed gives the same requests. Those that it does not bear are written to files. Exits with 1 when there are any. The
/// last line counts requests.
#[derive(Parser)]
#[command(name = "rpc-fuzz")]
struct Arguments {
    /// The folder of the vectors that the requests are made of: `tests` and `chain`, or a .tar.zst archive of them
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    /// How long to go on; a minute if --requests is not given either
    #[arg(long)]
    minutes: Option<f64>,
    /// How many requests to send
    #[arg(long)]
    requests: Option<u64>,
    /// What all requests follow from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The number of the first request
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Requests at a time
    #[arg(long, default_value_t = 16)]
    jobs: usize,
    /// Seconds after which a request counts as hanging; the server gives up earlier
    #[arg(long, default_value_t = 180)]
    hang_seconds: u64,
    /// MiB that the process may grow after the first quarter
    #[arg(long, default_value_t = 256)]
    growth_mib_max: u64,
    /// After how many failures to stop
    #[arg(long, default_value_t = 20)]
    failures: usize,
    /// The folder for requests that the server does not bear
    #[arg(long, value_name = "FOLDER", default_value = "rpc-fuzz-failures")]
    out: PathBuf,
}

/// What all jobs share.
struct Run<'a> {
    arguments: &'a Arguments,
    mutator: Mutator,
    url: String,
    client: reqwest::Client,
    start: Instant,
    next: AtomicU64,
    is_over: AtomicBool,
    counts: Mutex<Counts>,
}

/// What came of the requests.
#[derive(Default)]
struct Counts {
    answered: u64,
    /// Answers by kind: results, errors by code, HTTP statuses.
    kinds: BTreeMap<String, u64>,
    /// The longest time that an answer took, and its request's number.
    slowest: (Duration, u64),
    failures: Vec<String>,
    /// The memory at the beginning and after each further quarter, in MiB.
    mib: Vec<u64>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let mut arguments = Arguments::parse();
    if arguments.requests.is_none() {
        arguments.minutes.get_or_insert(1.0);
    }
    let data = Data::read(&arguments.data)?;
    let node = Node::start(&data, Limits::default()).await?;
    let panics = parhelion_rpc_vectors::panics::count();
    let mutator = Mutator::new(&data.vectors, node.methods());
    let run = Run {
        mutator,
        url: node.url.clone(),
        client: reqwest::Client::builder().timeout(Duration::from_secs(arguments.hang_seconds)).build()?,
        start: Instant::now(),
        next: AtomicU64::new(arguments.first),
        is_over: AtomicBool::new(false),
        counts: Mutex::default(),
        arguments: &arguments,
    };
    for result in join_all((0..arguments.jobs.max(1)).map(|_| work(&run))).await {
        result?;
    }
    let elapsed = run.start.elapsed();
    let mut counts = run.counts.into_inner().unwrap_or_else(PoisonError::into_inner);
    counts.mib.push(resident_mib()?);
    node.stop().await;
    let panics = panics.load(Ordering::SeqCst);
    if panics > 0 {
        counts.failures.push(format!("{panics} panics: the messages are above"));
    }
    // Caches and the pool fill in the first quarter.
    if let [_, early, .., end] = counts.mib[..]
        && end > early + arguments.growth_mib_max
    {
        counts.failures.push(format!("the memory grew from {early} to {end} MiB"));
    }
    print(&counts, elapsed);
    Ok(ExitCode::from(u8::from(!counts.failures.is_empty() || counts.answered == 0)))
}

/// Sends requests until there is enough of them.
async fn work(run: &Run<'_>) -> Result<()> {
    while !run.is_over.load(Ordering::Relaxed) {
        let number = run.next.fetch_add(1, Ordering::Relaxed);
        let share = run.share(number);
        if share >= 1.0 {
            return Ok(());
        }
        let body = run.mutator.request(&mut generator(run.arguments.seed, number));
        let before = Instant::now();
        let answer = send(run, &body).await;
        let took = before.elapsed();
        let mut counts = run.counts();
        if share * 4.0 >= f64::from(u32::try_from(counts.mib.len())?) {
            counts.mib.push(resident_mib()?);
        }
        counts.slowest = counts.slowest.max((took, number));
        match answer {
            Ok(kinds) => {
                counts.answered += 1;
                kinds.into_iter().for_each(|kind| *counts.kinds.entry(kind).or_default() += 1);
            }
            Err(problem) => {
                let file = keep(&run.arguments.out, run.arguments.seed, number, &body)?;
                println!("FAILED: request {number}, in {}\n  {problem}", file.display());
                counts.failures.push(problem);
                if counts.failures.len() >= run.arguments.failures {
                    run.is_over.store(true, Ordering::Relaxed);
                }
            }
        }
    }
    Ok(())
}

impl Run<'_> {
    /// Which part of the run lies before a request.
    #[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
    fn share(&self, number: u64) -> f64 {
        let of_requests = self
            .arguments
            .requests
            .map_or(0.0, |requests| (number - self.arguments.first) as f64 / requests.max(1) as f64);
        let of_time = self
            .arguments
            .minutes
            .map_or(0.0, |minutes| self.start.elapsed().as_secs_f64() / (minutes * 60.0));
        of_requests.max(of_time)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The generator of a request.
fn generator(seed: u64, number: u64) -> Rng {
    // Neighbouring seeds must not give neighbouring requests.
    Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xd134_2543_de82_ef95))
}

/// Sends a request, and gives what kinds of answers came, or what is wrong with them.
async fn send(run: &Run<'_>, body: &[u8]) -> Result<Vec<String>, String> {
    let mut answer = post(run, body).await;
    // The server closes the connection of a request that is too large, which the client may just then use for another one.
    // A request that the server does not bear fails twice.
    if answer.as_ref().is_err_and(|error| !error.is_timeout()) {
        answer = post(run, body).await;
    }
    let is_too_large = body.len() > Limits::default().request_bytes_max as usize;
    match answer {
        Ok((status, text)) => Ok(read(status, &text)?.iter().map(Answer::kind).collect()),
        // It is cut off, mostly before the client has read why.
        Err(error) if is_too_large && !error.is_timeout() => Ok(vec!["cut off: too large".into()]),
        Err(error) => Err(format!("no answer: {error:?}")),
    }
}

/// Posts a request, and gives the HTTP status and the body of the answer.
async fn post(run: &Run<'_>, body: &[u8]) -> reqwest::Result<(u16, String)> {
    let request = run.client.post(&run.url).header("content-type", "application/json").body(body.to_vec());
    let response = request.send().await?;
    Ok((response.status().as_u16(), response.text().await?))
}

/// Writes a request to a file.
fn keep(folder: &Path, seed: u64, number: u64, body: &[u8]) -> Result<PathBuf> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let file = folder.join(format!("{seed}-{number}.json"));
    std::fs::write(&file, body).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

fn print(counts: &Counts, elapsed: Duration) {
    println!("answers:");
    for (kind, count) in &counts.kinds {
        println!("{count:>12}  {kind}");
    }
    for failure in &counts.failures {
        println!("\nFAILED: {failure}");
    }
    let failed = counts.failures.len();
    let seconds = elapsed.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate need not be exact")]
    let rate = counts.answered as f64 / seconds.max(0.001);
    println!("\n{} requests in {seconds:.1} s: {rate:.0} a second", counts.answered);
    println!("the slowest, {}, took {:.1} s", counts.slowest.1, counts.slowest.0.as_secs_f64());
    println!("memory at the beginning and after each quarter, in MiB: {:?}", counts.mib);
    println!("{} passed, {failed} failed, 0 skipped", counts.answered);
}
