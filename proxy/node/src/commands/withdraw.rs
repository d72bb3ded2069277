//! `parhelion withdraw`: SOL from an Ethereum balance to a Solana account, by an ordinary Ethereum transaction.

use alloy_consensus::TxEnvelope;
use alloy_network::{EthereumWallet, NetworkTransactionBuilder, TransactionBuilder};
use alloy_primitives::{Address as EthereumAddress, B256, Bytes, U64, U256};
use alloy_signer_local::PrivateKeySigner;
use anyhow::{Context, bail};
use clap::Args;
use jsonrpsee::core::client::{ClientT, Error as ClientError};
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee::rpc_params;
use parhelion_sdk::withdraw::{lamports_to_wei, withdraw_call};
use serde::de::DeserializeOwned;
use solana_address::Address;
use std::time::Duration;

/// How long to wait for the receipt.
const RECEIPT_WAIT_MAX: Duration = Duration::from_secs(60);
/// Between two questions for the receipt.
const RECEIPT_INTERVAL: Duration = Duration::from_millis(250);

/// Options of `parhelion withdraw`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The node's RPC URL
    #[arg(long, default_value = "http://127.0.0.1:8545", env = "PARHELION_RPC_URL")]
    rpc_url: String,
    /// Ethereum key whose balance pays; better given in the environment than on the command line
    #[arg(long, env = "PARHELION_PRIVATE_KEY", hide_env_values = true)]
    private_key: B256,
    /// Solana account that is paid
    #[arg(long)]
    to: Address,
    /// How much; a SOL is 1,000,000,000 lamports
    #[arg(long)]
    lamports: u64,
}

/// Sends the withdrawal and waits for its receipt.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let signer =
        PrivateKeySigner::from_bytes(&options.private_key).context("--private-key is no Ethereum key")?;
    let from = signer.address();
    let node = HttpClientBuilder::default().build(&options.rpc_url)?;
    let (to, data) = withdraw_call(&options.to);
    let value = lamports_to_wei(options.lamports);
    let transaction = build(&node, from, to, data, value).await?;
    let wallet = EthereumWallet::from(signer);
    let envelope: TxEnvelope = transaction.build(&wallet).await?;
    let raw = parhelion_core::transaction::encode(&envelope);
    let hash: B256 = ask(&node, "eth_sendRawTransaction", rpc_params![raw]).await?;
    println!("sent      {hash}");
    let receipt = receipt(&node, hash).await?;
    let status = receipt.get("status").and_then(|status| status.as_str()).unwrap_or_default();
    if status != "0x1" {
        bail!(
            "the withdrawal reverted: can {} take {} lamports and stay rent-exempt?",
            options.to,
            options.lamports
        );
    }
    let signature = receipt.get("solanaSignature").and_then(|value| value.as_str()).unwrap_or("unknown");
    println!("withdrew  {} lamports to {} in Solana transaction {signature}", options.lamports, options.to);
    Ok(())
}

/// Asks the node; what it refuses is told in its own words.
async fn ask<T: DeserializeOwned>(
    node: &HttpClient,
    method: &str,
    parameters: ArrayParams,
) -> anyhow::Result<T> {
    match node.request(method, parameters).await {
        Ok(answer) => Ok(answer),
        Err(ClientError::Call(refusal)) => bail!("{}", refusal.message()),
        Err(error) => Err(error).context("the node does not answer; check --rpc-url"),
    }
}

/// The transaction, with nonce, gas and price as the node says.
async fn build(
    node: &HttpClient,
    from: EthereumAddress,
    to: EthereumAddress,
    data: Bytes,
    value: U256,
) -> anyhow::Result<alloy_rpc_types_eth::TransactionRequest> {
    let chain_id: U64 = ask(node, "eth_chainId", rpc_params![]).await?;
    let nonce: U64 = ask(node, "eth_getTransactionCount", rpc_params![from, "pending"]).await?;
    let price: U256 = ask(node, "eth_gasPrice", rpc_params![]).await?;
    let call = serde_json::json!({ "from": from, "to": to, "data": data, "value": value });
    let gas: U64 = ask(node, "eth_estimateGas", rpc_params![call])
        .await
        .context("the withdrawal would fail: is the balance enough, and can the Solana account take it?")?;
    Ok(alloy_rpc_types_eth::TransactionRequest::default()
        .with_from(from)
        .with_to(to)
        .with_input(data)
        .with_value(value)
        .with_chain_id(chain_id.to())
        .with_nonce(nonce.to())
        .with_gas_limit(gas.to())
        .with_max_fee_per_gas(price.saturating_to())
        .with_max_priority_fee_per_gas(0))
}

/// Waits for a receipt.
async fn receipt(node: &HttpClient, hash: B256) -> anyhow::Result<serde_json::Value> {
    let started = std::time::Instant::now();
    while started.elapsed() < RECEIPT_WAIT_MAX {
        let receipt: Option<serde_json::Value> =
            ask(node, "eth_getTransactionReceipt", rpc_params![hash]).await?;
        if let Some(receipt) = receipt {
            return Ok(receipt);
        }
        tokio::time::sleep(RECEIPT_INTERVAL).await;
    }
    bail!("no receipt for {hash} after {} s: look for it later", RECEIPT_WAIT_MAX.as_secs())
}
