//! As much of Solana's JSON-RPC as a client needs that reads accounts and sends a transaction, over the in-process VM.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jsonrpsee::RpcModule;
use jsonrpsee::server::{Server, ServerHandle};
use jsonrpsee::types::ErrorObjectOwned;
use parhelion_core::cluster::{Account, Cluster, ClusterError};
use parhelion_sdk::instruction::initialize;
use parhelion_sdk::transaction::{Budget, Format, sign};
use parhelion_solana::{Features, SvmCluster, SvmOptions};
use parhelion_wire::instruction::Initialize;
use serde_json::{Value, json};
use solana_address::Address;
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;
use std::sync::Arc;

pub(crate) const SOL: u64 = 1_000_000_000;

/// A cluster with the program on it, and its RPC.
pub(crate) struct Solana {
    pub(crate) cluster: Arc<SvmCluster>,
    pub(crate) url: String,
    pub(crate) program_id: Address,
    /// Pays for everything, and may initialise the chain.
    pub(crate) payer: Keypair,
    _server: ServerHandle,
}

impl Solana {
    /// A cluster on which the program is deployed, and nothing else happened.
    pub(crate) async fn start() -> Self {
        let program =
            std::env::var("PARHELION_PROGRAM").expect("PARHELION_PROGRAM names the program's binary");
        let (payer, program_id) = (Keypair::new(), Keypair::new().pubkey());
        let cluster = SvmCluster::start(&SvmOptions {
            program_id,
            program: std::fs::read(program).unwrap(),
            upgrade_authority: payer.pubkey(),
            features: Features::Mainnet,
        });
        let cluster = Arc::new(cluster.unwrap());
        cluster.airdrop(payer.pubkey(), 100 * SOL).await.unwrap();
        let server = Server::builder().build("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", server.local_addr().unwrap());
        let server = server.start(module(Arc::clone(&cluster)));
        Self { cluster, url, program_id, payer, _server: server }
    }

    /// Makes the chain.
    pub(crate) async fn initialize(&self) {
        let authority = self.payer.pubkey().to_bytes();
        let settings = Initialize { chain_id: 7, base_fee: 1, block_gas_limit: 1 << 30, authority };
        let instruction = initialize(&self.cluster.deployment(), &self.payer.pubkey(), &settings);
        let blockhash = self.cluster.latest_blockhash().await.unwrap();
        let (payer, signers) = (self.payer.pubkey(), [&self.payer]);
        let signed = sign(&[instruction], &payer, &signers, blockhash, &Budget::MAX, Format::V1).unwrap();
        self.cluster.send(&signed).await.unwrap();
    }

    pub(crate) async fn lamports(&self, address: Address) -> u64 {
        let account = self.cluster.accounts(&[address]).await.unwrap().accounts.pop().flatten();
        account.map_or(0, |account: Account| account.lamports)
    }
}

fn with_context(value: Value) -> Value {
    json!({ "context": { "slot": 1 }, "value": value })
}

fn account(account: &Account) -> Value {
    json!({
        "lamports": account.lamports, "data": [bs58::encode(&account.data).into_string(), "base58"],
        "owner": account.owner.to_string(), "executable": false, "rentEpoch": 0, "space": account.data.len(),
    })
}

/// What the cluster refused, as a node's preflight tells it: it was the last instruction.
fn refused(transaction: &VersionedTransaction, error: &ClusterError) -> ErrorObjectOwned {
    let ClusterError::Failed { code: Some(code), logs, .. } = error else {
        return ErrorObjectOwned::owned(-32002, error.to_string(), None::<()>);
    };
    let index = transaction.message.instructions().len() - 1;
    let data = json!({ "err": { "InstructionError": [index, { "Custom": code }] }, "logs": logs });
    ErrorObjectOwned::owned(-32002, "Transaction simulation failed", Some(data))
}

fn module(cluster: Arc<SvmCluster>) -> RpcModule<Arc<SvmCluster>> {
    let mut module = RpcModule::new(cluster);
    module
        .register_async_method("getMultipleAccounts", |params, cluster, _| async move {
            let (addresses, _): (Vec<String>, Value) = params.parse()?;
            let addresses: Vec<Address> = addresses.iter().map(|address| address.parse().unwrap()).collect();
            let accounts = cluster.accounts(&addresses).await.unwrap().accounts;
            let accounts = accounts.iter().map(|found| found.as_ref().map_or(Value::Null, account)).collect();
            Ok::<_, ErrorObjectOwned>(with_context(accounts))
        })
        .unwrap();
    module
        .register_async_method("getLatestBlockhash", |_, cluster, _| async move {
            let blockhash = cluster.latest_blockhash().await.unwrap().to_string();
            with_context(json!({ "blockhash": blockhash, "lastValidBlockHeight": 1000 }))
        })
        .unwrap();
    module
        .register_async_method("sendTransaction", |params, cluster, _| async move {
            let (encoded, options): (String, Value) = params.parse()?;
            assert_eq!(options["encoding"], "base64");
            let bytes = BASE64_STANDARD.decode(encoded).unwrap();
            let transaction: VersionedTransaction = wincode::deserialize(&bytes).unwrap();
            let sent = cluster.send(&transaction).await.map_err(|error| refused(&transaction, &error))?;
            Ok::<_, ErrorObjectOwned>(sent.to_string())
        })
        .unwrap();
    module
        .register_method("getSignatureStatuses", |_, _, _| {
            let status = json!({ "slot": 1, "confirmations": null, "err": null, "status": { "Ok": null },
                "confirmationStatus": "finalized" });
            with_context(json!([status]))
        })
        .unwrap();
    module
}
