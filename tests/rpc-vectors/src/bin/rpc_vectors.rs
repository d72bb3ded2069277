//! Runs Ethereum's request and response vectors against the JSON-RPC server, see the library.
#![forbid(unsafe_code)]

use anyhow::{Context as _, Result};
use clap::Parser;
use parhelion_rpc::Limits;
use parhelion_rpc_vectors::data::Data;
use parhelion_rpc_vectors::node::Node;
use parhelion_rpc_vectors::rules::{self, Rule, Verdict, judge};
use parhelion_rpc_vectors::vector::Vector;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs Ethereum's request and response vectors against the JSON-RPC server.
///
/// Exits with 1 when an answer is not the expected one and no rule (rules.txt) says that it need not be. The last line counts
/// the files.
#[derive(Parser)]
#[command(name = "rpc-vectors")]
struct Arguments {
    /// The folder that holds `tests` and `chain`, or a .tar.zst archive of them
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    /// The data are those that the rules were written for: a rule that no file needs is a failure
    #[arg(long)]
    all_rules: bool,
    /// Only files whose name (method/name) contains this; may be given several times
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Name every skipped file, and those that pass by a rule
    #[arg(long)]
    show_rules: bool,
    /// Characters of an answer that a failure shows
    #[arg(long, default_value_t = 1000)]
    characters: usize,
}

/// What came of all files.
#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
    /// How many files needed each rule, by its number.
    needed: BTreeMap<usize, usize>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let (data, rules) = (Data::read(&arguments.data)?, rules::all()?);
    let node = Node::start(&data, Limits::default()).await?;
    let client = reqwest::Client::new();
    let mut counts = Counts::default();
    for vector in data.vectors.iter().filter(|vector| is_chosen(&arguments.only, vector)) {
        let mut answers = Vec::new();
        for exchange in &vector.exchanges {
            answers.push(ask(&client, &node.url, &exchange.request).await?);
        }
        let verdict = judge(&rules, vector, &answers, &node.blob_transactions);
        counts.add(&verdict);
        show(vector, &answers, &verdict, &rules, &arguments);
    }
    node.stop().await;
    let unneeded = if arguments.all_rules { counts.unneeded(&rules) } else { Vec::new() };
    print(&counts, &rules, &unneeded);
    Ok(ExitCode::from(u8::from(counts.failed + unneeded.len() > 0 || counts.passed == 0)))
}

fn is_chosen(only: &[String], vector: &Vector) -> bool {
    only.is_empty() || only.iter().any(|text| vector.name.contains(text))
}

/// Posts a request as it is.
async fn ask(client: &reqwest::Client, url: &str, request: &str) -> Result<Value> {
    let request = client.post(url).header("content-type", "application/json").body(request.to_owned());
    let answer = request.send().await.context("the node does not answer")?.text().await?;
    serde_json::from_str(&answer).with_context(|| format!("the node's answer is no JSON: {answer}"))
}

impl Counts {
    fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Passed(rules) => {
                self.passed += 1;
                rules.iter().for_each(|rule| *self.needed.entry(*rule).or_default() += 1);
            }
            Verdict::Skipped(rule) => {
                self.skipped += 1;
                *self.needed.entry(*rule).or_default() += 1;
            }
            Verdict::Failed(_) => self.failed += 1,
        }
    }

    /// The rules that no file needs.
    fn unneeded<'r>(&self, rules: &'r [Rule]) -> Vec<&'r Rule> {
        let unneeded = rules.iter().enumerate().filter(|(number, _)| !self.needed.contains_key(number));
        unneeded.map(|(_, rule)| rule).collect()
    }
}

/// Explains a failure; the others on demand.
fn show(vector: &Vector, answers: &[Value], verdict: &Verdict, rules: &[Rule], arguments: &Arguments) {
    let cut = |text: String| -> String {
        match text.char_indices().nth(arguments.characters) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    };
    let reason = |rule: &usize| rules.get(*rule).map_or("", |rule| rule.reason.as_str());
    match verdict {
        Verdict::Failed(failures) => {
            println!("FAILED: {}", vector.name);
            for (number, differences) in failures {
                let (Some(exchange), Some(got)) = (vector.exchanges.get(*number), answers.get(*number))
                else {
                    continue;
                };
                println!("  request:  {}", cut(exchange.request.clone()));
                println!("  expected: {}", cut(exchange.answer.to_string()));
                println!("  got:      {}", cut(got.to_string()));
                differences.iter().for_each(|difference| println!("  {}", cut(difference.clone())));
            }
        }
        Verdict::Skipped(rule) if arguments.show_rules => {
            println!("skipped: {}\n  {}", vector.name, reason(rule));
        }
        Verdict::Passed(rules) if arguments.show_rules && !rules.is_empty() => {
            println!("passed by a rule: {}", vector.name);
            rules.iter().for_each(|rule| println!("  {}", reason(rule)));
        }
        Verdict::Skipped(_) | Verdict::Passed(_) => {}
    }
}

/// Which rules were needed, and the counts; the last line is for CI.
fn print(counts: &Counts, rules: &[Rule], unneeded: &[&Rule]) {
    println!("\nfiles that need a rule:");
    for (number, count) in &counts.needed {
        if let Some(rule) = rules.get(*number) {
            println!("{count:>6}  {}\n        {}", rule.title(), rule.reason);
        }
    }
    for rule in unneeded {
        println!("\nFAILED: no file needs this rule: take it out of rules.txt\n  {}", rule.title());
    }
    let failed = counts.failed + unneeded.len();
    println!("\n{} passed, {failed} failed, {} skipped", counts.passed, counts.skipped);
    if counts.passed + failed + counts.skipped == 0 {
        println!("no file was run: look at --data and --only");
    }
}
