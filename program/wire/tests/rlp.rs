//! The RLP reader against alloy's, over trees, over bytes that are nearly RLP, and over any bytes.
#![allow(clippy::unwrap_used, missing_docs)]

use alloy_primitives::U256;
use alloy_rlp::{Decodable, Encodable, Header};
use parhelion_wire::rlp::{Encoded, Item, Reader, RlpError};
use parhelion_wire::transaction::AuthorizationList;
use proptest::prelude::*;

/// What RLP encodes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tree {
    Bytes(Vec<u8>),
    List(Vec<Tree>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let length = prop_oneof![Just(0..2usize), Just(0..60), Just(54..58), Just(254..260)];
    let bytes =
        length.prop_flat_map(|length| proptest::collection::vec(any::<u8>(), length)).prop_map(Tree::Bytes);
    bytes.prop_recursive(4, 60, 8, |inner| proptest::collection::vec(inner, 0..8).prop_map(Tree::List))
}

impl Tree {
    /// As alloy encodes it.
    fn encoded(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Bytes(bytes) => bytes.as_slice().encode(&mut out),
            Self::List(items) => {
                let payload: Vec<u8> = items.iter().flat_map(Self::encoded).collect();
                Header { list: true, payload_length: payload.len() }.encode(&mut out);
                out.extend(payload);
            }
        }
        out
    }

    /// The next item, as our reader sees it.
    fn read(reader: &mut Reader<'_>) -> Result<Self, RlpError> {
        match reader.item()? {
            Item::Bytes(bytes) => Ok(Self::Bytes(bytes.to_vec())),
            Item::List(items) => {
                let mut items = Reader::new(items);
                let mut list = Vec::new();
                while !items.is_empty() {
                    list.push(Self::read(&mut items)?);
                }
                Ok(Self::List(list))
            }
        }
    }
}

/// Bytes that are nearly RLP: an encoding with a few bytes replaced, often by the edges of a prefix' range.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let edge = proptest::sample::select(
        &[0, 1, 0x37, 0x38, 0x7f, 0x80, 0x81, 0xb7, 0xb8, 0xbf, 0xc0, 0xf7, 0xf8, 0xff][..],
    );
    let damage = proptest::collection::vec((any::<prop::sample::Index>(), edge), 0..4);
    (tree(), damage, any::<Option<prop::sample::Index>>()).prop_map(|(tree, damage, cut)| {
        let mut bytes = tree.encoded();
        for (position, byte) in damage {
            let position = position.index(bytes.len());
            bytes[position] = byte;
        }
        bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len()) + 1));
        bytes
    })
}

/// The first item as alloy reads it: whether it is a list, its payload, and the rest.
fn reference(mut bytes: &[u8]) -> Option<(bool, &[u8], &[u8])> {
    let header = Header::decode(&mut bytes).ok()?;
    let (payload, rest) = bytes.split_at_checked(header.payload_length)?;
    Some((header.list, payload, rest))
}

fn ours(bytes: &[u8]) -> Option<(bool, &[u8], &[u8])> {
    let mut reader = Reader::new(bytes);
    match reader.item().ok()? {
        Item::Bytes(payload) => Some((false, payload, reader.rest())),
        Item::List(payload) => Some((true, payload, reader.rest())),
    }
}

/// An integer that takes up all of `bytes`, as alloy reads it.
fn integer<T: Decodable>(mut bytes: &[u8]) -> Option<T> {
    T::decode(&mut bytes).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn trees_read_back(tree in tree()) {
        let bytes = tree.encoded();
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(Tree::read(&mut reader), Ok(tree));
        prop_assert_eq!(reader.end(), Ok(()));
    }

    #[test]
    fn what_alloy_refuses_is_refused(bytes in prop_oneof![damaged(), proptest::collection::vec(any::<u8>(), 0..80)]) {
        prop_assert_eq!(ours(&bytes), reference(&bytes));
        let number = Reader::new(&bytes).u64().ok();
        prop_assert_eq!(number, integer::<u64>(&bytes));
        let word = Reader::new(&bytes).u256().ok().map(|word| U256::from_limbs(word.0));
        prop_assert_eq!(word, integer::<U256>(&bytes));
        let address = Reader::new(&bytes).address().ok().map(|address| address.0);
        prop_assert_eq!(address, integer::<[u8; 20]>(&bytes));
    }

    #[test]
    fn any_bytes_read_without_a_panic(bytes in prop_oneof![damaged(), proptest::collection::vec(any::<u8>(), 0..300)]) {
        // What reads to the end is canonical: it encodes to the same bytes.
        let mut reader = Reader::new(&bytes);
        if let Ok(tree) = Tree::read(&mut reader) {
            prop_assert_eq!([&tree.encoded()[..], reader.rest()].concat(), bytes.clone());
        }
        if let Ok(list) = AuthorizationList::from_rlp(&bytes) {
            prop_assert_eq!(list.iter().count(), list.count as usize);
        }
    }

    #[test]
    fn integers_and_prefixes_are_alloys(limbs: [u64; 4], zeros in 0..32usize, length in 0..1usize << 40) {
        let word = U256::from_limbs(limbs) >> (8 * zeros);
        let mut expected = Vec::new();
        word.encode(&mut expected);
        let integer = Encoded::integer(&word.to_be_bytes::<32>());
        prop_assert_eq!(integer.as_slice(), &expected);
        for payload_length in [length, length >> 20, length >> 32] {
            expected.clear();
            Header { list: true, payload_length }.encode(&mut expected);
            let prefix = Encoded::list_prefix(payload_length);
            prop_assert_eq!(prefix.as_slice(), &expected);
        }
    }
}
