//! The Ethereum side of the examples: sign a transaction, send it to a node, wait for its receipt.

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_network::TxSignerSync;
use alloy_primitives::{Address, B256, Bytes, TxKind, U64, U256};
use alloy_signer_local::PrivateKeySigner;
use anyhow::{Context, Result, bail, ensure};
use jsonrpsee::core::client::{ClientT, Error as ClientError};
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::http_client::HttpClient;
use jsonrpsee::rpc_params;
use serde_json::{Value, json};
use std::time::Duration;

/// How often a receipt is asked for before giving up.
const RECEIPT_POLLS_MAX: u32 = 120;
/// The time between two of these questions.
const RECEIPT_POLL_MS: u64 = 500;

/// A node that speaks Ethereum's JSON-RPC.
pub(crate) struct Node(HttpClient);

impl Node {
    /// A node at `url`, for example `http://127.0.0.1:8545`.
    pub(crate) fn new(url: &str) -> Result<Self> {
        Ok(Self(HttpClient::builder().build(url)?))
    }

    /// Signs and sends a transaction of `value` wei with `data` to `to`, and returns its receipt.
    pub(crate) async fn transact(
        &self,
        signer: &PrivateKeySigner,
        to: Address,
        value: U256,
        data: Bytes,
    ) -> Result<Value> {
        let from = signer.address();
        let call = json!({ "from": from, "to": to, "value": value, "data": data });
        let chain_id: U64 = self.ask("eth_chainId", rpc_params![]).await?;
        let nonce: U64 = self.ask("eth_getTransactionCount", rpc_params![from, "pending"]).await?;
        let gas_price: U256 = self.ask("eth_gasPrice", rpc_params![]).await?;
        // The limit covers the rent of the state that the transaction creates, too.
        let gas_limit: U64 = self.ask("eth_estimateGas", rpc_params![call]).await?;
        let mut transaction = TxEip1559 {
            chain_id: chain_id.to(),
            nonce: nonce.to(),
            gas_limit: gas_limit.to(),
            max_fee_per_gas: gas_price.saturating_to(),
            max_priority_fee_per_gas: 0,
            to: TxKind::Call(to),
            value,
            input: data,
            ..TxEip1559::default()
        };
        let signature = signer.sign_transaction_sync(&mut transaction)?;
        let raw = Bytes::from(transaction.into_signed(signature).encoded_2718());
        let hash: B256 = self.ask("eth_sendRawTransaction", rpc_params![raw]).await?;
        let receipt = self.receipt(hash).await?;
        ensure!(receipt["status"] == "0x1", "transaction {hash} landed but failed: {receipt}");
        Ok(receipt)
    }

    /// The result of a contract call that changes nothing.
    #[allow(dead_code)] // not every example calls
    pub(crate) async fn call(&self, to: Address, data: Bytes) -> Result<Bytes> {
        self.ask("eth_call", rpc_params![json!({ "to": to, "data": data }), "latest"]).await
    }

    async fn receipt(&self, hash: B256) -> Result<Value> {
        for _ in 0..RECEIPT_POLLS_MAX {
            let receipt: Option<Value> = self.ask("eth_getTransactionReceipt", rpc_params![hash]).await?;
            if let Some(receipt) = receipt {
                return Ok(receipt);
            }
            tokio::time::sleep(Duration::from_millis(RECEIPT_POLL_MS)).await;
        }
        bail!("transaction {hash} did not land in time; ask the node for its receipt later")
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, method: &str, params: ArrayParams) -> Result<T> {
        match self.0.request(method, params).await {
            Ok(answer) => Ok(answer),
            Err(ClientError::Call(refusal)) => bail!("the node refused {method}: {}", refusal.message()),
            Err(error) => Err(error).context("the node does not answer; check ETHEREUM_URL"),
        }
    }
}
