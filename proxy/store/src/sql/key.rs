//! Numbers that stand for places, hashes and what logs are looked up by: all keys of the database are 64 bits.

use alloy_primitives::{Address, B256, keccak256};
use parhelion_core::clue::Clue;
use parhelion_core::past::Point;

/// Bits of a transaction's place in its block, and of a log's place in its transaction.
const PLACE_BITS: u32 = 14;
/// The largest of these places.
pub(super) const PLACE_MAX: u64 = (1 << PLACE_BITS) - 1;
/// The largest block number that the keys have room for: at 400 ms a slot that is in the year 2460.
pub(super) const NUMBER_MAX: u64 = (1 << (63 - 2 * PLACE_BITS)) - 1;

/// A block number as databases have numbers.
pub(super) const fn block(number: u64) -> i64 {
    if number > NUMBER_MAX { NUMBER_MAX as i64 } else { number as i64 }
}

/// The place of a transaction.
pub(super) const fn transaction(block_number: u64, index: u64) -> i64 {
    block(block_number) << PLACE_BITS | index as i64
}

/// The block number and the index at a place.
pub(super) const fn of_transaction(place: i64) -> (u64, u64) {
    ((place >> PLACE_BITS) as u64, place as u64 & PLACE_MAX)
}

/// The place of a log.
pub(super) const fn log(block_number: u64, index: u64, position: u64) -> i64 {
    transaction(block_number, index) << PLACE_BITS | position as i64
}

/// The place of a log's transaction, and its position there.
pub(super) const fn of_log(place: i64) -> (i64, u64) {
    (place >> PLACE_BITS, place as u64 & PLACE_MAX)
}

/// Bits of a point's place in its block.
const POINT_BITS: u32 = 16;
const _: () = assert!(Point::PLACE_MAX < 1 << POINT_BITS);

/// A point of the chain's history.
pub(super) fn point(point: Point) -> i64 {
    block(point.block) << POINT_BITS | point.place.min(Point::PLACE_MAX) as i64
}

/// What a hash is found by: its first bytes. Others may have the same, so what is found is compared.
pub(super) fn hash(hash: &B256) -> i64 {
    first_bytes(hash)
}

/// What the logs of a contract are found by.
pub(super) fn address(address: &Address) -> i64 {
    first_bytes(&keccak256(address))
}

/// What the logs with a topic at a position are found by.
pub(super) fn topic(position: usize, topic: &B256) -> i64 {
    let mut bytes = [position as u8; 33];
    bytes[1..].copy_from_slice(topic.as_slice());
    first_bytes(&keccak256(bytes))
}

/// What the transactions with a clue are found by.
pub(super) fn clue(clue: &Clue) -> i64 {
    let (kind, bytes): (u8, &[&[u8]]) = match clue {
        Clue::Appears(address) => (0, &[address.as_slice()]),
        Clue::Sent { sender, nonce } => (1, &[sender.as_slice(), &nonce.to_be_bytes()]),
        Clue::Created(address) => (2, &[address.as_slice()]),
        Clue::Landed(signature) => (3, &[signature.as_ref()]),
    };
    first_bytes(&keccak256([&[kind], bytes.concat().as_slice()].concat()))
}

fn first_bytes(hash: &B256) -> i64 {
    hash.first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_in_the_order_of_blocks() {
        let places = [
            (0, 0, 0),
            (0, 0, PLACE_MAX),
            (0, 1, 0),
            (1, 0, 0),
            (400_000_000, 3, 4),
            (NUMBER_MAX, PLACE_MAX, PLACE_MAX),
        ];
        let keys = places.map(|(number, index, position)| log(number, index, position));
        assert!(keys.is_sorted() && keys[0] == 0 && keys[5] == i64::MAX);
        for ((number, index, position), key) in places.into_iter().zip(keys) {
            let (place, found) = of_log(key);
            assert_eq!((of_transaction(place), found), ((number, index), position));
        }
    }

    #[test]
    fn topics_count_by_position() {
        let word = B256::repeat_byte(7);
        assert_ne!(topic(0, &word), topic(1, &word));
        assert_ne!(address(&Address::repeat_byte(7)), address(&Address::repeat_byte(8)));
    }
}
