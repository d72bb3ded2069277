//! The state of a running frame that does not fit into registers.

use super::super::Interrupt;
use super::super::context::{Context, Result};
use super::super::frame::{Frame, Input, Output};
use super::handler::Form;
use super::{GAS_WINDOW, RECORDS_INSIDE, RECORDS_MAX};
use crate::exit::Exit;
use crate::host::Host;
use crate::machine::Machine;
use crate::translation;
use crate::{U256, arith, gas};
use core::mem::MaybeUninit;

/// Words on a frame's stack at most.
const STACK_MAX: usize = 1024;

/// The most words that an opcode asks for: SWAP16.
const NEED_MAX: usize = 17;

/// An operation that runs between chains, when the whole gas is in the reserve.
///
/// # Safety
/// The words that its opcode takes are on the stack, and what it leaves fits, if it relies on that.
pub(super) type Operation<H> = unsafe fn(&mut Cpu<'_, '_, '_, H>) -> Result<(), <H as Host>::Error>;

/// The state of a running frame.
pub(super) struct Cpu<'m, 'f, 'c, H: Host> {
    /// Machine, frame and host. Outside of [`Self::with_context`] the frame's position, stack length and gas are stale.
    pub(super) context: Context<'m, 'f, 'c, H>,
    /// Where `sp` is when the stack is empty.
    pub(super) base: *mut U256,
    /// `needs[n]` is where `sp` must be at least for `n` words to be on the stack. Only there where code runs as it is:
    /// blocks of a translation do without, and these are most of what there is to prepare for a run.
    needs: [MaybeUninit<*mut U256>; NEED_MAX + 1],
    /// Where `sp` is when the stack is full.
    pub(super) limit: *mut U256,
    /// Up to here a block of a translation fits the stack.
    pub(super) block_limit: *mut U256,
    /// First byte of the frame's memory.
    pub(super) memory: *mut u8,
    /// A word that begins below this offset lies in the frame's memory.
    pub(super) memory_end: usize,
    /// The code, padded.
    pub(super) code: *const u8,
    /// Its length without padding.
    pub(super) code_length: usize,
    /// The map of its jump destinations.
    pub(super) jump_map: *const u8,
    /// Call data.
    pub(super) call_data: *const u8,
    /// Its length.
    pub(super) call_data_length: usize,
    /// A word that begins below this offset lies in it.
    pub(super) call_data_end: usize,
    /// The translation, if there is one.
    pub(super) translation: *const u8,
    /// Its index.
    pub(super) index: *const u8,
    /// Whether records run, and not the code itself.
    pub(super) is_translated: bool,
    /// How many records may still run in this chain.
    pub(super) records: i64,
    /// Gas that is not in the window.
    pub(super) reserve: i64,
    /// The part of the reserve that no chain gets, see [`Frame::hold`].
    pub(super) hold: i64,
    /// Where the next chain begins.
    pub(super) pc: *const u8,
    /// With this stack.
    pub(super) sp: *mut U256,
    /// And this window.
    pub(super) gas: i64,
    /// What has to run before the next chain.
    pending: Option<Operation<H>>,
    /// Why there is no next chain.
    interrupt: Option<Interrupt<H::Error>>,
}

impl<'m, 'f, 'c, H: Host> Cpu<'m, 'f, 'c, H> {
    /// The state of a frame, new or interrupted, before [`Self::prepare`]. One expression that is not in line, so that every
    /// value is written to where it belongs at once; otherwise most are moved twice.
    #[inline(never)]
    pub(super) fn new(
        machine: &'m mut Machine,
        frame: &'f mut Frame<'c, H::Account>,
        host: &'m mut H,
    ) -> Self {
        let (padded, jump_map, code_length) = frame.input.code.parts();
        let (code, jump_map) = (padded.as_ptr(), jump_map.as_ptr());
        let translation = frame.input.code.translation();
        let translation = translation.map_or(&[][..], |translation| translation.bytes()).as_ptr();
        let (call_data, call_data_length) = match frame.input.input {
            Input::Bytes(bytes) => (bytes.as_ptr(), bytes.len()),
            Input::Memory { start, length } => (machine.memory_at(start).cast_const(), length),
        };
        let words = machine.stack_words().saturating_sub(frame.stack_base).min(STACK_MAX);
        let base = machine.stack_at(frame.stack_base);
        let origin = if frame.is_translated { translation } else { code };
        Self {
            needs: [MaybeUninit::uninit(); NEED_MAX + 1],
            base,
            limit: base.wrapping_add(words),
            // Below the arena where no block fits it.
            block_limit: base.wrapping_add(words).wrapping_sub(translation::GROWTH_MAX),
            memory: machine.memory_at(frame.memory_start),
            memory_end: frame.memory_length.saturating_sub(31),
            code,
            code_length,
            jump_map,
            call_data,
            call_data_length,
            call_data_end: call_data_length.saturating_sub(31),
            translation,
            index: translation.wrapping_add(translation::PREFIX),
            is_translated: frame.is_translated,
            records: RECORDS_MAX,
            reserve: 0,
            hold: frame.hold,
            pc: origin.wrapping_add(frame.pc),
            sp: base.wrapping_add(frame.stack_length),
            gas: frame.input.gas,
            pending: None,
            interrupt: None,
            context: Context { machine, frame, host },
        }
    }

    /// Makes ready for the first chain.
    #[inline(always)]
    pub(super) fn prepare(&mut self) {
        if !self.is_translated {
            self.prepare_needs();
        }
    }

    /// Makes ready for running code as it is.
    #[inline(never)]
    fn prepare_needs(&mut self) {
        for (words, need) in self.needs.iter_mut().enumerate() {
            // `wrapping_add`, because a need may lie behind the arena: then `sp` never reaches it.
            need.write(self.base.wrapping_add(words));
        }
    }

    /// Where `sp` must be at least for `WORDS` words to be on the stack.
    ///
    /// # Safety
    /// Code runs as it is.
    #[inline(always)]
    pub(super) const unsafe fn need<const WORDS: usize>(&self) -> *mut U256 {
        // SAFETY: written when the run began, or when it went on in the code as it is.
        unsafe { self.needs[WORDS].assume_init() }
    }

    /// Makes ready for a chain: moves gas from the reserve into the window; for a translation all of it. What is held
    /// stays in the reserve. The window is below zero when an operation between two chains took of what is held.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        let all = self.reserve + self.gas;
        let free = all - self.hold;
        if self.is_translated {
            (self.gas, self.reserve) = (free, self.hold);
        } else {
            self.gas = if free < GAS_WINDOW { free } else { GAS_WINDOW };
            self.reserve = all - self.gas;
        }
    }

    /// Makes ready for a chain with `gas` in the window, or what there is.
    pub(super) fn give(&mut self, gas: i64) {
        let all = self.reserve + self.gas;
        self.gas = all.min(gas);
        self.reserve = all - self.gas;
    }

    /// Writes the registers into the frame, and tells its gas.
    pub(super) fn put_back(&mut self) -> i64 {
        self.store();
        self.context.frame.gas()
    }

    /// Pauses the frame at `pc`.
    pub(super) fn pause(&mut self, pc: *const u8, sp: *mut U256, gas: i64) {
        self.save(pc, sp, gas);
        self.store();
        self.interrupt = Some(Interrupt::Pause);
    }

    /// Goes on in the code itself, for the rest of the frame.
    pub(super) fn fall_back(&mut self, position: usize, sp: *mut U256, gas: i64) {
        self.is_translated = false;
        self.context.frame.is_translated = false;
        self.prepare_needs();
        self.save(self.code.wrapping_add(position), sp, gas);
    }

    /// Ends a chain at the first of a block's `records`, as no more of them may run in it. The block's gas is charged.
    #[inline(always)]
    pub(super) fn rest(&mut self, pc: *const u8, sp: *mut U256, gas: i64, records: i64) {
        self.records = RECORDS_MAX - records;
        self.save(pc, sp, gas);
    }

    /// Ends a chain before the opcode at `pc`.
    #[inline(always)]
    pub(super) fn save(&mut self, pc: *const u8, sp: *mut U256, gas: i64) {
        (self.pc, self.sp, self.gas) = (pc, sp, gas);
    }

    /// Ends a chain; before the next one `operation` runs. `pc` is behind its opcode.
    #[inline(always)]
    pub(super) fn postpone(&mut self, operation: Operation<H>, pc: *const u8, sp: *mut U256, gas: i64) {
        self.pending = Some(operation);
        self.save(pc, sp, gas);
    }

    /// Analyses init code up to a jump's destination; whether that may have changed what is known of it.
    pub(super) fn analyse(&mut self, destination: &U256) -> bool {
        let code = &mut self.context.frame.input.code;
        let position = arith::as_u64_saturating(destination);
        let is_extended = usize::try_from(position).is_ok_and(|position| code.analyse(position));
        self.jump_map = code.parts().1.as_ptr();
        is_extended
    }

    /// Ends the frame with an exceptional halt.
    #[inline(always)]
    pub(super) fn halt(&mut self, exit: Exit) {
        self.interrupt = Some(Interrupt::Exit(exit, Output::default()));
    }

    /// Ends the frame, whose stack is full.
    pub(super) fn overflow(&mut self) {
        let words = (self.limit as usize).wrapping_sub(self.base as usize) / size_of::<U256>();
        self.interrupt = Some(if words < STACK_MAX {
            Interrupt::Limit
        } else {
            Interrupt::Exit(Exit::StackOverflow, Output::default())
        });
    }

    /// Does what the last chain left to do. Gives the reason when no chain follows.
    #[inline(always)]
    pub(super) fn settle(&mut self) -> Option<Interrupt<H::Error>> {
        if let Some(operation) = self.pending {
            self.pending = None;
            self.reserve += self.gas;
            self.gas = 0;
            self.records = if self.records > RECORDS_INSIDE { self.records } else { RECORDS_INSIDE };
            // SAFETY: the handler that postponed it has checked the stack.
            return unsafe { operation(self) }.err();
        }
        if self.interrupt.is_some() { self.interrupt.take() } else { None }
    }

    /// The running operation is that of `OPCODE`, which ends its block: the next chain begins with a block.
    #[inline(always)]
    pub(super) const fn at_block_end<const OPCODE: u8>(&mut self) {
        const { assert!(translation::ends_block(OPCODE)) };
        self.records = RECORDS_MAX;
    }

    /// Charges gas, between chains.
    #[inline(always)]
    pub(super) fn charge(&mut self, gas: i64) -> Result<(), H::Error> {
        if gas > self.reserve {
            return Err(Exit::OutOfGas.into());
        }
        self.reserve -= gas;
        Ok(())
    }

    /// Makes a range part of the frame's memory and charges for it. Gives it as a range of the machine's.
    #[inline(always)]
    pub(super) fn expanded(&mut self, range: Output) -> Result<Output, H::Error> {
        let end = range.start + range.length;
        if end > self.context.frame.memory_length {
            self.grow_memory(end)?;
        }
        Ok(self.context.in_machine(range))
    }

    /// Makes bytes up to `end` part of the frame's memory, which is shorter, and charges for them.
    fn grow_memory(&mut self, end: usize) -> Result<(), H::Error> {
        let frame = &mut *self.context.frame;
        let (now, words) = (frame.memory_length, gas::words(end as u64));
        let cost = gas::memory(words) - gas::memory((now / 32) as u64);
        let left = self.reserve - cost;
        if left < 0 {
            return Err(Exit::OutOfGas.into());
        }
        self.reserve = left;
        let length = words as usize * 32;
        let start = frame.memory_start;
        self.context.machine.grow_memory(start + now, start + length).map_err(|_| Interrupt::Limit)?;
        frame.memory_length = length;
        self.memory_end = length - 31;
        Ok(())
    }

    /// Where the memory word at `offset` is, and the gas left, after making it part of the frame's memory and charging for
    /// it, within a chain of a translation. `None` where that is not easy: then nothing is changed.
    #[inline(always)]
    pub(super) fn word_behind_memory<F: Form>(&mut self, offset: &U256, gas: i64) -> Option<(*mut u8, i64)> {
        /// Beyond this, operations between two chains see to it.
        const END_MAX: usize = 1 << 16;
        let start = offset.0[0] as usize;
        if F::CHECKED || offset.0[1] | offset.0[2] | offset.0[3] != 0 || start > END_MAX || self.records < 1 {
            return None;
        }
        let frame = &mut *self.context.frame;
        let (now, length) = (frame.memory_length, (start + 2 * size_of::<U256>() - 1) & !31);
        let left = gas - (gas::payable_memory((length / 32) as u64) - gas::payable_memory((now / 32) as u64));
        if left < 0
            || !self.context.machine.extend_memory(frame.memory_start + now, frame.memory_start + length)
        {
            return None;
        }
        frame.memory_length = length;
        self.memory_end = length - 31;
        self.records -= 1;
        Some((self.memory.wrapping_add(start), left))
    }

    /// Where the memory word at `offset` is, after making it part of the frame's memory and charging for it.
    #[inline(always)]
    pub(super) fn word_at(&mut self, offset: &U256) -> Result<*mut u8, H::Error> {
        const FAR: u64 = 1 << 40;
        let start = arith::as_u64_saturating(offset);
        if start > FAR {
            return Err(Exit::OutOfGas.into());
        }
        let end = start as usize + 32;
        if end > self.context.frame.memory_length {
            self.grow_memory(end)?;
        }
        Ok(self.memory.wrapping_add(start as usize))
    }

    /// Runs an operation on the frame itself, with the registers in it.
    #[inline(always)]
    pub(super) fn with_context(
        &mut self,
        operation: impl FnOnce(&mut Context<'m, 'f, 'c, H>) -> Result<(), H::Error>,
    ) -> Result<(), H::Error> {
        self.store();
        operation(&mut self.context)?;
        self.load();
        Ok(())
    }

    /// Writes the registers into the frame.
    fn store(&mut self) {
        let frame = &mut *self.context.frame;
        frame.input.gas = self.reserve + self.gas;
        frame.stack_length = (self.sp as usize - self.base as usize) / size_of::<U256>();
        frame.pc = self.pc as usize - if self.is_translated { self.translation } else { self.code } as usize;
    }

    /// Reads the registers from the frame.
    fn load(&mut self) {
        let frame = &*self.context.frame;
        (self.reserve, self.gas) = (0, frame.input.gas);
        // A frame's stack length is at most the limit: pushing keeps to it, here and in `Context`. Its position is at
        // most the code's length, or that of a record: it is the first one's at first and written by `store` only.
        self.sp = self.base.wrapping_add(frame.stack_length);
        let origin = if self.is_translated { self.translation } else { self.code };
        self.pc = origin.wrapping_add(frame.pc);
        self.memory_end = frame.memory_length.saturating_sub(31);
    }
}
