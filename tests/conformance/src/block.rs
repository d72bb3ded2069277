//! The block of vectors that name none: gas costs nothing in it.

use parhelion_executor::BlockValues;
use parhelion_executor::evm::H160;

/// The chain of the transactions.
pub(crate) const CHAIN_ID: u64 = 1;

/// Who gets the fees.
pub(crate) const COINBASE: H160 = H160([0xcb; 20]);

/// The block.
pub(crate) const BLOCK: BlockValues = BlockValues {
    chain_id: CHAIN_ID,
    base_fee: 0,
    gas_limit: u64::MAX,
    slot: 1,
    timestamp: 1,
    coinbase: COINBASE,
    blob_base_fee: BlockValues::NO_BLOBS,
};
