//! A Solana validator with the program and funded senders, and nodes in front of it.

use crate::client::get;
use crate::nodes::{Node, Tools, free_address};
use crate::senders::sender;
use anyhow::{Context as _, Result, bail};
use futures::future::try_join_all;
use parhelion_core::cluster::Cluster as _;
use parhelion_sdk::instruction::deposit;
use parhelion_sdk::transaction::{Budget, Format, sign};
use parhelion_solana::{RpcCluster, RpcOptions};
use parhelion_validator::process::{Output, Process, tail};
use parhelion_validator::{Options, Validator};
use solana_keypair::Keypair;
use solana_signer::Signer as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The chain id; that of the harness's wallets.
pub(crate) const CHAIN_ID: u64 = parhelion_harness::wallet::CHAIN_ID;
/// What each sender gets.
const SENDER_LAMPORTS: u64 = 1_000_000_000;
/// Deposits in a Solana transaction.
const DEPOSITS: u64 = 6;
/// How long deploying may take.
const DEPLOY_WAIT: Duration = Duration::from_secs(120);

/// See the module.
pub(crate) struct Cluster {
    tools: Tools,
    validator: Validator,
    operator_file: PathBuf,
    program: Keypair,
    _folder: TempDir,
}

impl Cluster {
    /// Starts a validator whose first block comes behind slot `tip`, deploys the program, and gives so many senders a SOL.
    pub(crate) async fn start(tools: &Tools, tip: u64, senders: u64) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        // Always the same keys. They are worth nothing anywhere else.
        let (operator, program) = (Keypair::new_from_array([1; 32]), Keypair::new_from_array([2; 32]));
        let operator_file = write_key(folder.path(), "operator.json", &operator)?;
        let program_file = write_key(folder.path(), "program.json", &program)?;
        let options = Options {
            binary: Some(tools.validator.clone()),
            mint: Some(operator.pubkey()),
            // The blocks of this slot and of the next cannot be read.
            warp_slot: tip.checked_sub(1),
            ..Options::default()
        };
        let validator = tokio::task::spawn_blocking(|| Validator::start(options)).await??;
        let mut deploy = Command::new(&tools.node);
        deploy.args(["deploy", "--solana-url", &validator.url(), "--chain-id", &CHAIN_ID.to_string()]);
        deploy.args(["--parallel", "64"]).arg("--authority").arg(&operator_file);
        deploy.arg("--program-id").arg(program_file).arg("--fund-operator").arg(&operator_file);
        deploy.env("PARHELION_PROGRAM", &tools.program);
        finish(deploy, &folder.path().join("deploy.log")).await.context("the program cannot be deployed")?;
        fund(&validator, &operator, &program, senders).await.context("the senders cannot be funded")?;
        // A node's cluster runs on other machines.
        validator.yield_to_others();
        Ok(Self { tools: tools.clone(), validator, operator_file, program, _folder: folder })
    }

    /// A node with this database. It listens when this completes, and is ready.
    pub(crate) async fn node(&self, database: &Path) -> Result<Node> {
        let address = free_address()?;
        let mut command = Command::new(&self.tools.node);
        command.args(["run", "--solana-url", &self.validator.url(), "--listen", &address.to_string()]);
        command.arg("--program-id").arg(self.program.pubkey().to_string());
        command.arg("--keypair").arg(&self.operator_file);
        command.args(["--database", &format!("sqlite:{}", database.display())]);
        Node::start(command, address, &get("/ready")).await
    }
}

/// Runs a command to its end.
async fn finish(command: Command, log: &Path) -> Result<()> {
    let process = Process::start(command, &Output::File(log.to_path_buf()))?;
    let status = tokio::task::spawn_blocking(move || process.wait(DEPLOY_WAIT)).await?;
    match status {
        Some(status) if status.success() => Ok(()),
        Some(status) => bail!("it ended with {status}:\n{}", tail(log)),
        None => bail!("it takes more than {} s:\n{}", DEPLOY_WAIT.as_secs(), tail(log)),
    }
}

/// Deposits for the senders.
async fn fund(validator: &Validator, operator: &Keypair, program: &Keypair, senders: u64) -> Result<()> {
    let cluster = RpcCluster::connect(&RpcOptions::new(validator.url(), program.pubkey())).await?;
    let (deployment, payer) = (cluster.deployment(), operator.pubkey());
    let blockhash = cluster.latest_blockhash().await?;
    let numbers: Vec<u64> = (0..senders).collect();
    let groups = numbers.chunks(DEPOSITS as usize).map(|group| {
        let deposits = group.iter().map(|number| sender(*number).address());
        let deposits: Vec<_> =
            deposits.map(|address| deposit(&deployment, &payer, address, SENDER_LAMPORTS)).collect();
        sign(&deposits, &payer, &[operator], blockhash, &Budget::MAX, Format::V1)
    });
    let groups = groups.collect::<Result<Vec<_>, _>>()?;
    try_join_all(groups.iter().map(|group| cluster.send(group))).await?;
    Ok(())
}

/// Writes a key in the form of Solana's tools.
fn write_key(folder: &Path, name: &str, key: &Keypair) -> Result<PathBuf> {
    let path = folder.join(name);
    std::fs::write(&path, serde_json::to_string(&key.to_bytes()[..])?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
