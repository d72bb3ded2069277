//! Every method with everything that can be wrong about its arguments, over HTTP and over WebSocket; and what is no request,
//! over WebSocket (`framing` has that for HTTP).

use crate::client::post;
use crate::fake::{Fake, TOKEN};
use Argument::{
    Address, Block, BlockOverrides, Bytes, Call, Filter, Flag, Hash, Key, Keys, Milliseconds, Page,
    Percentiles, PlainBlock, Quantity, Simulation, SolanaSignature, StateOverrides, Tag, Text, Tracing,
};
use alloy_primitives::B256;
use jsonrpsee::client_transport::ws::{Url, WsTransportClientBuilder};
use jsonrpsee::core::client::{ReceivedMessage, TransportReceiverT, TransportSenderT};
use parhelion_rpc::Running;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What an argument is.
#[derive(Clone, Copy)]
enum Argument {
    Address,
    Hash,
    /// A number or a tag.
    Tag,
    /// A number, a tag or a hash.
    Block,
    Quantity,
    /// A storage key.
    Key,
    /// Storage keys by address.
    Keys,
    Bytes,
    Flag,
    Call,
    StateOverrides,
    BlockOverrides,
    Simulation,
    Tracing,
    Filter,
    Text,
    Percentiles,
    Milliseconds,
    /// A block, whose number may be plain.
    PlainBlock,
    /// How much a page has.
    Page,
    /// In base 58.
    SolanaSignature,
}

/// The methods: arguments that must be there, and those that may be left out.
const METHODS: &[(&str, &[Argument], &[Argument])] = &[
    ("eth_blockNumber", &[], &[]),
    ("eth_getBlockByNumber", &[Tag, Flag], &[]),
    ("eth_getBlockByHash", &[Hash, Flag], &[]),
    ("eth_getBlockReceipts", &[Block], &[]),
    ("eth_getBlockTransactionCountByNumber", &[Tag], &[]),
    ("eth_getBlockTransactionCountByHash", &[Hash], &[]),
    ("eth_getUncleByBlockNumberAndIndex", &[Tag, Quantity], &[]),
    ("eth_getUncleByBlockHashAndIndex", &[Hash, Quantity], &[]),
    ("eth_getUncleCountByBlockNumber", &[Tag], &[]),
    ("eth_getUncleCountByBlockHash", &[Hash], &[]),
    ("eth_getTransactionByHash", &[Hash], &[]),
    ("eth_getTransactionByBlockNumberAndIndex", &[Tag, Quantity], &[]),
    ("eth_getTransactionByBlockHashAndIndex", &[Hash, Quantity], &[]),
    ("eth_getTransactionReceipt", &[Hash], &[]),
    ("eth_getRawTransactionByHash", &[Hash], &[]),
    ("eth_getRawTransactionByBlockNumberAndIndex", &[Tag, Quantity], &[]),
    ("eth_getRawTransactionByBlockHashAndIndex", &[Hash, Quantity], &[]),
    ("eth_getBalance", &[Address], &[Block]),
    ("eth_getCode", &[Address], &[Block]),
    ("eth_getStorageAt", &[Address, Key], &[Block]),
    ("eth_getStorageValues", &[Keys], &[Block]),
    ("eth_getTransactionCount", &[Address], &[Block]),
    ("eth_call", &[Call], &[Block, StateOverrides, BlockOverrides]),
    ("eth_estimateGas", &[Call], &[Block, StateOverrides, BlockOverrides]),
    ("eth_createAccessList", &[Call], &[Block, StateOverrides, BlockOverrides]),
    ("eth_simulateV1", &[Simulation], &[Block]),
    ("eth_sendRawTransaction", &[Bytes], &[]),
    ("eth_sendRawTransactionSync", &[Bytes], &[Milliseconds]),
    ("eth_getLogs", &[Filter], &[]),
    ("eth_newFilter", &[Filter], &[]),
    ("eth_newBlockFilter", &[], &[]),
    ("eth_newPendingTransactionFilter", &[], &[Flag]),
    ("eth_getFilterChanges", &[Text], &[]),
    ("eth_getFilterLogs", &[Text], &[]),
    ("eth_uninstallFilter", &[Text], &[]),
    ("eth_gasPrice", &[], &[]),
    ("eth_baseFee", &[], &[]),
    ("eth_maxPriorityFeePerGas", &[], &[]),
    ("eth_feeHistory", &[Quantity, Tag], &[Percentiles]),
    ("eth_chainId", &[], &[]),
    ("eth_syncing", &[], &[]),
    ("eth_accounts", &[], &[]),
    ("eth_mining", &[], &[]),
    ("eth_hashrate", &[], &[]),
    ("net_version", &[], &[]),
    ("net_listening", &[], &[]),
    ("net_peerCount", &[], &[]),
    ("web3_clientVersion", &[], &[]),
    ("web3_sha3", &[Bytes], &[]),
    ("txpool_status", &[], &[]),
    ("txpool_content", &[], &[]),
    ("txpool_contentFrom", &[Address], &[]),
    ("txpool_inspect", &[], &[]),
    ("debug_getRawHeader", &[Block], &[]),
    ("debug_getRawBlock", &[Block], &[]),
    ("debug_getRawReceipts", &[Block], &[]),
    ("debug_getRawTransaction", &[Hash], &[]),
    ("debug_traceCall", &[Call], &[Block, Tracing]),
    ("debug_traceTransaction", &[Hash], &[Tracing]),
    ("debug_traceBlockByNumber", &[Tag], &[Tracing]),
    ("debug_traceBlockByHash", &[Hash], &[Tracing]),
    ("erigon_getHeaderByNumber", &[PlainBlock], &[]),
    ("ots_getApiLevel", &[], &[]),
    ("ots_hasCode", &[Address], &[PlainBlock]),
    ("ots_getInternalOperations", &[Hash], &[]),
    ("ots_getTransactionError", &[Hash], &[]),
    ("ots_traceTransaction", &[Hash], &[]),
    ("ots_getBlockDetails", &[PlainBlock], &[]),
    ("ots_getBlockDetailsByHash", &[Hash], &[]),
    ("ots_getBlockTransactions", &[PlainBlock, Page, Page], &[]),
    ("ots_searchTransactionsBefore", &[Address, Page, Page], &[]),
    ("ots_searchTransactionsAfter", &[Address, Page, Page], &[]),
    ("ots_getTransactionBySenderAndNonce", &[Address, Page], &[]),
    ("ots_getContractCreator", &[Address], &[]),
    ("parhelion_getTransaction", &[Hash], &[]),
    ("parhelion_getTransactionsBySignature", &[SolanaSignature], &[]),
    ("parhelion_getAccounts", &[Hash], &[]),
    ("parhelion_estimateGas", &[Call], &[Block]),
];

/// The other methods: they have tests of their own, because they refuse everything or need a WebSocket.
const OTHERS: &[&str] = &["eth_getProof", "eth_subscribe", "eth_unsubscribe"];

impl Argument {
    fn valid(self) -> Value {
        match self {
            Address => json!(TOKEN),
            Hash => json!(B256::repeat_byte(1)),
            Tag | Block => json!("latest"),
            Quantity => json!("0x0"),
            Key => json!("0x2"),
            Keys => json!({ TOKEN.to_string(): ["0x2"] }),
            Bytes => json!("0x00"),
            Flag => json!(true),
            Call => json!({ "to": TOKEN }),
            StateOverrides => json!({ TOKEN.to_string(): { "balance": "0x1" } }),
            BlockOverrides => json!({ "number": "0x1" }),
            Simulation => json!({ "blockStateCalls": [{ "calls": [{ "to": TOKEN }] }] }),
            Tracing => json!({ "tracer": "callTracer" }),
            Filter => json!({ "address": TOKEN, "fromBlock": "0x0" }),
            Text => json!("0x1"),
            Percentiles => json!([50]),
            Milliseconds => json!("0x1"),
            PlainBlock | Page => json!(1),
            SolanaSignature => json!("1".repeat(64)),
        }
    }

    /// Of other types, too long, too short, no hex, of half a byte, below zero, above the largest number.
    fn wrong(self) -> Vec<Value> {
        let hex = |digits: usize| format!("0x{}", "1".repeat(digits));
        let wrong_blocks =
            json!([5, true, [], "", "0x", "12", "-0x1", "newest", "0xzz", "0x10000000000000000", hex(1000)]);
        let wrong = match self {
            Address => json!([
                5,
                true,
                [],
                {},
                "",
                "0x",
                hex(39),
                hex(41),
                hex(42),
                "11".repeat(20),
                format!("0x{}", "g1".repeat(20))
            ]),
            Hash => json!([
                5,
                true,
                [],
                {},
                "",
                "0x",
                hex(63),
                hex(65),
                hex(66),
                "11".repeat(32),
                format!("0x{}", "g1".repeat(32))
            ]),
            Tag | Block => wrong_blocks,
            Quantity => json!([true, [], {}, 1.5, -1, "", "-1", "0xzz", hex(17), hex(1000)]),
            Key => json!([true, [], {}, "0xzz", hex(65), hex(66), hex(1000)]),
            Keys => json!([5, "x", [], {}, { "0x12": ["0x0"] }, { TOKEN.to_string(): "0x0" }]),
            Bytes => json!([5, true, [], [1], {}, "", "12", "0x1", "0xzz", "0x12g4"]),
            Flag => json!([1, "true", [], {}]),
            Call => json!([
                5, "0x", [1], { "to": "0x12" }, { "from": 5 }, { "data": "0x1" }, { "value": hex(65) },
                { "value": "-0x1" }, { "gas": hex(17) }, { "nonce": "x" }, { "gasPrice": hex(33) },
                { "accessList": [{ "address": TOKEN }] }, { "authorizationList": [{}] }, { "type": {} },
            ]),
            StateOverrides => json!([
                5, "x", { "0x12": {} }, { TOKEN.to_string(): 5 }, { TOKEN.to_string(): { "balance": hex(65) } },
                { TOKEN.to_string(): { "code": "0x1" } }, { TOKEN.to_string(): { "state": {}, "stateDiff": {} } },
            ]),
            BlockOverrides => json!([5, "x", { "number": "zz" }, { "coinbase": "0x12" }]),
            Simulation => json!([
                5, "x", {}, { "blockStateCalls": [] }, { "blockStateCalls": {} }, { "blockStateCalls": [5] },
                { "blockStateCalls": [{}], "validation": 5 }, { "blockStateCalls": [{ "calls": {} }] },
                { "blockStateCalls": [{ "calls": [{ "to": "0x12" }] }] },
                { "blockStateCalls": [{ "blockOverrides": { "number": "zz" } }] },
                { "blockStateCalls": [{ "stateOverrides": { TOKEN.to_string(): { "code": "0x1" } } }] },
                { "blockStateCalls": [{ "stateOverrides": { TOKEN.to_string(): { "state": {}, "stateDiff": {} } } }] },
                { "blockStateCalls": [{ "stateOverrides": { TOKEN.to_string(): { "movePrecompileToAddress": TOKEN } } }] },
            ]),
            Tracing => json!([5, "x", { "tracer": 5 }, { "tracer": "noSuchTracer" }]),
            Filter => json!([
                5, "all", [1], { "address": 5 }, { "address": "0x12" }, { "address": [TOKEN, "0x12"] },
                { "fromBlock": "x" }, { "toBlock": hex(17) }, { "topics": "x" }, { "topics": ["0x12"] },
                { "blockHash": "0x12" }, { "blockHash": B256::ZERO, "fromBlock": "0x0" },
            ]),
            Text => json!([5, true, [], {}]),
            Percentiles => json!([5, "x", ["x"], [101], [-1], [2, 1], {}]),
            Milliseconds => json!([true, [], {}, -1, 1.5, "x", hex(17)]),
            PlainBlock => {
                json!([-1, true, 1.5, [], "", "0x", "12", "-0x1", "newest", "0xzz", hex(17), hex(1000)])
            }
            SolanaSignature => {
                json!([5, true, [], {}, "", "0x12", "1".repeat(63), "1".repeat(65), "1".repeat(1000)])
            }
            Page => json!([-1, true, 1.5, [], {}, "", "12", "newest", "latest", "0xzz", hex(17), hex(1000)]),
        };
        let Value::Array(mut values) = wrong else { panic!("{wrong} is no array") };
        // More than anybody can mean, and more than a stack should be used for.
        values.push((0..100).fold(json!([]), |inner, _| json!([inner])));
        values
    }
}

/// Calls with one thing wrong about their arguments: -32602 is the answer to all.
fn wrong_calls() -> Vec<(&'static str, Value)> {
    let mut calls = Vec::new();
    for (method, required, optional) in METHODS {
        let arguments: Vec<Argument> = [*required, *optional].concat();
        let valid: Vec<Value> = arguments.iter().map(|argument| argument.valid()).collect();
        calls.extend((0..required.len()).map(|count| (*method, json!(valid[..count]))));
        calls.extend((0..required.len()).map(|place| {
            let mut with_null = valid.clone();
            with_null[place] = Value::Null;
            (*method, json!(with_null))
        }));
        calls.push((*method, json!([&valid[..], &[json!(1)]].concat())));
        calls.push((*method, json!({ "name": 1 })));
        for (place, argument) in arguments.iter().enumerate() {
            calls.extend(argument.wrong().into_iter().map(|wrong| {
                let mut arguments = valid.clone();
                arguments[place] = wrong;
                (*method, json!(arguments))
            }));
        }
    }
    calls
}

fn request(method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params }).to_string()
}

/// A WebSocket that carries any text.
struct RawSocket<S, R>(S, R);

async fn connect(server: &Running) -> RawSocket<impl TransportSenderT, impl TransportReceiverT> {
    let url = Url::parse(&format!("ws://{}", server.local_addr())).unwrap();
    let (sender, receiver) = WsTransportClientBuilder::default().build(url).await.unwrap();
    RawSocket(sender, receiver)
}

impl<S: TransportSenderT, R: TransportReceiverT> RawSocket<S, R> {
    async fn ask(&mut self, text: String) -> Value {
        self.0.send(text).await.unwrap();
        match self.1.receive().await.unwrap() {
            ReceivedMessage::Text(text) => serde_json::from_str(&text).unwrap(),
            ReceivedMessage::Bytes(_) | ReceivedMessage::Pong => panic!("no text"),
        }
    }
}

#[tokio::test]
async fn every_method_is_in_the_table() {
    let server = Fake::new().serve().await;
    let known: BTreeSet<&str> =
        METHODS.iter().map(|(name, ..)| *name).chain(OTHERS.iter().copied()).collect();
    assert_eq!(known, server.methods().iter().copied().collect());
}

#[tokio::test]
async fn valid_arguments_are_not_called_invalid() {
    let server = Fake::new().serve().await;
    for (method, required, optional) in METHODS {
        for count in required.len()..=required.len() + optional.len() {
            let arguments = [*required, *optional].concat();
            let params: Vec<Value> = arguments[..count].iter().map(|argument| argument.valid()).collect();
            let answer = post(server.local_addr(), request(method, &json!(params))).await.json();
            assert_ne!(answer["error"]["code"], json!(-32602), "{method} {params:?}: {answer}");
        }
    }
}

#[tokio::test]
async fn every_wrong_argument_of_every_method_has_its_code() {
    let server = Fake::new().serve().await;
    let mut socket = connect(&server).await;
    let mut others = Vec::new();
    for (method, params) in wrong_calls() {
        let text = request(method, &params);
        for answer in [post(server.local_addr(), &text).await.json(), socket.ask(text.clone()).await] {
            let is_refused = answer["error"]["code"] == -32602 && answer.get("result").is_none();
            if !is_refused || answer["id"] != 7 {
                others.push(format!("{text}\n  {answer}"));
            }
        }
    }
    assert!(others.is_empty(), "{} answers are not -32602:\n{}", others.len(), others.join("\n"));
}

#[tokio::test]
async fn what_is_no_request_has_a_code_over_websocket_as_well() {
    let server = Fake::new().serve().await;
    let mut socket = connect(&server).await;
    let nested = "[".repeat(100_000);
    for (text, code, id) in [
        ("hello", -32700, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId""#, -32700, json!(null)),
        (nested.as_str(), -32700, json!(null)),
        ("[]", -32600, json!(null)),
        // Over HTTP -32600: there `framing` looks first.
        ("{}", -32700, json!(null)),
        (r#"{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":5}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_unknown"}"#, -32601, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["nothing"]}"#, -32601, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":7}"#, -32602, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x00"]}"#, -32000, json!(1)),
    ] {
        let answer = socket.ask(text.to_owned()).await;
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &id), "{text:.80}: {answer}");
    }
    let answer = socket.ask(request("eth_chainId", &json!([]))).await;
    assert_eq!(answer["result"], "0x539");
}
