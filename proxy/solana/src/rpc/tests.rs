//! The RPC cluster against a scripted node.

use super::*;
use crate::rpc::send::{POLL_INTERVAL, POLLS_MAX, RESEND_POLLS};
use crate::rpc::slots::SLOT_INTERVAL;
use parhelion_core::cluster::{Held, LandedInstruction, LandedTransaction};
use parhelion_sdk::transaction::{Budget, Format, sign};
use parhelion_wire::ProgramError;
use serde_json::{Value, json};
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_rpc_client::rpc_client::RpcClientConfig;
use solana_rpc_client::rpc_sender::{RpcSender, RpcTransportStats};
use solana_rpc_client_api::request::{RpcRequest, RpcResponseErrorData};
use solana_signer::Signer;
use std::sync::atomic::AtomicUsize;

const PROGRAM: Address = Address::new_from_array([7; 32]);

type Answer = Result<Value, RequestError>;

/// A node that answers as a function says.
struct Script<F>(F);

#[async_trait]
impl<F: Fn(RpcRequest, &Value) -> Answer + Send + Sync> RpcSender for Script<F> {
    async fn send(&self, request: RpcRequest, params: Value) -> Answer {
        (self.0)(request, &params)
    }

    fn get_transport_stats(&self) -> RpcTransportStats {
        RpcTransportStats::default()
    }

    fn url(&self) -> String {
        "script".to_owned()
    }
}

async fn connect(
    script: impl Fn(RpcRequest, &Value) -> Answer + Send + Sync + 'static,
) -> Result<RpcCluster, ClusterError> {
    let config = RpcClientConfig::with_commitment(CommitmentConfig::confirmed());
    RpcCluster::over(RpcClient::new_sender(Script(script), config), PROGRAM).await
}

fn error(code: i64) -> RequestError {
    let data = RpcResponseErrorData::Empty;
    RpcError::RpcResponseError { code, message: "scripted".to_owned(), data }.into()
}

fn unavailable() -> RequestError {
    RequestError::from(ErrorKind::Io(std::io::ErrorKind::ConnectionRefused.into()))
}

fn with_context(value: &Value) -> Value {
    json!({ "context": { "slot": 1 }, "value": value })
}

fn account(owner: &Address, data: &[u8]) -> Value {
    json!({
        "lamports": 5, "data": [bs58::encode(data).into_string(), "base58"], "owner": owner.to_string(),
        "executable": false, "rentEpoch": 0, "space": data.len(),
    })
}

fn clock_data(slot: u64, unix_timestamp: i64) -> Vec<u8> {
    let clock = solana_clock::Clock { slot, unix_timestamp, ..solana_clock::Clock::default() };
    wincode::serialize(&clock).expect("serializes")
}

/// A transaction of the program, or of another one.
fn transaction(program_id: Address) -> VersionedTransaction {
    let payer = Keypair::new();
    let accounts = vec![AccountMeta::new(payer.pubkey(), true)];
    let instruction = Instruction { program_id, accounts, data: vec![3, 4] };
    sign(&[instruction], &payer.pubkey(), &[&payer], Hash::default(), &Budget::MAX, Format::V1)
        .expect("valid")
}

#[tokio::test(start_paused = true)]
async fn accounts_and_clock_come_from_one_request() {
    let cluster = connect(|request, params| match request {
        RpcRequest::GetSlot => Ok(json!(1)),
        RpcRequest::GetMultipleAccounts => {
            let clock = account(&sysvar::ID, &clock_data(9, 1234));
            let accounts: Vec<_> = params[0].as_array().expect("addresses").iter().collect();
            assert_eq!(accounts.last().expect("clock").as_str(), Some(&*sysvar::clock::ID.to_string()));
            assert_eq!(params[1]["commitment"], "confirmed");
            let answers: Vec<_> = match accounts.len() {
                1 => vec![clock],
                3 => vec![account(&PROGRAM, &[1, 2, 3]), Value::Null, clock],
                _ => panic!("{accounts:?}"),
            };
            Ok(with_context(&json!(answers)))
        }
        _ => panic!("{request}"),
    })
    .await
    .expect("connects");
    let addresses = [Address::new_from_array([1; 32]), Address::new_from_array([2; 32])];
    let snapshot = cluster.accounts(&addresses).await.expect("answers");
    assert_eq!(snapshot.clock, Clock { slot: 9, unix_timestamp: 1234 });
    let expected = Account { lamports: 5, owner: PROGRAM, data: vec![1, 2, 3] };
    assert_eq!(snapshot.accounts, [Some(expected), None]);
    assert_eq!(cluster.clock().await.expect("answers"), snapshot.clock);
    let too_many = vec![Address::default(); ACCOUNTS_MAX + 1];
    assert!(matches!(cluster.accounts(&too_many).await, Err(ClusterError::Unsupported(_))));
}

#[tokio::test(start_paused = true)]
async fn sysvars_are_read_and_rent_is_kept_for_a_while() {
    let rent_reads = Arc::new(AtomicUsize::new(0));
    let reads = Arc::clone(&rent_reads);
    let hashes = SlotHashes::new(&[(4, Hash::new_from_array([4; 32])), (3, Hash::new_from_array([3; 32]))]);
    let hashes = wincode::serialize(&hashes).expect("serializes");
    let cluster = connect(move |request, params| match request {
        RpcRequest::GetSlot => Ok(json!(1)),
        RpcRequest::GetLatestBlockhash => Ok(with_context(
            &json!({ "blockhash": Hash::new_from_array([6; 32]).to_string(), "lastValidBlockHeight": 5 }),
        )),
        RpcRequest::GetMultipleAccounts => {
            let address: Address = params[0][0].as_str().expect("text").parse().expect("an address");
            let data = if address == sysvar::rent::ID {
                reads.fetch_add(1, Ordering::Relaxed);
                wincode::serialize(&Rent::default()).expect("serializes")
            } else {
                assert_eq!(address, sysvar::slot_hashes::ID);
                hashes.clone()
            };
            Ok(with_context(&json!([account(&sysvar::ID, &data)])))
        }
        _ => panic!("{request}"),
    })
    .await
    .expect("connects");
    assert_eq!(cluster.slot_hashes().await.expect("answers"), [(4, [4; 32]), (3, [3; 32])]);
    assert_eq!(cluster.latest_blockhash().await.expect("answers"), Hash::new_from_array([6; 32]));
    for length in [0, 100, 10_000] {
        let expected = Rent::default().minimum_balance(length);
        assert_eq!(cluster.rent_exemption(length).await.expect("answers"), expected);
    }
    assert_eq!(rent_reads.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_blockhash_is_read_once_in_a_slot() {
    let (slots, reads) = (Arc::new(AtomicU64::new(1)), Arc::new(AtomicUsize::new(0)));
    let (slot, read) = (Arc::clone(&slots), Arc::clone(&reads));
    let cluster = connect(move |request, _| match request {
        RpcRequest::GetSlot => Ok(json!(slot.load(Ordering::Relaxed))),
        RpcRequest::GetLatestBlockhash => {
            let hash = Hash::new_from_array([read.fetch_add(1, Ordering::Relaxed) as u8; 32]);
            Ok(with_context(&json!({ "blockhash": hash.to_string(), "lastValidBlockHeight": 5 })))
        }
        _ => panic!("{request}"),
    })
    .await
    .expect("connects");
    for (newest, expected) in [(1, 0), (1, 0), (2, 1), (3, 2), (3, 2)] {
        slots.store(newest, Ordering::Relaxed);
        tokio::time::sleep(3 * SLOT_INTERVAL).await;
        let hash = cluster.latest_blockhash().await.expect("answers");
        assert_eq!(hash, Hash::new_from_array([expected; 32]), "slot {newest}");
    }
    assert_eq!(reads.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn accounts_are_searched_by_their_first_bytes_and_not_sent() {
    let cluster = connect(|request, params| match request {
        RpcRequest::GetSlot => Ok(json!(1)),
        RpcRequest::GetProgramAccounts => {
            assert_eq!(params[0].as_str(), Some(&*PROGRAM.to_string()));
            let config = &params[1];
            assert_eq!(config["filters"][0]["memcmp"]["offset"], 0);
            let bytes = bs58::encode([8, 1, 1, 0]).into_string();
            assert_eq!(config["filters"][0]["memcmp"]["bytes"], bytes);
            assert_eq!(config["dataSlice"], json!({ "offset": 0, "length": 0 }));
            assert_eq!((&config["encoding"], &config["commitment"]), (&json!("base64"), &json!("confirmed")));
            let found = Address::new_from_array([3; 32]).to_string();
            Ok(json!([{ "pubkey": found, "account": account(&PROGRAM, &[]) }]))
        }
        _ => panic!("{request}"),
    })
    .await
    .expect("connects");
    let found = cluster.accounts_beginning(&[8, 1, 1, 0]).await.expect("answers");
    assert_eq!(found, [Address::new_from_array([3; 32])]);
}

#[tokio::test(start_paused = true)]
async fn reads_are_tried_again_but_not_for_ever_and_not_after_a_refusal() {
    for (code, attempts, retryable) in [
        (None, READ_ATTEMPTS_MAX, true),
        (Some(code::JSON_RPC_SERVER_ERROR_NODE_UNHEALTHY), READ_ATTEMPTS_MAX, true),
        (Some(code::JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED), READ_ATTEMPTS_MAX, true),
        (Some(-32602), 1, false),
    ] {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&count);
        let cluster = connect(move |request, _| match request {
            RpcRequest::GetSlot => Ok(json!(1)),
            _ => {
                counter.fetch_add(1, Ordering::Relaxed);
                Err(code.map_or_else(unavailable, error))
            }
        })
        .await
        .expect("connects");
        let failed = cluster.clock().await.expect_err("never answers");
        assert_eq!((count.load(Ordering::Relaxed), failed.is_retryable()), (attempts as usize, retryable));
    }
    let refused = connect(|_, _| Err(unavailable())).await;
    assert!(matches!(refused.err(), Some(ClusterError::Unreachable(_))));
}

/// Services want their keys in the URL.
#[tokio::test]
async fn a_cluster_that_cannot_be_reached_is_named_without_the_secrets_of_its_url() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    drop(listener);
    for secret in ["v2/s3cret", "?api-key=s3cret"] {
        let options = RpcOptions::new(format!("http://{address}/{secret}"), PROGRAM);
        let error = RpcCluster::connect(&options).await.err().expect("nobody listens").to_string();
        assert!(error.contains("127.0.0.1") && !error.contains("s3cret"), "{error}");
    }
}

/// What a scripted node saw and how it behaves while a transaction is sent.
#[derive(Default)]
struct Sending {
    submissions: AtomicUsize,
    polls: AtomicUsize,
    height: AtomicU64,
}

/// A node on which the status of a transaction is `status(poll)` and the chain grows by `growth` blocks a question.
async fn sending(
    growth: u64,
    preflight: impl Fn() -> Option<Value> + Send + Sync + 'static,
    status: impl Fn(usize) -> Value + Send + Sync + 'static,
) -> (RpcCluster, Arc<Sending>) {
    let seen = Arc::new(Sending::default());
    let node = Arc::clone(&seen);
    let cluster = connect(move |request, params| match request {
        RpcRequest::GetSlot => Ok(json!(1)),
        RpcRequest::GetBlockHeight => Ok(json!(node.height.fetch_add(growth, Ordering::Relaxed))),
        RpcRequest::GetSignatureStatuses => {
            let poll = node.polls.fetch_add(1, Ordering::Relaxed) + 1;
            Ok(with_context(&json!([status(poll)])))
        }
        RpcRequest::SendTransaction => {
            let first = node.submissions.fetch_add(1, Ordering::Relaxed) == 0;
            assert_eq!(params[1]["skipPreflight"], !first, "only the first is simulated");
            assert_eq!(params[1]["maxRetries"], 0);
            if let Some(simulation) = preflight() {
                let simulation = serde_json::from_value(simulation).expect("a simulation");
                return Err(RpcError::RpcResponseError {
                    code: code::JSON_RPC_SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
                    message: "scripted".to_owned(),
                    data: RpcResponseErrorData::SendTransactionPreflightFailure(simulation),
                }
                .into());
            }
            let raw = params[0].as_str().expect("text");
            let encoded = json!([raw, "base64"]);
            let encoded: solana_transaction_status_client_types::EncodedTransaction =
                serde_json::from_value(encoded).expect("an encoded transaction");
            Ok(json!(encoded.decode().expect("a V1 transaction").signatures[0].to_string()))
        }
        RpcRequest::GetMultipleAccounts => {
            // Only after the transaction landed in slot 33.
            assert_eq!(params[1]["minContextSlot"], 33);
            Ok(with_context(&json!([account(&sysvar::ID, &clock_data(40, 1))])))
        }
        _ => panic!("{request}"),
    })
    .await
    .expect("connects");
    (cluster, seen)
}

fn status(confirmation: &str, error: &Value) -> Value {
    let status = if error.is_null() { json!({ "Ok": null }) } else { json!({ "Err": error }) };
    json!({
        "slot": 33, "confirmations": 1, "status": status, "err": error, "confirmationStatus": confirmation,
    })
}

#[tokio::test(start_paused = true)]
async fn a_transaction_is_sent_again_until_it_is_confirmed() {
    let confirmed_at = 12;
    let (cluster, seen) = sending(
        1,
        || None,
        move |poll| match poll {
            0..6 => Value::Null,
            poll if poll < confirmed_at => status("processed", &Value::Null),
            _ => status("confirmed", &Value::Null),
        },
    )
    .await;
    let transaction = transaction(PROGRAM);
    let started = tokio::time::Instant::now();
    assert_eq!(cluster.send(&transaction).await.expect("lands"), transaction.signatures[0]);
    assert_eq!(started.elapsed(), POLL_INTERVAL * confirmed_at as u32);
    assert_eq!(seen.polls.load(Ordering::Relaxed), confirmed_at);
    let resent = (confirmed_at as u32 - 1) / RESEND_POLLS;
    assert_eq!(seen.submissions.load(Ordering::Relaxed), 1 + resent as usize);
    // Reads are from now on not before that slot.
    assert_eq!(cluster.clock().await.expect("answers").slot, 40);
}

#[tokio::test(start_paused = true)]
async fn it_expires_by_block_height_and_a_chain_that_stands_still_is_given_up() {
    let (cluster, seen) = sending(40, || None, |_| Value::Null).await;
    assert!(matches!(cluster.send(&transaction(PROGRAM)).await, Err(ClusterError::Expired)));
    // 0 at the start, then 40, 80, 120 and 160, which is more than 150; one last look at the status.
    assert_eq!(seen.polls.load(Ordering::Relaxed), 4 * RESEND_POLLS as usize + 1);

    let (cluster, seen) = sending(0, || None, |_| Value::Null).await;
    assert!(matches!(cluster.send(&transaction(PROGRAM)).await, Err(ClusterError::Unreachable(_))));
    assert_eq!(seen.polls.load(Ordering::Relaxed), POLLS_MAX as usize);
}

/// What a node answers to a simulation.
fn simulation(error: &Value) -> Value {
    json!({ "err": error, "logs": ["Program log: x"], "accounts": null, "unitsConsumed": 1234,
        "loadedAccountsDataSize": null, "returnData": null, "innerInstructions": null,
        "replacementBlockhash": null, "fee": null, "preBalances": null, "postBalances": null,
        "preTokenBalances": null, "postTokenBalances": null, "loadedAddresses": null })
}

#[tokio::test(start_paused = true)]
async fn simulations_tell_units_and_failure() {
    for error in [Value::Null, json!({ "InstructionError": [0, { "Custom": 46 }] })] {
        let fails = !error.is_null();
        let cluster = connect(move |request, params| match request {
            RpcRequest::GetSlot => Ok(json!(1)),
            RpcRequest::SimulateTransaction => {
                assert_eq!(params[1]["replaceRecentBlockhash"], true);
                Ok(with_context(&simulation(&error)))
            }
            _ => panic!("{request}"),
        })
        .await
        .expect("connects");
        let transaction = transaction(PROGRAM);
        let simulation = cluster.simulate(&transaction).await.expect("answers");
        assert_eq!(simulation.compute_units, 1234);
        match simulation.failure {
            None => assert!(!fails),
            Some(ClusterError::Failed { code: Some(46), logs, .. }) => assert_eq!(logs, ["Program log: x"]),
            Some(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn failures_carry_the_programs_number() {
    let too_low = ProgramError::NonceTooLow as u32;
    let refusal = json!({ "InstructionError": [0, { "Custom": too_low }] });
    let simulation = simulation(&refusal);
    let with_error = |error: Value| {
        let mut simulation = simulation.clone();
        simulation["err"] = error;
        move || Some(simulation.clone())
    };

    let (cluster, seen) = sending(1, with_error(refusal.clone()), |_| Value::Null).await;
    let failed = cluster.send(&transaction(PROGRAM)).await.expect_err("refused");
    let ClusterError::Failed { code, reason, logs } = failed else { panic!("{failed:?}") };
    assert_eq!((code, logs), (Some(too_low), vec!["Program log: x".to_owned()]));
    assert!(reason.contains("nonce too low"), "{reason}");
    assert_eq!(seen.polls.load(Ordering::Relaxed), 0, "what the preflight refuses is not sent");

    let other = Address::new_from_array([8; 32]);
    let (cluster, _) = sending(1, with_error(refusal.clone()), |_| Value::Null).await;
    let failed = cluster.send(&transaction(other)).await;
    assert!(matches!(&failed, Err(ClusterError::Failed { code: None, .. })), "{failed:?}");

    let (cluster, _) = sending(1, with_error(json!("BlockhashNotFound")), |_| Value::Null).await;
    assert!(matches!(cluster.send(&transaction(PROGRAM)).await, Err(ClusterError::Expired)));

    let landed = |_: usize| status("confirmed", &Value::Null);
    let (cluster, _) = sending(1, with_error(json!("AlreadyProcessed")), landed).await;
    cluster.send(&transaction(PROGRAM)).await.expect("landed by an earlier submission");

    let (cluster, _) = sending(1, || None, move |_| status("finalized", &refusal)).await;
    let failed = cluster.send(&transaction(PROGRAM)).await;
    assert!(matches!(&failed, Err(ClusterError::Failed { code: Some(code), .. }) if *code == too_low));
}

/// A transaction in a block, with one inner instruction of its own program.
fn in_block(transaction: &VersionedTransaction, error: &Value) -> Value {
    let raw = wincode::serialize(transaction).expect("serializes");
    let status = if error.is_null() { json!({ "Ok": null }) } else { json!({ "Err": error }) };
    let inner = json!({ "programIdIndex": 1, "accounts": [1, 0, 1], "data": bs58::encode([0xee, 1]).into_string(),
        "stackHeight": 2 });
    json!({
        "transaction": [bs58::encode(raw).into_string(), "base58"],
        "version": 1,
        "meta": {
            "err": error, "status": status, "fee": 5000, "preBalances": [9000, 1], "postBalances": [4000, 1],
            "innerInstructions": [{ "index": 0, "instructions": [inner] }],
            "loadedAddresses": { "writable": [], "readonly": [] }, "computeUnitsConsumed": 321,
        },
    })
}

#[tokio::test(start_paused = true)]
async fn blocks_hold_the_programs_successful_transactions_in_order() {
    let ours = [transaction(PROGRAM), transaction(PROGRAM)];
    let expected: Vec<_> = ours.iter().map(|one| one.signatures[0]).collect();
    let failed = json!({ "InstructionError": [0, { "Custom": 1 }] });
    let transactions = json!([
        in_block(&ours[0], &Value::Null),
        in_block(&transaction(PROGRAM), &failed),
        in_block(&transaction(Address::new_from_array([8; 32])), &Value::Null),
        in_block(&ours[1], &Value::Null),
    ]);
    let foreign = json!([in_block(&transaction(Address::new_from_array([8; 32])), &Value::Null)]);
    let hash = Hash::new_from_array([6; 32]);
    let cluster = connect(move |request, params| match request {
        RpcRequest::GetSlot => Ok(json!(1)),
        RpcRequest::GetBlocks => {
            let (first, last) = (params[0].as_u64().expect("slot"), params[1].as_u64().expect("slot"));
            assert!(last - first < 1_000, "small ranges");
            Ok(json!(
                [10, 11, 12, 1_500]
                    .into_iter()
                    .filter(|slot| (first..=last).contains(slot))
                    .collect::<Vec<u64>>()
            ))
        }
        RpcRequest::GetBlock => {
            assert_eq!(params[1]["maxSupportedTransactionVersion"], 1);
            let transactions = match params[0].as_u64() {
                Some(10 | 1_500) => transactions.clone(),
                Some(11) => foreign.clone(),
                Some(12) => return Err(error(code::JSON_RPC_SERVER_ERROR_SLOT_SKIPPED)),
                Some(5_000) => return Err(error(code::JSON_RPC_SERVER_ERROR_BLOCK_CLEANED_UP)),
                other => panic!("{other:?}"),
            };
            Ok(json!({ "previousBlockhash": hash.to_string(), "blockhash": "", "parentSlot": 1, "blockTime": 777,
                "blockHeight": 1, "transactions": transactions }))
        }
        _ => panic!("{request}"),
    })
    .await
    .expect("connects");
    let blocks = cluster.blocks(5, 2_000).await.expect("answers");
    let slots: Vec<_> = blocks.iter().map(|block| (block.clock.slot, block.clock.unix_timestamp)).collect();
    assert_eq!(slots, [(10, 777), (1_500, 777)]);
    let of = cluster.blocks_of(&[10, 11, 12]).await.expect("answers");
    assert_eq!(of.iter().map(|block| block.clock.slot).collect::<Vec<_>>(), [10]);
    for block in &blocks {
        assert_eq!(block.previous_blockhash, hash);
        let signatures: Vec<_> = block.transactions.iter().map(|one| one.signature).collect();
        assert_eq!(signatures, expected);
        let LandedTransaction { instructions, compute_units, lamports, .. } = &block.transactions[0];
        assert_eq!(*compute_units, 321);
        let payer = ours[0].message.static_account_keys()[0];
        let held = |address, before, after| Held { address, before, after };
        assert_eq!(lamports[..], [held(payer, 9000, 4000), held(PROGRAM, 1, 1)]);
        assert_eq!((instructions[0].program_id, &instructions[0].data[..]), (PROGRAM, &[3, 4][..]));
        let accounts = vec![PROGRAM, payer, PROGRAM];
        let invoked = LandedInstruction { program_id: PROGRAM, accounts, data: vec![0xee, 1], inner: vec![] };
        assert_eq!(instructions[0].inner, [invoked]);
    }
    assert!(cluster.blocks(6, 5).await.expect("an empty range").is_empty());
}

/// Signatures of slots 100 down to 1, two in each, one of which failed in every third.
#[tokio::test(start_paused = true)]
async fn busy_slots_are_those_of_successful_transactions_however_many_pages_there_are() {
    const PAGE: usize = 7;
    let signature = |number: usize| Signature::from([number as u8; 64]).to_string();
    let all: Vec<Value> = (0..200)
        .map(|number| {
            let slot = 100 - number / 2;
            // Both fail in slot 42.
            let fails = slot % 3 == 0 && number % 2 == 0 || slot == 42;
            let error = if fails { json!({ "InstructionError": [0, { "Custom": 1 }] }) } else { Value::Null };
            json!({ "signature": signature(number), "slot": slot, "err": error, "memo": null, "blockTime": 1,
                "confirmationStatus": "confirmed" })
        })
        .collect();
    let cluster = connect(move |request, params| match request {
        RpcRequest::GetSlot => Ok(json!(100)),
        RpcRequest::GetFirstAvailableBlock => Ok(json!(5)),
        RpcRequest::GetSignaturesForAddress => {
            assert_eq!(params[0], PROGRAM.to_string());
            let before = params[1]["before"].as_str();
            let place = |before: &str| all.iter().position(|one| one["signature"] == before).expect("known");
            let start = before.map_or(0, |before| place(before) + 1);
            Ok(json!(all.iter().skip(start).take(PAGE).collect::<Vec<_>>()))
        }
        _ => panic!("{request}"),
    })
    .await
    .expect("connects");
    let expected = |first: u64, last: u64| (first..=last).filter(|slot| *slot != 42).collect::<Vec<_>>();
    for (first, last) in [(5, 100), (40, 44), (42, 42), (99, 200)] {
        let slots = cluster.busy_slots(first, last).await.expect("answers");
        assert_eq!(slots, expected(first, last.min(100)), "{first} to {last}");
    }
    let error = cluster.busy_slots(4, 100).await.expect_err("not there any more");
    assert!(error.to_string().contains("no blocks before slot 5") && !error.is_retryable(), "{error}");
}

/// Three transactions in slot 8, one of them failed, one in slot 6, and one in each slot around.
#[tokio::test(start_paused = true)]
async fn what_is_final_is_told_without_the_transactions_and_by_a_node_that_has_come_so_far() {
    let signature = |number: u8| Signature::from([number; 64]);
    let page: Vec<Value> =
        [(9, 1, true), (8, 4, true), (8, 3, false), (8, 2, true), (6, 5, true), (5, 6, true)]
            .map(|(slot, number, succeeds)| {
                let error =
                    if succeeds { Value::Null } else { json!({ "InstructionError": [0, { "Custom": 1 }] }) };
                json!({ "signature": signature(number).to_string(), "slot": slot, "err": error, "memo": null,
                "blockTime": 1, "confirmationStatus": "finalized" })
            })
            .to_vec();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let cluster = connect(move |request, params| match request {
        RpcRequest::GetSlot => Ok(json!(9)),
        RpcRequest::GetSignaturesForAddress => {
            assert_eq!(params[1]["commitment"], "finalized");
            assert_eq!(params[1]["minContextSlot"], 8);
            match counter.fetch_add(1, Ordering::Relaxed) {
                0 => Err(error(code::JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED)),
                _ => Ok(json!(page)),
            }
        }
        RpcRequest::GetBlock => {
            assert_eq!(params[1]["commitment"], "finalized");
            assert_eq!(params[1]["transactionDetails"], "none");
            let before = Hash::new_from_array([params[0].as_u64().expect("slot") as u8; 32]);
            Ok(json!({ "previousBlockhash": before.to_string(), "blockhash": "", "parentSlot": 1, "blockTime": 777,
                "blockHeight": 1 }))
        }
        _ => panic!("{request}"),
    })
    .await
    .expect("connects");
    let outline = |slot: u64, signatures: &[u8]| BlockOutline {
        slot,
        previous_blockhash: Hash::new_from_array([slot as u8; 32]),
        signatures: signatures.iter().copied().map(signature).collect(),
    };
    let outlines = cluster.finalized_blocks(6, 8).await.expect("answers");
    assert_eq!(outlines, [outline(6, &[5]), outline(8, &[2, 4])]);
    assert_eq!(asked.load(Ordering::Relaxed), 2, "the first node was not as far");
}

#[tokio::test(start_paused = true)]
async fn blocks_that_cannot_be_had_are_an_error_and_not_left_out() {
    type Damage = fn(&mut Value);
    fn inner(block: &mut Value) -> &mut Value {
        &mut block["transactions"][0]["meta"]["innerInstructions"][0]["instructions"][0]
    }
    let transaction = transaction(PROGRAM);
    let cases: [(Damage, bool); 7] = [
        (|block| block["blockTime"] = Value::Null, true),
        (|block| block["previousBlockhash"] = json!("xyz"), true),
        (|block| block["transactions"][0]["meta"]["innerInstructions"] = Value::Null, false),
        (|block| block["transactions"][0]["transaction"] = json!(["xyz", "base58"]), true),
        (|block| block["transactions"][0]["meta"]["innerInstructions"][0]["index"] = json!(4), true),
        (|block| inner(block)["programIdIndex"] = json!(2), true),
        (|block| inner(block)["accounts"] = json!([0, 2]), true),
    ];
    for (index, (damage, retryable)) in cases.into_iter().enumerate() {
        let hash = Hash::new_from_array([6; 32]).to_string();
        let mut block = json!({ "previousBlockhash": hash, "blockhash": "", "parentSlot": 1, "blockTime": 777,
            "blockHeight": 1, "transactions": [in_block(&transaction, &Value::Null)] });
        damage(&mut block);
        let cluster = connect(move |request, _| match request {
            RpcRequest::GetSlot => Ok(json!(1)),
            RpcRequest::GetBlocks => Ok(json!([10])),
            _ => Ok(block.clone()),
        })
        .await
        .expect("connects");
        let error = cluster.blocks(10, 10).await.expect_err("damaged");
        assert_eq!(error.is_retryable(), retryable, "case {index}: {error}");
    }
    let cluster = connect(|request, _| match request {
        RpcRequest::GetSlot => Ok(json!(1)),
        RpcRequest::GetBlocks => Ok(json!([10])),
        _ => Err(error(code::JSON_RPC_SERVER_ERROR_BLOCK_CLEANED_UP)),
    })
    .await
    .expect("connects");
    let gone = cluster.blocks(10, 10).await.expect_err("gone");
    assert!(gone.to_string().contains("longer history"), "{gone}");
}

#[tokio::test(start_paused = true)]
async fn the_newest_slot_is_followed_never_back_and_not_after_the_end() {
    let questions = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&questions);
    let cluster = connect(move |request, params| {
        assert_eq!(request, RpcRequest::GetSlot);
        if params[0]["commitment"] == "finalized" {
            return Ok(json!(68));
        }
        match counter.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(json!(100)),
            1 => Ok(json!(99)),
            2 => Err(unavailable()),
            count => Ok(json!(100 + count)),
        }
    })
    .await
    .expect("connects");
    assert_eq!(*cluster.finalized_slot().borrow(), 68);
    let mut newest = cluster.newest_slot();
    assert_eq!(*newest.borrow_and_update(), 100);
    newest.changed().await.expect("open");
    assert_eq!(*newest.borrow_and_update(), 103, "neither the older slot nor the error was shown");
    drop(cluster);
    tokio::time::sleep(SLOT_INTERVAL * 10).await;
    let asked = questions.load(Ordering::Relaxed);
    tokio::time::sleep(SLOT_INTERVAL * 10).await;
    assert_eq!(questions.load(Ordering::Relaxed), asked);
    assert!(newest.changed().await.is_err(), "closed");
}

#[tokio::test]
async fn a_commitment_without_blocks_is_refused() {
    let config = RpcClientConfig::with_commitment(CommitmentConfig::processed());
    let rpc = RpcClient::new_sender(Script(|_, _: &Value| Ok(json!(1))), config);
    assert!(matches!(RpcCluster::over(rpc, PROGRAM).await.err(), Some(ClusterError::Unsupported(_))));
    assert_eq!(RpcOptions::new("http://x", PROGRAM).commitment, CommitmentConfig::confirmed());
}
