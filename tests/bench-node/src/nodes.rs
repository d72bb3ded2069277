//! Nodes as processes: `parhelion dev`, `parhelion run`, `anvil`.

use crate::client::{Connection, get, request};
use anyhow::{Context as _, Result, bail};
use parhelion_validator::process::{Output, Process, tail};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Between two looks whether a node is ready.
const LOOK_INTERVAL: Duration = Duration::from_millis(2);
/// The name of the file with its output.
const LOG: &str = "log";
/// How long a start may take.
const START_WAIT: Duration = Duration::from_secs(120);

/// Where the programs are.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Tools {
    /// The binary of the node
    #[arg(long, value_name = "FILE", env = "PARHELION_NODE")]
    pub(crate) node: PathBuf,
    /// The program's binary
    #[arg(long, value_name = "FILE", env = "PARHELION_PROGRAM")]
    pub(crate) program: PathBuf,
    /// anvil
    #[arg(long, value_name = "FILE")]
    pub(crate) anvil: PathBuf,
    /// Solana's test validator
    #[arg(long, value_name = "FILE", env = "PARHELION_VALIDATOR")]
    pub(crate) validator: PathBuf,
}

/// A node that runs until this is dropped.
pub(crate) struct Node {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// How long it took from the start of the process until it was ready.
    pub(crate) start: Duration,
    process: Process,
    folder: TempDir,
}

impl Tools {
    /// `parhelion dev`.
    pub(crate) async fn dev(&self) -> Result<Node> {
        let address = free_address()?;
        let mut command = Command::new(&self.node);
        command.args(["dev", "--listen", &address.to_string()]).env("PARHELION_PROGRAM", &self.program);
        Node::start(command, address, &get("/ready")).await
    }

    /// anvil, with more options.
    pub(crate) async fn anvil(&self, options: &[&str]) -> Result<Node> {
        let address = free_address()?;
        let mut command = Command::new(&self.anvil);
        command.args(["--port", &address.port().to_string(), "--quiet"]).args(options);
        Node::start(command, address, &request("eth_blockNumber", &json!([]))).await
    }

    /// anvil's version.
    pub(crate) fn anvil_version(&self) -> Result<String> {
        let output = Command::new(&self.anvil).arg("--version").output().context("anvil does not start")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.split_whitespace().find(|word| word.contains('.')).unwrap_or("?").to_owned())
    }
}

impl Node {
    /// Starts a process, and waits until it answers a question with the status 200.
    pub(crate) async fn start(command: Command, address: SocketAddr, question: &[u8]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let log = folder.path().join(LOG);
        let started = Instant::now();
        let process = Process::start(command, &Output::File(log.clone()))?;
        while !is_ready(address, question).await {
            if let Some(status) = process.ended() {
                bail!("the node ended ({status}):\n{}", tail(&log));
            }
            if started.elapsed() > START_WAIT {
                bail!("the node is not ready after {} s:\n{}", START_WAIT.as_secs(), tail(&log));
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
        Ok(Self { address, start: started.elapsed(), process, folder })
    }

    /// A connection to it.
    pub(crate) async fn connect(&self) -> Result<Connection> {
        Connection::open(self.address).await
    }

    /// The result of a method, asked over a connection of its own.
    pub(crate) async fn call(&self, method: &str, parameters: Value) -> Result<Value> {
        self.connect().await?.call(method, parameters).await
    }

    /// Its memory now, in bytes (`VmRSS`).
    pub(crate) fn memory(&self) -> Result<u64> {
        self.status("VmRSS:")
    }

    /// The most memory that it ever had, in bytes (`VmHWM`).
    pub(crate) fn most_memory(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    /// The end of its log: why it does not do what it should.
    pub(crate) fn log(&self) -> String {
        format!("the end of the node's log:\n{}", tail(&self.folder.path().join(LOG)))
    }

    /// Stops it in good order.
    pub(crate) fn stop(self) {
        self.process.stop();
    }

    fn status(&self, name: &str) -> Result<u64> {
        let path = format!("/proc/{}/status", self.process.id());
        let status =
            std::fs::read_to_string(path).context("the memory of a process is told by Linux only")?;
        kib(&status, name).map(|kib| kib * 1024).with_context(|| format!("the process has no {name}"))
    }
}

/// A number of KiB in `/proc/PID/status`.
fn kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

async fn is_ready(address: SocketAddr, question: &[u8]) -> bool {
    match Connection::open(address).await {
        Ok(mut connection) => connection.status(question).await.is_ok_and(|status| status == 200),
        Err(_) => false,
    }
}

/// An address of this machine on which nobody listens.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Bytes in MB.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read() {
        let status = "Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!((kib(status, "VmRSS:"), kib(status, "VmHWM:")), (Some(1024), Some(2048)));
        assert_eq!(kib(status, "VmSwap:"), None);
        assert_eq!(megabytes(1_000_001), "2 MB");
    }
}
