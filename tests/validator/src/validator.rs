//! `solana-test-validator`: Solana's own validator, alone in a cluster of its own.

use crate::folder::TemporaryFolder;
use crate::ports::{self, BLOCK};
use crate::process::{Output, Process, tail};
use anyhow::{Context as _, Result, bail};
use solana_address::Address;
use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The environment variable that names the validator's binary; `cargo xtask` sets it.
pub const VARIABLE: &str = "PARHELION_VALIDATOR";

/// How long a start may take: reading a ledger again takes its time.
const START_WAIT: Duration = Duration::from_secs(120);
/// Between two questions whether it is ready.
const READY_INTERVAL: Duration = Duration::from_millis(100);
/// How long one such question may take.
const QUESTION_WAIT: Duration = Duration::from_secs(2);

/// A program that is there from the beginning.
#[derive(Clone, Debug)]
pub struct GenesisProgram {
    /// Its address.
    pub program_id: Address,
    /// Its file.
    pub file: PathBuf,
    /// Who may upgrade it.
    pub authority: Address,
}

/// How a validator is started. What is left open is chosen so that any number of them can run side by side.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The binary; otherwise what [`VARIABLE`] names.
    pub binary: Option<PathBuf>,
    /// Where the ledger is, or is to be, and stays; otherwise in a temporary folder.
    pub ledger: Option<PathBuf>,
    /// The port of JSON-RPC; the WebSocket has the next one. Otherwise free ones.
    pub rpc_port: Option<u16>,
    /// Who owns 500 million SOL at the beginning.
    pub mint: Option<Address>,
    /// The length of slots in ticks of 6.25 ms; otherwise 64, which is 400 ms.
    pub ticks_per_slot: Option<u64>,
    /// The slot that a new ledger goes on with, as if those before had been empty; otherwise it begins with slot 0.
    pub warp_slot: Option<u64>,
    /// Features of Solana that are off. Otherwise all that this version knows are on.
    pub features_off: Vec<Address>,
    /// Programs that are there from the beginning.
    pub programs: Vec<GenesisProgram>,
    /// When this becomes true, a start in progress is given up.
    pub cancelled: Arc<AtomicBool>,
}

/// A running validator. It ends when this is dropped, and with this process.
#[derive(Debug)]
pub struct Validator {
    options: Options,
    binary: PathBuf,
    ledger: PathBuf,
    rpc_port: u16,
    /// The first port of the block that it uses for everything else.
    block: u16,
    /// Declared before the folder: the validator ends before its ledger vanishes.
    process: Option<Process>,
    _folder: Option<TemporaryFolder>,
}

impl Validator {
    /// Starts a validator and waits until it makes blocks.
    ///
    /// # Errors
    /// When it does not start: with the end of its log.
    pub fn start(options: Options) -> Result<Self> {
        let named = || std::env::var_os(VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from);
        let binary = options.binary.clone().or_else(named).with_context(|| {
            format!("{VARIABLE} does not name solana-test-validator: run this through `cargo xtask`, which builds it")
        })?;
        let folder = if options.ledger.is_none() { Some(TemporaryFolder::new()?) } else { None };
        let ledger = match (&options.ledger, &folder) {
            (None, Some(folder)) => folder.path().join("ledger"),
            (ledger, _) => ledger.clone().unwrap_or_default(),
        };
        let block = ports::free_block()?;
        let rpc_port = options.rpc_port.unwrap_or(block);
        if let Some(port) = options.rpc_port
            && let Some(taken) =
                [port, port.saturating_add(1)].into_iter().find(|port| !ports::is_free(*port))
        {
            bail!(
                "port {taken} is taken: stop what listens there (another validator?), or choose another port"
            );
        }
        let mut validator = Self { options, binary, ledger, rpc_port, block, process: None, _folder: folder };
        validator.restart()?;
        Ok(validator)
    }

    /// Starts it again from its ledger, on the same ports. One that runs is killed first.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn restart(&mut self) -> Result<()> {
        self.kill();
        std::fs::create_dir_all(&self.ledger)
            .with_context(|| format!("cannot create the ledger {}", self.ledger.display()))?;
        let mut command = Command::new(&self.binary);
        command.args(self.arguments());
        // Its logger would show the caller's level.
        command.env_remove("RUST_LOG");
        let started = Instant::now();
        self.process = Some(Process::start(command, &Output::File(self.output_file()))?);
        let ready = self.wait_until_ready(started);
        if ready.is_err() {
            self.kill();
        }
        ready
    }

    fn arguments(&self) -> Vec<OsString> {
        // The first two may be JSON-RPC and its WebSocket.
        let (faucet, gossip, dynamic) = (self.block + 2, self.block + 3, self.block + 4);
        let mut options: Vec<(&str, String)> = vec![
            ("--rpc-port", self.rpc_port.to_string()),
            ("--faucet-port", faucet.to_string()),
            ("--gossip-port", gossip.to_string()),
            ("--dynamic-port-range", format!("{dynamic}-{}", self.block + BLOCK)),
            ("--bind-address", Ipv4Addr::LOCALHOST.to_string()),
        ];
        options.extend(self.options.mint.map(|mint| ("--mint", mint.to_string())));
        options.extend(self.options.ticks_per_slot.map(|ticks| ("--ticks-per-slot", ticks.to_string())));
        let is_new = !self.ledger.join("genesis.bin").exists();
        let warp_slot = self.options.warp_slot.filter(|_| is_new);
        options.extend(warp_slot.map(|slot| ("--warp-slot", slot.to_string())));
        let features = self.options.features_off.iter();
        options.extend(features.map(|feature| ("--deactivate-feature", feature.to_string())));
        let mut arguments: Vec<OsString> =
            vec!["--quiet".into(), "--ledger".into(), self.ledger.clone().into()];
        arguments.extend(options.into_iter().flat_map(|(name, value)| [name.into(), value.into()]));
        for program in &self.options.programs {
            arguments.extend(["--upgradeable-program".into(), program.program_id.to_string().into()]);
            arguments.extend([program.file.clone().into(), program.authority.to_string().into()]);
        }
        arguments
    }

    fn wait_until_ready(&self, started: Instant) -> Result<()> {
        while started.elapsed() < START_WAIT {
            if self.options.cancelled.load(Ordering::Relaxed) {
                bail!("the start was interrupted");
            }
            if let Some(how) = self.failure() {
                bail!(how);
            }
            // Healthy, and a block is confirmed.
            if self.ask("getHealth", "[]").is_some_and(|answer| answer.contains(r#""result":"ok""#))
                && self
                    .ask("getSlot", r#"[{"commitment":"confirmed"}]"#)
                    .is_some_and(|answer| made_blocks(&answer))
            {
                return Ok(());
            }
            std::thread::sleep(READY_INTERVAL);
        }
        bail!(
            "the validator is not ready after {} s. The end of its log:\n{}",
            START_WAIT.as_secs(),
            self.log_tail()
        );
    }

    /// Asks it something; `None` if it does not answer.
    fn ask(&self, method: &str, parameters: &str) -> Option<String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.rpc_port));
        let mut stream = TcpStream::connect_timeout(&address, QUESTION_WAIT).ok()?;
        stream.set_read_timeout(Some(QUESTION_WAIT)).ok()?;
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{parameters}}}"#);
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// Lets others go first, see [`Process::yield_to_others`]: it keeps a core busy even when nobody asks for anything.
    pub fn yield_to_others(&self) {
        if let Some(process) = &self.process {
            process.yield_to_others();
        }
    }

    /// The URL of its JSON-RPC.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.rpc_port)
    }

    /// The URL of its WebSocket.
    #[must_use]
    pub fn websocket_url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.rpc_port.saturating_add(1))
    }

    /// Where its ledger is.
    #[must_use]
    pub fn ledger(&self) -> &Path {
        &self.ledger
    }

    /// Ends it in good order.
    pub fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop();
        }
    }

    /// Ends it as a power failure would.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// What to say if it ended by itself: how, and the end of its log.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let status = self.process.as_ref()?.ended()?;
        Some(format!("the validator ended ({status}). The end of its log:\n{}", self.log_tail()))
    }

    /// The end of its output and of its log.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let (log, output) = (tail(&self.ledger.join("validator.log")), tail(&self.output_file()));
        [log, output].join("\n").trim().to_owned()
    }

    /// What it would write to the terminal; its log is a file of its own.
    fn output_file(&self) -> PathBuf {
        self.ledger.join("output.log")
    }
}

/// Whether an answer to `getSlot` tells a slot after the first.
fn made_blocks(answer: &str) -> bool {
    let slot =
        answer.split_once(r#""result":"#).map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit));
    slot.and_then(|digits| digits.collect::<String>().parse::<u64>().ok()).is_some_and(|slot| slot > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_after_the_first_is_a_beginning() {
        assert!(made_blocks("HTTP/1.1 200 OK\r\n\r\n{\"jsonrpc\":\"2.0\",\"result\":12,\"id\":1}"));
        for other in [r#"{"result":0}"#, r#"{"error":{}}"#, r#"{"result":null}"#, ""] {
            assert!(!made_blocks(other), "{other}");
        }
    }

    #[test]
    fn a_validator_that_does_not_start_is_told_with_its_log() {
        // A program that writes something and fails: cargo's tests run where there is a shell.
        let folder = TemporaryFolder::new().expect("folder");
        let binary = folder.path().join("validator");
        std::fs::write(&binary, "#!/bin/sh\necho the disk is full\nexit 7\n").expect("written");
        let mut permissions = std::fs::metadata(&binary).expect("is there").permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
        std::fs::set_permissions(&binary, permissions).expect("allowed");
        let error =
            Validator::start(Options { binary: Some(binary), ..Options::default() }).expect_err("fails");
        let text = error.to_string();
        assert!(text.contains("exit status: 7") && text.contains("the disk is full"), "{text}");
    }
}
