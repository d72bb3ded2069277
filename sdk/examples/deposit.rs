//! Deposits SOL from a Solana key into an Ethereum address.
//!
//! ```text
//! cargo run -p parhelion-sdk --example deposit -- SOLANA_URL PROGRAM_ID KEYPAIR_FILE ETHEREUM_ADDRESS LAMPORTS
//! ```
//!
//! The keypair file is the JSON array that `solana-keygen` writes. This needs a cluster (or a test validator) with the
//! program on it: the development node runs its Solana inside its own process, without a Solana RPC. There, the
//! accounts that it prints at start are funded already.

use anyhow::{Context, Result};
use parhelion_sdk::EthereumAddress;
use parhelion_sdk::client::Client;
use solana_address::Address;
use solana_keypair::Keypair;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, program_id, keypair_file, address, lamports] = &arguments[..] else {
        anyhow::bail!("usage: deposit SOLANA_URL PROGRAM_ID KEYPAIR_FILE ETHEREUM_ADDRESS LAMPORTS");
    };
    let program_id: Address = program_id.parse().context("PROGRAM_ID is a Solana address in base 58")?;
    let address: EthereumAddress =
        address.parse().context("ETHEREUM_ADDRESS is 0x and 40 hexadecimal digits")?;
    let lamports: u64 = lamports.parse().context("LAMPORTS is a whole number: 1 SOL has 1000000000")?;
    let keypair = std::fs::read_to_string(keypair_file).with_context(|| format!("reading {keypair_file}"))?;
    let keypair: Vec<u8> =
        serde_json::from_str(&keypair).context("KEYPAIR_FILE is a JSON array of 64 bytes")?;
    let payer = Keypair::try_from(&keypair[..]).context("KEYPAIR_FILE holds no Solana key")?;

    let client = Client::new(url, program_id);
    let before = client.balance(address).await?;
    let signature = client.deposit(&payer, address, lamports).await?;
    let after = client.balance(address).await?;
    println!("Solana transaction {signature}: balance of {address} {before} -> {after} wei");
    Ok(())
}
