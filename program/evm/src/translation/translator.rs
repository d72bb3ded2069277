//! Makes a translation, block by block, so that it can stop and go on in another transaction.

use super::fuse::{Mask, Operands, computed_mask, fuse};
use super::record::{self as r, SCALE};
use super::{BLOCK_RECORDS_MAX, GROWTH_MAX, INDEXED, ONES, PREFIX, index_length, length_max};
use crate::opcode::{self as op, Info};

/// Records of a block at most, without its BEGIN.
const RECORDS_MAX: usize = BLOCK_RECORDS_MAX - 1;

/// Bytes that a block can take: its records, each with an opcode's longest operands.
pub(super) const ROOM: usize = (RECORDS_MAX + 2) * 34;

/// How far a translation has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of code that are done.
    pub position: u32,
    /// Bytes of translation that are written.
    pub length: u32,
    /// Whether the code at `position` is reached from the code in front of it.
    pub is_reachable: bool,
}

impl Progress {
    /// Whether all code is done.
    #[must_use]
    pub const fn is_complete(&self, code_length: usize) -> bool {
        self.position as usize >= code_length && !self.is_reachable
    }
}

/// The code does not fit its translation, which would be longer than it may be, or has more jump destinations than the
/// index can point to. It stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// A code and its translation in the making.
#[derive(Debug)]
pub struct Translator<'a> {
    code: &'a [u8],
    jump_map: &'a [u8],
    /// Zeroed room of [`length_max`] bytes, or what was written before.
    out: &'a mut [u8],
    /// Where the next byte goes.
    length: usize,
}

/// The block that is being written.
struct Block {
    /// Where its BEGIN is.
    start: usize,
    code_position: usize,
    gas: u32,
    /// Words on the stack, from its beginning.
    height: i32,
    lowest: i32,
    highest: i32,
    records: usize,
    /// GAS records and conditional jumps, whose operand is the gas of what follows: where, and the gas so far.
    gas_records: [(usize, u32); RECORDS_MAX],
    gas_records_count: usize,
    /// Whether an opcode so far charges gas of its own.
    charges_itself: bool,
}

impl<'a> Translator<'a> {
    /// Writes the index of a translation.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn start(code: &'a [u8], jump_map: &'a [u8], out: &'a mut [u8]) -> Result<Progress, TooLong> {
        let entries = PREFIX + index_length(code.len());
        let mut entry = u16::try_from(entries).map_err(|_| TooLong)?;
        let (prefix, rest) = out.split_at_mut_checked(PREFIX).ok_or(TooLong)?;
        let (index, _) = rest.split_at_mut_checked(index_length(code.len())).ok_or(TooLong)?;
        // A byte of the map is two places in the index.
        for (places, &mask) in index.chunks_mut(2 * size_of::<u16>()).zip(jump_map) {
            for (place, mask) in places.as_chunks_mut::<2>().0.iter_mut().zip([mask & 0xf, mask >> 4]) {
                if mask != 0 {
                    *place = entry.to_le_bytes();
                    entry = entry.checked_add(4 * u16::from(ONES[usize::from(mask)])).ok_or(TooLong)?;
                }
            }
        }
        let length = usize::from(entry);
        prefix[..2].copy_from_slice(&((length - entries) as u16 / 4).to_le_bytes());
        if length + ROOM > out.len() {
            return Err(TooLong);
        }
        Ok(Progress { position: 0, length: length as u32, is_reachable: true })
    }

    /// Goes on with a translation in `out`.
    pub const fn new(code: &'a [u8], jump_map: &'a [u8], out: &'a mut [u8], progress: &Progress) -> Self {
        Self { code, jump_map, out, length: progress.length as usize }
    }

    /// Translates up to `blocks_max` blocks, as far as there is room.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn run(&mut self, progress: &Progress, blocks_max: usize) -> Result<Progress, TooLong> {
        let mut position = progress.position as usize;
        let mut is_reachable = progress.is_reachable;
        for _ in 0..blocks_max {
            if !is_reachable {
                position = self.next_destination(position);
            }
            if position >= self.code.len() && !is_reachable {
                break;
            }
            if self.length + ROOM > length_max(self.code.len()) {
                return Err(TooLong);
            }
            if self.length + ROOM > self.out.len() {
                break;
            }
            (position, is_reachable) = self.block(position);
        }
        Ok(Progress { position: position as u32, length: self.length as u32, is_reachable })
    }

    /// The first jump destination from `position` on.
    fn next_destination(&self, mut position: usize) -> usize {
        while position < self.code.len() && !self.is_destination(position) {
            position += 1;
        }
        position
    }

    fn is_destination(&self, position: usize) -> bool {
        self.jump_map.get(position / 8).is_some_and(|bits| bits >> (position % 8) & 1 != 0)
    }

    /// Where the entry of a jump destination is; `None` when it is none.
    fn entry(&self, position: u64) -> Option<usize> {
        let position = usize::try_from(position).ok().filter(|&position| self.is_destination(position))?;
        let first = self.out.get(PREFIX + position / INDEXED * size_of::<u16>()..)?.first_chunk()?;
        // Those that share the place in the index and are in front.
        let in_front = self.jump_map[position / 8] >> (position % 8 / INDEXED * INDEXED)
            & ((1 << (position % INDEXED)) - 1);
        Some(usize::from(u16::from_le_bytes(*first)) + 4 * usize::from(ONES[usize::from(in_front)]))
    }

    /// Notes that the block of a jump destination begins at `place`: in its entry, and in the jumps that wait for it.
    fn note_block(&mut self, position: usize, place: usize) {
        let Some(entry) = self.entry(position as u64) else { return };
        let mut waiting = entry;
        while waiting != 0 {
            let before = self.number_at(waiting);
            self.out[waiting..waiting + 4].copy_from_slice(&(place as u32).to_le_bytes());
            waiting = before as usize;
        }
    }

    /// The u32 at a place of the translation.
    fn number_at(&self, place: usize) -> u32 {
        self.out.get(place..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }

    /// Translates one block; gives where the next one begins and whether this one runs on into it.
    fn block(&mut self, start: usize) -> (usize, bool) {
        let mut block = Block::new(self.length, start);
        self.put_number(r::BEGIN);
        self.put(&[0; r::length(r::BEGIN) - 2]);
        let mut position = start;
        if self.is_destination(start) {
            self.note_block(start, block.start);
            block.charge(op::info(op::JUMPDEST));
            position += 1;
        }
        let is_reachable = loop {
            if position < self.code.len() && self.is_destination(position) || block.records >= RECORDS_MAX {
                break true;
            }
            let Some(&opcode) = self.code.get(position) else {
                // Running off the code stops.
                self.put_number(u16::from(op::STOP));
                break false;
            };
            let (length, end) = self.record(&mut block, position, opcode);
            position += length;
            match end {
                End::None => {}
                End::Falls => break true,
                End::Ends => break false,
            }
        };
        self.finish(&block);
        (position, is_reachable)
    }

    /// Writes the record for what is at `position`; gives its length in code, and whether the block ends.
    fn record(&mut self, block: &mut Block, position: usize, opcode: u8) -> (usize, End) {
        let code = &self.code[position..];
        if let Some(fused) = fuse(code)
            && fused.operands.target().is_none_or(|target| self.entry(target).is_some())
        {
            block.charge_all(&code[..fused.length]);
            self.put_number(fused.record);
            let end = match fused.record {
                r::JUMP_TO | r::LEAVE | r::POP_JUMP => End::Ends,
                r::JUMPI_TO..=r::SELECT
                | r::DUP_JUMPI_TO
                | r::DUP_JUMP_IF_ZERO
                | r::DUP_JUMP_IF_LT..=r::JUMP_IF_SHORT => self.put_rest(block),
                _ => End::None,
            };
            self.put_operands(fused.operands, block.code_position);
            return (fused.length, end);
        }
        if let Some(Mask { bits, length }) = computed_mask(code) {
            block.charge_all(&code[..length]);
            self.put_mask(bits);
            return (length, End::None);
        }
        let Some(info) = op::TABLE[usize::from(opcode)] else {
            self.put_number(u16::from(opcode));
            return (1, End::Ends);
        };
        match opcode {
            op::PUSH1..=op::PUSH32 => {
                block.charge(info);
                (self.push(&code[1..], usize::from(opcode - op::PUSH0)), End::None)
            }
            op::PC => {
                block.charge(info);
                self.put_push(&(position as u32).to_be_bytes());
                (1, End::None)
            }
            op::GAS => {
                block.charge(info);
                self.put_number(r::GAS_AND);
                block.note_gas(self.length);
                self.put(&[0; 2]);
                (1, End::None)
            }
            _ => {
                block.count(opcode, info);
                self.put_number(u16::from(opcode));
                (1, end_of(opcode))
            }
        }
    }

    /// Writes the operand of a conditional jump that is the gas of what follows it in the block.
    ///
    /// The block goes on behind the jump, unless an opcode in front of it charges gas of its own: that could run out of
    /// gas for the sake of opcodes which a jump would have skipped.
    fn put_rest(&mut self, block: &mut Block) -> End {
        block.note_gas(self.length);
        self.put(&[0; 2]);
        if block.charges_itself { End::Falls } else { End::None }
    }

    /// Writes operands of a record in the block at a code position.
    fn put_operands(&mut self, operands: Operands, block: usize) {
        match operands {
            Operands::None => {}
            Operands::Number(number) => self.put(&number.to_le_bytes()),
            Operands::Numbers(first, second) => {
                self.put(&first.to_le_bytes());
                self.put(&second.to_le_bytes());
            }
            Operands::Target(target) => self.put_target(target, block),
            Operands::TargetAndNumber(target, number) => {
                self.put_target(target, block);
                self.put(&number.to_le_bytes());
            }
            Operands::SelectorAndTarget(selector, target) => {
                self.put(&selector.to_le_bytes());
                self.put_target(target, block);
            }
        }
    }

    /// Writes where the block of a jump destination is. Of one that comes later that is not known: the operand waits for
    /// it behind those that do already.
    fn put_target(&mut self, target: u64, block: usize) {
        let Some(entry) = self.entry(target) else { return };
        let place = self.length;
        self.put(&self.number_at(entry).to_le_bytes());
        if target > block as u64 {
            self.out[entry..entry + 4].copy_from_slice(&(place as u32).to_le_bytes());
        }
    }

    /// Writes a PUSH of `length` immediate bytes; those that the end of the code cuts off are zero.
    fn push(&mut self, rest: &[u8], length: usize) -> usize {
        let mut bytes = [0; 32];
        let here = rest.len().min(length);
        bytes[..here].copy_from_slice(&rest[..here]);
        self.put_push(&bytes[..length]);
        1 + length
    }

    /// Writes the shortest record that pushes a number of `bits` low bits.
    fn put_mask(&mut self, bits: u8) {
        let mut bytes = [0; 32];
        let whole = usize::from(bits / 8);
        bytes[32 - whole..].fill(0xff);
        if !bits.is_multiple_of(8) {
            bytes[31 - whole] = (1 << (bits % 8)) - 1;
        }
        self.put_push(&bytes);
    }

    /// Writes the shortest record that pushes these big-endian bytes.
    fn put_push(&mut self, bytes: &[u8]) {
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        let bytes = &bytes[zeros..];
        let (record, length) = match bytes.len() {
            0 => return self.put_number(u16::from(op::PUSH0)),
            1 => (r::PUSH_8, 1),
            2 => (r::PUSH_16, 2),
            3 | 4 => (r::PUSH_32, 4),
            5..=8 => (r::PUSH_64, 8),
            9..=20 => (r::PUSH_160, 20),
            _ => (r::PUSH_256, 32),
        };
        self.put_number(record);
        let mut padded = [0; 32];
        padded[length - bytes.len()..length].copy_from_slice(bytes);
        if length <= 8 {
            // Short numbers are stored as the machine reads them.
            padded[..length].reverse();
        }
        self.put(&padded[..length]);
    }

    /// Fills in the block's BEGIN.
    fn finish(&mut self, block: &Block) {
        let need = 32 * (-block.lowest) as u16;
        // A record pushes one word more than it takes, at most, and has three more meanwhile.
        const { assert!(RECORDS_MAX + 3 <= GROWTH_MAX) };
        debug_assert!(block.highest <= GROWTH_MAX as i32);
        let fields = [r::BEGIN * SCALE, block.gas as u16, need, block.code_position as u16];
        for (target, field) in self.out[block.start..].chunks_exact_mut(2).zip(fields) {
            target.copy_from_slice(&field.to_le_bytes());
        }
        // One more for BEGIN itself.
        self.out[block.start + 8] = (block.records + 1) as u8;
        for &(at, before) in &block.gas_records[..block.gas_records_count] {
            self.out[at..at + 2].copy_from_slice(&((block.gas - before) as u16).to_le_bytes());
        }
    }

    fn put_number(&mut self, record: u16) {
        self.put(&(record * SCALE).to_le_bytes());
    }

    /// Writes bytes; `run` has made sure of the room.
    fn put(&mut self, bytes: &[u8]) {
        self.out[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }
}

/// What comes behind a record.
enum End {
    /// The block goes on.
    None,
    /// The block ends, and the code goes on.
    Falls,
    /// The code does not go on.
    Ends,
}

impl Block {
    const fn new(start: usize, code_position: usize) -> Self {
        Self {
            start,
            code_position,
            gas: 0,
            height: 0,
            lowest: 0,
            highest: 0,
            records: 0,
            gas_records: [(0, 0); RECORDS_MAX],
            gas_records_count: 0,
            charges_itself: false,
        }
    }

    /// Counts an opcode's gas and stack.
    fn charge(&mut self, info: Info) {
        self.note(info);
        self.gas += u32::from(info.gas);
    }

    /// Counts an opcode's stack, and its gas if the block charges it.
    fn count(&mut self, opcode: u8, info: Info) {
        self.note(info);
        if is_hot(opcode) {
            self.gas += u32::from(info.gas);
        }
        self.charges_itself |= !is_hot(opcode) || grows_memory(opcode);
    }

    /// Counts an opcode's stack.
    fn note(&mut self, info: Info) {
        self.lowest = self.lowest.min(self.height - i32::from(info.inputs));
        self.height += i32::from(info.outputs) - i32::from(info.inputs);
        self.highest = self.highest.max(self.height);
        self.records += 1;
    }

    /// Counts the opcodes of a sequence as one record.
    fn charge_all(&mut self, code: &[u8]) {
        let (mut position, records) = (0, self.records);
        while let Some(&opcode) = code.get(position) {
            self.count(opcode, op::info(opcode));
            position += 1 + push_length(opcode);
        }
        self.records = records + 1;
    }

    /// Notes a GAS whose operand is at `at`.
    fn note_gas(&mut self, at: usize) {
        if let Some(place) = self.gas_records.get_mut(self.gas_records_count) {
            *place = (at, self.gas);
            self.gas_records_count += 1;
        }
    }
}

/// Bytes of an opcode's immediate.
fn push_length(opcode: u8) -> usize {
    if (op::PUSH1..=op::PUSH32).contains(&opcode) { usize::from(opcode - op::PUSH0) } else { 0 }
}

/// Whether the block charges an opcode's static gas. The others charge it themselves.
const fn is_hot(opcode: u8) -> bool {
    matches!(opcode,
        op::ADD..=op::MULMOD | op::SIGNEXTEND | op::LT..=op::SAR | op::ADDRESS | op::CALLER..=op::CALLDATASIZE
        | op::CODESIZE | op::RETURNDATASIZE | op::POP..=op::MSTORE | op::JUMP | op::JUMPI | op::PC | op::GAS
        | op::JUMPDEST | op::PUSH0..=op::SWAP16)
}

/// Whether a hot opcode may charge for memory.
const fn grows_memory(opcode: u8) -> bool {
    matches!(opcode, op::MLOAD | op::MSTORE)
}

/// Whether no block goes on behind an opcode.
pub(crate) const fn ends_block(opcode: u8) -> bool {
    !matches!(end_of(opcode), End::None)
}

/// What comes behind an opcode.
const fn end_of(opcode: u8) -> End {
    match opcode {
        op::JUMP | op::STOP | op::RETURN | op::REVERT | op::INVALID | op::SELFDESTRUCT => End::Ends,
        // They observe the gas left, or fail for another reason than gas, which must not be hidden by a lack of gas that
        // is for what comes behind them: nothing there may be charged yet.
        op::SSTORE
        | op::RETURNDATACOPY
        | op::TSTORE
        // Undefined before Osaka.
        | op::CLZ
        | op::LOG0..=op::LOG4
        | op::CREATE
        | op::CALL
        | op::CALLCODE
        | op::DELEGATECALL
        | op::CREATE2
        | op::STATICCALL
        | op::JUMPI => End::Falls,
        _ => End::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jump_map;
    use crate::translation::translate;
    use alloc::vec::Vec;

    /// The jump map of code.
    fn mapped(code: &[u8]) -> Vec<u8> {
        let mut map = alloc::vec![0; jump_map::length(code.len())];
        jump_map::fill(&mut map, code);
        map
    }

    /// The u32 at a place.
    fn number(bytes: &[u8], place: usize) -> usize {
        bytes.get(place..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u32::from_le_bytes(*bytes))
            as usize
    }

    #[test]
    fn jumps_know_their_blocks_whether_these_come_before_or_after_them() {
        // Three jumps to 12: from before it twice, from behind it once.
        let code = [
            [op::PUSH1, 12, op::JUMPI].as_slice(),
            &[op::JUMPDEST, op::PUSH1, 12, op::JUMP],
            &[op::JUMPDEST; 2],
            &[op::STOP; 3],
            &[op::JUMPDEST, op::PUSH1, 12, op::JUMP],
        ]
        .concat();
        assert_eq!(code[12], op::JUMPDEST);
        let map = mapped(&code);
        let bytes = translate(&code, &map).expect("a translation");
        let entries = PREFIX + index_length(code.len());
        let (first, last) = (number(&bytes, entries), number(&bytes, entries + 12));
        let begin = r::length(r::BEGIN);
        let jumpi = entries + 16 + begin;
        assert_eq!(number(&bytes, jumpi + 4), last, "JUMPI_TO");
        assert_eq!(number(&bytes, first + begin + 2), last, "JUMP_TO, forward");
        assert_eq!(number(&bytes, last + begin + 2), last, "JUMP_TO, back");
    }

    #[test]
    fn a_translation_in_steps_is_the_one_that_is_made_at_once() {
        let jump = |target| [op::JUMPDEST, op::PUSH1, target, op::JUMPI, op::CALLER, op::POP];
        let code = [18, 6, 0, 6, 18].map(jump).concat();
        let map = mapped(&code);
        let mut out = alloc::vec![0; length_max(code.len())];
        let mut progress = Translator::start(&code, &map, &mut out).expect("it fits");
        while !progress.is_complete(code.len()) {
            progress = Translator::new(&code, &map, &mut out, &progress).run(&progress, 1).expect("it fits");
        }
        out.truncate(progress.length as usize);
        assert_eq!(Some(out), translate(&code, &map));
    }

    #[test]
    fn more_jump_destinations_than_the_index_can_point_to_are_too_long() {
        let code = [op::JUMPDEST; 0x4000];
        let map = mapped(&code);
        assert_eq!(translate(&code, &map), None);
    }
}
