//! Transaction decoding against alloy, the reference encoder, and against bytes that are no transaction.
#![cfg(feature = "alloc")]
#![allow(clippy::unwrap_used, missing_docs)]

use alloy_consensus::{
    SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxEnvelope, TxLegacy, transaction::Transaction as _,
};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::Authorization;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use parhelion_wire::transaction::{Envelope, SignedTransaction, Transaction, TransactionType};
use parhelion_wire::{H160, ProgramError};
use proptest::prelude::*;
use sha3::Digest;

fn keccak256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = sha3::Keccak256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

fn bytes_max(max: usize) -> impl Strategy<Value = Bytes> {
    proptest::collection::vec(any::<u8>(), 0..max).prop_map(Bytes::from)
}

fn kind() -> impl Strategy<Value = TxKind> {
    any::<Option<[u8; 20]>>().prop_map(|to| to.map_or(TxKind::Create, |to| TxKind::Call(to.into())))
}

fn access_list() -> impl Strategy<Value = AccessList> {
    let item = (any::<[u8; 20]>(), proptest::collection::vec(any::<[u8; 32]>(), 0..4));
    proptest::collection::vec(item, 0..4).prop_map(|items| {
        let item = |(address, keys): ([u8; 20], Vec<[u8; 32]>)| AccessListItem {
            address: address.into(),
            storage_keys: keys.into_iter().map(B256::from).collect(),
        };
        AccessList(items.into_iter().map(item).collect())
    })
}

/// A signature in range; whether it recovers does not matter here.
fn signature() -> impl Strategy<Value = Signature> {
    (1u128.., 1u128.., any::<bool>())
        .prop_map(|(r, s, parity)| Signature::new(U256::from(r), U256::from(s), parity))
}

prop_compose! {
    fn transaction()(
        kind_of in 0..5, chain_id: u64, nonce: u64, fees: (u128, u128), gas_limit: u64, to in kind(),
        value in any::<[u64; 4]>().prop_map(U256::from_limbs), input in bytes_max(300), access_list in access_list(),
        signature in signature(), set_code_to: [u8; 20], authorizations in 0..3usize,
    ) -> TxEnvelope {
        let (max_priority_fee_per_gas, max_fee_per_gas) = fees;
        match kind_of {
            0 => TxLegacy { chain_id: None, nonce, gas_price: fees.0, gas_limit, to, value, input }
                .into_signed(signature).into(),
            // A legacy v must fit into 64 bits in alloy.
            1 => TxLegacy { chain_id: Some(chain_id >> 2), nonce, gas_price: fees.0, gas_limit, to, value, input }
                .into_signed(signature).into(),
            2 => TxEip2930 { chain_id, nonce, gas_price: fees.0, gas_limit, to, value, access_list, input }
                .into_signed(signature).into(),
            3 => TxEip1559 {
                chain_id, nonce, gas_limit, max_fee_per_gas, max_priority_fee_per_gas, to, value, access_list, input,
            }.into_signed(signature).into(),
            _ => TxEip7702 {
                chain_id, nonce, gas_limit, max_fee_per_gas, max_priority_fee_per_gas, to: Address::from(set_code_to),
                value, access_list, input,
                authorization_list: (0..authorizations).map(|index| {
                    Authorization { chain_id: U256::from(chain_id), address: Address::from(set_code_to), nonce: index as u64 }
                        .into_signed(signature)
                }).collect(),
            }.into_signed(signature).into(),
        }
    }
}

fn word(value: parhelion_wire::U256) -> U256 {
    U256::from_limbs(value.0)
}

proptest! {
    #[test]
    fn agrees_with_alloy(expected in transaction()) {
        let raw = expected.encoded_2718();
        let signed = SignedTransaction::decode(&raw).unwrap();
        let payload = signed.payload();
        let from_payload = Transaction::decode_payload(&payload).unwrap();
        for decoded in [signed.transaction, from_payload] {
            prop_assert_eq!(decoded.kind as u8, expected.tx_type() as u8);
            prop_assert_eq!(decoded.chain_id, expected.chain_id());
            prop_assert_eq!(decoded.nonce, expected.nonce());
            prop_assert_eq!(decoded.gas_limit, expected.gas_limit());
            prop_assert_eq!(word(decoded.max_fee_per_gas), U256::from(expected.max_fee_per_gas()));
            let priority = expected.max_priority_fee_per_gas().unwrap_or(expected.max_fee_per_gas());
            prop_assert_eq!(word(decoded.max_priority_fee_per_gas), U256::from(priority));
            prop_assert_eq!(decoded.to, expected.to().map(|to| H160(to.0.0)));
            prop_assert_eq!(word(decoded.value), expected.value());
            prop_assert_eq!(decoded.data, expected.input().as_ref());
            let listed = expected.access_list().cloned().unwrap_or_default();
            prop_assert_eq!(decoded.access_list.addresses as usize, listed.len());
            prop_assert_eq!(decoded.access_list.storage_keys as usize, listed.storage_keys_count());
            for (item, expected) in decoded.access_list.iter().zip(listed.iter()) {
                prop_assert_eq!(item.address.0, expected.address.0.0);
                let keys: Vec<_> = item.storage_keys.map(|key| B256::from(key.to_big_endian())).collect();
                prop_assert_eq!(&keys, &expected.storage_keys);
            }
            let authorizations = expected.authorization_list().unwrap_or_default();
            prop_assert_eq!(decoded.authorizations.count as usize, authorizations.len());
            for (item, expected) in decoded.authorizations.iter().zip(authorizations) {
                prop_assert_eq!(item.signing_hash(keccak256), expected.signature_hash().0);
                prop_assert_eq!(item.nonce, expected.nonce);
            }
            prop_assert_eq!(decoded.hash(&signed.signature, keccak256).0, expected.tx_hash().0);
        }
        prop_assert_eq!(keccak256(&[&payload]), expected.signature_hash().0);
        let envelope = Envelope { sender: H160([1; 20]), signature: signed.signature, payload: &payload };
        let bytes = [&envelope.prefix()[..], &payload].concat();
        prop_assert_eq!(Envelope::decode(&bytes).unwrap(), envelope);
        prop_assert_eq!(envelope.raw().unwrap(), raw);
    }

    #[test]
    fn damaged_bytes_never_panic_and_never_keep_the_meaning(
        expected in transaction(), position: prop::sample::Index, bit in 0..8u8, cut: prop::sample::Index,
    ) {
        let raw = expected.encoded_2718();
        prop_assert!(SignedTransaction::decode(&raw[..cut.index(raw.len())]).is_err(), "cut short");
        prop_assert!(SignedTransaction::decode(&[&raw[..], &[0]].concat()).is_err(), "a byte too many");
        let mut damaged = raw.clone();
        damaged[position.index(raw.len())] ^= 1 << bit;
        if let Ok(decoded) = SignedTransaction::decode(&damaged) {
            // What still decodes is canonical: it encodes to the damaged bytes again.
            let payload = decoded.payload();
            let envelope = Envelope { sender: H160::zero(), signature: decoded.signature, payload: &payload };
            prop_assert_eq!(envelope.raw().unwrap(), damaged);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = SignedTransaction::decode(&bytes);
        let _ = Transaction::decode_payload(&bytes);
        let _ = Envelope::decode(&bytes).map(|envelope| envelope.raw());
    }
}

#[test]
fn refused_types_are_named() {
    for (first, error) in [
        (0x00, ProgramError::UnsupportedTransactionType),
        (0x03, ProgramError::BlobTransaction),
        (0x05, ProgramError::UnsupportedTransactionType),
        (0x7f, ProgramError::UnsupportedTransactionType),
        (0x80, ProgramError::MalformedTransaction),
    ] {
        assert_eq!(SignedTransaction::decode(&[first, 0xc0]).err(), Some(error), "type {first}");
        assert_eq!(Transaction::decode_payload(&[first, 0xc0]).err(), Some(error), "type {first}");
    }
    assert_eq!(SignedTransaction::decode(&[]).err(), Some(ProgramError::MalformedTransaction));
}

/// Encodes a legacy transaction with any v, r and s.
fn legacy_with(v: U256, r: U256, s: U256) -> Vec<u8> {
    let mut items = vec![0x80; 6];
    for value in [v, r, s] {
        alloy_rlp::Encodable::encode(&value, &mut items);
    }
    let mut raw = Vec::new();
    alloy_rlp::Header { list: true, payload_length: items.len() }.encode(&mut raw);
    raw.extend(items);
    raw
}

#[test]
fn v_s_and_chain_id_are_checked() {
    let one = U256::from(1);
    let half = (U256::from_be_bytes(parhelion_wire::transaction::SECP256K1_N) - one) / U256::from(2);
    let ok = |v: u64| {
        let raw = legacy_with(U256::from(v), one, one);
        let signed = SignedTransaction::decode(&raw).unwrap();
        (signed.transaction.chain_id, signed.signature.y_parity)
    };
    assert_eq!([ok(27), ok(28)], [(None, 0), (None, 1)]);
    assert_eq!([ok(37), ok(38)], [(Some(1), 0), (Some(1), 1)]);
    let top = U256::from(u64::MAX) * U256::from(2) + U256::from(36);
    let decoded =
        |v| SignedTransaction::decode(&legacy_with(v, one, one)).map(|signed| signed.transaction.chain_id);
    assert_eq!(decoded(top), Ok(Some(u64::MAX)));
    assert_eq!(decoded(top + one), Err(ProgramError::WrongChainId));
    for v in [0u64, 1, 26, 29, 34] {
        assert_eq!(decoded(U256::from(v)), Err(ProgramError::InvalidSignature), "v {v}");
    }
    let with_s = |s| SignedTransaction::decode(&legacy_with(U256::from(27), one, s)).map(|_| ());
    assert_eq!(with_s(half), Ok(()));
    assert_eq!(with_s(half + one), Err(ProgramError::InvalidSignature), "EIP-2");
    assert_eq!(with_s(U256::ZERO), Err(ProgramError::InvalidSignature));
}

#[test]
fn a_payload_that_is_no_signing_payload_is_refused() {
    // EIP-155 items other than (chain id, 0, 0).
    for tail in
        [&[0x01][..], &[0x01, 0x80], &[0x01, 0x80, 0x01], &[0x01, 0x01, 0x80], &[0x01, 0x80, 0x80, 0x80]]
    {
        let mut payload = vec![0xc0 + 6 + tail.len() as u8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80];
        payload.extend(tail);
        assert_eq!(
            Transaction::decode_payload(&payload).err(),
            Some(ProgramError::MalformedTransaction),
            "{payload:02x?}"
        );
    }
    assert_eq!(TransactionType::Legacy as u8, 0);
}

/// Wraps items into a list.
fn list(items: &[&[u8]]) -> Vec<u8> {
    let items = items.concat();
    [parhelion_wire::rlp::Encoded::list_prefix(items.len()).as_slice(), &items].concat()
}

#[test]
fn lists_of_another_shape_are_refused() {
    let address = [&[0x94][..], &[1; 20]].concat();
    let (key, short_key) = ([&[0xa0][..], &[2; 32]].concat(), [&[0x9f][..], &[2; 31]].concat());
    let no_keys = list(&[]);
    let access = |item: &[u8]| [&[1][..], &list(&[&[0x80; 7], &list(&[item])])].concat();
    let tuple = |nonce: &[u8], parity: &[u8]| list(&[&[1], &address, nonce, parity, &[1], &[1]]);
    let authorization = |item: &[u8]| {
        [&[4][..], &list(&[&[0x80; 5], &address, &[0x80; 2], &no_keys, &list(&[item])])].concat()
    };
    let malformed = Some(ProgramError::MalformedTransaction);
    for (what, payload, error) in [
        ("an address and a key", access(&list(&[&address, &list(&[&key])])), None),
        ("a key of 31 bytes", access(&list(&[&address, &list(&[&short_key])])), malformed),
        ("a key that is a list", access(&list(&[&address, &list(&[&no_keys])])), malformed),
        ("no keys at all", access(&list(&[&address])), malformed),
        ("something behind the keys", access(&list(&[&address, &no_keys, &[1]])), malformed),
        ("an address of 32 bytes", access(&list(&[&key, &no_keys])), malformed),
        ("an item that is no list", access(&[1]), malformed),
        ("an authorization", authorization(&tuple(&[1], &[1])), None),
        ("a parity of 255", authorization(&tuple(&[1], &[0x81, 255])), None),
        ("a parity of 256", authorization(&tuple(&[1], &[0x82, 1, 0])), malformed),
        ("a nonce of 65 bits", authorization(&tuple(&[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0], &[1])), malformed),
        ("too little", authorization(&list(&[&[1], &address, &[1], &[1], &[1]])), malformed),
        ("too much", authorization(&list(&[&[1], &address, &[1], &[1], &[1], &[1], &[1]])), malformed),
    ] {
        assert_eq!(Transaction::decode_payload(&payload).err(), error, "{what}");
    }
}
