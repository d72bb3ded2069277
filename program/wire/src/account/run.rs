//! A run in steps: what a Holder has behind its envelope while one is in it.

use super::header::Layout;
use super::holder::HolderPrefix;
use super::{split_prefix, split_prefix_mut};
use crate::error::ProgramError;
use crate::stored::{Reader, Stored, Writer};
use crate::{Pubkey, stored};
use primitive_types::{H160, H256, U256};

/// The state of a run in steps.
///
/// A transaction that does not fit one Solana transaction is begun once, which uses up its nonce and buys its gas, and then
/// goes on step by step, until the last step writes everything that it changed. Until then nothing of it shows but the
/// sender's nonce and balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The version of this state: [`Self::VERSION`].
    pub version: u8,
    /// The version of the checkpoint: [`Self::CHECKPOINT_VERSION`]. An attempt with another one begins anew.
    pub checkpoint_version: u8,
    /// How often it began anew because an account that it had read was changed.
    pub restarts: u8,
    /// The slot in which this attempt locked what it reads, modulo 2^32; 0 when it did not.
    pub locked_at: u32,
    /// The Ethereum transaction.
    pub transaction_hash: H256,
    /// The Solana key that takes its steps; others may after [`Self::TAKEOVER_SLOTS`] without one.
    pub operator: Pubkey,
    /// COINBASE, and where the fees go.
    pub coinbase: H160,
    /// Wei per gas.
    pub gas_price: U256,
    /// Wei that the sender paid for all of its gas when the run began: in the vault, and in no balance.
    pub bought: U256,
    /// Intrinsic gas.
    pub intrinsic_gas: u64,
    /// The least gas that the transaction uses (EIP-7623).
    pub floor_gas: u64,
    /// The revision of the Config account.
    pub config_revision: u32,
    /// NUMBER: the slot in which this attempt began.
    pub number: u64,
    /// TIMESTAMP, in seconds since 1970.
    pub timestamp: u64,
    /// The slot in which it began.
    pub begun: u64,
    /// The slot since which its steps are the operator's.
    pub owned_since: u64,
    /// The slot of the last step.
    pub progressed: u64,
    /// Steps so far, of all attempts.
    pub steps: u32,
    /// Gas that the EVM's part has left.
    pub gas_left: u64,
    /// The mark at which the attempt paused: it has this gas left or a bit more, but too little above it to go on.
    pub paused_at: u64,
    /// Stack words of the machine.
    pub stack_words: u32,
    /// Bytes of room for the checkpoint, a multiple of 8. What is behind it is the machine's memory.
    pub checkpoint_room: u32,
    /// Bytes of the checkpoint; 0 when the attempt has not begun yet.
    pub checkpoint_length: u32,
}

stored!(Run {
    version,
    checkpoint_version,
    restarts,
    locked_at,
    transaction_hash,
    operator,
    coinbase,
    gas_price,
    bought,
    intrinsic_gas,
    floor_gas,
    config_revision,
    number,
    timestamp,
    begun,
    owned_since,
    progressed,
    steps,
    gas_left,
    paused_at,
    stack_words,
    checkpoint_room,
    checkpoint_length,
});

/// What a Holder with a run consists of.
///
/// ```text
///  ├ prefix 48 ┼ envelope ┼ padding to 8 ┼ run 248 ┼ stack 32 n ┼ checkpoint ┼ memory … ┤
/// ```
#[derive(Debug)]
pub struct RunParts<'a> {
    /// The envelope.
    pub envelope: &'a [u8],
    /// The state, as bytes: see [`Run::read`].
    pub state: &'a mut [u8; Run::LENGTH],
    /// The machine's stack: little-endian words of 32 bytes.
    pub stack: &'a mut [u8],
    /// Room for the checkpoint.
    pub checkpoint: &'a mut [u8],
    /// The machine's memory.
    pub memory: &'a mut [u8],
}

impl Run {
    /// The version of the state. A program that has another one must still read this one, or senders of runs that were
    /// begun before stay busy for ever.
    pub const VERSION: u8 = 1;

    /// The version of the checkpoint that this program writes. It changes with every change of what a checkpoint means,
    /// and of how the interpreter keeps its arenas.
    pub const CHECKPOINT_VERSION: u8 = 2;

    /// The first bytes of a Holder that has a run in it: by them such holders are found.
    pub const HOLDER_BEGINS: [u8; 4] =
        [HolderPrefix::KIND as u8, HolderPrefix::VERSION, HolderPrefix::HAS_RUN as u8, 0];

    /// Bytes of the state, a multiple of 8.
    pub const LENGTH: usize = 248;

    /// Slots without a step after which anybody may take over: about a minute.
    pub const TAKEOVER_SLOTS: u64 = 150;

    /// Slots after which anybody may take over, whatever its operator does: steps that hardly advance keep nobody's
    /// transaction from ending.
    pub const OWNERSHIP_SLOTS: u64 = 600;

    /// Slots without a step after which anybody may cancel. Much later than taking over, so that somebody who wants the
    /// transaction to happen comes first.
    pub const CANCEL_SLOTS: u64 = 1200;

    /// Slots since the beginning after which anybody may cancel, whatever happened: more than an hour.
    pub const LIFETIME_SLOTS: u64 = 10_000;

    /// Restarts after which an attempt locks the accounts that its operator lists as writable.
    pub const RESTARTS_UNLOCKED: u8 = 3;

    /// The stack words that every run has: a full stack. Who begins a run with less could keep anybody from finishing it.
    pub const STACK_WORDS_MIN: u32 = 1024;

    /// The bytes of checkpoint that every run has.
    pub const CHECKPOINT_MIN: u32 = 32 * 1024;

    /// The bytes of memory that every run has: as many as a run at once.
    pub const MEMORY_MIN: usize = 56 * 1024;

    /// Whether others than the operator may take a step in `slot`.
    #[must_use]
    pub const fn may_be_taken_over(&self, slot: u64) -> bool {
        slot > self.progressed.saturating_add(Self::TAKEOVER_SLOTS)
            || slot > self.owned_since.saturating_add(Self::OWNERSHIP_SLOTS)
    }

    /// Whether the run may be cancelled in `slot`.
    #[must_use]
    pub const fn may_be_cancelled(&self, slot: u64) -> bool {
        slot > self.progressed.saturating_add(Self::CANCEL_SLOTS)
            || slot > self.begun.saturating_add(Self::LIFETIME_SLOTS)
    }

    /// Reads the state.
    ///
    /// # Errors
    /// [`ProgramError::RunVersion`].
    pub fn read(bytes: &[u8; Self::LENGTH]) -> Result<Self, ProgramError> {
        let run = Self::take(&mut Reader::new(bytes))?;
        if run.version == Self::VERSION { Ok(run) } else { Err(ProgramError::RunVersion) }
    }

    /// Writes the state.
    ///
    /// # Errors
    /// None: it fits.
    pub fn write(&self, bytes: &mut [u8; Self::LENGTH]) -> Result<(), ProgramError> {
        self.put(&mut Writer::new(bytes))
    }

    /// Bytes of a Holder for an envelope, and a run with so much stack, checkpoint and memory.
    #[must_use]
    pub const fn account_length(
        envelope: usize,
        stack_words: usize,
        checkpoint: usize,
        memory: usize,
    ) -> usize {
        offset(envelope) + Self::LENGTH + 32 * stack_words + checkpoint.next_multiple_of(8) + memory
    }

    /// The state of a Holder's run, for reading.
    ///
    /// # Errors
    /// [`ProgramError::NoSuchRun`] when there is none, [`ProgramError::RunVersion`], and those of the layout.
    pub fn of(data: &[u8]) -> Result<Self, ProgramError> {
        let (prefix, _) = split_prefix::<HolderPrefix>(data)?;
        if !prefix.has_run() {
            return Err(ProgramError::NoSuchRun);
        }
        let state = data.get(offset(prefix.length())..).and_then(<[u8]>::first_chunk);
        Self::read(state.ok_or(ProgramError::WrongLength)?)
    }

    /// Splits a Holder's data. `sizes` are the words of the stack and the room of the checkpoint; as the state has them
    /// when absent.
    ///
    /// # Errors
    /// [`ProgramError::CheckpointLimit`] when the account is too short for that, and those of the layout.
    pub fn parts(data: &mut [u8], sizes: Option<(u32, u32)>) -> Result<RunParts<'_>, ProgramError> {
        let (prefix, _) = split_prefix::<HolderPrefix>(data)?;
        let length = prefix.length();
        let (front, rest) = data.split_at_mut_checked(offset(length)).ok_or(ProgramError::CheckpointLimit)?;
        let (_, envelope) = split_prefix::<HolderPrefix>(front)?;
        let envelope = envelope.get(..length).ok_or(ProgramError::WrongLength)?;
        let (state, rest) = rest.split_first_chunk_mut().ok_or(ProgramError::CheckpointLimit)?;
        let (words, room) = match sizes {
            Some(sizes) => sizes,
            None => Self::read(state).map(|run| (run.stack_words, run.checkpoint_room))?,
        };
        let words = (words as usize).checked_mul(32).ok_or(ProgramError::CheckpointLimit)?;
        let (stack, rest) = rest.split_at_mut_checked(words).ok_or(ProgramError::CheckpointLimit)?;
        let room = (room as usize).next_multiple_of(8);
        let (checkpoint, memory) = rest.split_at_mut_checked(room).ok_or(ProgramError::CheckpointLimit)?;
        Ok(RunParts { envelope, state, stack, checkpoint, memory })
    }

    /// Notes in a Holder that there is a run in it, or none any more.
    ///
    /// # Errors
    /// Those of the layout.
    pub fn mark(data: &mut [u8], slot: u64, is_running: bool) -> Result<(), ProgramError> {
        let (prefix, _) = split_prefix_mut::<HolderPrefix>(data)?;
        prefix.set_has_run(is_running);
        prefix.header_mut().touch(slot);
        Ok(())
    }
}

/// Where the state is, behind an envelope.
const fn offset(envelope: usize) -> usize {
    (size_of::<HolderPrefix>() + envelope).next_multiple_of(8)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::account::Holder;

    fn run() -> Run {
        Run {
            version: Run::VERSION,
            checkpoint_version: 1,
            restarts: 2,
            locked_at: 20,
            transaction_hash: H256([3; 32]),
            operator: [4; 32],
            coinbase: H160([5; 20]),
            gas_price: U256([6; 4]),
            bought: U256([7; 4]),
            intrinsic_gas: 8,
            floor_gas: 9,
            config_revision: 10,
            number: 11,
            timestamp: 12,
            begun: 18,
            owned_since: 19,
            progressed: 13,
            steps: 14,
            gas_left: 15,
            paused_at: 17,
            stack_words: 2,
            checkpoint_room: 24,
            checkpoint_length: 16,
        }
    }

    #[test]
    fn the_parts_are_disjoint_aligned_and_as_long_as_asked_for() {
        let length = Run::account_length(13, 2, 20, 5);
        let mut data = std::vec![0; length];
        Holder::create(&mut data, 1, &[1; 32]).expect("fits");
        Holder::write(&mut data, 1, 13, 0, &[9; 13]).expect("fits");
        assert_eq!(Run::of(&data), Err(ProgramError::NoSuchRun));
        let parts = Run::parts(&mut data, Some((2, 20))).expect("fits");
        assert_eq!((parts.envelope, parts.stack.len()), (&[9; 13][..], 64));
        assert_eq!((parts.checkpoint.len(), parts.memory.len()), (24, 5));
        run().write(parts.state).expect("fits");
        assert_eq!(Run::read(parts.state), Ok(run()));
        let start = data.as_ptr() as usize;
        assert!(!data.starts_with(&Run::HOLDER_BEGINS));
        Run::mark(&mut data, 2, true).expect("a holder");
        assert!(data.starts_with(&Run::HOLDER_BEGINS));
        assert_eq!(Run::of(&data), Ok(run()));
        let parts = Run::parts(&mut data, None).expect("as the state says");
        assert_eq!((parts.checkpoint.len(), parts.memory.len()), (24, 5));
        assert_eq!((parts.stack.as_ptr() as usize - start) % 8, 0);
        assert_eq!(Holder::write(&mut data, 3, 13, 0, &[1]), Err(ProgramError::RunActive));
        let mut short = data[..length - 6].to_vec();
        assert!(matches!(Run::parts(&mut short, None), Err(ProgramError::CheckpointLimit)));
        Run::mark(&mut data, 3, false).expect("a holder");
        assert_eq!(Holder::write(&mut data, 3, 13, 0, &[1]), Ok(()));
    }

    #[test]
    fn another_versions_state_is_not_read() {
        let mut bytes = [0; Run::LENGTH];
        Run { version: Run::VERSION + 1, ..run() }.write(&mut bytes).expect("fits");
        assert_eq!(Run::read(&bytes), Err(ProgramError::RunVersion));
    }
}
