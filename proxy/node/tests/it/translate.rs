//! `parhelion dev --translate`: code that is called often becomes cheaper by itself.

use crate::dev::Dev;
use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, address, b256, bytes};
use alloy_signer_local::PrivateKeySigner;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::rpc_params;
use parhelion_core::transaction::encode;
use serde_json::Value;
use std::time::Duration;

/// The first of the development accounts.
const KEY: B256 = b256!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
const SENDER: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
/// Init code of: PUSH2 500, JUMPDEST, PUSH1 1, SWAP1, SUB, DUP1, PUSH1 3, JUMPI, STOP.
const LOOP: Bytes = bytes!("6c6101f45b6001900380600357005f52600d6013f3");
/// How long the node has to translate.
const WAIT: Duration = Duration::from_secs(10);

/// A development chain and the nonce of its first account.
struct Node {
    dev: Dev,
    nonce: u64,
}

impl Node {
    fn start(arguments: &[&str]) -> Self {
        Self { dev: Dev::start(arguments), nonce: 0 }
    }

    /// Lands a transaction; gives its receipt.
    async fn land(&mut self, to: TxKind, input: Bytes) -> Value {
        use alloy_network::TxSignerSync as _;
        let mut transaction = TxEip1559 {
            chain_id: 31_337,
            nonce: self.nonce,
            gas_limit: 10_000_000,
            max_fee_per_gas: 1_000_000_000,
            max_priority_fee_per_gas: 0,
            to,
            value: U256::ZERO,
            access_list: Default::default(),
            input,
        };
        self.nonce += 1;
        let signer = PrivateKeySigner::from_bytes(&KEY).unwrap();
        let signature = signer.sign_transaction_sync(&mut transaction).unwrap();
        let raw = encode(&TxEnvelope::from(transaction.into_signed(signature)));
        let hash: B256 = self.dev.rpc.request("eth_sendRawTransaction", rpc_params![raw]).await.unwrap();
        for _ in 0..1000 {
            let receipt: Value =
                self.dev.rpc.request("eth_getTransactionReceipt", rpc_params![hash]).await.unwrap();
            if !receipt.is_null() {
                assert_eq!(receipt["status"], "0x1", "{receipt}");
                return receipt;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("no receipt for {hash}");
    }

    /// Compute units of a call.
    async fn call(&mut self, contract: Address) -> u64 {
        let receipt = self.land(contract.into(), Bytes::new()).await;
        let shown = receipt["computeUnits"].as_str().unwrap();
        u64::from_str_radix(shown.trim_start_matches("0x"), 16).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_that_is_called_often_gets_cheaper_by_itself() {
    let mut node = Node::start(&["--translate", "eager"]);
    node.land(TxKind::Create, LOOP).await;
    let contract = SENDER.create(0);
    let plain = node.call(contract).await;
    let started = std::time::Instant::now();
    loop {
        let units = node.call(contract).await;
        if units < plain * 9 / 10 {
            break;
        }
        assert!(started.elapsed() < WAIT, "{plain} compute units at first, {units} now");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(node.nonce > 3, "not before the third call");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_development_chain_translates_nothing_unless_asked_to() {
    let mut node = Node::start(&[]);
    node.land(TxKind::Create, LOOP).await;
    let contract = SENDER.create(0);
    let plain = node.call(contract).await;
    for _ in 0..5 {
        node.call(contract).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(node.call(contract).await > plain * 9 / 10);
}
