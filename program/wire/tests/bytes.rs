//! Whatever the bytes are, decoding them gives a value or an error.
#![allow(clippy::unwrap_used, missing_docs)]

use parhelion_wire::ProgramError;
use parhelion_wire::account::{Balance, Cell, Code, CodeReservation, Config, Contract, Holder, Layout};
use parhelion_wire::event::{Records, share};
use parhelion_wire::instruction::{
    CodeRelease, CodeReserve, Deposit, Execute, ExecuteFromHolder, HolderClose, HolderCreate, HolderWrite,
    tag,
};
use parhelion_wire::transaction::Envelope;
use proptest::prelude::*;

/// An envelope with a signature in range and any payload; the payload begins like a transaction.
fn envelope() -> impl Strategy<Value = Vec<u8>> {
    let first = proptest::sample::select(vec![vec![], vec![1u8], vec![2], vec![3], vec![4], vec![5]]);
    let items = proptest::collection::vec(
        prop_oneof![
            Just(vec![0x80]),
            Just(vec![0xc0]),
            (1..0x80u8).prop_map(|byte| vec![byte]),
            any::<[u8; 20]>().prop_map(|address| [&[0x94][..], &address].concat()),
            any::<[u8; 32]>().prop_map(|word| [&[0xa0][..], &word].concat()),
            any::<[u8; 20]>().prop_map(|address| [&[0xd6, 0x94][..], &address, &[0xc0]].concat()),
        ],
        0..12,
    );
    (any::<([u8; 20], [u8; 31], [u8; 31], bool)>(), first, items).prop_map(
        |((sender, r, s, parity), first, items)| {
            let items = items.concat();
            let prefix = parhelion_wire::rlp::Encoded::list_prefix(items.len());
            [&sender[..], &[0], &r, &[0], &s, &[u8::from(parity)], &first, prefix.as_slice(), &items].concat()
        },
    )
}

/// Bytes with a header of some kind and version in front, often of a length that fits what they hold.
fn account() -> impl Strategy<Value = Vec<u8>> {
    let bytes = proptest::collection::vec(any::<u8>(), 400);
    (0..12u8, 0..3u8, 0..=10usize, 0..4u8, bytes).prop_map(|(kind, version, items, shape, mut bytes)| {
        bytes[..2].copy_from_slice(&[kind, version]);
        // The length of a code or of a holder's envelope.
        bytes[8..12].copy_from_slice(&(items as u32).to_le_bytes());
        bytes.truncate(match shape {
            0 => items,
            1 => Cell::account_length(items),
            2 => Code::account_length(items),
            _ => 8 * items,
        });
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn envelopes(bytes in prop_oneof![4 => envelope(), 1 => proptest::collection::vec(any::<u8>(), 0..200)]) {
        let Ok(envelope) = Envelope::decode(&bytes) else { return Ok(()) };
        prop_assert_eq!([&envelope.prefix()[..], envelope.payload].concat(), &bytes[..]);
        match envelope.transaction() {
            Ok(transaction) => {
                let list = transaction.access_list;
                prop_assert_eq!(list.iter().count(), list.addresses as usize);
                let keys: usize = list.iter().map(|item| item.storage_keys.count()).sum();
                prop_assert_eq!(keys, list.storage_keys as usize);
                prop_assert_eq!(transaction.authorizations.iter().count(), transaction.authorizations.count as usize);
            }
            Err(error) => prop_assert!(
                matches!(
                    error,
                    ProgramError::MalformedTransaction
                        | ProgramError::UnsupportedTransactionType
                        | ProgramError::BlobTransaction
                        | ProgramError::WrongChainId
                ),
                "{error:?}"
            ),
        }
    }

    #[test]
    fn instructions(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let with_tag = |tag: u8| [&[tag][..], &bytes].concat();
        // What decodes encodes to the same bytes.
        if let Ok(decoded) = Deposit::decode(&bytes) {
            prop_assert_eq!(&decoded.encode()[..], with_tag(tag::DEPOSIT));
        }
        if let Ok(decoded) = HolderCreate::decode(&bytes) {
            prop_assert_eq!(&decoded.encode()[..], with_tag(tag::HOLDER_CREATE));
        }
        if let Ok(decoded) = HolderWrite::decode(&bytes) {
            prop_assert_eq!([&decoded.prefix()[..], decoded.bytes].concat(), with_tag(tag::HOLDER_WRITE));
        }
        if let Ok(decoded) = ExecuteFromHolder::decode(&bytes) {
            prop_assert_eq!(&decoded.encode()[..], with_tag(tag::EXECUTE_FROM_HOLDER));
        }
        if let Ok(decoded) = CodeReserve::decode(&bytes) {
            prop_assert_eq!(&decoded.encode()[..], with_tag(tag::CODE_RESERVE));
        }
        prop_assert_eq!(HolderClose::decode(&bytes).is_ok(), bytes.is_empty());
        prop_assert_eq!(CodeRelease::decode(&bytes).is_ok(), bytes.is_empty());
        let _ = Execute::decode(&bytes);
        let _ = share(&bytes);
    }

    #[test]
    fn fixed_lengths_are_exact(bytes in proptest::collection::vec(any::<u8>(), 60)) {
        // Each instruction of a fixed length decodes at exactly one.
        let lengths = |decodes: fn(&[u8]) -> bool| {
            (0..=bytes.len()).filter(|&length| decodes(&bytes[..length])).collect::<Vec<_>>()
        };
        prop_assert_eq!(lengths(|bytes| Deposit::decode(bytes).is_ok()), [28]);
        prop_assert_eq!(lengths(|bytes| HolderCreate::decode(bytes).is_ok()), [4]);
        prop_assert_eq!(lengths(|bytes| ExecuteFromHolder::decode(bytes).is_ok()), [20]);
        prop_assert_eq!(lengths(|bytes| CodeReserve::decode(bytes).is_ok()), [36]);
    }

    #[test]
    fn accounts(bytes in account()) {
        let _ = (Balance::view(&bytes).is_ok(), Contract::view(&bytes).is_ok(), Config::view(&bytes).is_ok());
        let _ = CodeReservation::payer_of(&bytes);
        if let Ok(cell) = Cell::view(&bytes) {
            prop_assert_eq!(cell.iter().count(), cell.entries());
            prop_assert_eq!(bytes.len(), Cell::account_length(cell.entries()));
            let present = (0..=255).filter(|&index| cell.has_entry(index) || !cell.get(index).is_zero()).count();
            prop_assert!(present <= cell.entries());
        }
        if let Ok(code) = Code::view(&bytes) {
            prop_assert_eq!(bytes.len(), Code::account_length(code.len()));
            prop_assert_eq!(code.padded_code().len(), code.code().len() + Code::PADDING);
            prop_assert_eq!(code.jump_map().len(), code.len().div_ceil(8));
        }
        if let Ok(holder) = Holder::view(&bytes) {
            let _ = holder.envelope();
        }
    }

    #[test]
    fn reports(bytes in proptest::collection::vec(prop_oneof![0..6u8, any::<u8>()], 0..300)) {
        let records: Vec<_> = Records(&bytes).collect();
        // Only the last one can be malformed, and an error ends the report.
        let malformed = records.iter().filter(|record| record.is_err()).count();
        prop_assert!(malformed <= 1 && (malformed == 0 || records.last().unwrap().is_err()));
    }
}
