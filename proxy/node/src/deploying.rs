//! What `deploy` and `upgrade` have in common.

use crate::keys;
use crate::secret_url::SecretUrl;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use parhelion_deploy::{Progress, Settings};
use parhelion_solana::{RpcCluster, RpcOptions};
use solana_address::Address;
use solana_keypair::Keypair;
use std::path::PathBuf;

/// Options about the cluster and the key that pays.
#[derive(Debug, Args)]
pub(crate) struct DeployerOptions {
    /// The cluster's RPC URL
    #[arg(long, env = "PARHELION_SOLANA_URL", hide_env_values = true)]
    pub(crate) solana_url: SecretUrl,
    /// Key file of the program's upgrade authority, who pays for everything
    #[arg(long, value_name = "KEYFILE", env = "PARHELION_AUTHORITY")]
    authority: PathBuf,
    /// Lamports that each Solana transaction pays on top of its fee, where the cluster is busy
    #[arg(long, value_name = "LAMPORTS", default_value_t = 0, env = "PARHELION_PRIORITY_FEE")]
    priority_fee: u64,
    /// Solana transactions on their way at the same time; less where the RPC service limits requests
    #[arg(long, value_name = "NUMBER", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=128))]
    parallel: u16,
    /// Give up an interrupted deployment or upgrade: close its buffer, which gives its rent back to the authority
    #[arg(long)]
    pub(crate) abandon: bool,
}

impl DeployerOptions {
    /// The authority's key.
    pub(crate) fn authority(&self) -> anyhow::Result<Keypair> {
        keys::read_keypair_of(&self.authority, "--authority")
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            priority_fee_lamports: self.priority_fee,
            window: usize::from(self.parallel),
            ..Settings::default()
        }
    }

    /// The cluster.
    pub(crate) async fn cluster(&self, program_id: Address) -> anyhow::Result<RpcCluster> {
        Ok(RpcCluster::connect(&RpcOptions::new(self.solana_url.reveal(), program_id)).await?)
    }
}

/// Shows steps as lines and the upload as a bar; on a pipe, lines only.
pub(crate) struct Shown {
    bar: ProgressBar,
}

impl Shown {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("  {bar:40} {bytes}/{total_bytes} {elapsed}") {
            bar.set_style(style);
        }
        Self { bar }
    }
}

impl Progress for Shown {
    fn step(&self, what: &str) {
        self.bar.suspend(|| eprintln!("{what}"));
    }

    fn written(&self, bytes: usize, of: usize) {
        self.bar.set_length(of as u64);
        self.bar.set_position(bytes as u64);
        if bytes == of {
            self.bar.finish_and_clear();
        }
    }
}

/// Does `work` unless it is interrupted; then says how to go on.
pub(crate) async fn interruptible(
    work: impl Future<Output = anyhow::Result<()>>,
    go_on: &str,
) -> anyhow::Result<()> {
    tokio::select! {
        result = work => result,
        interrupted = crate::services::interrupted() => {
            interrupted?;
            anyhow::bail!("interrupted. {go_on}")
        }
    }
}
