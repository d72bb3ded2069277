//! A validator with a rich key, and the node's commands.

use parhelion_core::cluster::Cluster as _;
use parhelion_sdk::loader::{self, LoaderAccount};
use parhelion_solana::{RpcCluster, RpcOptions};
use parhelion_validator::folder::TemporaryFolder;
use parhelion_validator::{Options, Validator};
use solana_address::Address;
use solana_keypair::Keypair;
use solana_signer::Signer as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A binary that an environment variable names.
pub(crate) fn named(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable);
    path.map(PathBuf::from)
        .unwrap_or_else(|| panic!("{variable} is not set: run `cargo xtask test --only validator`"))
}

/// Posts JSON to a node on this machine; gives the answer's body.
pub(crate) fn post(port: u16, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let request = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

/// What a command said, and whether it succeeded.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) success: bool,
    pub(crate) text: String,
}

impl Said {
    /// The text of a command that succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert!(self.success, "{}", self.text);
        self.text
    }

    /// The text of a command that failed.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert!(!self.success, "{}", self.text);
        self.text
    }
}

/// A validator, a key that owns everything, and a program id.
pub(crate) struct World {
    pub(crate) validator: Validator,
    pub(crate) folder: TemporaryFolder,
    pub(crate) authority: Keypair,
    pub(crate) program: Keypair,
    /// The program's file.
    pub(crate) file: PathBuf,
}

impl World {
    pub(crate) fn start(options: Options) -> Self {
        let folder = TemporaryFolder::new().expect("folder");
        let (authority, program) = (Keypair::new(), Keypair::new());
        let options = Options { mint: Some(authority.pubkey()), ..options };
        let validator = Validator::start(options).expect("starts");
        let world = Self { validator, folder, authority, program, file: named("PARHELION_PROGRAM") };
        world.write_key("authority", &world.authority);
        world.write_key("program", &world.program);
        world
    }

    /// Writes a key file and returns its path.
    pub(crate) fn write_key(&self, name: &str, key: &Keypair) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, serde_json::to_string(&key.to_bytes()[..]).expect("serialises"))
            .expect("written");
        path
    }

    /// The path of a key file.
    pub(crate) fn key(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command of the node, with the program's file `file`.
    pub(crate) fn command(&self, subcommand: &str, file: &Path) -> Command {
        let mut command = Command::new(named("PARHELION_NODE"));
        command.args([subcommand, "--solana-url", &self.validator.url()]);
        command.arg("--program").arg(file).env_remove("PARHELION_PROGRAM");
        command
    }

    /// `deploy` with the usual keys.
    pub(crate) fn deploy(&self, file: &Path) -> Command {
        let mut command = self.command("deploy", file);
        command.arg("--authority").arg(self.key("authority")).arg("--program-id").arg(self.key("program"));
        command
    }

    /// `upgrade` with a key.
    pub(crate) fn upgrade(&self, file: &Path, authority: &Path) -> Command {
        let mut command = self.command("upgrade", file);
        command.arg("--authority").arg(authority).args(["--program-id", &self.program.pubkey().to_string()]);
        command
    }

    /// `verify`.
    pub(crate) fn verify(&self, file: &Path) -> Command {
        let mut command = self.command("verify", file);
        command.args(["--program-id", &self.program.pubkey().to_string()]);
        command
    }

    /// The cluster's port.
    pub(crate) async fn cluster(&self) -> RpcCluster {
        let options = RpcOptions::new(self.validator.url(), self.program.pubkey());
        RpcCluster::connect(&options).await.expect("connects")
    }

    /// Lamports of an account.
    pub(crate) async fn lamports(&self, address: Address) -> u64 {
        let accounts = self.cluster().await.accounts(&[address]).await.expect("reads").accounts;
        accounts[0].as_ref().map_or(0, |account| account.lamports)
    }

    /// The program as far as it is in the buffer; `None` without one.
    pub(crate) async fn buffer(&self) -> Option<Vec<u8>> {
        let address = loader::buffer_address(&self.authority.pubkey(), &self.program.pubkey());
        let account = self.cluster().await.accounts(&[address]).await.expect("reads").accounts.remove(0)?;
        match LoaderAccount::read(&account.data) {
            Some(LoaderAccount::Buffer { file, .. }) => Some(file.to_vec()),
            other => panic!("no buffer: {other:?}"),
        }
    }
}

/// Runs a command to its end.
pub(crate) fn say(command: &mut Command) -> Said {
    let output = command.output().expect("starts");
    let text = [output.stdout, output.stderr].concat();
    Said { success: output.status.success(), text: String::from_utf8_lossy(&text).into_owned() }
}
