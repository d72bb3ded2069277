//! `parhelion deposit`: SOL from a Solana key into an Ethereum balance.

use crate::keys;
use crate::secret_url::SecretUrl;
use alloy_primitives::Address as EthereumAddress;
use clap::Args;
use parhelion_sdk::client::Client;
use solana_address::Address;
use std::path::PathBuf;

/// Options of `parhelion deposit`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The cluster's RPC URL
    #[arg(long, env = "PARHELION_SOLANA_URL", hide_env_values = true)]
    solana_url: SecretUrl,
    /// The program's Solana address
    #[arg(long, env = "PARHELION_PROGRAM_ID")]
    program_id: Address,
    /// Key file that pays [default: ~/.config/solana/id.json]
    #[arg(long, env = "PARHELION_KEYPAIR")]
    keypair: Option<PathBuf>,
    /// Who is credited
    #[arg(long)]
    to: EthereumAddress,
    /// How much; a SOL is 1,000,000,000 lamports
    #[arg(long)]
    lamports: u64,
}

/// Sends the deposit and waits until it landed.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let keypair = keys::read_keypair(&options.keypair.clone().unwrap_or_else(keys::default_keypair))?;
    let client = Client::new(options.solana_url.reveal(), options.program_id);
    // A wrong program id or cluster is told as such, before anything is signed.
    client.config().await?;
    let signature = client.deposit(&keypair, options.to, options.lamports).await?;
    println!("deposited {} lamports to {}: {signature}", options.lamports, options.to);
    println!("balance   {} wei", client.balance(options.to).await?);
    Ok(())
}
