//! What a node does that has keys: sends and signs for its accounts.

use super::call::prepare_call;
use super::send::submit;
use crate::arguments::Arguments;
use crate::error::RpcError;
use crate::module::Module;
use crate::services::Context;
use crate::typed_data::signing_hash;
use crate::wallet::Hand;
use alloy_consensus::{SignableTransaction, TxEnvelope, TypedTransaction};
use alloy_primitives::{Address, B256, Bytes, Signature, eip191_hash_message};
use alloy_rpc_types_eth::TransactionRequest;
use jsonrpsee::server::RegisterMethodError;
use parhelion_core::transaction::{Transaction, encode};
use serde::Serialize;
use std::sync::Arc;

/// Sends a transaction of one of the node's accounts.
pub(super) const SEND_TRANSACTION: &str = "eth_sendTransaction";

/// The answer of `eth_signTransaction`.
#[derive(Clone, Debug, Serialize)]
struct SignedTransaction {
    raw: Bytes,
    tx: TxEnvelope,
}

pub(super) fn register(module: &mut Module<Context>) -> Result<(), RegisterMethodError> {
    module.method(SEND_TRANSACTION, 1, send_transaction)?;
    module.method("eth_signTransaction", 1, sign_transaction)?;
    module.method("eth_sign", 2, sign)?;
    module.method("personal_sign", 3, personal_sign)?;
    for name in ["eth_signTypedData", "eth_signTypedData_v4"] {
        module.method(name, 2, sign_typed_data)?;
    }
    Ok(())
}

async fn send_transaction(arguments: Arguments, context: Arc<Context>) -> Result<B256, RpcError> {
    let (transaction, from) = signed(arguments.require(0)?, &context).await?;
    submit(Transaction::decode_known(encode(&transaction), from)?, context).await
}

async fn sign_transaction(
    arguments: Arguments,
    context: Arc<Context>,
) -> Result<SignedTransaction, RpcError> {
    let (tx, _) = signed(arguments.require(0)?, &context).await?;
    Ok(SignedTransaction { raw: encode(&tx), tx })
}

/// `eth_sign(address, message)`: as `personal_sign`, in the other order.
async fn sign(arguments: Arguments, context: Arc<Context>) -> Result<Bytes, RpcError> {
    sign_message(arguments.require(0)?, &arguments.require(1)?, &context)
}

/// `personal_sign(message, address)`: signs a text for people (EIP-191).
async fn personal_sign(arguments: Arguments, context: Arc<Context>) -> Result<Bytes, RpcError> {
    sign_message(arguments.require(1)?, &arguments.require(0)?, &context)
}

fn sign_message(address: Address, message: &Bytes, context: &Context) -> Result<Bytes, RpcError> {
    sign_hash(address, &eip191_hash_message(message), context)
}

/// Signs structured data (EIP-712), given as an object or as its JSON in a text.
async fn sign_typed_data(arguments: Arguments, context: Arc<Context>) -> Result<Bytes, RpcError> {
    let hash = signing_hash(&arguments.require(1)?);
    let hash = hash.map_err(|reason| RpcError::InvalidParams(format!("invalid argument 1: {reason}")))?;
    sign_hash(arguments.require(0)?, &hash, &context)
}

fn sign_hash(address: Address, hash: &B256, context: &Context) -> Result<Bytes, RpcError> {
    let signer = context.wallet.signer(address).ok_or_else(|| unknown_account(address))?;
    let signature = Hand::Key(signer).sign(hash).map_err(unsigned)?;
    Ok(signature.as_bytes().into())
}

/// The transaction that a request describes, complete and signed, and its sender.
async fn signed(
    mut request: TransactionRequest,
    context: &Context,
) -> Result<(TxEnvelope, Address), RpcError> {
    let missing = || RpcError::InvalidParams("missing value for 'from': there is no account".into());
    let from = request.from.or_else(|| context.wallet.addresses().next()).ok_or_else(missing)?;
    request.from = Some(from);
    let hand = context.wallet.hand(from).ok_or_else(|| unknown_account(from))?;
    complete(&mut request, from, context).await?;
    let transaction = request.build_typed_tx().map_err(|request| {
        let what = request.missing_keys().map_or_else(|(_, keys)| keys.join(", "), |kind| kind.to_string());
        RpcError::InvalidParams(format!("this is no complete transaction: {what}"))
    })?;
    let signature = hand.sign(&signature_hash(&transaction)).map_err(unsigned)?;
    Ok((envelope(transaction, signature), from))
}

/// Fills in what the request leaves to the node: type, chain id, nonce, fees, gas.
async fn complete(
    request: &mut TransactionRequest,
    from: Address,
    context: &Context,
) -> Result<(), RpcError> {
    let settings = context.emulator.settings().await?;
    // Checks the request as well, and does not look at who pays when there is no price.
    let (_, call) =
        prepare_call(request.clone(), None, Default::default(), Default::default(), context).await?;
    request.chain_id = Some(settings.chain_id);
    request.normalize_input();
    if request.to.is_none() {
        request.to = Some(alloy_primitives::TxKind::Create);
    }
    if request.nonce.is_none() {
        let next = context.emulator.account(from).await?.nonce;
        request.nonce = Some(context.pool.pending_nonce(from, next));
    }
    if request.gas_price.is_none() {
        let base_fee = u128::from(settings.base_fee);
        let tip = *request.max_priority_fee_per_gas.get_or_insert(0);
        request.max_fee_per_gas.get_or_insert(base_fee.saturating_add(tip));
    }
    if request.gas.is_none() {
        request.gas = Some(context.emulator.estimate(&call).await?.gas_limit);
    }
    Ok(())
}

fn signature_hash(transaction: &TypedTransaction) -> B256 {
    SignableTransaction::<Signature>::signature_hash(transaction)
}

fn envelope(transaction: TypedTransaction, signature: Signature) -> TxEnvelope {
    transaction.into_envelope(signature)
}

/// In the words of geth.
fn unknown_account(address: Address) -> RpcError {
    RpcError::Rejected(format!("unknown account {address}"))
}

fn unsigned(error: alloy_signer::Error) -> RpcError {
    RpcError::Internal(format!("this cannot be signed: {error}"))
}
