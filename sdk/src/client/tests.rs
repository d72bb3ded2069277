//! The client against a scripted node.

use super::*;
use crate::address::bumps;
use async_trait::async_trait;
use parhelion_wire::H256;
use serde_json::{Value, json};
use solana_hash::Hash;
use solana_rpc_client::rpc_client::RpcClientConfig;
use solana_rpc_client::rpc_sender::{RpcSender, RpcTransportStats};
use solana_rpc_client_api::request::RpcRequest;
use std::collections::BTreeMap;

const PROGRAM: Address = Address::new_from_array([7; 32]);
const ALICE: EthereumAddress = EthereumAddress::repeat_byte(0xa1);

type Answer = Result<Value, client_error::Error>;

/// A node with these accounts (owner and data), that refuses transactions with this error.
#[derive(Default)]
struct Node {
    accounts: BTreeMap<Address, (Address, Vec<u8>)>,
    refuses: Option<Value>,
}

impl Node {
    /// A node with an initialized chain.
    fn initialized() -> Self {
        let mut node = Self::default();
        let mut data = vec![0; size_of::<Config>()];
        let config = Config::create(&mut data, 1).expect("fits");
        config.set_chain_id(4242);
        (config.config_bump, config.vault_bump) = bumps(&PROGRAM);
        config.address = deployment(&PROGRAM).config;
        node.accounts.insert(Address::new_from_array(deployment(&PROGRAM).config), (PROGRAM, data));
        node
    }

    fn with(mut self, key: AccountKey, owner: Address, data: Vec<u8>) -> Self {
        self.accounts.insert(account_address(&deployment(&PROGRAM), &key), (owner, data));
        self
    }

    fn client(self) -> Client {
        let config = RpcClientConfig::with_commitment(CommitmentConfig::confirmed());
        Client::with_rpc(RpcClient::new_sender(self, config), PROGRAM)
    }

    fn account(&self, address: &str) -> Value {
        let Some((owner, data)) = self.accounts.get(&address.parse().expect("an address")) else {
            return Value::Null;
        };
        let data = bs58::encode(data).into_string();
        json!({ "lamports": 5, "data": [data, "base58"], "owner": owner.to_string(), "executable": false,
            "rentEpoch": 0 })
    }
}

#[async_trait]
impl RpcSender for Node {
    async fn send(&self, request: RpcRequest, params: Value) -> Answer {
        let with_context = |value: Value| json!({ "context": { "slot": 1 }, "value": value });
        match request {
            RpcRequest::GetMultipleAccounts => {
                let addresses = params[0].as_array().expect("addresses");
                let accounts = addresses.iter().map(|one| self.account(one.as_str().expect("text")));
                Ok(with_context(accounts.collect()))
            }
            RpcRequest::GetLatestBlockhash => Ok(with_context(
                json!({ "blockhash": Hash::new_from_array([6; 32]).to_string(), "lastValidBlockHeight": 5 }),
            )),
            RpcRequest::SendTransaction => {
                let simulation = serde_json::from_value(json!({ "err": self.refuses, "logs": ["a log"] }));
                let data = RpcResponseErrorData::SendTransactionPreflightFailure(simulation.expect("valid"));
                Err(RpcError::RpcResponseError { code: -32002, message: String::new(), data }.into())
            }
            _ => panic!("{request}"),
        }
    }

    fn get_transport_stats(&self) -> RpcTransportStats {
        RpcTransportStats::default()
    }

    fn url(&self) -> String {
        "script".to_owned()
    }
}

fn balance(nonce: u64, wei: u64) -> Vec<u8> {
    let mut data = vec![0; size_of::<Balance>()];
    let balance = Balance::create(&mut data, 1).expect("fits");
    balance.set_nonce(nonce);
    balance.set_balance(&parhelion_wire::U256::from(wei));
    data
}

fn contract(code_hash: H256, delegate: Option<EthereumAddress>) -> Vec<u8> {
    let mut data = vec![0; size_of::<Contract>()];
    let contract = Contract::create(&mut data, 1).expect("fits");
    contract.set_code_hash(code_hash);
    contract.set_delegate(delegate.map(to_h160));
    data
}

#[tokio::test]
async fn balances_and_nonces_are_those_of_the_accounts() {
    let key = AccountKey::Balance(to_h160(ALICE));
    let client = Node::initialized().with(key, PROGRAM, balance(3, 77)).client();
    assert_eq!(client.config().await.expect("reads").chain_id(), 4242);
    assert_eq!(client.balance(ALICE).await.expect("reads"), U256::from(77));
    assert_eq!(client.nonce(ALICE).await.expect("reads"), 3);

    let nobody = Node::initialized().client();
    assert_eq!(nobody.balance(ALICE).await.expect("reads"), U256::ZERO);
    assert_eq!(nobody.nonce(ALICE).await.expect("reads"), 0);
    // Lamports sent to the address of an account that does not exist yet change nothing.
    let gift = Node::initialized().with(key, solana_sdk_ids::system_program::ID, vec![]).client();
    assert_eq!(gift.balance(ALICE).await.expect("reads"), U256::ZERO);
    let contract_key = AccountKey::Contract(to_h160(ALICE));
    let created = Node::initialized().with(contract_key, PROGRAM, contract(H256([1; 32]), None)).client();
    assert_eq!(created.nonce(ALICE).await.expect("reads"), 1, "EIP-161");
}

#[tokio::test]
async fn code_is_that_of_the_hash_or_a_delegation() {
    let hash = H256([0xcc; 32]);
    let code = [0x60, 0x01, 0x00];
    let mut data = vec![0; Code::account_length(code.len())];
    Code::create(&mut data, 1, hash, &code).expect("fits");
    let contract_key = AccountKey::Contract(to_h160(ALICE));
    let client = Node::initialized()
        .with(contract_key, PROGRAM, contract(hash, None))
        .with(AccountKey::Code(hash), PROGRAM, data)
        .client();
    assert_eq!(client.code(ALICE).await.expect("reads")[..], code);

    let delegate = EthereumAddress::repeat_byte(0xde);
    let client = Node::initialized().with(contract_key, PROGRAM, contract(hash, Some(delegate))).client();
    let expected = [&[0xef, 0x01, 0x00][..], delegate.as_slice()].concat();
    assert_eq!(client.code(ALICE).await.expect("reads")[..], expected);

    // Created with empty code; and no contract at all.
    let empty = Node::initialized().with(contract_key, PROGRAM, contract(hash, None)).client();
    assert!(empty.code(ALICE).await.expect("reads").is_empty());
    assert!(Node::initialized().client().code(ALICE).await.expect("reads").is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_says_what_to_do() {
    let error = Node::default().client().balance(ALICE).await.expect_err("no chain");
    assert!(matches!(error, ClientError::NotInitialized { program_id: PROGRAM }), "{error}");

    let key = AccountKey::Balance(to_h160(ALICE));
    for (data, expected) in [
        (contract(H256([1; 32]), None)[..48].to_vec(), ProgramError::WrongKind),
        (vec![1; 7], ProgramError::WrongLength),
    ] {
        let client = Node::initialized().with(key, PROGRAM, data).client();
        let error = client.balance(ALICE).await.expect_err("damaged");
        let ClientError::Account { address, error } = error else { panic!("{error}") };
        assert_eq!((address, error), (account_address(client.deployment(), &key), expected));
    }
}

#[tokio::test]
async fn a_refused_deposit_says_why() {
    let refused = |error: Value| async move {
        let client = Node { refuses: Some(error), ..Node::initialized() }.client();
        client.deposit(&Keypair::new(), ALICE, 5).await.expect_err("refused")
    };
    // In front of the deposit are the instructions with the limits.
    let index = Format::V0(&[]).index_of_first(&Budget::MAX);
    let paused = json!({ "InstructionError": [index, { "Custom": ProgramError::Paused as u32 }] });
    let error = refused(paused).await;
    let ClientError::Refused { error: ProgramError::Paused, logs } = &error else { panic!("{error}") };
    assert_eq!(logs[..], ["a log"]);
    assert!(error.to_string().contains("try again later"), "{error}");

    let error = refused(json!("InsufficientFundsForFee")).await;
    assert!(matches!(error, ClientError::Failed { .. }), "{error}");
}
