//! Empty blocks, which are not stored.
//!
//! Every slot is a block, and most are empty. An empty block is a function of the one before it: number and parent hash
//! follow, time and settings stay. So only blocks that are not that are stored, and every [`CHECKPOINT_EVERY`]th; the others
//! are made again when somebody asks for them.

use alloy_consensus::{EMPTY_ROOT_HASH, Header};
use alloy_primitives::{Address, B256, Bloom};
use parhelion_core::store::Block;

/// A stored block comes at least as often, so that not many have to be made to find one.
pub(super) const CHECKPOINT_EVERY: u64 = 256;

/// The empty block behind one with this header and hash.
pub(super) fn empty_behind(parent: &Header, parent_hash: B256) -> Header {
    Header {
        number: parent.number.wrapping_add(1),
        parent_hash,
        beneficiary: Address::ZERO,
        transactions_root: EMPTY_ROOT_HASH,
        receipts_root: EMPTY_ROOT_HASH,
        logs_bloom: Bloom::ZERO,
        gas_used: 0,
        mix_hash: B256::ZERO,
        ..parent.clone()
    }
}

/// Whether a block is to be stored.
pub(super) fn is_stored(parent: &Block, block: &Block) -> bool {
    block.header.number.is_multiple_of(CHECKPOINT_EVERY)
        || !block.transactions.is_empty()
        || block.header != empty_behind(&parent.header, parent.hash)
}

/// The block with a number that follows a stored one after nothing but empty ones.
pub(super) fn follow(stored: Header, number: u64) -> Block {
    let (mut header, mut hash) = (stored.clone(), stored.hash_slow());
    while header.number < number {
        header = empty_behind(&header, hash);
        hash = header.hash_slow();
    }
    Block { hash, header, transactions: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_blocks_are_made_again() {
        let first = Header {
            number: 1_000,
            gas_used: 7,
            timestamp: 5,
            base_fee_per_gas: Some(3),
            ..Header::default()
        };
        let mut blocks = vec![follow(first.clone(), 1_000)];
        for _ in 0..10 {
            let parent = blocks.last().expect("the first");
            let header = empty_behind(&parent.header, parent.hash);
            let block = Block { hash: header.hash_slow(), header, transactions: Vec::new() };
            assert!(!is_stored(parent, &block));
            blocks.push(block);
        }
        assert_eq!((blocks[10].header.number, blocks[10].header.base_fee_per_gas), (1_010, Some(3)));
        let again = follow(first, 1_010);
        assert_eq!((again.hash, again.header), (blocks[10].hash, blocks[10].header.clone()));
        let mut other =
            Block { hash: B256::ZERO, header: blocks[10].header.clone(), transactions: Vec::new() };
        other.header.timestamp += 1;
        assert!(is_stored(&blocks[9], &other));
        let checkpoint = follow(blocks[10].header.clone(), 1_024);
        assert!(is_stored(&follow(blocks[10].header.clone(), 1_023), &checkpoint));
    }
}
