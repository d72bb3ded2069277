//! What is kept besides accounts.

use parhelion_core::cluster::Clock;
use parhelion_core::past::{Point, Version};
use parhelion_wire::Pubkey;
use parhelion_wire::account::Run;
use parhelion_wire::instruction::TransactionId;

/// Steps of a run whose clocks are kept: in more slots than that, those in the middle are forgotten.
pub(super) const STEPS_MAX: usize = 32;

/// An address that no account has: nobody finds a seed for it.
const fn address(name: &[u8; 16], id: TransactionId) -> Pubkey {
    let mut address = [0; 32];
    let mut index = 0;
    while index < name.len() {
        address[index] = name[index];
        index += 1;
    }
    index = 0;
    while index < id.len() {
        address[24 + index] = id[index];
        index += 1;
    }
    address
}

/// Where [`BlockRecord`]s are.
pub(super) const BLOCK: Pubkey = address(b"a block's values", [0; 8]);
/// Where [`SlotHashes`] are.
pub(super) const SLOT_HASHES: Pubkey = address(b"the slot hashes ", [0; 8]);

/// Where the [`RunRecord`]s of a transaction are.
pub(super) const fn run(transaction: TransactionId) -> Pubkey {
    address(b"a run in steps: ", transaction)
}

fn present(data: Vec<u8>) -> Version {
    Version::Present { lamports: 0, data }
}

fn data_of(version: Option<&Version>) -> Option<&[u8]> {
    match version? {
        Version::Present { data, .. } => Some(data),
        Version::Unknown | Version::Absent => None,
    }
}

/// Reads numbers and fixed bytes from the front.
fn take<const N: usize>(data: &mut &[u8]) -> Option<[u8; N]> {
    let (front, rest) = data.split_first_chunk()?;
    *data = rest;
    Some(*front)
}

/// What is the same in a whole block, and in the empty ones behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockRecord {
    /// Seconds since 1970.
    pub(super) timestamp: u64,
    /// Lamports of rent exemption for a byte.
    pub(super) rent_per_byte: u64,
}

impl BlockRecord {
    /// The clock that a slot shows.
    pub(super) fn clock(self, slot: u64) -> Clock {
        Clock { slot, unix_timestamp: i64::try_from(self.timestamp).unwrap_or(i64::MAX) }
    }

    pub(super) fn version(self) -> Version {
        present([self.timestamp.to_le_bytes(), self.rent_per_byte.to_le_bytes()].concat())
    }

    pub(super) fn read(version: Option<&Version>) -> Option<Self> {
        let mut data = data_of(version)?;
        let timestamp = u64::from_le_bytes(take(&mut data)?);
        Some(Self { timestamp, rent_per_byte: u64::from_le_bytes(take(&mut data)?) })
    }
}

/// Slots and hashes, newest first.
pub(super) type SlotHashes = Vec<(u64, [u8; 32])>;

/// The slot hashes that were seen in a block.
pub(super) fn slot_hashes_version(block: u64, hashes: &SlotHashes) -> Version {
    let mut data = block.to_le_bytes().to_vec();
    for (slot, hash) in hashes {
        data.extend(slot.to_le_bytes());
        data.extend(hash);
    }
    present(data)
}

/// The slot hashes that were seen in this block; `None` if they are of another one.
pub(super) fn read_slot_hashes(block: u64, version: Option<&Version>) -> Option<SlotHashes> {
    let mut data = data_of(version)?;
    if u64::from_le_bytes(take(&mut data)?) != block {
        return None;
    }
    let mut hashes = Vec::with_capacity(data.len() / 40);
    while let Some(slot) = take(&mut data) {
        hashes.push((u64::from_le_bytes(slot), take(&mut data)?));
    }
    Some(hashes)
}

/// A run in steps, as it was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunRecord {
    /// Its state behind its beginning.
    pub(super) run: Run,
    /// The point behind its beginning.
    pub(super) begun: Point,
    /// When steps were taken that were not the last one, one for each slot; of a run that is over when its attempt began, and
    /// nothing else. None if that is not known.
    pub(super) steps: Vec<Clock>,
}

impl RunRecord {
    pub(super) fn version(&self) -> Version {
        let mut state = [0; Run::LENGTH];
        if self.run.write(&mut state).is_err() {
            return Version::Unknown;
        }
        let mut data = state.to_vec();
        data.extend(self.begun.block.to_le_bytes());
        data.extend(self.begun.place.to_le_bytes());
        for clock in &self.steps {
            data.extend(clock.slot.to_le_bytes());
            data.extend(clock.unix_timestamp.to_le_bytes());
        }
        present(data)
    }

    pub(super) fn read(version: Option<&Version>) -> Option<Self> {
        let mut data = data_of(version)?;
        let run = Run::read(&take(&mut data)?).ok()?;
        let (block, place) = (u64::from_le_bytes(take(&mut data)?), u64::from_le_bytes(take(&mut data)?));
        let mut steps = Vec::new();
        while let Some(slot) = take(&mut data) {
            let unix_timestamp = i64::from_le_bytes(take(&mut data)?);
            steps.push(Clock { slot: u64::from_le_bytes(slot), unix_timestamp });
        }
        Some(Self { run, begun: Point { block, place }, steps })
    }

    /// Notes that a step was taken.
    pub(super) fn note_step(&mut self, clock: Clock) {
        if self.steps.last().is_some_and(|last| last.slot == clock.slot) {
            return;
        }
        if self.steps.len() >= STEPS_MAX {
            // The first one is the most likely beginning, the newest ones come next.
            self.steps.remove(1);
        }
        self.steps.push(clock);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parhelion_wire::{H160, H256, U256};

    fn clock(slot: u64) -> Clock {
        Clock { slot, unix_timestamp: slot as i64 * 2 }
    }

    #[test]
    fn what_is_kept_reads_back() {
        let block = BlockRecord { timestamp: 5, rent_per_byte: u64::MAX };
        assert_eq!(BlockRecord::read(Some(&block.version())), Some(block));
        let hashes = vec![(9, [1; 32]), (7, [2; 32])];
        let version = slot_hashes_version(10, &hashes);
        assert_eq!(read_slot_hashes(10, Some(&version)), Some(hashes));
        assert_eq!(read_slot_hashes(11, Some(&version)), None, "those of another block");
        for nothing in [None, Some(&Version::Unknown), Some(&Version::Absent)] {
            assert_eq!((BlockRecord::read(nothing), read_slot_hashes(10, nothing)), (None, None));
            assert_eq!(RunRecord::read(nothing), None);
        }
    }

    #[test]
    fn a_run_keeps_its_first_step_and_the_newest() {
        let run = Run {
            version: Run::VERSION,
            checkpoint_version: Run::CHECKPOINT_VERSION,
            restarts: 0,
            locked_at: 0,
            transaction_hash: H256([1; 32]),
            operator: [2; 32],
            coinbase: H160([3; 20]),
            gas_price: U256::from(4),
            bought: U256::from(5),
            intrinsic_gas: 6,
            floor_gas: 7,
            config_revision: 8,
            number: 9,
            timestamp: 10,
            begun: 11,
            owned_since: 12,
            progressed: 13,
            steps: 14,
            gas_left: 15,
            paused_at: 16,
            stack_words: 17,
            checkpoint_room: 18,
            checkpoint_length: 0,
        };
        let mut record = RunRecord { run, begun: Point::behind(11, 3), steps: Vec::new() };
        for slot in 0..100 {
            record.note_step(clock(slot));
            record.note_step(clock(slot));
        }
        let slots: Vec<_> = record.steps.iter().map(|step| step.slot).collect();
        let newest = (100 - STEPS_MAX as u64 + 1)..100;
        assert_eq!(slots, std::iter::once(0).chain(newest).collect::<Vec<_>>());
        assert_eq!(RunRecord::read(Some(&record.version())), Some(record));
    }

    #[test]
    fn the_addresses_differ() {
        let all = [BLOCK, SLOT_HASHES, run([0; 8]), run([1; 8])];
        assert!((1..all.len()).all(|end| !all[..end].contains(&all[end])));
    }
}
