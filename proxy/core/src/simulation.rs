//! Simulations: blocks that follow a block of the chain and are made of calls nobody signed (`eth_simulateV1`).

use crate::emulator::{Call, EmulatorError, Execution};
use alloy_consensus::{Header, TxEnvelope};
use alloy_primitives::{Address, B256, Log, U256};
use alloy_rpc_types_eth::BlockOverrides;
use alloy_rpc_types_eth::state::StateOverride;

/// The most blocks of a simulation, empty ones in between included: geth's limit.
pub const BLOCKS_MAX: u64 = 256;
/// The most calls of a simulation, of all blocks together.
pub const CALLS_MAX: usize = 1000;
/// Seconds between blocks whose times nobody says: as in geth, whatever the chain's own pace is.
const BLOCK_SECONDS: u64 = 12;

/// What is to be simulated.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// The header of the block that the first one follows.
    pub parent: Header,
    /// The hash of that block.
    pub parent_hash: B256,
    /// The blocks, see [`plan`].
    pub blocks: Vec<PlannedBlock>,
    /// Whether calls must satisfy what transactions must: nonces, fees, senders without code.
    pub validates: bool,
    /// Whether transfers of value are shown as logs.
    pub traces_transfers: bool,
}

/// A block that is to be simulated.
#[derive(Clone, Debug, Default)]
pub struct PlannedBlock {
    /// What is seen of the block instead of what follows from the one before it. With number and time once it is planned.
    pub block: BlockOverrides,
    /// The state that is changed before its calls, and stays so.
    pub state: StateOverride,
    /// Its calls, in order. Their own overrides are not looked at.
    pub calls: Vec<Call>,
}

impl PlannedBlock {
    /// An empty block.
    fn empty(number: u64, time: u64) -> Self {
        let block = BlockOverrides {
            number: Some(U256::from(number)),
            time: Some(time),
            ..BlockOverrides::default()
        };
        Self { block, ..Self::default() }
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.block.number.unwrap_or_default().saturating_to()
    }

    /// Its time, in seconds since 1970.
    #[must_use]
    pub fn time(&self) -> u64 {
        self.block.time.unwrap_or_default()
    }
}

/// A simulated block.
#[derive(Clone, Debug)]
pub struct SimulatedBlock {
    /// The header.
    pub header: Header,
    /// Its hash.
    pub hash: B256,
    /// What its calls did, in order.
    pub calls: Vec<SimulatedCall>,
}

/// A call that ran in a simulated block.
#[derive(Clone, Debug)]
pub struct SimulatedCall {
    /// The call as a transaction, with zeros for a signature.
    pub transaction: TxEnvelope,
    /// Its sender.
    pub sender: Address,
    /// Wei per gas that was paid.
    pub gas_price: u128,
    /// What it did.
    pub execution: Execution,
    /// Its logs, with transfers of value if they are asked for.
    pub logs: Vec<Log>,
    /// Gas that it used before refunds.
    pub gas_used_max: u64,
}

/// Why a call cannot be a part of a block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallProblem {
    /// The nonce was used.
    #[error("nonce too low: address {address}, tx: {nonce} state: {next}")]
    NonceTooLow {
        /// The sender.
        address: Address,
        /// The call's nonce.
        nonce: u64,
        /// The sender's.
        next: u64,
    },
    /// Nonces are missing before it.
    #[error("nonce too high: address {address}, tx: {nonce} state: {next}")]
    NonceTooHigh {
        /// The sender.
        address: Address,
        /// The call's nonce.
        nonce: u64,
        /// The sender's.
        next: u64,
    },
    /// EIP-2681.
    #[error("nonce has max value: address {address}, nonce: {}", u64::MAX)]
    NonceMax {
        /// The sender.
        address: Address,
    },
    /// EIP-3607.
    #[error("sender not an eoa: address {address}")]
    SenderHasCode {
        /// The sender.
        address: Address,
    },
    /// The fee cap is below the base fee.
    #[error(
        "max fee per gas less than block base fee: address {address}, maxFeePerGas: {cap}, baseFee: {base_fee}"
    )]
    FeeTooLow {
        /// The sender.
        address: Address,
        /// Its fee cap.
        cap: U256,
        /// The block's base fee.
        base_fee: u64,
    },
    /// The sender has too little.
    #[error("insufficient funds for gas * price + value: address {address} have {have} want {want}")]
    InsufficientFunds {
        /// The sender.
        address: Address,
        /// Its balance.
        have: U256,
        /// What gas and value cost at most.
        want: U256,
    },
    /// The gas does not cover what every such transaction costs.
    #[error("intrinsic gas too low: have {have}, want {want}")]
    IntrinsicGas {
        /// The call's gas.
        have: u64,
        /// The least that is needed.
        want: u64,
    },
    /// EIP-3860.
    #[error("max initcode size exceeded: code size {size} limit {max}")]
    InitCodeTooLarge {
        /// Bytes of init code.
        size: usize,
        /// Bytes that are allowed.
        max: usize,
    },
}

/// Why there is no simulation.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SimulationError {
    /// Blocks are not in order.
    #[error("block numbers must be in order: {number} <= {previous}")]
    NumberOrder {
        /// The block's number.
        number: U256,
        /// That of the one before it.
        previous: u64,
    },
    /// Times are not in order.
    #[error("block timestamps must be in order: {time} <= {previous}")]
    TimeOrder {
        /// The block's time.
        time: u64,
        /// That of the one before it.
        previous: u64,
    },
    /// More than [`BLOCKS_MAX`] blocks.
    #[error("too many blocks: at most {BLOCKS_MAX}, those in between included")]
    TooManyBlocks,
    /// More than [`CALLS_MAX`] calls.
    #[error("too many calls: at most {CALLS_MAX}, of all blocks together")]
    TooManyCalls,
    /// No block has room for the call's gas.
    #[error("block gas limit reached: remaining: {remaining}, required: {required}")]
    BlockGasLimit {
        /// Gas that is left in the block.
        remaining: u64,
        /// The call's gas.
        required: u64,
    },
    /// A call is not valid.
    #[error("err: {problem} (supplied gas {gas})")]
    Call {
        /// Why.
        problem: CallProblem,
        /// Its gas.
        gas: u64,
    },
    /// A precompile cannot have code.
    #[error("account {address}: the code of a precompile cannot be replaced")]
    Precompile {
        /// The precompile.
        address: Address,
    },
    /// Calls leave too much to show.
    #[error("the calls return and log more than {max} bytes: simulate fewer of them")]
    TooLarge {
        /// The most bytes of all of them together.
        max: usize,
    },
    /// A call could not be run.
    #[error(transparent)]
    Emulator(#[from] EmulatorError),
}

/// Gives blocks their numbers and times, and puts empty ones in between where numbers are missing.
///
/// # Errors
/// When they are not in order, or too many.
pub fn plan(parent: &Header, asked: Vec<PlannedBlock>) -> Result<Vec<PlannedBlock>, SimulationError> {
    if asked.len() as u64 > BLOCKS_MAX {
        return Err(SimulationError::TooManyBlocks);
    }
    if asked.iter().map(|block| block.calls.len()).sum::<usize>() > CALLS_MAX {
        return Err(SimulationError::TooManyCalls);
    }
    let mut planned = Vec::with_capacity(asked.len());
    let (mut number, mut time) = (parent.number, parent.timestamp);
    for mut block in asked {
        let next = U256::from(number).saturating_add(U256::from(1));
        let asked_number = block.block.number.unwrap_or(next);
        if asked_number < next {
            return Err(SimulationError::NumberOrder { number: asked_number, previous: number });
        }
        let last = asked_number.saturating_sub(U256::from(1));
        if last >= U256::from(parent.number).saturating_add(U256::from(BLOCKS_MAX)) {
            return Err(SimulationError::TooManyBlocks);
        }
        while U256::from(number) < last {
            number = number.saturating_add(1);
            time = time.saturating_add(BLOCK_SECONDS);
            planned.push(PlannedBlock::empty(number, time));
        }
        let asked_time = block.block.time.unwrap_or(time.saturating_add(BLOCK_SECONDS));
        if asked_time <= time {
            return Err(SimulationError::TimeOrder { time: asked_time, previous: time });
        }
        (number, time) = (asked_number.saturating_to(), asked_time);
        block.block.number = Some(asked_number);
        block.block.time = Some(asked_time);
        planned.push(block);
    }
    Ok(planned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{BLOCKS_MAX, CALLS_MAX, PlannedBlock, SimulationError, plan};
    use crate::emulator::Call;
    use alloy_consensus::Header;
    use alloy_primitives::U256;

    fn block(number: Option<u64>, time: Option<u64>) -> PlannedBlock {
        let mut block = PlannedBlock::default();
        (block.block.number, block.block.time) = (number.map(U256::from), time);
        block
    }

    fn planned(blocks: Vec<PlannedBlock>) -> Result<Vec<(u64, u64)>, String> {
        let parent = Header { number: 54, timestamp: 540, ..Header::default() };
        let numbers = |blocks: Vec<PlannedBlock>| {
            blocks.iter().map(|block| (block.number(), block.time())).collect::<Vec<_>>()
        };
        plan(&parent, blocks).map(numbers).map_err(|error| error.to_string())
    }

    #[test]
    fn blocks_follow_each_other() {
        let blocks = vec![block(None, None), block(None, Some(560)), block(Some(57), None)];
        assert_eq!(planned(blocks).unwrap(), [(55, 552), (56, 560), (57, 572)]);
        assert_eq!(planned(vec![]).unwrap(), []);
    }

    #[test]
    fn gaps_are_filled_with_empty_blocks() {
        let mut asked = block(Some(57), Some(1000));
        asked.calls.push(Call::default());
        let parent = Header { number: 54, timestamp: 540, ..Header::default() };
        let blocks = plan(&parent, vec![asked]).unwrap();
        let seen: Vec<_> =
            blocks.iter().map(|block| (block.number(), block.time(), block.calls.len())).collect();
        assert_eq!(seen, [(55, 552, 0), (56, 564, 0), (57, 1000, 1)]);
    }

    #[test]
    fn what_is_not_in_order_is_refused() {
        let refused = |blocks| planned(blocks).unwrap_err();
        assert_eq!(refused(vec![block(Some(54), None)]), "block numbers must be in order: 54 <= 54");
        assert_eq!(refused(vec![block(None, Some(540))]), "block timestamps must be in order: 540 <= 540");
        let behind_a_gap = vec![block(Some(64), Some(550))];
        assert_eq!(refused(behind_a_gap), "block timestamps must be in order: 550 <= 648");
    }

    #[test]
    fn the_number_of_blocks_and_calls_is_bounded() {
        assert_eq!(planned(vec![block(Some(54 + BLOCKS_MAX), None)]).unwrap().len(), 256);
        for number in [55 + BLOCKS_MAX, u64::MAX] {
            assert!(planned(vec![block(Some(number), None)]).unwrap_err().contains("too many blocks"));
        }
        let mut huge = PlannedBlock::default();
        huge.block.number = Some(U256::MAX);
        assert!(planned(vec![huge]).unwrap_err().contains("too many blocks"));
        assert!(planned(vec![PlannedBlock::default(); 257]).unwrap_err().contains("too many blocks"));
        let mut many = PlannedBlock { calls: vec![Call::default(); CALLS_MAX], ..PlannedBlock::default() };
        assert!(planned(vec![many.clone()]).is_ok());
        many.calls.push(Call::default());
        assert!(matches!(plan(&Header::default(), vec![many]), Err(SimulationError::TooManyCalls)));
    }
}
