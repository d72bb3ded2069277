//! Translations: hot code, decoded once.
//!
//! A translation is a function of the code alone and a cache: results, gas and errors are the same with and without it.
//! What it saves is decoding (immediates, jump destinations), a gas check and two stack checks for most opcodes
//! (they are made once for a *block*, a straight run of opcodes), and calls (frequent sequences are one record).
//!
//! ```text
//!  0        4               4+w           4+w+4e
//!  ├ prefix ┼ index: w bytes ┼ entries 4e ┼ records …
//!
//! prefix   entries e: u16, flags: u16
//! index    for every 4 bytes of code a u16: 0, or where the entry of the first jump destination in them is
//! entries  for every jump destination, in order: where its block is, u32
//! record   handler u16 (a multiple of 8: its place in the handler table) and operands, see `record.rs`
//! ```
//!
//! Places are counted from the start of the translation. Where a jump goes whose destination stands in the code is
//! written into its record, once that is known: until then the destination's entry holds the place of the last operand
//! that waits for it, and each operand that of the one before.
//!
//! A block begins with `record::BEGIN`, which has the gas of the whole block and the words that must be on the stack. By
//! how much the stack grows is not written, because no block grows it by more than `GROWTH_MAX` words. Where these do
//! not suffice, the interpreter goes back to the code itself, at the block's first
//! opcode, and finds out there exactly what happens: out of gas and stack errors come from the plain handlers only.
//!
//! A block ends before a jump destination, behind a jump, behind whatever ends a frame, behind opcodes that observe the
//! gas left (SSTORE, calls, creations; GAS carries a correction instead), and behind those that can fail for another
//! reason than gas (RETURNDATACOPY, TSTORE, LOG; CLZ, which older forks lack). It goes on behind a conditional jump, which
//! gives back what the block charged for the rest, unless an opcode in front of the jump charges gas of its own: opcodes
//! that are not hot, and those that grow memory. Code that no jump reaches, such as the metadata that compilers append, is
//! left out.
//!
//! All numbers are little-endian. A record's number is never given to another one; what changes the meaning of a
//! translation changes [`VERSION`], and a program does not run translations of another version.

mod fuse;
pub(crate) mod record;
mod translator;

use alloc::vec::Vec;

pub(crate) use translator::ends_block;
pub use translator::{Progress, TooLong, Translator};

/// The version of the format.
pub const VERSION: u8 = 2;

/// Bytes in front of the index.
pub(crate) const PREFIX: usize = 4;

/// Records of a block at most: the interpreter's chain of calls must be able to run a whole block and more.
pub(crate) const BLOCK_RECORDS_MAX: usize = 25;

/// Words that a block pushes at most.
pub(crate) const GROWTH_MAX: usize = 32;

/// Bytes of translation for a byte of code at most; code that would take more stays as it is.
pub const DENSITY_MAX: usize = 6;

/// Bytes of code that share a number in the index.
pub(crate) const INDEXED: usize = 4;

/// Bytes of the index.
pub(crate) const fn index_length(code_length: usize) -> usize {
    code_length.div_ceil(INDEXED) * size_of::<u16>()
}

/// The most bytes that the translation of a code takes.
#[must_use]
pub const fn length_max(code_length: usize) -> usize {
    PREFIX + code_length * DENSITY_MAX + translator::ROOM
}

/// Room behind what is written that lets the translator go on for long: as much as an account can grow by at once.
pub const ROOM_FOR_LONG: usize = 5_000;

/// The room that [`Translator::start`] needs.
#[must_use]
pub fn room_to_start(code: &[u8], jump_map: &[u8]) -> usize {
    let entries: usize = jump_map.iter().map(|&mask| usize::from(ONES[usize::from(mask)])).sum();
    PREFIX + index_length(code.len()) + 4 * entries + translator::ROOM
}

/// How many bits are set, by byte.
static ONES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).count_ones() as u8;
        byte += 1;
    }
    table
};

/// The translation of a code, made at once; `None` when it would be too long.
#[must_use]
pub fn translate(code: &[u8], jump_map: &[u8]) -> Option<Vec<u8>> {
    let mut out = alloc::vec![0; length_max(code.len())];
    let mut progress = Translator::start(code, jump_map, &mut out).ok()?;
    while !progress.is_complete(code.len()) {
        progress = Translator::new(code, jump_map, &mut out, &progress).run(&progress, usize::MAX).ok()?;
    }
    out.truncate(progress.length as usize);
    Some(out)
}

/// A checked view of a translation.
#[derive(Clone, Copy, Debug)]
pub struct Translation<'c> {
    bytes: &'c [u8],
    entries: usize,
    records: usize,
}

impl<'c> Translation<'c> {
    /// The translation of a code of `code_length` bytes, which [`Translator`] made.
    ///
    /// Only the frame is checked: nobody but the translator writes translations.
    #[must_use]
    pub fn new(bytes: &'c [u8], code_length: usize) -> Option<Self> {
        let (prefix, _) = bytes.split_first_chunk::<4>()?;
        let count = usize::from(u16::from_le_bytes([prefix[0], prefix[1]]));
        let entries = PREFIX + index_length(code_length);
        let records = entries + 4 * count;
        (records < bytes.len()).then_some(Self { bytes, entries, records })
    }

    /// The bytes.
    pub(crate) const fn bytes(&self) -> &'c [u8] {
        self.bytes
    }

    /// Where the first record is.
    pub(crate) const fn records(&self) -> usize {
        self.records
    }

    /// The code position of the block whose BEGIN is at `place`; `None` when none is there.
    pub(crate) fn position_at(&self, place: usize) -> Option<usize> {
        let begin = self.bytes.get(place..)?.first_chunk::<{ record::length(record::BEGIN) }>()?;
        let is_begin = u16::from_le_bytes([begin[0], begin[1]]) == record::BEGIN * record::SCALE;
        is_begin.then(|| usize::from(u16::from_le_bytes([begin[6], begin[7]])))
    }

    /// Where the BEGIN of the block at a code position is, if a block begins there.
    pub(crate) fn block_at(&self, position: usize) -> Option<usize> {
        let entries = self.bytes.get(self.entries..self.records)?.as_chunks::<4>().0;
        let place_of = |entry: &[u8; 4]| u32::from_le_bytes(*entry) as usize;
        let is_in_front =
            |entry: &[u8; 4]| self.position_at(place_of(entry)).is_some_and(|at| at <= position);
        // Blocks are in the order of the code. Those behind the nearest jump destination have no entry.
        let count = entries.partition_point(is_in_front);
        let mut place =
            count.checked_sub(1).and_then(|last| entries.get(last)).map_or(self.records, place_of);
        // Ends at the latest behind the last record.
        while let Some(number) = self.bytes.get(place..).and_then(<[u8]>::first_chunk) {
            match self.position_at(place) {
                Some(at) if at == position => return Some(place),
                Some(at) if at > position => return None,
                _ => place += record::length(u16::from_le_bytes(*number) / record::SCALE),
            }
        }
        None
    }
}
