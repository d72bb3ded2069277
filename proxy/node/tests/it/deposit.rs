//! `parhelion deposit`, run as its help says.

use crate::solana::{SOL, Solana};
use parhelion_core::cluster::Cluster;
use solana_keypair::Keypair;
use std::path::PathBuf;
use std::process::{Command, Output};

const ADDRESS: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

/// A key file in the test's own folder.
fn key_file(name: &str, keypair: &Keypair) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, format!("{:?}", keypair.to_bytes())).unwrap();
    path
}

/// Runs the binary, beside the server that answers it.
async fn parhelion(arguments: Vec<String>, environment: Vec<(&'static str, String)>) -> Output {
    let run = move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parhelion"));
        command.arg("deposit").args(arguments).envs(environment).env("RUST_BACKTRACE", "0").output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap().trim()
}

fn words(line: String) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_becomes_a_balance() {
    let solana = Solana::start().await;
    solana.initialize().await;
    let key = key_file("deposit.json", &solana.payer);
    let vault = solana.cluster.deployment().vault.into();
    let before = solana.lamports(vault).await;
    let (url, program_id, key) = (&solana.url, solana.program_id, key.display().to_string());
    let flags = format!(
        "--solana-url {url} --program-id {program_id} --keypair {key} --to {ADDRESS} --lamports {SOL}"
    );
    // A second time, with the settings in the environment.
    let environment = vec![
        ("PARHELION_SOLANA_URL", url.clone()),
        ("PARHELION_PROGRAM_ID", program_id.to_string()),
        ("PARHELION_KEYPAIR", key.clone()),
    ];
    for (times, arguments, environment) in
        [(1, flags, vec![]), (2, format!("--to {ADDRESS} --lamports {SOL}"), environment)]
    {
        let output = parhelion(words(arguments), environment).await;
        assert!(output.status.success(), "{}", text(&output.stderr));
        let lines: Vec<_> = text(&output.stdout).lines().collect();
        let said = format!("deposited {SOL} lamports to {ADDRESS}: ");
        assert!(lines[0].strip_prefix(&said).is_some_and(|signature| signature.len() > 80), "{lines:?}");
        assert_eq!(lines[1], format!("balance   {times}000000000000000000 wei"));
        assert_eq!(solana.lamports(vault).await - before, times * SOL);
    }
    // What makes the fee recipient's account, as `parhelion run` advises.
    let recipient = "0x00000000000000000000000000000000000000fe";
    let advice =
        format!("--to {recipient} --lamports 0 --solana-url {url} --program-id {program_id} --keypair {key}");
    let output = parhelion(words(advice), vec![]).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_that_cannot_be_says_why() {
    let solana = Solana::start().await;
    let rich = key_file("rich.json", &solana.payer).display().to_string();
    let (url, program_id) = (solana.url.clone(), solana.program_id);
    let deposit = |key: &str, lamports: u64| {
        words(format!(
            "--solana-url {url} --program-id {program_id} --keypair {key} --to {ADDRESS} --lamports {lamports}"
        ))
    };
    let fails = async |arguments: Vec<String>| {
        let output = parhelion(arguments, vec![]).await;
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""));
        text(&output.stderr).to_owned()
    };
    let said = fails(deposit(&rich, 5)).await;
    let expected = format!(
        "error: no chain at program {program_id} on this cluster: check program id and RPC URL, or initialize it"
    );
    assert_eq!(said, expected);
    solana.initialize().await;
    let said = fails(deposit(&rich, 1000 * SOL)).await;
    let expected = "error: the program refused: the account that pays has too few lamports for the deposit or the rent of new accounts";
    assert_eq!(said, expected);
    let said = fails(deposit("no-such-file.json", 5)).await;
    let expected = "error: cannot read the Solana key file no-such-file.json; name another with --keypair: ";
    assert!(said.starts_with(expected), "{said}");
    let nowhere =
        fails(deposit(&rich, 5).into_iter().map(|word| word.replace(&url, "http://127.0.0.1:1")).collect());
    let said = nowhere.await;
    assert!(said.starts_with("error: the Solana cluster does not answer: "), "{said}");
    assert_eq!(said.matches("check the RPC URL").count(), 1, "told once: {said}");
}
