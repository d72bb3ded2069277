//! What tests do to a development chain: `evm_*`, `anvil_*`, `hardhat_*`, and the accounts that the node signs for.

use crate::dev::Dev;
use alloy_primitives::{Address, B256, Signature, U256, address, eip191_hash_message, hex, uint};
use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::core::params::ArrayParams;
use serde_json::{Value, json};

/// The first of the development accounts.
pub(crate) const ALICE: Address = address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
/// The second.
pub(crate) const BOB: Address = address!("0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
/// Somebody without a key.
pub(crate) const CAROL: Address = address!("0x00000000000000000000000000000000000ca401");
/// Wei in an ether.
pub(crate) const ETHER: U256 = uint!(1_000_000_000_000_000_000_U256);

fn params(values: Value) -> ArrayParams {
    let mut params = ArrayParams::new();
    for value in values.as_array().unwrap() {
        params.insert(value).unwrap();
    }
    params
}

impl Dev {
    pub(crate) async fn ask(&self, method: &str, values: Value) -> Value {
        self.rpc.request(method, params(values)).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Code and message of the error that a request gets.
    pub(crate) async fn refusal(&self, method: &str, values: Value) -> (i32, String) {
        match self.rpc.request::<Value, _>(method, params(values)).await {
            Err(ClientError::Call(error)) => (error.code(), error.message().to_owned()),
            other => panic!("{method}: {other:?}"),
        }
    }

    pub(crate) async fn number(&self, method: &str, values: Value) -> U256 {
        serde_json::from_value(self.ask(method, values).await).unwrap()
    }

    async fn balance(&self, address: Address) -> U256 {
        self.number("eth_getBalance", json!([address, "latest"])).await
    }

    pub(crate) async fn height(&self) -> u64 {
        self.number("eth_blockNumber", json!([])).await.to()
    }

    async fn nonce(&self, address: Address) -> u64 {
        self.number("eth_getTransactionCount", json!([address, "latest"])).await.to()
    }

    pub(crate) async fn pay(&self, from: Address, to: Address, wei: U256) -> Value {
        self.ask("eth_sendTransaction", json!([{ "from": from, "to": to, "value": wei }])).await
    }

    pub(crate) async fn receipt(&self, hash: &Value) -> Value {
        self.ask("eth_getTransactionReceipt", json!([hash])).await
    }

    pub(crate) async fn block(&self, id: Value) -> Value {
        self.ask("eth_getBlockByNumber", json!([id, false])).await
    }

    async fn newest_timestamp(&self) -> u64 {
        quantity(&self.block(json!("latest")).await["timestamp"])
    }
}

fn quantity(value: &Value) -> u64 {
    serde_json::from_value::<U256>(value.clone()).unwrap().to()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_signs_for_its_accounts() {
    let dev = Dev::start(&[]);
    let accounts: Vec<Address> = serde_json::from_value(dev.ask("eth_accounts", json!([])).await).unwrap();
    assert_eq!((accounts.len(), accounts[0], accounts[1]), (10, ALICE, BOB));

    let hash = dev.pay(ALICE, CAROL, ETHER).await;
    let receipt = dev.receipt(&hash).await;
    assert_eq!((&receipt["status"], &receipt["type"]), (&json!("0x1"), &json!("0x2")));
    assert_eq!(dev.balance(CAROL).await, ETHER);
    // The first account is the sender if none is named, and gas and fees may be said.
    let legacy = json!([{ "to": CAROL, "value": "0x1", "gas": "0x186a0", "gasPrice": "0x77359400" }]);
    let hash = dev.ask("eth_sendTransaction", legacy.clone()).await;
    let sent = dev.ask("eth_getTransactionByHash", json!([hash])).await;
    assert_eq!((&sent["from"], &sent["type"]), (&json!(ALICE.to_string().to_lowercase()), &json!("0x0")));
    // What is signed only can be sent by anybody.
    let signed = dev.ask("eth_signTransaction", legacy).await;
    dev.ask("eth_sendRawTransaction", json!([signed["raw"]])).await;
    assert_eq!(dev.balance(CAROL).await, ETHER + U256::from(2));
    assert_eq!(dev.nonce(ALICE).await, 3);

    let unknown = format!("unknown account {CAROL}");
    for method in ["eth_sendTransaction", "eth_signTransaction"] {
        assert_eq!(dev.refusal(method, json!([{ "from": CAROL }])).await, (-32000, unknown.clone()));
    }
    assert_eq!(dev.refusal("eth_sign", json!([CAROL, "0x"])).await, (-32000, unknown));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_and_typed_data_are_signed() {
    let dev = Dev::start(&[]);
    let signer = |signature: &Value, hash: B256| {
        let bytes = hex::decode(signature.as_str().unwrap()).unwrap();
        Signature::from_raw(&bytes).unwrap().recover_address_from_prehash(&hash).unwrap()
    };
    let message = "0x68656c6c6f";
    let hash = eip191_hash_message("hello");
    assert_eq!(signer(&dev.ask("personal_sign", json!([message, BOB])).await, hash), BOB);
    assert_eq!(signer(&dev.ask("eth_sign", json!([BOB, message])).await, hash), BOB);

    // The example of EIP-712, with its hash.
    let mail = json!({
        "types": {
            "EIP712Domain": [
                { "name": "name", "type": "string" }, { "name": "version", "type": "string" },
                { "name": "chainId", "type": "uint256" }, { "name": "verifyingContract", "type": "address" }
            ],
            "Person": [{ "name": "name", "type": "string" }, { "name": "wallet", "type": "address" }],
            "Mail": [
                { "name": "from", "type": "Person" }, { "name": "to", "type": "Person" },
                { "name": "contents", "type": "string" }
            ]
        },
        "primaryType": "Mail",
        "domain": {
            "name": "Ether Mail", "version": "1", "chainId": 1,
            "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"
        },
        "message": {
            "from": { "name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826" },
            "to": { "name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB" },
            "contents": "Hello, Bob!"
        }
    });
    let hash = "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2".parse().unwrap();
    for data in [mail.clone(), json!(mail.to_string())] {
        assert_eq!(signer(&dev.ask("eth_signTypedData_v4", json!([ALICE, data])).await, hash), ALICE);
    }
    let (code, text) = dev.refusal("eth_signTypedData_v4", json!([ALICE, { "types": {} }])).await;
    assert!(code == -32602 && text.starts_with("invalid argument 1: "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_brings_everything_back() {
    let dev = Dev::start(&[]);
    dev.pay(ALICE, CAROL, ETHER).await;
    let (height, block) = (dev.height().await, dev.block(json!("latest")).await);
    let filter = dev.ask("eth_newBlockFilter", json!([])).await;
    let outer = dev.ask("evm_snapshot", json!([])).await;
    let gone = dev.pay(ALICE, CAROL, ETHER).await;
    let inner = dev.ask("evm_snapshot", json!([])).await;
    dev.pay(BOB, CAROL, ETHER).await;
    assert_eq!(dev.balance(CAROL).await, ETHER * U256::from(3));

    assert_eq!(dev.ask("evm_revert", json!([outer])).await, json!(true));
    assert_eq!((dev.height().await, dev.block(json!("latest")).await), (height, block));
    assert_eq!((dev.balance(CAROL).await, dev.nonce(ALICE).await, dev.nonce(BOB).await), (ETHER, 1, 0));
    assert_eq!(dev.receipt(&gone).await, Value::Null);
    assert_eq!(dev.ask("eth_getTransactionByHash", json!([gone])).await, Value::Null);
    // It is gone now, and so is the one behind it.
    for id in [outer, inner, json!("0xffff")] {
        assert_eq!(dev.ask("evm_revert", json!([id])).await, json!(false));
    }
    // Life goes on, with the same transaction as well.
    assert_eq!(dev.pay(ALICE, CAROL, ETHER).await, gone);
    assert_eq!(dev.receipt(&gone).await["status"], "0x1");
    assert_eq!(dev.height().await, height + 1);
    let blocks = dev.ask("eth_getFilterChanges", json!([filter])).await;
    let newest = dev.block(json!("latest")).await["hash"].clone();
    assert_eq!(blocks.as_array().unwrap().last(), Some(&newest));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_chain_is_as_in_the_beginning() {
    let dev = Dev::start(&[]);
    let (height, before) = (dev.height().await, dev.ask("hardhat_metadata", json!([])).await);
    dev.pay(ALICE, CAROL, ETHER).await;
    let snapshot = dev.ask("evm_snapshot", json!([])).await;
    dev.ask("evm_setAutomine", json!([false])).await;
    assert_eq!(dev.ask("hardhat_reset", json!([])).await, json!(true));
    assert_eq!((dev.height().await, dev.balance(CAROL).await), (height, U256::ZERO));
    assert_eq!(dev.ask("evm_revert", json!([snapshot])).await, json!(false));
    assert_eq!(dev.ask("hardhat_getAutomine", json!([])).await, json!(true));
    let after = dev.ask("hardhat_metadata", json!([])).await;
    assert_eq!((&after["chainId"], &after["latestBlockNumber"]), (&json!(31_337), &json!(height)));
    assert_ne!(before["instanceId"], after["instanceId"]);
    let forking = json!([{ "forking": { "jsonRpcUrl": "http://127.0.0.1:1" } }]);
    let text = "this chain cannot fork another one: leave 'forking' out".to_owned();
    assert_eq!(dev.refusal("hardhat_reset", forking).await, (-32000, text));
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_wait_for_a_block_when_nobody_mines() {
    let dev = Dev::start(&[]);
    dev.ask("evm_setAutomine", json!([false])).await;
    assert_eq!(dev.ask("anvil_getAutomine", json!([])).await, json!(false));
    let height = dev.height().await;
    let hashes = [
        dev.pay(ALICE, CAROL, ETHER).await,
        dev.pay(ALICE, CAROL, ETHER).await,
        dev.pay(BOB, CAROL, ETHER).await,
    ];
    assert_eq!(dev.ask("txpool_status", json!([])).await["pending"], "0x3");
    assert_eq!((dev.height().await, dev.balance(CAROL).await), (height, U256::ZERO));
    assert_eq!(dev.receipt(&hashes[0]).await, Value::Null);

    dev.ask("evm_mine", json!([])).await;
    assert_eq!(dev.height().await, height + 1);
    assert_eq!(dev.balance(CAROL).await, ETHER * U256::from(3));
    let block = dev.block(json!("latest")).await;
    assert_eq!(block["transactions"].as_array().unwrap().len(), 3);
    for hash in &hashes {
        assert_eq!(dev.receipt(hash).await["blockHash"], block["hash"]);
    }
    // A block without transactions is a block, too.
    dev.ask("evm_mine", json!([])).await;
    assert_eq!(dev.height().await, height + 2);
    // What waits has its blocks when mining goes on.
    let waiting = dev.pay(BOB, CAROL, ETHER).await;
    dev.ask("evm_setAutomine", json!([true])).await;
    let landed = async {
        while dev.receipt(&waiting).await.is_null() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), landed).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_come_by_themselves_when_asked_for() {
    let dev = Dev::start(&[]);
    let height = dev.height().await;
    dev.ask("evm_setIntervalMining", json!([20])).await;
    let more = async {
        while dev.height().await < height + 3 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), more).await.unwrap();
    dev.ask("evm_setIntervalMining", json!([0])).await;
    // The one that is being made may still come.
    let height = dev.height().await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(dev.height().await <= height + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn time_is_what_tests_say() {
    let dev = Dev::start(&[]);
    let start = dev.newest_timestamp().await;
    assert_eq!(dev.ask("evm_increaseTime", json!([3_600])).await, json!(3_600));
    // TIMESTAMP PUSH0 MSTORE PUSH1 32 PUSH0 RETURN: calls see it at once.
    let clock = json!([{ "input": "0x425f5260205ff3" }]);
    let seen: U256 = dev.number("eth_call", clock.clone()).await;
    assert!(seen >= U256::from(start + 3_600), "{seen}");
    dev.ask("evm_mine", json!([])).await;
    let moved = dev.newest_timestamp().await;
    assert!(moved >= start + 3_600, "{moved}");

    dev.ask("evm_setNextBlockTimestamp", json!([moved + 1_000])).await;
    assert_eq!(dev.number("eth_call", clock).await, U256::from(moved + 1_000));
    dev.ask("evm_mine", json!([])).await;
    assert_eq!(dev.newest_timestamp().await, moved + 1_000);
    dev.ask("evm_mine", json!([format!("{:#x}", moved + 2_000)])).await;
    assert_eq!(dev.newest_timestamp().await, moved + 2_000);
    let (code, text) = dev.refusal("evm_setNextBlockTimestamp", json!([moved])).await;
    let expected =
        format!("timestamp {moved} is lower than the previous block's timestamp {}", moved + 2_000);
    assert_eq!((code, text), (-32602, expected));

    let height = dev.height().await;
    assert_eq!(dev.ask("hardhat_mine", json!(["0x5", "0x3c"])).await, json!(true));
    assert_eq!(dev.height().await, height + 5);
    let mut times = Vec::new();
    for number in height + 1..=height + 5 {
        times.push(quantity(&dev.block(json!(format!("{number:#x}"))).await["timestamp"]));
    }
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 60), "{times:?}");
    dev.ask("evm_mine", json!([{ "blocks": 3 }])).await;
    dev.ask("anvil_mine", json!(["0x2"])).await;
    assert_eq!(dev.height().await, height + 10);
    let (code, text) = dev.refusal("anvil_mine", json!(["0xffffff"])).await;
    assert_eq!(
        (code, text.as_str()),
        (-32005, "16777215 blocks at once, at most 100000: make them in several requests")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn state_out_of_nowhere() {
    let dev = Dev::start(&[]);
    let rich = uint!(200_000_000_000_000_000_000_000_000_U256);
    assert_eq!(dev.ask("anvil_setBalance", json!([CAROL, rich])).await, Value::Null);
    assert_eq!(dev.ask("hardhat_setBalance", json!([BOB, "0x7"])).await, json!(true));
    assert_eq!((dev.balance(CAROL).await, dev.balance(BOB).await), (rich, U256::from(7)));
    let (code, text) = dev.refusal("anvil_setBalance", json!([CAROL, U256::MAX])).await;
    assert!(code == -32000 || code == -32603, "{code}");
    assert!(text.contains("more than 2^64 lamports"), "{text}");

    // PUSH0 SLOAD PUSH0 MSTORE PUSH1 32 PUSH0 RETURN
    let contract = Address::with_last_byte(0xc0);
    let code = "0x5f545f5260205ff3";
    dev.ask("anvil_setCode", json!([contract, code])).await;
    assert_eq!(dev.ask("eth_getCode", json!([contract, "latest"])).await, code);
    let value = B256::with_last_byte(0x2a);
    assert_eq!(dev.ask("hardhat_setStorageAt", json!([contract, "0x0", value])).await, json!(true));
    dev.ask("anvil_setStorageAt", json!([contract, "0x1234567890", B256::repeat_byte(9)])).await;
    assert_eq!(dev.ask("eth_call", json!([{ "to": contract }])).await, json!(value));
    let far = dev.ask("eth_getStorageAt", json!([contract, "0x1234567890", "latest"])).await;
    assert_eq!(far, json!(B256::repeat_byte(9)));

    dev.ask("anvil_setNonce", json!([ALICE, "0x10"])).await;
    assert_eq!(dev.nonce(ALICE).await, 16);
    let hash = dev.pay(ALICE, contract, U256::ZERO).await;
    assert_eq!(dev.receipt(&hash).await["status"], "0x1");
    let text = "New nonce (3) must not be smaller than the existing nonce (17)".to_owned();
    assert_eq!(dev.refusal("hardhat_setNonce", json!([ALICE, "0x3"])).await, (-32602, text));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_without_a_key() {
    let dev = Dev::start(&[]);
    dev.ask("hardhat_setBalance", json!([CAROL, ETHER * U256::from(5)])).await;
    let payment = json!([{ "from": CAROL, "to": BOB, "value": ETHER }]);
    let unknown = (-32000, format!("unknown account {CAROL}"));
    assert_eq!(dev.refusal("eth_sendTransaction", payment.clone()).await, unknown);
    assert_eq!(dev.ask("hardhat_impersonateAccount", json!([CAROL])).await, json!(true));

    let before = dev.balance(BOB).await;
    let hash = dev.ask("eth_sendTransaction", payment.clone()).await;
    let receipt = dev.receipt(&hash).await;
    let carol = json!(CAROL.to_string().to_lowercase());
    assert_eq!((&receipt["status"], &receipt["from"]), (&json!("0x1"), &carol));
    assert_eq!(dev.ask("eth_getTransactionByHash", json!([hash])).await["from"], carol);
    assert_eq!((dev.balance(BOB).await, dev.nonce(CAROL).await), (before + ETHER, 1));
    // It creates contracts whose code asks who called: CALLER PUSH0 SSTORE.
    let creation = json!([{ "from": CAROL, "input": "0x335f55" }]);
    let hash = dev.ask("eth_sendTransaction", creation).await;
    let receipt = dev.receipt(&hash).await;
    assert_eq!(receipt["status"], "0x1", "{receipt}");
    let owner = dev.ask("eth_getStorageAt", json!([receipt["contractAddress"], "0x0", "latest"])).await;
    assert_eq!(owner, json!(CAROL.into_word()));

    // Others cannot use what stands in the place of the signature.
    let raw = dev.ask("eth_getRawTransactionByHash", json!([hash])).await;
    dev.refusal("eth_sendRawTransaction", json!([raw])).await;
    // What the funds do not cover is refused as ever.
    let (code, text) = dev
        .refusal(
            "eth_sendTransaction",
            json!([{ "from": CAROL, "to": BOB, "value": ETHER * U256::from(100), "gas": "0x5208" }]),
        )
        .await;
    assert!(code == -32000 && text.starts_with("insufficient funds"), "{code} {text}");

    assert_eq!(dev.ask("hardhat_stopImpersonatingAccount", json!([CAROL])).await, json!(true));
    assert_eq!(dev.refusal("eth_sendTransaction", payment.clone()).await, unknown);
    dev.ask("anvil_autoImpersonateAccount", json!([true])).await;
    assert_eq!(dev.receipt(&dev.ask("eth_sendTransaction", payment).await).await["status"], "0x1");
    // Whoever it is.
    for sender in [Address::ZERO, Address::with_last_byte(1), Address::repeat_byte(0xff)] {
        dev.ask("hardhat_setBalance", json!([sender, ETHER])).await;
        let payment = json!([{ "from": sender, "to": BOB, "value": 1 }]);
        let receipt = dev.receipt(&dev.ask("eth_sendTransaction", payment).await).await;
        assert_eq!((&receipt["status"], &receipt["from"]), (&json!("0x1"), &json!(sender)));
    }
}

/// The methods that the table says a development chain has.
fn listed() -> Vec<&'static str> {
    const TABLE: &str = include_str!("../../../rpc/METHODS.md");
    let (_, rest) = TABLE.split_once("Methods of development chains").unwrap();
    let (table, _) = rest.split_once("Not there:").unwrap();
    let cells = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('|').next());
    cells.flat_map(|cell| cell.split(['`', ',', ' '])).filter(|word| word.contains('_')).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_of_the_table_is_there() {
    let dev = Dev::start(&[]);
    let methods = listed();
    assert!(methods.len() > 40, "{methods:?}");
    for method in methods {
        let answer: Result<Value, _> = dev.rpc.request(method, ArrayParams::new()).await;
        if let Err(ClientError::Call(error)) = answer {
            assert_ne!(error.code(), -32601, "{method}");
        }
    }
}
