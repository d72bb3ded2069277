//! A call frame: what one execution of code owns.

use super::{CallRequest, CreateRequest};
use crate::machine::Machine;
use crate::translation::Translation;
use crate::{H160, U256, jump_map};
use alloc::rc::Rc;
use alloc::vec::Vec;

/// Code that can run: padded behind its end, with its jump-destination map.
#[derive(Clone, Debug)]
pub enum Code<'c> {
    /// Stored code.
    Stored(Stored<'c>),
    /// Code that is in no account: init code, or code that was deployed a moment ago.
    Init {
        /// The code and [`Code::PADDING`] zero bytes.
        padded: Rc<Vec<u8>>,
        /// The jump-destination map, as far as it is needed: most of init code is data that no jump goes to.
        jump_map: Vec<u8>,
        /// The first opcode that is not in the map yet.
        analysed: usize,
        /// The code's length.
        length: usize,
    },
    /// No code: a call of it stops at once.
    Empty,
}

/// Stored code, whose padding and map are as long as they have to be.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'c> {
    padded: &'c [u8],
    jump_map: &'c [u8],
    length: usize,
    translation: Option<Translation<'c>>,
}

impl<'c> Code<'c> {
    /// Zero bytes behind the code: running off its end reads STOP, and a PUSH32 there reads its immediate.
    pub const PADDING: usize = 33;

    /// Stored code of `length` bytes: with at least [`Code::PADDING`] zero bytes behind it, its jump-destination map, and
    /// its translation, if that is at hand. Code whose padding or map is too short counts as empty; nobody stores such code.
    #[must_use]
    pub fn stored(
        padded: &'c [u8],
        jump_map: &'c [u8],
        length: usize,
        translation: Option<Translation<'c>>,
    ) -> Self {
        if is_sound(padded, jump_map, length) {
            Self::Stored(Stored { padded, jump_map, length, translation })
        } else {
            Self::Empty
        }
    }

    /// Prepares init code.
    #[must_use]
    pub fn init(code: &[u8]) -> Self {
        Self::unstored(&Rc::new(Self::pad(code)))
    }

    /// Prepares code that is in no account, with its padding ([`Self::pad`]).
    #[must_use]
    pub fn unstored(padded: &Rc<Vec<u8>>) -> Self {
        let length = padded.len().saturating_sub(Self::PADDING);
        let jump_map = alloc::vec![0; jump_map::length(length)];
        Self::Init { padded: Rc::clone(padded), jump_map, analysed: 0, length }
    }

    /// Code with its padding.
    #[must_use]
    pub fn pad(code: &[u8]) -> Vec<u8> {
        let mut padded = Vec::with_capacity(code.len() + Self::PADDING);
        padded.extend_from_slice(code);
        padded.resize(code.len() + Self::PADDING, 0);
        padded
    }

    /// Extends the jump-destination map up to `position`; whether that added anything.
    pub(super) fn analyse(&mut self, position: usize) -> bool {
        let Self::Init { padded, jump_map, analysed, length } = self else { return false };
        if position < *analysed || position >= *length {
            return false;
        }
        let code = padded.get(..*length).unwrap_or_default();
        *analysed = jump_map::extend(jump_map, code, *analysed, position);
        true
    }

    /// The code with its padding, and the jump map, which the loop relies on. Code whose padding or map is too short counts
    /// as empty.
    #[inline(always)]
    pub(super) fn parts(&self) -> (&[u8], &[u8], usize) {
        match self {
            Self::Stored(Stored { padded, jump_map, length, .. }) => (padded, jump_map, *length),
            Self::Init { padded, jump_map, length, .. } if is_sound(padded, jump_map, *length) => {
                (padded, jump_map, *length)
            }
            Self::Init { .. } | Self::Empty => (&EMPTY, &[], 0),
        }
    }

    /// The translation, if it is at hand.
    pub(super) const fn translation(&self) -> Option<Translation<'c>> {
        match self {
            Self::Stored(Stored { translation, .. }) => *translation,
            Self::Init { .. } | Self::Empty => None,
        }
    }

    /// The code without its padding.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        let (padded, _, length) = self.parts();
        &padded[..length]
    }
}

/// Whether code of a length can run: zeros stand behind it, and the map has a bit for each of its bytes.
fn is_sound(padded: &[u8], jump_map: &[u8], length: usize) -> bool {
    let padding = padded.get(length..).and_then(<[u8]>::first_chunk);
    jump_map.len() >= jump_map::length(length) && padding.is_some_and(is_zero)
}

/// Whether all bytes are zero, eight at a time.
fn is_zero(padding: &[u8; Code::PADDING]) -> bool {
    let (words, rest) = padding.as_chunks::<8>();
    words.iter().fold(0, |all, word| all | u64::from_ne_bytes(*word)) == 0 && rest == [0]
}

/// The padding of no code.
static EMPTY: [u8; Code::PADDING] = [0; Code::PADDING];

/// Call data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'c> {
    /// Bytes outside of the machine: the transaction's data.
    Bytes(&'c [u8]),
    /// A range of the machine's memory: it belongs to the caller's frame, which does not run meanwhile.
    Memory {
        /// First byte.
        start: usize,
        /// How many.
        length: usize,
    },
}

impl From<Output> for Input<'_> {
    fn from(Output { start, length }: Output) -> Self {
        Self::Memory { start, length }
    }
}

impl<'c> Input<'c> {
    /// The bytes.
    #[must_use]
    pub fn bytes<'a>(&self, machine: &'a Machine) -> &'a [u8]
    where
        'c: 'a,
    {
        match *self {
            Self::Bytes(bytes) => bytes,
            Self::Memory { start, length } => machine.memory(start, length),
        }
    }
}

/// A range of the machine's memory that a frame returned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// First byte.
    pub start: usize,
    /// How many.
    pub length: usize,
}

/// What a frame is made of.
#[derive(Clone, Debug)]
pub struct FrameInput<'c, A> {
    /// The code that runs.
    pub code: Code<'c>,
    /// Call data.
    pub input: Input<'c>,
    /// The host's name for the account whose storage and balance the code sees.
    pub account: A,
    /// ADDRESS.
    pub address: H160,
    /// CALLER.
    pub caller: H160,
    /// CALLVALUE.
    pub value: U256,
    /// Whether state may not change.
    pub is_static: bool,
    /// Gas that it may use.
    pub gas: i64,
}

/// A call frame.
#[derive(Clone, Debug)]
pub struct Frame<'c, A> {
    pub(super) input: FrameInput<'c, A>,
    /// Position of the next opcode in the code, or of the next record in its translation.
    pub(super) pc: usize,
    /// Whether the translation runs.
    pub(super) is_translated: bool,
    /// First stack word.
    pub(super) stack_base: usize,
    /// Stack words in use.
    pub(super) stack_length: usize,
    /// First byte of memory.
    pub(super) memory_start: usize,
    /// Bytes of memory, a multiple of 32.
    pub(super) memory_length: usize,
    /// Where the running call's output goes, from the start of memory.
    pub(super) call_output: Output,
    /// See [`Self::hold`].
    pub(super) hold: i64,
    /// What the frame has asked for last.
    request: Request,
}

/// What a frame asks for. It stays in the frame, because moving it costs as much as to make it.
#[derive(Clone, Debug)]
pub(super) enum Request {
    Nothing,
    Call(CallRequest),
    Create(CreateRequest),
}

/// Where a frame is: all of it but what it was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Position of the next opcode in the code.
    pub pc: u32,
    /// Whether the translation runs, as far as it is at hand.
    pub is_translated: bool,
    /// First stack word.
    pub stack_base: u32,
    /// Stack words in use.
    pub stack_length: u32,
    /// First byte of memory.
    pub memory_start: u32,
    /// Bytes of memory.
    pub memory_length: u32,
    /// Where the running call's output goes, from the start of memory.
    pub call_output_start: u32,
    /// How many bytes it may be.
    pub call_output_length: u32,
}

impl<'c, A: Copy> Frame<'c, A> {
    /// The first frame of a run.
    #[must_use]
    pub const fn first(input: FrameInput<'c, A>) -> Self {
        let translation = input.code.translation();
        Self {
            input,
            pc: first_position(&translation),
            is_translated: translation.is_some(),
            stack_base: 0,
            stack_length: 0,
            memory_start: 0,
            memory_length: 0,
            call_output: Output { start: 0, length: 0 },
            hold: 0,
            request: Request::Nothing,
        }
    }

    /// A frame that this one calls; its stack and memory lie behind this one's.
    #[must_use]
    pub const fn nested(&self, input: FrameInput<'c, A>) -> Self {
        let translation = input.code.translation();
        Self {
            input,
            pc: first_position(&translation),
            is_translated: translation.is_some(),
            stack_base: self.stack_base + self.stack_length,
            stack_length: 0,
            memory_start: self.memory_start + self.memory_length,
            memory_length: 0,
            call_output: Output { start: 0, length: 0 },
            hold: 0,
            request: Request::Nothing,
        }
    }

    /// Gas left.
    #[must_use]
    pub const fn gas(&self) -> i64 {
        self.input.gas
    }

    /// Has the frame pause ([`super::Interrupt::Pause`]) rather than take more gas than down to `gas`; 0, as at first,
    /// lets it run to its end.
    pub const fn hold(&mut self, gas: i64) {
        self.hold = gas;
    }

    /// Where the frame is, between two runs of it. `None` when it is inside of a translated block, where no run ends.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        let pc = match self.input.code.translation() {
            Some(translation) if self.is_translated => translation.position_at(self.pc)?,
            _ => self.pc,
        };
        Some(Position {
            pc: pc as u32,
            is_translated: self.is_translated,
            stack_base: self.stack_base as u32,
            stack_length: self.stack_length as u32,
            memory_start: self.memory_start as u32,
            memory_length: self.memory_length as u32,
            call_output_start: self.call_output.start as u32,
            call_output_length: self.call_output.length as u32,
        })
    }

    /// A frame that goes on at a position which a frame made of the same had, on a machine with the same in its arenas.
    /// It goes on in the code as it is where it was in a translation that is not at hand any more. `None` when the
    /// position lies outside of the code or the arenas.
    #[must_use]
    pub fn at(input: FrameInput<'c, A>, position: &Position, machine: &Machine) -> Option<Self> {
        let (pc, code_length) = (position.pc as usize, input.code.bytes().len());
        let block = match input.code.translation() {
            Some(translation) if position.is_translated => translation.block_at(pc),
            _ => None,
        };
        let is_inside = |start: u32, length: u32, end: usize| start as usize + length as usize <= end;
        let memory_length = position.memory_length as usize;
        let fits = pc <= code_length
            && position.stack_length <= 1024
            && is_inside(position.stack_base, position.stack_length, machine.stack_words())
            && is_inside(position.memory_start, position.memory_length, machine.memory_bytes())
            && is_inside(position.call_output_start, position.call_output_length, memory_length);
        fits.then_some(Self {
            input,
            pc: block.unwrap_or(pc),
            is_translated: block.is_some(),
            stack_base: position.stack_base as usize,
            stack_length: position.stack_length as usize,
            memory_start: position.memory_start as usize,
            memory_length,
            call_output: Output {
                start: position.call_output_start as usize,
                length: position.call_output_length as usize,
            },
            hold: 0,
            request: Request::Nothing,
        })
    }

    /// Position of the next opcode in the code that runs as it is.
    #[must_use]
    pub const fn pc(&self) -> usize {
        self.pc
    }

    /// The stack, its top last.
    #[must_use]
    pub fn stack<'m>(&self, machine: &'m Machine) -> &'m [U256] {
        machine.stack(self.stack_base, self.stack_length)
    }

    /// The memory.
    #[must_use]
    pub fn memory<'m>(&self, machine: &'m Machine) -> &'m [u8] {
        machine.memory(self.memory_start, self.memory_length)
    }

    /// What the frame was made of; its gas is what is left.
    #[must_use]
    pub const fn input(&self) -> &FrameInput<'c, A> {
        &self.input
    }

    /// Goes on after a call or creation that this frame asked for.
    ///
    /// `result` is what the instruction pushes (1, 0, or the new address), `gas` what comes back. For a call the
    /// machine's return data is copied to where the instruction said.
    pub fn resume(&mut self, machine: &mut Machine, result: &U256, gas: i64) {
        self.input.gas += gas;
        machine.write_return_data(self.memory_start + self.call_output.start, self.call_output.length);
        self.call_output = Output::default();
        let top = machine.stack_at(self.stack_base + self.stack_length);
        if self.stack_base + self.stack_length < machine.stack_words() {
            // SAFETY: the index lies below the arena's length, and no other reference to the word exists.
            unsafe { *top = *result }
            self.stack_length += 1;
        }
    }

    /// The call that the frame has asked for, when it stopped for one ([`super::Interrupt::Call`]).
    #[must_use]
    pub const fn call(&self) -> Option<&CallRequest> {
        if let Request::Call(request) = &self.request { Some(request) } else { None }
    }

    /// The creation that the frame has asked for, when it stopped for one ([`super::Interrupt::Create`]).
    #[must_use]
    pub const fn creation(&self) -> Option<&CreateRequest> {
        if let Request::Create(request) = &self.request { Some(request) } else { None }
    }

    /// Notes what the frame asks for.
    #[inline(always)]
    pub(super) fn ask(&mut self, request: Request) {
        self.request = request;
    }

    /// Notes where a call's output goes.
    pub(super) const fn expect_output(&mut self, start: usize, length: usize) {
        self.call_output = Output { start, length };
    }
}

/// Where a run begins.
const fn first_position(translation: &Option<Translation<'_>>) -> usize {
    match translation {
        Some(translation) => translation.records(),
        None => 0,
    }
}

impl CallRequest {
    /// Whether value moves.
    #[must_use]
    pub fn moves_value(&self) -> bool {
        self.transfers && !self.value.is_zero()
    }
}
