//! Simulated blocks: what calls look like as transactions, and the header over them.

use crate::overrides;
use alloy_consensus::proofs::{calculate_receipt_root, calculate_transaction_root};
use alloy_consensus::{
    EMPTY_ROOT_HASH, Header, Receipt, ReceiptEnvelope, ReceiptWithBloom, SignableTransaction, TxEip2930,
    TxEnvelope, TxLegacy,
};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{B256, Bloom, Log, Signature, TxKind, U256, logs_bloom};
use parhelion_core::emulator::{Call, ChainSettings, EmulatorError};
use parhelion_core::simulation::{PlannedBlock, SimulatedBlock, SimulatedCall};

/// What calls have in the place of a signature.
const NO_SIGNATURE: Signature = Signature::new(U256::ZERO, U256::ZERO, false);

/// The header of a block before its calls run.
pub(super) fn header(
    planned: &PlannedBlock,
    parent: &Header,
    parent_hash: B256,
    settings: &ChainSettings,
    validates: bool,
) -> Result<Header, EmulatorError> {
    let (number, timestamp, change) = (planned.number(), planned.time(), &planned.block);
    // What is not validated pays no base fee, unless the caller says one.
    let base_fee = if validates { settings.base_fee } else { 0 };
    Ok(Header {
        parent_hash,
        number,
        timestamp,
        beneficiary: change.coinbase.unwrap_or(parent.beneficiary),
        gas_limit: change.gas_limit.unwrap_or(parent.gas_limit),
        base_fee_per_gas: Some(overrides::base_fee(change)?.unwrap_or(base_fee)),
        mix_hash: change.random.unwrap_or_default(),
        // There is no state trie: the state is in Solana accounts.
        state_root: B256::ZERO,
        withdrawals_root: Some(EMPTY_ROOT_HASH),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: Some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    })
}

/// Completes a block: roots, bloom and gas go into the header.
pub(super) fn seal(mut header: Header, calls: Vec<SimulatedCall>) -> SimulatedBlock {
    let transactions: Vec<&TxEnvelope> = calls.iter().map(|call| &call.transaction).collect();
    header.transactions_root = calculate_transaction_root(&transactions);
    let mut cumulative_gas_used = 0_u64;
    let mut receipts: Vec<ReceiptEnvelope<Log>> = Vec::with_capacity(calls.len());
    let mut bloom = Bloom::ZERO;
    for call in &calls {
        cumulative_gas_used = cumulative_gas_used.saturating_add(call.execution.gas_used);
        let logs = call.execution.logs.clone();
        let call_bloom = logs_bloom(&logs);
        bloom |= call_bloom;
        let receipt =
            Receipt { status: call.execution.outcome.is_success().into(), cumulative_gas_used, logs };
        let with_bloom = ReceiptWithBloom { receipt, logs_bloom: call_bloom };
        receipts.push(ReceiptEnvelope::from_typed(call.transaction.tx_type(), with_bloom));
    }
    header.receipts_root = calculate_receipt_root(&receipts);
    header.logs_bloom = bloom;
    header.gas_used = cumulative_gas_used;
    SimulatedBlock { hash: header.hash_slow(), header, calls }
}

/// A call as a transaction, with zeros for a signature: of the type that its fields ask for, as in geth.
pub(super) fn transaction(call: &Call, chain_id: u64, nonce: u64, gas_limit: u64) -> TxEnvelope {
    let price = fee_cap(call).saturating_to();
    let has_gas_price = call.gas_price.is_some() && call.max_priority_fee_per_gas.is_none();
    if call.sets_code() || !has_gas_price {
        let tip = call.max_priority_fee_per_gas.unwrap_or_default().saturating_to();
        return call.with_fees(chain_id, nonce, gas_limit, (price, tip), NO_SIGNATURE);
    }
    let (to, value) = (call.to.map_or(TxKind::Create, TxKind::Call), call.value.unwrap_or_default());
    let (input, access_list) = (call.data.clone(), call.access_list.clone());
    if access_list.0.is_empty() {
        return unsigned(TxLegacy { chain_id: None, nonce, gas_price: price, gas_limit, to, value, input });
    }
    unsigned(TxEip2930 { chain_id, nonce, gas_price: price, gas_limit, to, value, access_list, input })
}

/// The most wei per gas that a call pays.
pub(super) fn fee_cap(call: &Call) -> U256 {
    call.gas_price.unwrap_or_default()
}

fn unsigned<T: SignableTransaction<Signature>>(transaction: T) -> TxEnvelope
where
    TxEnvelope: From<alloy_consensus::Signed<T>>,
{
    transaction.into_signed(NO_SIGNATURE).into()
}

#[cfg(test)]
mod tests {
    use super::transaction;
    use alloy_eips::eip2930::{AccessList, AccessListItem};
    use alloy_primitives::{Address, U256, address, b256};
    use parhelion_core::emulator::Call;

    const TO: Option<Address> = Some(address!("c100000000000000000000000000000000000000"));

    #[test]
    fn a_call_has_the_hash_that_geth_gives_it() {
        let call = Call { to: TO, value: Some(U256::from(1000)), ..Call::default() };
        let hash = b256!("f1c5abb08809ef760f87aeabe7a87284c60797192dab6d2f0d26c27c9c038e9d");
        assert_eq!(*transaction(&call, 3_503_995_874_084_926, 0, 50_000_000).tx_hash(), hash);
    }

    #[test]
    fn the_type_follows_from_the_fields() {
        let access_list = AccessList(vec![AccessListItem::default()]);
        let (price, tip) = (Some(U256::from(9)), Some(U256::from(3)));
        for (call, kind) in [
            (Call { to: TO, ..Call::default() }, 2),
            (Call::default(), 2),
            (Call { gas_price: price, ..Call::default() }, 0),
            (Call { gas_price: price, access_list, ..Call::default() }, 1),
            (Call { gas_price: price, max_priority_fee_per_gas: tip, ..Call::default() }, 2),
        ] {
            assert_eq!(transaction(&call, 1, 0, 21_000).tx_type() as u8, kind);
        }
    }
}
