//! Withdraws value from an Ethereum address to a Solana account.
//!
//! ```text
//! cargo run -p parhelion-sdk --example withdraw -- ETHEREUM_URL PRIVATE_KEY SOLANA_ADDRESS LAMPORTS
//! ```
//!
//! Against the development node: `http://127.0.0.1:8545` and one of the private keys that it prints at start. A
//! withdrawal is an Ethereum transaction to the withdraw precompile; any wallet can send it.

mod ethereum;

use alloy_signer_local::PrivateKeySigner;
use anyhow::{Context, Result};
use parhelion_sdk::withdraw::{lamports_to_wei, withdraw_call};
use solana_address::Address;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, private_key, payee, lamports] = &arguments[..] else {
        anyhow::bail!("usage: withdraw ETHEREUM_URL PRIVATE_KEY SOLANA_ADDRESS LAMPORTS");
    };
    let signer: PrivateKeySigner =
        private_key.parse().context("PRIVATE_KEY is 0x and 64 hexadecimal digits")?;
    let payee: Address = payee.parse().context("SOLANA_ADDRESS is a Solana address in base 58")?;
    let lamports: u64 = lamports.parse().context("LAMPORTS is a whole number: 1 SOL has 1000000000")?;

    let (to, data) = withdraw_call(&payee);
    let node = ethereum::Node::new(url)?;
    let receipt = node.transact(&signer, to, lamports_to_wei(lamports), data).await?;
    println!("transaction {}: {lamports} lamports paid to {payee}", receipt["transactionHash"]);
    Ok(())
}
